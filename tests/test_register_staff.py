"""What people put into the register survives its updates, byte for byte, and other programs read it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

import xlsxwriter
from fillers import needs_libreoffice, through_libreoffice
from openpyxl import load_workbook
from register_samples import SHEET, Office, cell_pattern, key, member, practice, with_parts
from test_register import HOSTILE

from intake.register import read
from intake.register.package import Package

CONTENT = "[Content_Types].xml"
OWNED = {SHEET, "xl/worksheets/_rels/sheet1.xml.rels"}


def _png():
    def chunk(kind, body):
        return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))

    header = struct.pack(">LLBBBBB", 4, 4, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + b"\x20\x60\xa0" * 4 for _ in range(4)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _written_by_people():
    """A workbook of XlsxWriter's with picture, chart, note and text box on its only sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet("Gráficos")
        # Numbers alone: words would be indexes into that workbook's own shared strings.
        for row, value in enumerate((3, 5, 8), 1):
            sheet.write(row, 0, value)
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "='Gráficos'!$A$2:$A$4"})
        sheet.insert_chart("C2", chart)
        sheet.insert_image("C20", "logo.png", {"image_data": io.BytesIO(_png())})
        sheet.write_comment("A1", "Nota de la coordinadora")
        sheet.insert_textbox("J2", "Para la reunión")
    return out.getvalue()


def _graft(data, *, onto_practices):
    """Puts people's parts into the register's package: a sheet of their own, or onto *Prácticas* itself.

    This is how Excel would leave them: drawing, chart, picture, note, each a part, found by relationships.
    """
    theirs = _written_by_people()
    with zipfile.ZipFile(io.BytesIO(theirs)) as archive:
        kinds = ("xl/drawings/", "xl/charts/", "xl/media/", "xl/comments")
        parts = {name: archive.read(name) for name in archive.namelist() if name.startswith(kinds)}
    assert len(parts) >= 6
    rels = member(theirs, "xl/worksheets/_rels/sheet1.xml.rels").decode()
    types = "".join(
        re.findall(
            r'<Override PartName="/xl/(?:drawings|charts|comments)[^>]*/>', member(theirs, CONTENT).decode()
        )
    )
    types += '<Default Extension="png" ContentType="image/png"/>'
    types += (
        '<Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>'
    )
    if onto_practices:
        rel_ids = dict(re.findall(r'Id="(rId\d+)"[^>]*relationships/(drawing|vmlDrawing)"', rels))
        drawing, notes = (
            {kind: rel for rel, kind in rel_ids.items()}[kind] for kind in ("drawing", "vmlDrawing")
        )
        sheet = member(data, SHEET).decode()
        marks = f'<drawing xmlns:r="{_R}" r:id="x{drawing}"/><legacyDrawing xmlns:r="{_R}" r:id="x{notes}"/>'
        parts[SHEET] = sheet.replace("<tableParts", marks + "<tableParts").encode()
        ours = member(data, "xl/worksheets/_rels/sheet1.xml.rels").decode()
        added = "".join(re.findall(r"<Relationship .*?/>", rels)).replace('Id="rId', 'Id="xrId')
        parts["xl/worksheets/_rels/sheet1.xml.rels"] = ours.replace(
            "</Relationships>", added + "</Relationships>"
        ).encode()
    else:
        parts["xl/worksheets/sheet90.xml"] = member(theirs, SHEET)
        parts["xl/worksheets/_rels/sheet90.xml.rels"] = rels.encode()
        types += '<Override PartName="/xl/worksheets/sheet90.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        book = member(data, "xl/workbook.xml").decode()
        entry = f'<sheet xmlns:r="{_R}" name="Gráficos" sheetId="90" r:id="rId90"/></sheets>'
        parts["xl/workbook.xml"] = book.replace("</sheets>", entry).encode()
        relation = f'<Relationship Id="rId90" Type="{_R}/worksheet" Target="worksheets/sheet90.xml"/></Relationships>'
        parts["xl/_rels/workbook.xml.rels"] = (
            member(data, "xl/_rels/workbook.xml.rels").decode().replace("</Relationships>", relation).encode()
        )
    content = member(data, CONTENT).decode()
    head, tail = content.split(">", 2)[:2], content.split(">", 2)[2]
    defaults = "".join(re.findall(r"<Default [^>]*/>", types))
    overrides = "".join(re.findall(r"<Override [^>]*/>", types))
    parts[CONTENT] = (
        ">".join(head) + ">" + defaults + tail.replace("</Types>", overrides + "</Types>")
    ).encode()
    return with_parts(data, parts)


