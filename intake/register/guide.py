"""The sheets *Listas* and *Guía* of a new register: what people choose from, and how to live with the book."""

from __future__ import annotations

from typing import Any

from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from intake.register.layout import Words

FONT = "Calibri"
# Colour of a heading by who writes below it; the guide explains them.
HEADINGS = {"fixed": "44546A", "machine": "1F6FB2", "staff": "2E7D4F", "formula": "8A8A8A"}
# How far down the list of initials is read.
INITIALS_DOWN_TO = 60


def fill_lists(sheet: Worksheet, said: Words) -> None:
    """The values of the drop-down lists; people add their initials there."""
    sheet.sheet_properties.tabColor = "7F7F7F"
    heads = said.tables["lists"]
    columns: tuple[tuple[str, list[str]], ...] = (
        (heads["states"], list(said.tables["states"].values())),
        (heads["notify"], list(said.tables["notify"].values())),
        (heads["assignees"], []),
        (heads["actions"], list(said.tables["actions"].values())),
    )
    for number, (head, values) in enumerate(columns, 1):
        cell = sheet.cell(1, number, head)
        cell.font = Font(name=FONT, size=10, bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor=HEADINGS["staff" if not values else "fixed"])
        cell.alignment = Alignment(vertical="center")
        sheet.column_dimensions[get_column_letter(number)].width = 34 if number != 2 else 12
        for row, value in enumerate(values, 2):
            sheet.cell(row, number, value).font = Font(name=FONT, size=10)
    for row in range(2, INITIALS_DOWN_TO + 1):
        sheet.cell(row, 3).fill = PatternFill("solid", fgColor="EAF4EE")
    hint = sheet.cell(2, 6, heads["hint"])
    hint.font = Font(name=FONT, size=10, italic=True, color="595959")
    hint.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.column_dimensions["F"].width = 40
    sheet.row_dimensions[1].height = 24
    # Over several rows, so that no row of the lists is made taller by it.
    sheet.merge_cells("F2:F5")
    _landscape(sheet)
    sheet.freeze_panes = "A2"


def fill_guide(sheet: Worksheet, said: Words) -> None:
    """One screen: the colours, what holds, what each sheet is for."""
    guide: dict[str, Any] = said.tables["guide"]
    sheet.sheet_properties.tabColor = "BF9000"
    sheet.sheet_view.showGridLines = False
    for letter, width in zip("ABC", (2, 34, 104), strict=True):
        sheet.column_dimensions[letter].width = width
    _line(sheet, 1, guide["title"], size=16, bold=True, colour="1F4E79", height=26)
    _line(sheet, 2, guide["subtitle"], size=11, colour="404040", height=32)
    row = _section(sheet, 4, guide["colours"])
    for name, owner in (
        ("program_only", "fixed"),
        ("program", "machine"),
        ("staff", "staff"),
        ("formula", "formula"),
    ):
        label = sheet.cell(row, 2, guide[name])
        label.font = Font(name=FONT, size=10, bold=True, color="FFFFFF")
        label.fill = PatternFill("solid", fgColor=HEADINGS[owner])
        label.alignment = Alignment(horizontal="left", vertical="center", indent=1)
        _said(sheet, row, guide[f"{name}_text"])
        row += 1
    row = _section(sheet, row + 1, guide["rules_title"])
    for rule in guide["rules"]:
        head, mark, rest = rule.partition(": ")
        _line(sheet, row, f"•  {head}{mark}{rest}", size=10, height=18)
        row += 1
    row = _section(sheet, row + 1, guide["sheets_title"])
    for name, text in guide["sheets"]:
        label = sheet.cell(row, 2, name)
        label.font = Font(name=FONT, size=10, bold=True)
        label.alignment = Alignment(horizontal="left", vertical="center", indent=1)
        _said(sheet, row, text)
        row += 1
    _landscape(sheet)


def _section(sheet: Worksheet, row: int, title: str) -> int:
    _line(sheet, row, title, size=12, bold=True, colour="1F4E79", height=20)
    for column in (2, 3):
        sheet.cell(row, column).border = Border(bottom=Side(style="thin", color="9DC3E6"))
    return row + 1


def _line(
    sheet: Worksheet,
    row: int,
    text: str,
    *,
    size: int,
    height: int,
    bold: bool = False,
    colour: str = "000000",
) -> None:
    sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=3)
    cell = sheet.cell(row, 2, text)
    cell.font = Font(name=FONT, size=size, bold=bold, color=colour)
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    sheet.row_dimensions[row].height = height


def _said(sheet: Worksheet, row: int, text: str) -> None:
    cell = sheet.cell(row, 3, text)
    cell.font = Font(name=FONT, size=10)
    cell.alignment = Alignment(horizontal="left", wrap_text=True, vertical="center", indent=1)
    sheet.row_dimensions[row].height = 18


def _landscape(sheet: Worksheet) -> None:
    """One page wide, A4."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToHeight = 0
