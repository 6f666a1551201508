"""The look of our own workbooks: styles, widths, heights, prompts, lists, print set-up, protection.

Knows openpyxl and nothing of forms. What is written through here is always text, never a formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from responses.office_file import fix_dates, xml_text

# Characters; number, question, answer, help.
WIDTHS: Final = (6, 44, 50, 28)
_INK: Final = "1F3A5F"
_GREY: Final = "595959"
_SHADE: Final = "F1F3F5"
_FAINT: Final = "F8F9FA"
_THIN: Final = Side(style="thin", color="BFC5CC")
_FONT: Final = "Arial"
# Limits of Excel ("Excel specifications and limits"): title and text of a prompt, text of a cell.
_PROMPT_TITLE: Final = 32
_PROMPT_TEXT: Final = 255
_CELL_TEXT: Final = 32_767
_MOST_POINTS: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a cell looks and whether people may write in it."""

    size: float = 10
    bold: bool = False
    color: str = "000000"
    fill: str | None = None
    boxed: bool = False
    wrapped: bool = True
    shrunk: bool = False
    align: str = "left"
    indent: int = 0
    open: bool = False


TITLE: Final = Style(size=15, bold=True, color=_INK, wrapped=False)
LEAD: Final = Style(size=10.5, wrapped=False)
BODY: Final = Style(size=10.5)
IDENTITY: Final = Style(size=8, color=_GREY, wrapped=False)
HEADER: Final = Style(bold=True, color="FFFFFF", fill=_INK, boxed=True, indent=1)
NUMBER: Final = Style(bold=True, fill=_SHADE, boxed=True, align="center")
LABEL: Final = Style(bold=True, fill=_SHADE, boxed=True, indent=1)
ANSWER: Final = Style(boxed=True, open=True, indent=1)
HINT: Final = Style(size=9, color=_GREY, fill=_FAINT, boxed=True, indent=1)
CODE: Final = Style(
    size=6, color="8C8C8C", fill=_FAINT, boxed=True, wrapped=False, shrunk=True, align="center"
)
CHOICE: Final = Style(size=9.5, fill=_FAINT, boxed=True, indent=1)
_BAND: Final = Style(size=11, bold=True, color=_INK, wrapped=False)
_NOTE: Final = Style(size=9)


def new_book(title: str, language: str, properties: Mapping[str, str]) -> Workbook:
    """A workbook without sheets, with core and custom properties."""
    # Any, as its published types lack what is used here.
    book: Any = Workbook()
    for sheet in list(book.worksheets):
        book.remove(sheet)
    book.properties.title, book.properties.language = title, language
    book.properties.creator = ""
    # Widths count digits of this font; openpyxl's own is not on every machine.
    book._named_styles["Normal"].font = Font(name=_FONT, size=10)  # noqa: SLF001
    for name, value in properties.items():
        book.custom_doc_props.append(StringProperty(name=name, value=value))
    made: Workbook = book
    return made


def set_widths(sheet: Worksheet, widths: Iterable[float]) -> None:
    """Widths of the columns from A, in characters."""
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def add_sheet(book: Workbook, title: str) -> Worksheet:
    """A sheet without grid lines."""
    sheet: Worksheet = book.create_sheet(title)
    sheet.sheet_view.showGridLines = False
    return sheet


def write(
    sheet: Worksheet, row: int, column: int, text: str, style: Style, *, vertical: str = "center"
) -> None:
    """Writes text as text, whatever it begins with."""
    cell = sheet.cell(row=row, column=column)
    shown = xml_text(text)[:_CELL_TEXT]
    if shown:
        cell.value = shown
        # openpyxl takes "=..." for a formula and "#N/A" for an error.
        cell.data_type = "s"
    cell.font = Font(name=_FONT, size=style.size, bold=style.bold, color=style.color)
    cell.alignment = Alignment(
        horizontal=style.align,
        vertical=vertical,
        indent=style.indent,
        wrap_text=style.wrapped or None,
        shrink_to_fit=style.shrunk or None,
    )
    if style.fill:
        cell.fill = PatternFill("solid", start_color=style.fill)
    if style.boxed:
        cell.border = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
    if style.open:
        cell.protection = Protection(locked=False)
    # Text format: "2021-03" would become a date, "16" a number.
    cell.number_format = "@"


def write_band(sheet: Worksheet, row: int, text: str) -> None:
    """A section's heading over all columns."""
    write(sheet, row, 1, text, _BAND)
    for column in range(1, len(WIDTHS) + 1):
        sheet.cell(row=row, column=column).border = Border(bottom=Side(style="medium", color=_INK))
    sheet.row_dimensions[row].height = 26