_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _lived_in(*, onto_practices):
    """A register that people worked in: colours, a column of theirs, a sheet, picture, chart, note."""
    office = Office()
    office.update(*(practice(number) for number in range(1, 6)))
    book = load_workbook(io.BytesIO(office.data))
    sheet = book.worksheets[0]
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    for cell in sheet[3]:
        cell.fill = PatternFill("solid", fgColor="FFFF00")
    if not onto_practices:
        sheet["C4"].comment = Comment("Llamar el lunes", "MR")
    sheet["AT1"] = "Prioridad"
    for row in range(2, 7):
        sheet.cell(row, 46, f"alta {row}")
    sheet.cell(4, 14, "Nota interna")
    book.create_sheet("Apuntes de MR")["B2"] = "=1+1"
    out = io.BytesIO()
    book.save(out)
    office.data = _graft(out.getvalue(), onto_practices=onto_practices)
    return office


def _raw(data):
    package = Package(data)
    return {name: package.raw(name) for name in package.names}


def _twenty_updates(office):
    for turn in range(1, 21):
        rows = [practice(number, title=f"Defensoras {number}, {turn}.ª vez") for number in range(1, 6)]
        rows += [practice(number) for number in range(6, 6 + turn)]
        outcome = office.update(*rows)

        assert outcome.changed
        assert (outcome.conflicts, outcome.problems) == ((), ())


def test_twenty_updates_leave_every_other_part_byte_identical():
    """Only the sheet, its links, its table and its formulas' order are ours to write; the rest is copied raw."""
    for onto_practices in (False, True):
        office = _lived_in(onto_practices=onto_practices)
        before = _raw(office.data)
        _twenty_updates(office)
        after = _raw(office.data)
        changed = {name for name in before if after.get(name) != before[name]}

        assert set(after) == set(before)
        assert any(name.startswith("xl/media/") for name in before)
        assert any(name.startswith("xl/charts/") for name in before)
        assert changed == OWNED | {
            next(name for name in before if b'"tblPracticas"' in member(office.data, name))
        }
        with zipfile.ZipFile(io.BytesIO(office.data)) as archive:
            assert archive.testzip() is None


def test_twenty_updates_leave_staffs_cells_and_colours():
    """Inside the sheet that we write: their column, their notes, their yellow, and the drawing's anchor."""
    office = _lived_in(onto_practices=True)
    _twenty_updates(office)
    rows = read(office.data)["practices"]
    sheet = load_workbook(io.BytesIO(office.data)).worksheets[0]

    assert len(rows) == 25
    assert [row["+Prioridad"] for row in rows[:5]] == [f"alta {row}" for row in range(2, 7)]
    assert rows[2]["notes"] == "Nota interna"
    assert [sheet.cell(row, 3).fill.fgColor.rgb for row in (2, 3, 4, 7)] == [
        "00000000",
        "00FFFF00",
        "00000000",
        "00000000",
    ]
    assert sheet["C3"].value == "Defensoras 2, 20.ª vez"
    assert b"<drawing" in member(office.data, SHEET)
    assert b"<legacyDrawing" in member(office.data, SHEET)


@needs_libreoffice
def test_libreoffice_reads_the_values_that_we_wrote():
    """After twenty updates of a lived-in register, hostile words among them, it opens with equal values."""
    office = _lived_in(onto_practices=True)
    _twenty_updates(office)
    office.update(*(practice(number + 50, title=text) for number, text in enumerate(HOSTILE)))
    saved = through_libreoffice(office.data, "xlsx")
    ours, theirs = (
        [{name: text for name, text in row.items() if name != "days_idle"} for row in read(data)["practices"]]
        for data in (office.data, saved)
    )

    assert len(ours) == 25 + len(HOSTILE)
    assert theirs == ours
    # The formula is computed there: between the date of the row and today lie some days.
    days = {row["days_idle"] for row in read(saved)["practices"]}
    assert len(days) == 1
    assert re.fullmatch(r"-?\d+", days.pop())


