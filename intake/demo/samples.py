"""The sample practices: what twelve real entries of the Repository of Practices would hold in our form.

Facts come from the source that each file names; the answers listed there as invented are made up, and so
is every contact. Nothing here knows how a form is laid out: that is `word_form` and `excel_form`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from intake.demo.excel_form import fill_xlsx
from intake.demo.word_form import fill_docx

__all__ = ["Practice", "fill_docx", "fill_xlsx", "others", "practices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """One practice as a submitter would tell it.

    Attributes:
        name: `"P1"` to `"P12"`, or the name of one of `others()`.
        language: Language of the texts.
        source: Where its facts were read; empty when all is invented.
        invented: Field keys whose answers go beyond the source.
        fields: Field key to value, typed as in the command contract (`docs`): text, lists of integers, term
            keys, dates such as `"2021-04"` or `"ongoing"`, country codes, a list of addresses, a boolean.
    """

    name: str
    language: str
    source: str
    invented: tuple[str, ...]
    fields: Mapping[str, Any]


def practices() -> dict[str, Practice]:
    """The twelve practices `P1` to `P12`, each a complete submission, in that order."""
    return _read("practices")


def others() -> dict[str, Practice]:
    """Further practices, wholly invented, for mails that go wrong in some way."""
    return _read("others")


@lru_cache(maxsize=2)
def _read(folder: str) -> dict[str, Practice]:
    files = sorted(
        (
            file
            for file in resources.files(__package__).joinpath(folder).iterdir()
            if file.name.endswith(".toml")
        ),
        key=lambda file: file.name,
    )
    found = (_practice(tomllib.loads(file.read_text(encoding="utf-8"))) for file in files)
    return {practice.name: practice for practice in found}


def _practice(data: Mapping[str, Any]) -> Practice:
    return Practice(
        name=data["name"],
        language=data["language"],
        source=data.get("source", ""),
        invented=tuple(data.get("invented", ())),
        fields=dict(data["fields"]),
    )