def write_note(sheet: Worksheet, row: int, text: str) -> None:
    """A paragraph over all columns."""
    write(sheet, row, 1, text, _NOTE)
    sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=len(WIDTHS))
    sheet.row_dimensions[row].height = _height(text, sum(WIDTHS), _NOTE.size)


def fit_heights(sheet: Worksheet, rows: Iterable[int], *, least: int = 0) -> None:
    """Makes rows high enough for their wrapped text; programs that open the file do not do it by themselves.

    Args:
        sheet: Written already, with column widths.
        rows: Row numbers.
        least: Least height in points.
    """
    for row in rows:
        heights = [float(least)]
        for cell in sheet[row]:
            if isinstance(cell.value, str) and cell.alignment.wrap_text:
                width = sheet.column_dimensions[get_column_letter(cell.column)].width
                heights.append(_height(cell.value, width, cell.font.sz, bold=bool(cell.font.b)))
            elif cell.value:
                heights.append(cell.font.sz * 1.6)
        sheet.row_dimensions[row].height = min(max(heights), _MOST_POINTS)


def _height(text: str, width: float, size: float, *, bold: bool = False) -> float:
    """Points that wrapped text needs: a width unit is a digit of the 11 point default font."""
    fits = max(1.0, (width - 2) * 11.2 / size * (0.92 if bold else 1))
    lines = 0
    for line in text.split("\n"):
        used, rows = 0.0, 1
        for word in line.split(" "):
            if used and used + len(word) > fits:
                rows, used = rows + 1, 0.0
            used += len(word) + 1
        lines += rows
    return lines * size * 1.25 + 6


class Lists:
    """The hidden sheet that drop-downs draw from: their own text may not exceed 255 characters."""

    def __init__(self, book: Workbook, title: str) -> None:
        self._sheet = add_sheet(book, title)
        self._sheet.sheet_state = "hidden"
        self._references: dict[tuple[str, ...], str] = {}
        protect(self._sheet)

    def reference(self, words: Sequence[str]) -> str:
        """The range that holds these words, written on first use."""
        key = tuple(words)
        if key not in self._references:
            column = len(self._references) + 1
            for row, text in enumerate(key, start=1):
                write(self._sheet, row, column, text, BODY)
            letter = get_column_letter(column)
            self._references[key] = f"{quoted(self._sheet.title)}!${letter}$1:${letter}${len(key)}"
        return self._references[key]


def add_prompt(sheet: Worksheet, cells: Iterable[str], title: str, text: str, options: str | None) -> None:
    """Shows help when a cell is entered and, with `options` (a range), a drop-down.

    Other words than those of the list may be written: people answer "Otro: ..." or "x".
    """
    validation = DataValidation(type="list" if options else None, formula1=options, allow_blank=True)
    validation.promptTitle = _shortened(title, _PROMPT_TITLE)
    validation.prompt = _shortened(text, _PROMPT_TEXT) or None
    validation.showInputMessage = True
    validation.showErrorMessage = False
    for reference in cells:
        validation.add(reference)
    sheet.add_data_validation(validation)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def set_print(
    sheet: Worksheet, title: str, *, header_row: int | None = None, area: str | None = None
) -> None:
    """A4 upright, as wide as the page, page numbers below, the header row on each page."""
    # Any, as its published types make every part optional.
    page: Any = sheet
    setup = page.page_setup
    setup.paperSize, setup.orientation = 9, "portrait"
    setup.fitToWidth, setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    margins = page.page_margins
    margins.left = margins.right = 0.5
    margins.top, margins.bottom = 0.6, 0.7
    # "&" begins a code in headers and footers.
    page.oddFooter.left.text = title.replace("&", "&&")
    page.oddFooter.right.text = "&P / &N"
    for part in (page.oddFooter.left, page.oddFooter.right):
        part.size = 8
    if header_row:
        sheet.print_title_rows = f"{header_row}:{header_row}"
    if area:
        sheet.print_area = area


def protect(sheet: Worksheet) -> None:
    """Locks all but the answers, without a password; rows and columns may still be made larger."""
    sheet.protection.sheet = True
    sheet.protection.formatColumns = False
    sheet.protection.formatRows = False


def quoted(title: str) -> str:
    """A sheet's title as it stands in a reference."""
    return "'" + title.replace("'", "''") + "'"


def save(book: Workbook) -> bytes:
    """The workbook as a file of fixed bytes."""
    buffer = io.BytesIO()
    book.save(buffer)
    return fix_dates(buffer.getvalue())
