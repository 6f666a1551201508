"""Makes the empty register, once. From then on the workbook belongs to people and is only updated."""

from __future__ import annotations

from io import BytesIO

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import Outline, PageSetupProperties
from openpyxl.worksheet.table import Table, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from intake.register.guide import FONT, HEADINGS, INITIALS_DOWN_TO, fill_guide, fill_lists
from intake.register.layout import SHEETS, Column, Sheet, Words, words
from intake.register.place import name_of

_FORMATS = {"date": "dd-mmm-yyyy", "time": "dd-mmm-yyyy hh:mm", "number": "0"}
_ROW_POINTS = 30
_HEADING_POINTS = 44
# Rows below the table, too, offer the lists and warn of a date gone by.
_RULES_DOWN_TO = 2000
_CENTRED = {"date", "time", "number"}


def create(language: str = "es") -> bytes:
    """The empty workbook in a language: sheets, tables, lists, guide.

    Args:
        language: `"es"`, `"en"` or `"fr"`; Spanish for any other.
    """
    said = words(language)
    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = {key: book.create_sheet(said.sheet(key)) for key in (*SHEETS, "lists", "guide")}
    for key, layout in SHEETS.items():
        _table(book, sheets[key], layout, said)
    fill_lists(sheets["lists"], said)
    fill_guide(sheets["guide"], said)
    _rules(sheets["practices"], said)
    _review_rules(sheets["review"], said)
    book.active = 0
    book.calculation.fullCalcOnLoad = True
    book.properties.creator = "practice-intake"
    book.properties.language = said.language
    out = BytesIO()
    book.save(out)
    return out.getvalue()


# -- tables


def _table(book: Workbook, sheet: Worksheet, layout: Sheet, said: Words) -> None:
    sheet.sheet_properties.tabColor = layout.tab
    # The button that folds a group stands on its left, over the column that stays.
    sheet.sheet_properties.outlinePr = Outline(summaryRight=False)
    sheet.sheet_format.defaultRowHeight = _ROW_POINTS
    sheet.sheet_format.customHeight = True
    sheet.sheet_format.outlineLevelCol = max(column.level for column in layout.columns)
    sheet.row_dimensions[1].height = _HEADING_POINTS
    for number, column in enumerate(layout.columns, 1):
        _heading(sheet, number, column, said.heading(layout.key, column.key))
        _column_format(sheet, number, column)
        place = f"{quote_sheetname(sheet.title)}!${get_column_letter(number)}$1"
        name = name_of(layout.key, column.key)
        book.defined_names[name] = DefinedName(name, attr_text=place, hidden=True)
    last = get_column_letter(len(layout.columns))
    table = Table(displayName=layout.table, ref=f"A1:{last}2")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    sheet.add_table(table)
    sheet.row_dimensions[2].height = _ROW_POINTS
    keys = [column.key for column in layout.columns]
    sheet.freeze_panes = f"{get_column_letter(keys.index(layout.frozen) + 2)}2"
    sheet.sheet_view.zoomScale = 90
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=layout.key != "practices")
    sheet.page_setup.fitToHeight = 0


def _heading(sheet: Worksheet, number: int, column: Column, text: str) -> None:
    cell = sheet.cell(1, number, text)
    # A long word in a narrow column would break in its middle.
    narrow = max(len(word) for word in text.split()) > column.width
    cell.font = Font(name=FONT, size=8 if narrow else 10, bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor=HEADINGS[column.owner])
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="left")
    cell.border = Border(right=Side(style="thin", color="FFFFFF"))


def _column_format(sheet: Worksheet, number: int, column: Column) -> None:
    dimension = sheet.column_dimensions[get_column_letter(number)]
    # Excel counts 0.71 of a character for the margins inside a cell.
    dimension.width = column.width + 0.71
    dimension.hidden = column.kind == "key"
    dimension.outlineLevel = column.level
    dimension.font = Font(
        name=FONT,
        size=10,
        color="0B5394" if column.kind == "link" else "000000",
        underline="single" if column.kind == "link" else None,
    )
    dimension.alignment = Alignment(
        wrap_text=column.kind not in {"link", "key"},
        vertical="center" if column.kind != "long" else "top",
        horizontal="center" if column.kind in _CENTRED else "left",
    )
    if column.kind in _FORMATS:
        dimension.number_format = _FORMATS[column.kind]
    elif column.owner in {"fixed", "machine"}:
        # Text format: "2021-03" or "=1+1" stays what it is after F2 and Enter.
        dimension.number_format = "@"


