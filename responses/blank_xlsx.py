"""The empty template as an Excel workbook, made from the same form that the parser reads.

Decides what stands where; the sheets' look is in `xlsx_parts`. Nothing is marked beforehand, nothing is a
formula, and only the answers can be written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.worksheet import Worksheet

from config.form import Field, FormTemplate, Section
from config.vocabulary import Term, Vocabulary
from responses import xlsx_parts as look
from responses.blank_form import (
    choice_lists,
    file_name,
    hint,
    identity_line,
    identity_properties,
    lines_of,
    mark_words,
    prefilled,
    question_label,
    term_words,
    title_of,
)

__all__ = ["blank_xlsx", "file_name"]

_HEADER_ROW: Final = 3
_LEAST_HEIGHT: Final[Mapping[str, int]] = {"text": 90, "lines": 45}


def blank_xlsx(
    template: FormTemplate,
    vocabularies: Mapping[str, Vocabulary],
    language: str,
    *,
    case_id: str | None = None,
    answers: Mapping[str, str] | None = None,
) -> bytes:
    """The form as an .xlsx file; the same arguments give the same bytes.

    Args:
        template: The form.
        vocabularies: Name to vocabulary, those of the form's questions at least.
        language: Language of labels and lists, e.g. `"es"`.
        case_id: Reference to print in a copy for a known case.
        answers: Field key to text that stands in the answer already; term keys are told in words.

    Raises:
        KeyError: The template lacks a text, or a vocabulary is missing.
    """
    properties = identity_properties(template, language, case_id)
    book = look.new_book(title_of(template, language), language, properties)
    instructions = look.add_sheet(book, template.text("sheet_instructions", language))
    sheet = look.add_sheet(book, template.text("sheet_form", language))
    lists = look.Lists(book, template.text("sheet_lists", language))
    _write_instructions(instructions, template, language)
    form = _Form(
        book=book,
        sheet=sheet,
        lists=lists,
        template=template,
        vocabularies=vocabularies,
        language=language,
        answers=answers or {},
    )
    form.write_head(case_id)
    for section in template.sections:
        form.write_section(section)
    form.finish()
    return look.save(book)


def _write_instructions(sheet: Worksheet, template: FormTemplate, language: str) -> None:
    look.set_widths(sheet, [3, 92])
    look.write(sheet, 1, 1, title_of(template, language), look.TITLE)
    intro = lines_of(template.intros.get(language) or template.intros["es"])
    for row, line in enumerate(intro, start=2):
        look.write(sheet, row, 1, line, look.LEAD)
    steps = [line for line in lines_of(template.text("instructions", language)) if line not in intro]
    last = len(intro) + 2
    for line in steps:
        last += 1
        look.write(sheet, last, 1, "•", look.BODY)
        look.write(sheet, last, 2, line, look.BODY)
    look.fit_heights(sheet, range(1, last + 1), least=20)
    look.set_print(sheet, title_of(template, language))
    look.protect(sheet)


class _Form:
    """The form sheet, written row by row."""

    def __init__(
        self,
        *,
        book: Workbook,
        sheet: Worksheet,
        lists: look.Lists,
        template: FormTemplate,
        vocabularies: Mapping[str, Vocabulary],
        language: str,
        answers: Mapping[str, str],
    ) -> None:
        self._book = book
        self._sheet = sheet
        self._lists = lists
        self._template = template
        self._vocabularies = vocabularies
        self._language = language
        self._answers = answers
        self._row = _HEADER_ROW
        self._lists_after = {
            choices.fields[-1].key: choices for choices in choice_lists(template, vocabularies, language)
        }

    def write_head(self, case_id: str | None) -> None:
        """Title, identity line, and the header row that stays in sight."""
        sheet = self._sheet
        look.set_widths(sheet, look.WIDTHS)
        look.write(sheet, 1, 1, title_of(self._template, self._language), look.TITLE)
        look.write(sheet, 2, 1, identity_line(self._template, self._language, case_id), look.IDENTITY)
        look.write(sheet, 2, 3, self._template.text("mandatory_note", self._language), look.IDENTITY)
        for column, name in enumerate(("number", "question", "answer", "help"), start=1):
            look.write(sheet, _HEADER_ROW, column, self._template.text(name, self._language), look.HEADER)
        sheet.row_dimensions[1].height = 26
        sheet.row_dimensions[_HEADER_ROW].height = 20
        sheet.freeze_panes = f"A{_HEADER_ROW + 1}"

    def write_section(self, section: Section) -> None:
        """Its heading, its notes, and its questions with their lists."""
        title = section.titles.get(self._language) or section.titles["es"]
        self._next()
        look.write_band(self._sheet, self._row, title)
        for line in lines_of(section.notes.get(self._language) or section.notes.get("es", "")):
            self._next()
            look.write_note(self._sheet, self._row, line)
        for field in section.fields:
            self._write_question(field)
            if field.layout == "checks" and field.vocabulary is not None:
                yes = self._template.text("yes", self._language)
                self._write_marks(field, self._vocabularies[field.vocabulary].terms, [yes])
            elif field.key in self._lists_after:
                choices = self._lists_after[field.key]
                words = mark_words(self._template, choices, self._language)
                self._write_marks(choices.fields[0], choices.vocabulary.terms, words)

    def finish(self) -> None:
        """Print set-up and protection, once the last row is known."""
        title = title_of(self._template, self._language)
        look.set_print(self._sheet, title, header_row=_HEADER_ROW, area=f"A1:D{self._row}")
        look.protect(self._sheet)
        self._book.active = 0

    def _next(self) -> int:
        self._row += 1
        return self._row

    def _write_question(self, field: Field) -> None:
        row, sheet = self._next(), self._sheet
        words = hint(self._template, field, self._language, where="list_below")
        # Long answers begin at the top of their room.
        vertical = "top" if field.kind in _LEAST_HEIGHT else "center"
        look.write(sheet, row, 1, field.number, look.NUMBER, vertical=vertical)
        look.write(sheet, row, 2, question_label(field, self._language), look.LABEL, vertical=vertical)
        look.write(sheet, row, 3, self._prefilled(field), look.ANSWER, vertical=vertical)
        look.write(sheet, row, 4, words, look.HINT, vertical=vertical)
        look.fit_heights(sheet, [row], least=_LEAST_HEIGHT.get(field.kind, 20))
        options = None
        if field.layout == "dropdown" and field.vocabulary is not None:
            terms = self._vocabularies[field.vocabulary].terms
            options = self._lists.reference([term.title(self._language) for term in terms])
        look.add_prompt(sheet, [f"C{row}"], field.label(self._language), words, options)
        target = f"{look.quoted(sheet.title)}!$C${row}"
        self._book.defined_names[f"q_{field.key}"] = DefinedName(f"q_{field.key}", attr_text=target)

    def _prefilled(self, field: Field) -> str:
        return prefilled(field, self._vocabularies, self._language, self._answers)

    def _write_marks(self, field: Field, terms: Sequence[Term], words: Sequence[str]) -> None:
        first = self._row + 1
        for term in terms:
            row = self._next()
            look.write(self._sheet, row, 1, f"{field.number}-{term.key}", look.CODE)
            look.write(self._sheet, row, 2, term_words(term, self._language), look.CHOICE)
            look.write(self._sheet, row, 3, "", look.ANSWER)
            look.write(self._sheet, row, 4, "", look.HINT)
            look.fit_heights(self._sheet, [row], least=16)
        cells = [f"C{first}:C{self._row}"]
        title = field.label(self._language)
        look.add_prompt(self._sheet, cells, title, " / ".join(words), self._lists.reference(words))
