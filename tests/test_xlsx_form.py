"""Workbooks to rows and marks: kinds of cells, dates as shown, codes of choices, damage."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.workbook.defined_name import DefinedName

import config
from parsers.package import UnreadableError, examine
from parsers.xlsx_form import read_xlsx


@pytest.fixture(name="limits", scope="module")
def _limits():
    return config.load().settings.limits


def saved(book):
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def read(limits, *lines, change=None):
    book = Workbook()
    sheet = book.active
    sheet.title = "Formulario"
    for line in lines:
        sheet.append(line)
    if change:
        change(book, sheet)
    return read_xlsx(examine(saved(book), limits).package)


def replaced(data, name, *changes):
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as made:
        for member in source.namelist():
            content = source.read(member)
            if member == name:
                for old, new in changes:
                    assert old in content
                    content = content.replace(old, new)
            made.writestr(member, content)
    return target.getvalue()


def test_a_row_gives_number_label_and_answer_with_its_cell(limits):
    """The number may be text or a figure; an empty answer keeps its place."""
    raw = read(
        limits,
        ["8", "¿Desde cuándo?", "2021", "ayuda"],
        [9, "¿Hasta cuándo?", None, "ayuda"],
        ["30a", "Nombre", "Ana"],
    )
    found = [(answer.number, answer.label, answer.text, answer.location.cell) for answer in raw.answers]
    assert found == [
        ("8", "¿Desde cuándo?", "2021", "C1"),
        ("9", "¿Hasta cuándo?", "", "C2"),
        ("30a", "Nombre", "Ana", "C3"),
    ]
    assert raw.answers[0].location.sheet == "Formulario"


def test_a_coded_row_is_a_choice(limits):
    """The code says question and term; the mark is whatever stands beside the words."""
    raw = read(limits, ["5-human_rights", "6 – Derechos humanos", "Sí"], ["3-16", "16 – Empoderar", None])
    assert [(c.question, c.key, c.mark) for c in raw.choices] == [
        ("5", "human_rights", "Sí"),
        ("3", "16", ""),
    ]


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (2021, "General", "2021"),
        (2021.0, "General", "2021"),
        (0.5, "0%", "0.5"),
        (51999888777, "0", "51999888777"),
        (True, "General", "TRUE"),
        (date(2021, 3, 15), "dd/mm/yyyy", "2021-03-15"),
        (44270.5, "dd/mm/yyyy hh:mm", "2021-03-15"),
        (date(2021, 3, 1), "mmm-yy", "2021-03"),
        (date(2021, 3, 1), "mmmm yyyy", "2021-03"),
        (date(2021, 1, 1), "yyyy", "2021"),
        (44256, "General", "44256"),
        ("dos\nlíneas", "General", "dos\nlíneas"),
        (" =1+1", "@", " =1+1"),
    ],
)
def test_cells_are_read_as_people_see_them(value, style, text, limits):
    """A date is as precise as the cell shows it; a figure without a date's style stays a figure."""

    def change(_book, sheet):
        sheet["C1"].value = value
        sheet["C1"].number_format = style

    (answer,) = read(limits, ["8", "¿Desde cuándo?"], change=change).answers
    assert text == answer.text


def test_rich_strings_lose_nothing(limits):
    """A string with runs is one string."""
    rich = CellRichText("Resumen ", TextBlock(InlineFont(b=True), "muy"), " breve")
    (answer,) = read(limits, ["18", "Resumen", rich]).answers
    assert answer.text == "Resumen muy breve"


def test_formulas_give_their_last_result_and_errors_their_name(limits):
    """Nothing is computed."""
    book = Workbook()
    book.active.append(["8", "¿Desde cuándo?", "=1+1"])
    book.active.append(["9", "¿Hasta cuándo?", "=NADA"])
    data = replaced(
        saved(book),
        "xl/worksheets/sheet1.xml",
        (b'<c r="C1"><f>1+1</f><v></v></c>', b'<c r="C1"><f>1+1</f><v>2</v></c>'),
        (b'<c r="C2"><f>NADA</f><v></v></c>', b'<c r="C2" t="e"><f>NADA</f><v>#NAME?</v></c>'),
    )
    raw = read_xlsx(examine(data, limits).package)
    assert [answer.text for answer in raw.answers] == ["2", "#NAME?"]


def test_a_defined_name_says_where_the_answer_is(limits):
    """A column put in between does not lose the answer."""

    def change(book, sheet):
        sheet["E1"].value = "2021"
        book.defined_names["q_start"] = DefinedName("q_start", attr_text="'Formulario'!$E$1")

    (answer,) = read(limits, ["8", "¿Desde cuándo?", "nota"], change=change).answers
    assert (answer.text, answer.tag, answer.location.cell) == ("2021", "start", "E1")


def test_cells_without_addresses_are_counted(limits):
    """Some programs leave the addresses out."""
    book = Workbook()
    book.active.append(["8", "¿Desde cuándo?", "2021"])
    data = replaced(saved(book), "xl/worksheets/sheet1.xml", *[(f' r="{a}1"'.encode(), b"") for a in "ABC"])
    (answer,) = read_xlsx(examine(data, limits).package).answers
    assert (answer.number, answer.text, answer.location.cell) == ("8", "2021", "C1")


def test_a_row_of_absurd_size_is_refused(limits):
    """Memory is bounded within a row too."""
    book = Workbook()
    book.active.append(["x"])
    data = replaced(saved(book), "xl/worksheets/sheet1.xml", (b"</row>", b"<c/>" * 700_000 + b"</row>"))
    with pytest.raises(UnreadableError) as refused:
        read_xlsx(examine(data, limits).package)
    assert refused.value.finding.code in {"unsafe.size", "unsafe.ratio"}


def test_a_long_sheet_is_read_as_far_as_a_form_goes(limits):
    """A data sheet of many rows is no danger and no form."""
    raw = read(limits, *([str(number), "x"] for number in range(5000)))
    assert 1000 < raw.rows < 4900
