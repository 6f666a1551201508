"""How a problem of the configuration is told: `file: key: what is wrong (did you mean X?)`.

Collects, never raises: an operator reads all problems at once. A value never stands in a message, since
any value may be a secret.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]


def fold(text: str) -> str:
    """Text without case, accents and doubled white space, for telling whether two names are the same."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.replace("’", "'").split())


def near(wrong: str, known: Iterable[str]) -> str:
    """A hint at the most similar known word, `" (did you mean X?)"`; empty when none is near."""
    words = list(known)
    match = difflib.get_close_matches(wrong, words, n=1, cutoff=0.6)
    return f" (did you mean {match[0]}?)" if match else ""


def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """The keys a file may hold for a model, each with its type."""
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def block_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a table, or of each table of an array; `None` for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple):
        return next((block for part in get_args(annotation) if (block := block_of(part))), None)
    return None


def validated(
    model: type[Model],
    raw: Mapping[str, Any],
    file: str,
    problems: list[str],
    origins: Mapping[Location, str] | None = None,
) -> Model | None:
    """The model made of what a file says; `None`, with problems added, when it does not fit.

    Args:
        model: What is wanted.
        raw: The parsed file.
        file: The file's name as the operator knows it.
        problems: Receives one line for each thing wrong.
        origins: Places whose value came from an environment variable, with its name.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=True):
            location = tuple(detail["loc"])
            text = _words(model, detail)
            name = (origins or {}).get(location)
            place = f"environment: {name}" if name else f"{file}: {_key(location, raw)}".removesuffix(": ")
            problems.append(f"{place}: {text}")
        return None


def _key(location: Location, raw: Any) -> str:
    """A location in words: array items by their own key where they have one."""
    parts: list[str] = []
    for part in location:
        raw = _member(raw, part)
        own = raw.get("key") if isinstance(part, int) and isinstance(raw, Mapping) else None
        parts.append(own if isinstance(own, str) else str(part))
    return ".".join(parts)


def _member(raw: Any, part: int | str) -> Any:
    if isinstance(raw, Mapping):
        return raw.get(part)
    if isinstance(raw, list | tuple) and isinstance(part, int) and part < len(raw):
        return raw[part]
    return None


def _words(model: type[BaseModel], detail: ErrorDetails) -> str:
    location, value = detail["loc"], detail["input"]
    if detail["type"] == "extra_forbidden":
        block = _block_at(model, location[:-1])
        known = fields_of(block) if block else {}
        return f"unknown key{near(str(location[-1]), known)}"
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "literal_error" and isinstance(value, str):
        choices = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
        return f"must be one of {', '.join(choices)}{near(value, choices)}"
    return detail["msg"].removeprefix("Value error, ")


def _block_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    block: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, str) and block is not None:
            block = block_of(fields_of(block).get(part))
    return block
