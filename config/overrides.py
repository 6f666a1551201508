"""Settings from the environment and secrets from files, laid over what `settings.toml` says.

`PRACTICE_INTAKE_SMTP__HOST` sets `host` of `[smtp]`; `PRACTICE_INTAKE_MAILBOXES__0__PASSWORD` the first
mailbox's password. Any key may instead name a file: `password_file` in TOML, `..._FILE` in the environment.
What was read never stands in a problem.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from config.problems import Location, block_of, fields_of, near
from config.settings import Settings

PREFIX = "PRACTICE_INTAKE_"
# A secret is a line or two; a wrong path may name a device or a film.
SECRET_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class _Secrets:
    """Reads files that hold one setting each."""

    home: Path
    problems: list[str]

    def read(self, value: Any, place: str) -> str | None:
        """A file's text without its final line end; `None`, with a problem added, when it cannot be read."""
        if not isinstance(value, str) or not value:
            self.problems.append(f"{place}: must be the path of a file")
            return None
        try:
            with (self.home / value).open("rb") as stream:
                content = stream.read(SECRET_BYTES + 1)
            if len(content) > SECRET_BYTES:
                self.problems.append(f"{place}: the file is too large for a setting")
                return None
            return content.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.problems.append(f"{place}: the file cannot be read: {reason}")
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where one variable's value belongs.

    Attributes:
        location: Keys and item numbers from the top.
        annotation: Type of the setting.
        from_file: Whether the value is the name of a file that holds the setting.
    """

    location: Location
    annotation: Any
    from_file: bool


def expand_files(raw: dict[str, Any], home: Path, file: str, problems: list[str]) -> None:
    """Replaces every `<key>_file` by `<key>` with the file's text."""
    _expand(raw, Settings, f"{file}: ", _Secrets(home=home, problems=problems))


def apply_environment(
    raw: dict[str, Any], environment: Mapping[str, str], home: Path, problems: list[str]
) -> dict[Location, str]:
    """Lays the environment's settings over the file's.

    Returns:
        Each place that was set, with the variable's name, so that a problem names its origin.
    """
    origins: dict[Location, str] = {}
    secrets = _Secrets(home=home, problems=problems)
    for name in sorted(environment, key=_order):
        if not name.startswith(PREFIX):
            continue
        segments = name.removeprefix(PREFIX).lower().split("__")
        if len(segments) == 1 and not _top_level(segments[0]):
            hint = _slip(segments[0])
            if hint:
                problems.append(f"environment: {name}: unknown setting (did you mean {hint}?)")
            continue
        location = _place(raw, segments, name, environment[name], secrets)
        if location in origins:
            problems.append(f"environment: {name}: {origins[location]} is given too; keep one of them")
        elif location:
            origins[location] = name
    return origins


def _order(name: str) -> list[tuple[int, str]]:
    """Keeps item 10 behind item 9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in name.split("__")]


def _top_level(key: str) -> bool:
    known = fields_of(Settings)
    return key in known or key.removesuffix("_file") in known


def _slip(key: str) -> str | None:
    """What a variable with one underscore too few was meant to be; `None` when it is none of ours."""
    for section in fields_of(Settings):
        if key.startswith(f"{section}_"):
            return f"{PREFIX}{section}__{key.removeprefix(f'{section}_')}".upper()
    return None


def _place(
    raw: dict[str, Any], segments: list[str], name: str, value: str, secrets: _Secrets
) -> Location | None:
    """Sets one value; `None`, with a problem added, when its place does not exist."""
    place = _resolve(segments, name, secrets.problems)
    if place is None:
        return None
    text = secrets.read(value, f"environment: {name}") if place.from_file else value
    target: Any = raw
    for key, following in zip(place.location, place.location[1:], strict=False):
        if isinstance(key, int) and key > len(target):
            problem = f"environment: {name}: item {key} without an item {len(target)} before it"
            secrets.problems.append(problem)
            return None
        target = _descend(target, key, array=isinstance(following, int))
        if target is None:
            # The file holds something else there, which validation reports.
            return None
    if text is not None:
        target[place.location[-1]] = _typed(text, place.annotation)
    return place.location


def _resolve(segments: list[str], name: str, problems: list[str]) -> _Place | None:
    """Where a variable's value belongs, by the settings' shape alone."""
    annotation: Any = Settings
    location: list[int | str] = []
    from_file = False
    for depth, segment in enumerate(segments):
        key, from_file = _known_key(annotation, segment, last=depth == len(segments) - 1)
        if key is None:
            known = fields_of(block_of(annotation) or Settings)
            problems.append(f"environment: {name}: unknown setting {segment!r}{near(segment, known)}")
            return None
        location.append(key)
        annotation = _member_type(annotation, key)
    if block_of(annotation):
        problems.append(f"environment: {name}: names a section; behind it stand two underscores and a key")
        return None
    return _Place(location=tuple(location), annotation=annotation, from_file=from_file)


def _known_key(annotation: Any, segment: str, *, last: bool) -> tuple[int | str | None, bool]:
    if _is_array(annotation):
        return (int(segment), False) if segment.isdecimal() else (None, False)
    block = block_of(annotation)
    if block is None:
        return (segment, False) if get_origin(annotation) is dict and last else (None, False)
    known = fields_of(block)
    if segment in known:
        return segment, False
    base = segment.removesuffix("_file")
    return (base, True) if last and base in known else (None, False)


def _is_array(annotation: Any) -> bool:
    """Whether a type is an array of tables."""
    return get_origin(annotation) is tuple and block_of(annotation) is not None


def _member_type(annotation: Any, key: int | str) -> Any:
    if isinstance(key, int):
        return block_of(annotation)
    block = block_of(annotation)
    return fields_of(block).get(key) if block else str


def _descend(target: Any, key: int | str, *, array: bool) -> Any:
    empty: Any = [] if array else {}
    if isinstance(key, int):
        if key == len(target):
            target.append(empty)
        child = target[key]
    else:
        child = target.setdefault(key, empty)
    return child if isinstance(child, type(empty)) else None


def _typed(text: str, annotation: Any) -> Any:
    """A list of plain values is given with commas, or as a TOML array; the rest is read by pydantic."""
    if get_origin(annotation) is not tuple or block_of(annotation):
        return text
    if text.lstrip().startswith("["):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    return [part.strip() for part in text.split(",") if part.strip()]


def _expand(raw: Any, annotation: Any, place: str, secrets: _Secrets) -> None:
    block = block_of(annotation)
    if block is None:
        return
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            _expand(item, block, f"{place}{index}.", secrets)
        return
    if not isinstance(raw, dict):
        return
    known = fields_of(block)
    for key in list(raw):
        base = key.removesuffix("_file")
        if key in known:
            _expand(raw[key], known[key], f"{place}{key}.", secrets)
        elif base != key and base in known and not block_of(known[base]):
            path = raw.pop(key)
            if base in raw:
                secrets.problems.append(f"{place}{key}: {base} is given too; keep one of them")
                continue
            text = secrets.read(path, f"{place}{key}")
            # The key stays present, so that it is not reported missing as well.
            raw[base] = "" if text is None else _typed(text, known[base])
