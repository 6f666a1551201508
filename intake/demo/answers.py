"""How a person would answer each question: typed values as words and marks, in the form's language.

Knows questions and lists, and nothing of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from babel.dates import format_date, format_skeleton

from config.form import Field
from config.vocabulary import Vocabulary

_LOCALES: Final[Mapping[str, str]] = {"en": "en_GB"}
_ONGOING: Final[Mapping[str, str]] = {"es": "Continúa", "en": "Ongoing", "fr": "En cours"}
_DATE: Final = re.compile(r"\d{4}(-\d{2}){0,2}|ongoing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person writes or marks for one question.

    Attributes:
        words: Text for the answer cell; empty when the question is answered by marks alone.
        marks: Keys of the terms that are marked.
    """

    words: str = ""
    marks: tuple[str, ...] = ()


def written(field: Field, value: Any, vocabularies: Mapping[str, Vocabulary], language: str) -> Written:
    """A typed value as a person would answer it in a form of this language.

    Args:
        field: The question.
        value: As in `Practice.fields`; other words for a date, or a string for a list, are written as they
            stand.
        vocabularies: Name to vocabulary.
        language: Language of the form; titles and dates are written in it, texts stay as they are.

    Raises:
        KeyError: A list or country code that the vocabularies lack.
    """
    if field.kind == "date" and _DATE.fullmatch(value):
        return Written(words=date_words(value, language))
    if field.kind == "emails":
        return Written(words=", ".join(value))
    if field.kind in {"line", "text", "lines", "date"} or (
        field.kind == "choices" and isinstance(value, str)
    ):
        return Written(words=str(value))
    keys = _keys(field, value)
    vocabulary = vocabularies[field.vocabulary or ""]
    if field.layout in {"checks", "list"}:
        return Written(marks=keys)
    terms = [vocabulary.get(key) for key in keys]
    if None in terms:
        raise KeyError(f"{field.key}: {value!r} is not in the list {vocabulary.name}")
    return Written(words=", ".join(term.title(language) for term in terms if term))


def _keys(field: Field, value: Any) -> tuple[str, ...]:
    if field.kind == "sender":
        return ("contact" if value else "other",)
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value),)


def date_words(value: str, language: str) -> str:
    """A date of the form in words, as precise as it is: `"2021-04"` gives `"abril de 2021"`."""
    if value == "ongoing":
        return _ONGOING[language]
    locale = _LOCALES.get(language, language)
    match [int(part) for part in value.split("-")]:
        case [year]:
            return str(year)
        case [year, month]:
            return str(format_skeleton("yMMMM", date(year, month, 1), locale=locale))
        case [year, month, day]:
            return str(format_date(date(year, month, day), "long", locale=locale))
        case _:
            raise ValueError(f"{value!r} is no date of the form (expected 2021, 2021-04 or 2021-04-15)")
