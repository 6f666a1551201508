"""The empty template as a Word document, made from the same form that the parser reads.

Decides what stands where; the markup is in `docx_parts`, page and styles in `docx_package`.
Two pages of questions, then the lists. Nothing is ticked beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from docx.document import Document

from config.form import Field, FormTemplate, Section
from config.vocabulary import Vocabulary
from responses import docx_package as look
from responses.blank_form import (
    ChoiceList,
    choice_lists,
    file_name,
    hint,
    identity_line,
    identity_properties,
    lines_of,
    mark_words,
    numbered_label,
    prefilled,
    term_words,
    title_of,
)
from responses.docx_parts import Controls, Element, cell, element, paragraph, row, run, table

__all__ = ["blank_docx", "file_name"]

# Twentieths of a point; together the width between the margins.
_LABEL_WIDTH: Final = 4200
_ANSWER_WIDTH: Final = 5666
_MARK_WIDTH: Final = 900
_NUMBER_WIDTH: Final = 430
# Room for a long answer, more for one that is asked of everybody.
_LEAST_HEIGHT: Final[Mapping[str, int]] = {"text": 580, "lines": 460}
_LEAST_HEIGHT_MANDATORY: Final[Mapping[str, int]] = {"text": 900, "lines": 460}
_CONTROLLED: Final = ("line", "date", "countries", "emails")


def blank_docx(
    template: FormTemplate,
    vocabularies: Mapping[str, Vocabulary],
    language: str,
    *,
    case_id: str | None = None,
    answers: Mapping[str, str] | None = None,
) -> bytes:
    """The form as a .docx file; the same arguments give the same bytes.

    Args:
        template: The form.
        vocabularies: Name to vocabulary, those of the form's questions at least.
        language: Language of labels and lists, e.g. `"es"`.
        case_id: Reference to print in a copy for a known case.
        answers: Field key to text that stands in the answer already; term keys are told in words.

    Raises:
        KeyError: The template lacks a text, or a vocabulary is missing.
    """
    form = _Form(template, vocabularies, language, answers)
    properties = identity_properties(template, language, case_id)
    document = look.new_document(title_of(template, language), language, properties)
    body = _Body(document)
    body.add(paragraph(title_of(template, language), style=look.TITLE))
    for line in lines_of(template.intros.get(language) or template.intros["es"]):
        body.add(paragraph(line, style=look.INTRO))
    body.add(paragraph(template.text("mandatory_note", language), style=look.HINT))
    body.add(form.identity(case_id))
    for section in template.sections:
        form.add_section(body, section)
    for position, choices in enumerate(choice_lists(template, vocabularies, language)):
        form.add_list(body, choices, new_page=position == 0)
    # Word wants a paragraph behind the last table.
    body.add(paragraph(style=look.IDENTITY))
    look.set_footer(document, title_of(template, language), "{page} / {pages}")
    return look.save(document)


class _Body:
    """Appends to a document, before its section's properties."""

    def __init__(self, document: Document) -> None:
        self._end: Element = document.element.body.sectPr

    def add(self, piece: Element) -> None:
        self._end.addprevious(piece)


