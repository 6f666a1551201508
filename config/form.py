"""The form as data: one template version, its sections and questions, in every language.

The blank template, the parser, the criteria, the replies and the register's headings all read this;
a new version is a new file under `templates/`, never code.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Requirement = Literal["mandatory", "recommended", "optional"]
Kind = Literal[
    "line",  # one short line of text
    "text",  # paragraphs
    "lines",  # one item a line, filed as text with line breaks
    "choice",  # one term of a vocabulary
    "choices",  # several terms of a vocabulary
    "date",  # "2016", "2021-03", "2021-03-15" or "ongoing"
    "countries",  # ISO 3166-1 alpha-2 codes, and names outside the list
    "emails",  # a list of addresses
    "sender",  # one of two boxes, filed as a boolean: the contact person sends it
]


class Condition(BaseModel):
    """When a field that is otherwise not mandatory becomes so.

    Attributes:
        field: Key of the deciding field.
        any_of: The field becomes mandatory when the deciding value is (or contains) one of these.
        none_of: The field becomes mandatory when the deciding value is none of these.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()


class Field(BaseModel):
    """One question.

    Attributes:
        key: The field key of the command contract, e.g. `"primary_objectives"`.
        number: The visible question number, the parser's first key, e.g. `"3"` or `"30a"`.
        kind: How the answer is read and filed.
        requirement: Mandatory, recommended or optional, when no condition says otherwise.
        mandatory_when: Condition that makes it mandatory.
        vocabulary: Name of the list for `choice`, `choices` (and `countries`, `sender`).
        layout: How the blank template asks: `"cell"` (write here), `"dropdown"`, `"checks"` (a row a choice
            below the question), `"list"` (a row a choice in the list on the last page).
        public: Whether the answer may be published (sensitive data is looked for in public fields).
        quotable: Whether a correction request may quote what was read (never contacts or consent).
        labels: Language to the question as people read it.
        hints: Language to the one line of help.
        examples: Language to an example answer, shown in correction requests.
        aliases: Language to other labels under which the same question is recognised.
        prefills: Language to a prefilled answer of the blank template (e.g. "Perú").
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    number: str
    kind: Kind
    requirement: Requirement
    mandatory_when: Condition | None = None
    vocabulary: str | None = None
    layout: Literal["cell", "dropdown", "checks", "list"] = "cell"
    public: bool = True
    quotable: bool = True
    labels: dict[str, str]
    hints: dict[str, str] = {}
    examples: dict[str, str] = {}
    aliases: dict[str, tuple[str, ...]] = {}
    prefills: dict[str, str] = {}

    def label(self, language: str) -> str:
        """The question; in Spanish where the language lacks it."""
        return self.labels.get(language) or self.labels["es"]


class Section(BaseModel):
    """A group of questions under one heading, with an optional paragraph before them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    titles: dict[str, str]
    notes: dict[str, str] = {}
    fields: tuple[Field, ...]


class FormTemplate(BaseModel):
    """One version of the form.

    Attributes:
        id: The visible template id, e.g. `"practice-1"`.
        version: The wording's version, kept with each case (consent wording included).
        titles: Language to the form's title.
        intros: Language to the lines under the title.
        texts: Other words the blank template needs (column heads, instructions): name to language to text.
        sections: In order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    version: str
    titles: dict[str, str]
    intros: dict[str, str]
    texts: dict[str, dict[str, str]] = {}
    sections: tuple[Section, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All questions in the order of the form."""
        return tuple(field for section in self.sections for field in section.fields)

    def field(self, key: str) -> Field:
        """The question with this key.

        Raises:
            KeyError: No question has this key.
        """
        for field in self.fields:
            if field.key == key:
                return field
        raise KeyError(key)

    def text(self, name: str, language: str) -> str:
        """A named text of the blank template; in Spanish where the language lacks it."""
        texts = self.texts[name]
        return texts.get(language) or texts["es"]

    def addressed(self, contact: str) -> FormTemplate:
        """The form with the office's address in the place of `{contact}` in its notes and texts."""

        def told(words: dict[str, str]) -> dict[str, str]:
            return {language: text.replace("{contact}", contact) for language, text in words.items()}

        sections = tuple(
            section.model_copy(update={"notes": told(section.notes)}) for section in self.sections
        )
        texts = {name: told(words) for name, words in self.texts.items()}
        return self.model_copy(update={"sections": sections, "texts": texts, "intros": told(self.intros)})

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages in which the form exists."""
        return tuple(self.titles)
