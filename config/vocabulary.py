"""The closed lists people choose from: objectives, principles, SDGs, types, countries and the rest.

A vocabulary is data: `vocabularies/NAME.toml` holds keys, `vocabularies/NAME.<language>.toml` the words.
Nothing here reads an answer; that is `parsers.values`.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Term(BaseModel):
    """One entry of a list, in every language.

    Attributes:
        key: What is filed, e.g. `"people_centred"`, `"16"`, `"PE"`.
        number: The official number where the list has numbers, else `None`.
        titles: Language code to official title, shown to people.
        shorts: Language code to short title, shown where room is scarce; may lack a language.
        synonyms: Language code to other wordings, for reading only, never shown.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    number: int | None = None
    titles: dict[str, str]
    shorts: dict[str, str] = {}
    synonyms: dict[str, tuple[str, ...]] = {}

    def title(self, language: str) -> str:
        """The official title; Spanish where the language has none."""
        return self.titles.get(language) or self.titles["es"]

    def short(self, language: str) -> str:
        """The short title, else the official one."""
        return self.shorts.get(language) or self.title(language)


class Vocabulary(BaseModel):
    """A list of terms in its official order.

    Attributes:
        name: The file's name, e.g. `"objectives"`.
        numbered: Whether people may answer by number.
        terms: In official order.
        unlisted: Names that belong to no term although one may look near (countries: territories in
            dispute); they are kept as written, with a note for staff, in whatever language.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    numbered: bool = False
    terms: tuple[Term, ...]
    unlisted: tuple[str, ...] = ()

    def get(self, key: str) -> Term | None:
        """The term with this key, or `None`."""
        return next((term for term in self.terms if term.key == key), None)

    def by_number(self, number: int) -> Term | None:
        """The term with this official number, or `None`."""
        return next((term for term in self.terms if term.number == number), None)