class _Form:
    """One form in one language, piece by piece."""

    def __init__(
        self,
        template: FormTemplate,
        vocabularies: Mapping[str, Vocabulary],
        language: str,
        answers: Mapping[str, str] | None,
    ) -> None:
        self._template = template
        self._vocabularies = vocabularies
        self._language = language
        self._answers = answers
        self._controls = Controls(
            placeholder=template.text("placeholder", language),
            choose=template.text("choose", language),
            placeholder_style=look.PLACEHOLDER,
        )

    def identity(self, case_id: str | None) -> Element:
        """The small line by which a copy from any program is still known; it stands alone."""
        return paragraph(identity_line(self._template, self._language, case_id), style=look.IDENTITY)

    def add_section(self, body: _Body, section: Section) -> None:
        title = section.titles.get(self._language) or section.titles["es"]
        body.add(paragraph(title, style=look.HEADING))
        for line in lines_of(section.notes.get(self._language) or section.notes.get("es", "")):
            body.add(paragraph(*_lead(line), style=look.NOTE))
        rows = [line for field in section.fields for line in self._question(field)]
        widths = (_LABEL_WIDTH, _ANSWER_WIDTH)
        body.add(table(widths, rows, style=look.GRID, first_row=False, first_column=True))

    def add_list(self, body: _Body, choices: ChoiceList, *, new_page: bool) -> None:
        page_break = [element("w:pageBreakBefore")] if new_page else []
        body.add(paragraph(choices.title, style=look.HEADING, properties=page_break))
        marks = [_MARK_WIDTH] * len(choices.fields)
        words = _LABEL_WIDTH + _ANSWER_WIDTH - sum(marks) - _NUMBER_WIDTH
        widths = (*marks, _NUMBER_WIDTH, words)
        rows = [self._list_head(choices, widths)] if len(choices.fields) > 1 else []
        rows += self._list_rows(choices, widths)
        body.add(
            table(widths, rows, style=look.LIST_GRID, first_row=len(choices.fields) > 1, first_column=False)
        )

    def _list_head(self, choices: ChoiceList, widths: tuple[int, ...]) -> Element:
        marks = mark_words(self._template, choices, self._language)
        heads = (*marks, self._template.text("number", self._language), "")
        return row(
            *(
                cell(width, _aligned(head, "center", style=look.HEAD), fill=look.SHADE)
                for width, head in zip(widths, heads, strict=True)
            ),
            header=True,
        )

    def _list_rows(self, choices: ChoiceList, widths: tuple[int, ...]) -> list[Element]:
        rows = []
        for term in choices.vocabulary.terms:
            boxes = [
                cell(
                    _MARK_WIDTH,
                    _aligned(self._controls.box(f"{field.key}.{term.key}"), "center", style=look.LIST),
                )
                for field in choices.fields
            ]
            number = "" if term.number is None else str(term.number)
            rows.append(
                row(
                    *boxes,
                    cell(widths[-2], _aligned(number, "center", style=look.LIST)),
                    cell(widths[-1], paragraph(term.title(self._language), style=look.LIST)),
                )
            )
        return rows

    def _question(self, field: Field) -> list[Element]:
        label = [paragraph(numbered_label(field, self._language), style=look.LABEL)]
        words = hint(self._template, field, self._language, where="or_numbers")
        # Where the choices stand below, the help would only repeat them.
        if words and field.layout != "checks":
            label.append(paragraph(words, style=look.HINT))
        heights = _LEAST_HEIGHT_MANDATORY if field.requirement == "mandatory" else _LEAST_HEIGHT
        question = row(
            cell(_LABEL_WIDTH, *label, fill=look.SHADE),
            cell(_ANSWER_WIDTH, *self._answer(field)),
            height=heights.get(field.kind, 0) if field.layout == "cell" else 0,
            splits=field.kind in _LEAST_HEIGHT and field.requirement == "mandatory",
        )
        if field.layout == "checks" and field.vocabulary is not None:
            return [question, *self._check_rows(field, self._vocabularies[field.vocabulary])]
        return [question]

    def _answer(self, field: Field) -> list[Element]:
        text = prefilled(field, self._vocabularies, self._language, self._answers)
        if field.layout == "dropdown" and field.vocabulary is not None:
            options = [term.title(self._language) for term in self._vocabularies[field.vocabulary].terms]
            return [paragraph(self._controls.choice(field.key, options, text), style=look.ANSWER)]
        if field.layout == "cell" and field.kind in _CONTROLLED:
            # A plain-text control holds one line.
            content = ", ".join(lines_of(text))
            return [paragraph(self._controls.text(field.key, content), style=look.ANSWER)]
        return [paragraph(line, style=look.ANSWER) for line in text.split("\n")]

    def _check_rows(self, field: Field, vocabulary: Vocabulary) -> list[Element]:
        return [
            row(
                cell(
                    _LABEL_WIDTH,
                    _aligned(self._controls.box(f"{field.key}.{term.key}"), "right"),
                    fill=look.SHADE,
                ),
                cell(_ANSWER_WIDTH, paragraph(term_words(term, self._language), style=look.ITEM)),
            )
            for term in vocabulary.terms
        ]


def _aligned(content: Element | str, side: str, *, style: str = look.ITEM) -> Element:
    return paragraph(content, style=style, properties=[element("w:jc", val=side)])


def _lead(line: str) -> list[Element | str]:
    """A note's first word in bold where it is a heading of its own (`Publicación. Mi organización …`)."""
    lead, dot, rest = line.partition(". ")
    if not dot or " " in lead:
        return [line]
    return [run(f"{lead}.", element("w:b")), f" {rest}"]
