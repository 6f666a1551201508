"""What the blank template says, whatever its format: labels, marks, lists, names, the identity line.

The parser finds questions by exactly these strings; `blank_docx` and `blank_xlsx` only lay them out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from config.form import Field, FormTemplate
from config.vocabulary import Term, Vocabulary
from responses.office_file import xml_text

ASTERISK: Final = " *"
_NOT_IN_FILE_NAMES: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceList:
    """A list printed once, for one question or for several that choose from it.

    Attributes:
        title: Heading above it.
        vocabulary: Its terms.
        fields: The questions, the main one first.
    """

    title: str
    vocabulary: Vocabulary
    fields: tuple[Field, ...]


def question_label(field: Field, language: str) -> str:
    """The question's words with the mark of a mandatory one, without the number."""
    return field.label(language) + (ASTERISK if field.requirement == "mandatory" else "")


def numbered_label(field: Field, language: str) -> str:
    """`8. ¿Desde cuándo? *`."""
    return f"{field.number}. {question_label(field, language)}"


def hint(template: FormTemplate, field: Field, language: str, *, where: str) -> str:
    """The line of help.

    Args:
        template: The form.
        field: The question.
        language: Language of the words.
        where: Name of the text that tells where the list is, added to questions with a list.
    """
    words = field.hints.get(language) or field.hints.get("es", "")
    if field.layout == "list":
        words = f"{words} {template.text(where, language)}".strip()
    return words


def term_words(term: Term, language: str) -> str:
    """`16 – Empoderar a …`, or the words alone where the list has no numbers."""
    title = term.title(language)
    return title if term.number is None else f"{term.number} – {title}"


def choice_lists(
    template: FormTemplate, vocabularies: Mapping[str, Vocabulary], language: str
) -> tuple[ChoiceList, ...]:
    """The lists in the order of their first question; questions of one vocabulary share one list."""
    sharing: dict[str, list[Field]] = {}
    for field in template.fields:
        if field.layout == "list" and field.vocabulary is not None:
            sharing.setdefault(field.vocabulary, []).append(field)
    return tuple(
        ChoiceList(
            title=template.text(f"{name}_list", language), vocabulary=vocabularies[name], fields=tuple(fields)
        )
        for name, fields in sharing.items()
    )


def mark_words(template: FormTemplate, choices: ChoiceList, language: str) -> tuple[str, ...]:
    """What marks an item for each of the list's questions: `Sí`, or `Principal` and `Otro`."""
    if len(choices.fields) == 1:
        return (template.text("yes", language),)
    return (template.text("principal", language), template.text("other", language))


def prefilled(
    field: Field, vocabularies: Mapping[str, Vocabulary], language: str, answers: Mapping[str, str] | None
) -> str:
    """The answer to print: a given one (term keys in words), else the template's own, else `""`."""
    answer = xml_text((answers or {}).get(field.key) or field.prefills.get(language, ""))
    vocabulary = vocabularies.get(field.vocabulary or "")
    if vocabulary is not None and field.kind == "choice":
        term = vocabulary.get(answer)
        return term.title(language) if term else answer
    return answer


def identity_line(template: FormTemplate, language: str, case_id: str | None) -> str:
    """`practice-1 · v1 · es`, with the case's reference behind it in copies that we send back."""
    parts = [template.id, f"v{template.version}", language, *([case_id] if case_id else [])]
    return " · ".join(parts)


def identity_properties(template: FormTemplate, language: str, case_id: str | None) -> dict[str, str]:
    """The same as custom document properties."""
    properties = {
        "PracticeTemplate": template.id,
        "PracticeVersion": template.version,
        "PracticeLanguage": language,
    }
    return properties | ({"PracticeCase": case_id} if case_id else {})


def lines_of(text: str) -> list[str]:
    """The lines of a text from the configuration, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def title_of(template: FormTemplate, language: str) -> str:
    """The form's title; in Spanish where the language lacks it."""
    return template.titles.get(language) or template.titles["es"]


def file_name(template: FormTemplate, language: str, format: str) -> str:  # noqa: A002  # The contract's word.
    """A file name in the form's language: `Formulario … (practice-1, es).docx`.

    Args:
        template: Its title names the file.
        language: `"es"`, `"en"`, `"fr"`.
        format: `"docx"` or `"xlsx"`.
    """
    title = _NOT_IN_FILE_NAMES.sub(" ", title_of(template, language)).strip()
    return f"{title} ({template.id}, {language}).{format}"
