"""Shapes of the files that hold one language's words: `practice-1.es.toml`, `types.es.toml`, `criteria.es.toml`.

They exist to refuse unknown keys; the words themselves go into `FormTemplate`, `Vocabulary` and `Criterion`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SectionWords(_Words):
    """Words of one section."""

    title: str
    note: str = ""


class FieldWords(_Words):
    """Words of one question; an empty text is a text that is not there."""

    label: str
    hint: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    prefill: str = ""


class TemplateWords(_Words):
    """`templates/ID.LANGUAGE.toml`."""

    title: str
    intro: str
    texts: dict[str, str] = {}
    sections: dict[str, SectionWords] = {}
    fields: dict[str, FieldWords] = {}


class VocabularyShape(_Words):
    """`vocabularies/NAME.toml`.

    Attributes:
        keys: Terms in official order.
        numbered: Whether the place in the list is the term's official number.
        cldr: Whether keys are ISO 3166-1 alpha-2 codes, whose CLDR names are added as synonyms.
        unlisted: See `Vocabulary`.
    """

    keys: tuple[str, ...]
    numbered: bool = False
    cldr: bool = False
    unlisted: tuple[str, ...] = ()


class VocabularyWords(_Words):
    """`vocabularies/NAME.LANGUAGE.toml`."""

    titles: dict[str, str]
    shorts: dict[str, str] = {}
    synonyms: dict[str, tuple[str, ...]] = {}
    unlisted: tuple[str, ...] = ()


class CriteriaWords(_Words):
    """`criteria.LANGUAGE.toml`."""

    questions: dict[str, str] = {}