@needs_libreoffice
def test_updates_go_on_after_libreoffice_saved_the_register():
    """It renumbers formats and shares all strings: still no conflict, and new rows show dates as dates."""
    office = Office()
    office.update(practice(1), practice(2))
    office.data = through_libreoffice(office.data, "xlsx")
    outcome = office.update(practice(1, title="=Otro"), practice(2), practice(3))
    rows = read(through_libreoffice(office.data, "xlsx"))["practices"]
    sheet = load_workbook(io.BytesIO(office.data)).worksheets[0]

    assert (outcome.conflicts, outcome.problems) == ((), ())
    assert [row["title"] for row in rows] == ["=Otro", "Defensoras 2", "Defensoras 3"]
    assert rows[2]["received"] == "2027-03-12"
    assert sheet["AB4"].number_format == sheet["AB2"].number_format
    assert sheet["AB4"].is_date


def test_staffs_row_without_key_is_left_and_sorting_by_another_program_is_followed():
    """openpyxl stands for the other program: it reorders rows, inserts one, and saves everything anew."""
    office = Office()
    office.update(practice(1), practice(2), practice(3))
    book = load_workbook(io.BytesIO(office.data))
    sheet = book.worksheets[0]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2, max_row=4)]
    own = [None] * 45
    own[2], own[3] = "Vino por teléfono", "Parroquia"
    for number, values in enumerate([rows[2], own, rows[0], rows[1]], 2):
        for column, value in enumerate(values, 1):
            sheet.cell(number, column).value = value
    sheet.tables["tblPracticas"].ref = "A1:AS5"
    sheet.tables["tblPracticas"].autoFilter.ref = "A1:AS5"
    out = io.BytesIO()
    book.save(out)
    office.data = out.getvalue()
    outcome = office.update(practice(1, title="Uno"), practice(2), practice(3, title="Tres"), practice(4))

    assert (outcome.conflicts, outcome.problems) == ((), ())
    assert [(row.get("key"), row["title"]) for row in read(office.data)["practices"]] == [
        (key(3), "Tres"),
        (None, "Vino por teléfono"),
        (key(1), "Uno"),
        (key(2), "Defensoras 2"),
        (key(4), "Defensoras 4"),
    ]


def test_links_follow_their_rows_after_a_sort():
    """Whatever address the other program left behind a reference, the next update puts the right one there."""
    office = Office()
    office.update(practice(1))
    office.edit(r"Casos/PMM-2027-0001/", "file:///tmp/elsewhere/", part="xl/worksheets/_rels/sheet1.xml.rels")
    stamp = read(office.data)["practices"][0]["row_updated"]
    office.update(practice(1))

    rels = member(office.data, "xl/worksheets/_rels/sheet1.xml.rels").decode()
    assert re.findall(r'Target="([^"]*)" TargetMode', rels) == ["Casos/PMM-2027-0001/"]
    assert read(office.data)["practices"][0]["row_updated"] == stamp


def test_a_coloured_empty_cell_keeps_its_colour_when_it_is_filled():
    """People colour cells before we have anything to write in them."""
    office = Office()
    office.update(practice(1, title=None))
    office.edit(r'(<row r="2"[^>]*>.*?)(<c r="D2")', r'\1<c r="C2" s="77"/>\2')
    office.update(practice(1))

    assert b'<c r="C2" s="77" t="inlineStr"><is><t>Defensoras 1</t>' in member(office.data, SHEET)


def test_a_shared_string_that_staff_made_is_read():
    """Excel keeps what people type in the shared strings, rich text and phonetic hints among it."""
    office = Office()
    office.update(practice(1))
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>Defen</t></r>'
        '<r><rPr><b/></rPr><t>soras_x0020_9</t></r><rPh sb="0" eb="1"><t>x</t></rPh></si></sst>'
    )
    relation = f'<Relationship Id="rId90" Type="{_R}/sharedStrings" Target="sharedStrings.xml"/>'
    office.edit(r"</Relationships>", relation + "</Relationships>", part="xl/_rels/workbook.xml.rels")
    office.data = with_parts(office.data, {"xl/sharedStrings.xml": strings.encode()})
    office.edit(cell_pattern("C2"), '<c r="C2" t="s"><v>0</v></c>')

    assert read(office.data)["practices"][0]["title"] == "Defensoras 9"