# -- rules of entry and of format


def _letter(sheet: str, column: str) -> str:
    keys = [each.key for each in SHEETS[sheet].columns]
    return get_column_letter(keys.index(column) + 1)


def _down(sheet: str, column: str) -> str:
    letter = _letter(sheet, column)
    return f"{letter}2:{letter}{_RULES_DOWN_TO}"


def _choice(sheet: Worksheet, area: str, source: str, prompt: str, *, warn: bool) -> None:
    rule = DataValidation(type="list", formula1=source, allow_blank=True, errorStyle="warning")
    rule.showErrorMessage = warn
    rule.showInputMessage = True
    rule.prompt = prompt
    rule.add(area)
    sheet.add_data_validation(rule)


def _rules(sheet: Worksheet, said: Words) -> None:
    prompts = said.tables["prompts"]
    lists = quote_sheetname(said.sheet("lists"))
    states = len(said.tables["states"])
    _choice(sheet, _down("practices", "state"), f"{lists}!$A$2:$A${states + 1}", prompts["state"], warn=True)
    _choice(sheet, _down("practices", "notify"), f"{lists}!$B$2:$B$2", prompts["notify"], warn=True)
    initials = f"{lists}!$C$2:$C${INITIALS_DOWN_TO}"
    _choice(sheet, _down("practices", "assignee"), initials, prompts["assignee"], warn=False)
    dates = DataValidation(
        type="date", operator="greaterThan", formula1="36526", allow_blank=True, errorStyle="warning"
    )
    dates.showErrorMessage = True
    dates.showInputMessage = True
    dates.prompt = prompts["date"]
    for column in ("due", "validated_on", "uploaded_on"):
        dates.add(_down("practices", column))
    sheet.add_data_validation(dates)
    due = _letter("practices", "due")
    _paint(sheet, _down("practices", "due"), f"AND(ISNUMBER({due}2),{due}2<TODAY())", "F8CBAD", "9C0006")
    _paint_situations(sheet, said)
    alert = said.tables["personal_data"]["alert"]
    personal = _letter("practices", "personal_data")
    _paint(
        sheet,
        _down("practices", "personal_data"),
        f'LEFT({personal}2,{len(alert)})="{alert}"',
        "F8CBAD",
        "9C0006",
    )


def _paint_situations(sheet: Worksheet, said: Words) -> None:
    letter = _letter("practices", "situation")
    area = _down("practices", "situation")
    shades = {
        "complete": ("E2F0D9", "2E5E22"),
        "correction": ("FFF2CC", "7F6000"),
        "answered": ("DDEBF7", "1F4E79"),
        "waiting": ("FCE4D6", "843C0C"),
        "unauthorized": ("EDEDED", "595959"),
        "withdrawn": ("EDEDED", "595959"),
    }
    for key, (fill, font) in shades.items():
        # The words before the round's number are the same in every round.
        start = str(said.tables["situations"][key]).split(" (")[0]
        _paint(sheet, area, f'LEFT({letter}2,{len(start)})="{start}"', fill, font)


def _paint(sheet: Worksheet, area: str, formula: str, fill: str, font: str) -> None:
    rule = FormulaRule(  # type: ignore[no-untyped-call]
        formula=[formula], font=Font(color=font), fill=PatternFill("solid", bgColor=fill, fgColor=fill)
    )
    sheet.conditional_formatting.add(area, rule)


def _review_rules(sheet: Worksheet, said: Words) -> None:
    lists = quote_sheetname(said.sheet("lists"))
    actions = len(said.tables["actions"])
    area = _down("review", "action")
    _choice(sheet, area, f"{lists}!$D$2:$D${actions + 1}", said.tables["prompts"]["action"], warn=True)
