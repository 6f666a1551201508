"""What an update of the register writes, what it leaves, and what it tells."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime

import pytest
from lxml import etree
from openpyxl import load_workbook
from register_samples import NOW, ONCE, SHEET, Office, cell_pattern, inline, key, member, practice, with_parts

from intake.register import SHEETS, Link, Row, Wanted, create, read, update, words
from intake.register.layout import LANGUAGES
from intake.register.ranges import letters

HOSTILE = [
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "+51 999 888 777",
    "-5",
    "@cuenta",
    "'apostrophe",
    "_x0041_ literal",
    "two\nlines",
    "  leading and trailing  ",
    "tab\there",
    "<script>&amp;",
    "{{7*7}}",
    "😀",
    "007",
    "2021-03",
    "TRUE",
    "1e5",
]


def test_a_new_register_has_every_sheet_and_column_in_each_language():
    """Every column is found again by its hidden name, whatever the language."""
    for language in LANGUAGES:
        data = create(language)
        workbook = member(data, "xl/workbook.xml").decode()
        found = read(data)

        assert set(found) == set(SHEETS)
        for sheet in SHEETS.values():
            for column in sheet.columns:
                assert f'name="_mk_{sheet.key}_{column.key}"' in workbook


def test_a_new_register_is_made_to_be_worked_in():
    """Frozen up to the organization, keys hidden, widths as agreed, lists offered, foldable, rows of one height."""
    sheet = load_workbook(io.BytesIO(create("es"))).worksheets[0]
    columns = SHEETS["practices"].columns
    dimensions = [sheet.column_dimensions[letters(number)] for number in range(1, len(columns) + 1)]
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}

    assert [cell.value for cell in sheet[1]][:4] == [
        "Clave",
        "Referencia",
        "Título",
        "Organización responsable",
    ]
    assert sheet.freeze_panes == "E2"
    assert [column.key for column, each in zip(columns, dimensions, strict=True) if each.hidden] == [
        "key",
        "key_again",
    ]
    assert [round(each.width - 0.71) for each in dimensions] == [column.width for column in columns]
    assert {each.outlineLevel for each in dimensions} == {0, 1}
    assert sheet.sheet_format.defaultRowHeight == 30
    assert sheet.tables["tblPracticas"].autoFilter.ref == "A1:AS2"
    assert rules["F2"].formula1 == "'Listas'!$A$2:$A$12"
    assert {"F2", "G2", "L2"} <= set(rules)
    assert "I2:I2000" in {str(area.sqref) for area in sheet.conditional_formatting}


def test_the_words_of_all_languages_have_the_same_keys():
    """A heading, value or line of the guide that one language has, the others have too."""

    def shape(value):
        if isinstance(value, dict):
            return {name: shape(each) for name, each in value.items()}
        return len(value) if isinstance(value, list) else str

    shapes = [shape(words(language).tables) for language in LANGUAGES]

    assert len(shapes) == 3
    assert shapes[0] == shapes[1] == shapes[2]
    assert words("es").situation("correction", n=2) == "En corrección (2.ª)"


def test_headings_of_one_sheet_are_all_different():
    """Excel repairs a table whose headings repeat."""
    for language in LANGUAGES:
        for sheet in SHEETS.values():
            headings = [words(language).heading(sheet.key, column.key) for column in sheet.columns]

            assert len({heading.casefold() for heading in headings}) == len(headings) > 0


def test_new_rows_are_written_whole_and_read_back():
    """Text, partial dates, real dates, numbers, links and the first Estado stand as wanted."""
    office = Office()
    office.update(practice(1), practice(2, title=None))
    first, second = read(office.data)["practices"]

    assert first == {
        "key": key(1),
        "key_again": key(1),
        "reference": "PMM-2027-0001",
        "title": "Defensoras 1",
        "main_implementer": "Municipalidad de Lima",
        "situation": "Completa",
        "state": "Por asignar",
        "start": "2021-03",
        "received": "2027-03-12",
        "version": "1",
        "days_idle": "0",
        "row_updated": "2027-03-12T08:05",
    }
    assert "title" not in second
    assert office.written["practices", key(1), "received"] == "2027-03-12"
    rels = member(office.data, "xl/worksheets/_rels/sheet1.xml.rels").decode()
    assert 'Target="Casos/PMM-2027-0001/" TargetMode="External"' in rels


def test_nothing_wanted_differently_changes_nothing():
    """The same rows again give back the same bytes and nothing to remember."""
    office = Office()
    office.update(practice(1))
    before = office.data
    outcome = office.update(practice(1), now=datetime(2027, 5, 1, 9, 0, tzinfo=UTC))

    assert outcome.data is before
    assert not outcome.changed
    assert outcome.written == ()


def test_a_changed_cell_is_written_and_the_row_says_when():
    """Only that cell and the row's own stamp change."""
    office = Office()
    office.update(practice(1), practice(2))
    before = read(office.data)["practices"]
    outcome = office.update(practice(1, situation="Retirada"), now=datetime(2027, 5, 1, 9, 0, tzinfo=UTC))
    after = read(office.data)["practices"]

    assert after[0] == before[0] | {"situation": "Retirada", "row_updated": "2027-05-01T09:00"}
    assert after[1] == before[1]
    assert {(each.column, each.text) for each in outcome.written} == {
        ("situation", "Retirada"),
        ("row_updated", "2027-05-01T09:00"),
    }


def test_hostile_words_stay_text():
    """Whatever a sender wrote comes back as it was, in a text cell, never as a formula."""
    office = Office()
    office.update(*(practice(number, title=text) for number, text in enumerate(HOSTILE, 1)))
    titles = [row["title"] for row in read(office.data)["practices"]]
    formulas = re.findall(r"<f>(.*?)</f>", member(office.data, SHEET).decode())

    assert titles == HOSTILE
    assert len(formulas) == len(HOSTILE)
    assert all(re.fullmatch(r'IF\(AS\d+="","",TODAY\(\)-INT\(AS\d+\)\)', formula) for formula in formulas)


def test_text_no_cell_can_hold_is_fitted_and_stays_fitted():
    """Control characters go, line ends become LF, 32,767 UTF-16 units are the limit; no update loops on it."""
    office = Office()
    rows = (
        practice(1, title="a\x00b\x0bc\r\nd\re\ud800"),
        practice(2, title="x" * 40_000),
        practice(3, title="😀" * 20_000),
    )
    office.update(*rows)
    titles = [row["title"] for row in read(office.data)["practices"]]

    assert titles == ["abc\nd\ne", "x" * 32_767, "😀" * 16_383]
    assert not office.update(*rows).changed


def test_staffs_word_stands_and_the_disagreement_is_told_once():
    """Their cell stays; Historial gets one line with old, theirs and ours; the next updates are silent."""
    office = Office()
    office.update(practice(1))
    office.edit(cell_pattern("C2"), inline("C2", "Defensoras al parlante"))

    assert not office.update(practice(1)).changed

    outcome = office.update(practice(1, title="DEFENSORAS V2"))
    (conflict,) = outcome.conflicts

    assert (conflict.column, conflict.written, conflict.staff, conflict.new) == (
        "title",
        "Defensoras 1",
        "Defensoras al parlante",
        "DEFENSORAS V2",
    )
    assert read(office.data)["practices"][0]["title"] == "Defensoras al parlante"
    assert read(office.data)["history"] == [
        {
            "at": "2027-03-12T08:05",
            "reference": "PMM-2027-0001",
            "sheet": "Prácticas",
            "column": "Título",
            "written": "Defensoras 1",
            "staff": "Defensoras al parlante",
            "new": "DEFENSORAS V2",
            "note": "Se conservó el texto de la Secretaría.",
        }
    ]
    assert office.update(practice(1, title="DEFENSORAS V2")).conflicts == ()
    assert len(read(office.data)["history"]) == 1

    office.update(practice(1, title="DEFENSORAS V3"))

    assert [line["new"] for line in read(office.data)["history"]] == ["DEFENSORAS V2", "DEFENSORAS V3"]
    assert read(office.data)["practices"][0]["title"] == "Defensoras al parlante"


def test_a_cell_that_agrees_again_is_ours_again():
    """When we come to want what staff wrote, there is no conflict, and later texts are written."""
    office = Office()
    office.update(practice(1))
    office.edit(cell_pattern("C2"), inline("C2", "Título bueno"))
    outcome = office.update(practice(1, title="Título bueno"))

    assert (outcome.changed, outcome.conflicts) == (False, ())

    office.update(practice(1, title="Título nuevo"))

    assert read(office.data)["practices"][0]["title"] == "Título nuevo"


def test_a_cell_that_staff_emptied_stays_empty():
    """An emptied cell is staff's word like any other."""
    office = Office()
    office.update(practice(1))
    office.edit(cell_pattern("C2"), "")
    outcome = office.update(practice(1, title="Otro"))

    assert [conflict.staff for conflict in outcome.conflicts] == [""]
    assert "title" not in read(office.data)["practices"][0]


def test_staffs_cells_are_never_written_but_the_first_estado():
    """Estado gets its first value with the row; afterwards neither it nor any other staff cell is touched."""
    office = Office()
    office.update(practice(1, notes="no"))
    office.update(practice(1, state="Validada", notes="no"))
    office.edit(cell_pattern("F2"), inline("F2", "En revisión"))
    office.update(practice(1, state="Publicada", version=2))
    (row,) = read(office.data)["practices"]

    assert (row["state"], row["version"]) == ("En revisión", "2")
    assert "notes" not in row


def test_estado_gets_its_first_value_when_there_is_one():
    """A case in correction has none; when it is complete, the empty cell is filled once and then is staff's."""
    office = Office()
    office.update(practice(1, state=None), practice(2, state=None))
    office.edit(cell_pattern("C3"), r"\g<0>" + inline("F3", "En reserva"))
    office.update(practice(1), practice(2))

    assert [row["state"] for row in read(office.data)["practices"]] == ["Por asignar", "En reserva"]

    office.edit(cell_pattern("F2"), "")
    office.edit(cell_pattern("F3"), "")
    outcome = office.update(practice(1), practice(2))

    assert not outcome.changed
    assert outcome.written == ()


def test_a_formula_of_staff_in_our_cell_is_never_overwritten():
    """Even one whose last result is what we had written."""
    office = Office()
    office.update(practice(1))
    office.edit(cell_pattern("C2"), '<c r="C2" t="str"><f>UPPER("x")</f><v>Defensoras 1</v></c>')
    outcome = office.update(practice(1, title="Otro"))

    assert len(outcome.conflicts) == 1
    assert '<f>UPPER("x")</f>' in member(office.data, SHEET).decode()


def test_an_update_whose_outcome_was_not_remembered_is_no_conflict():
    """Killed between file and ledger: with both texts known, the cell is still ours."""
    office = Office()
    office.update(practice(1))
    old = dict(office.written)
    lost = office.update(practice(1, title="Segundo"))
    both = old | {
        (each.sheet, each.key, each.column): (old.get((each.sheet, each.key, each.column), ""), each.text)
        for each in lost.written
    }
    outcome = update(office.data, Wanted(practices=(practice(1, title="Tercero"),)), both, now=NOW, once=ONCE)

    assert outcome.conflicts == ()
    assert read(outcome.data)["practices"][0]["title"] == "Tercero"


def test_a_row_that_reached_the_disk_but_not_the_ledger_is_not_made_twice():
    """With nothing remembered at all, the row is found by its key and adopted."""
    office = Office()
    office.update(practice(1))
    outcome = update(office.data, Wanted(practices=(practice(1),)), {}, now=NOW, once=ONCE)

    assert not outcome.changed
    assert len(read(outcome.data)["practices"]) == 1
    assert ("title", "Defensoras 1") in {(each.column, each.text) for each in outcome.written}


def test_a_deleted_row_is_told_and_not_brought_back():
    """Staff delete a row: a problem, no new row."""
    office = Office()
    office.update(practice(1), practice(2))
    office.edit(r'<row r="2".*?</row>', "")
    outcome = office.update(practice(1, title="Otro"), practice(2))

    assert [(problem.kind, problem.key) for problem in outcome.problems] == [("row_missing", key(1))]
    assert [row["key"] for row in read(office.data)["practices"]] == [key(2)]


def test_a_copied_row_is_told_and_neither_is_written():
    """Which of the two is the case's is for people to say."""
    office = Office()
    office.update(practice(1))
    text = re.search(r'<row r="2".*?</row>', member(office.data, SHEET).decode())[0]
    copy = text.replace('r="2"', 'r="3"').replace('2"', '3"')
    office.edit(r"</sheetData>", copy.replace("\\", "\\\\") + "</sheetData>")
    outcome = office.update(practice(1, title="Otro"))

    assert [(problem.kind, problem.rows) for problem in outcome.problems] == [("key_repeated", (2, 3))]
    assert [row["title"] for row in read(office.data)["practices"]] == ["Defensoras 1"] * 2


def test_a_partial_sort_is_told_and_the_rows_are_left():
    """Two keys of a row that disagree: cells were moved away from their row, so nothing is written into it."""
    office = Office()
    office.update(practice(1), practice(2), practice(3))
    office.edit(cell_pattern("O2"), inline("O2", key(2)))
    office.edit(cell_pattern("O3"), inline("O3", key(1)))
    outcome = office.update(*(practice(number, title="Otro") for number in (1, 2, 3)))

    assert [(problem.kind, problem.key) for problem in outcome.problems] == [
        ("keys_disagree", key(1)),
        ("keys_disagree", key(2)),
    ]
    assert [row["title"] for row in read(office.data)["practices"]] == [
        "Defensoras 1",
        "Defensoras 2",
        "Otro",
    ]


def test_a_sort_that_left_the_keys_behind_is_noticed_by_the_reference():
    """Both keys stood still but the cells between did not: the row shows another case's reference."""
    office = Office()
    office.update(practice(1), practice(2))
    for one, other in ((2, 2), (3, 1)):
        office.edit(cell_pattern(f"B{one}"), inline(f"B{one}", f"PMM-2027-{other:04d}"))
        office.edit(cell_pattern(f"C{one}"), inline(f"C{one}", f"Defensoras {other}"))
    before = office.data
    outcome = office.update(practice(1, title="Otro"), practice(2, title="Otro"))

    assert [problem.kind for problem in outcome.problems] == ["keys_disagree"] * 2
    assert outcome.data is before


def test_a_sorted_table_is_updated_where_the_rows_went():
    """Rows are found by their keys in any order, with staff's own rows between them."""
    office = Office()
    office.update(practice(1), practice(2))
    text = member(office.data, SHEET).decode()
    first, second = (re.search(rf'<row r="{row}".*?</row>', text)[0] for row in (2, 3))
    third = '<row r="3">' + inline("C3", "Vino en papel") + "</row>"
    moved = second.replace('r="3"', 'r="2"').replace('3"', '2"') + third
    moved += first.replace('r="2"', 'r="4"').replace('2"', '4"')
    office.edit(r'<row r="2".*</sheetData>', moved + "</sheetData>")
    office.edit(r'ref="A1:AS3"', 'ref="A1:AS4"', part=_table_part(office.data), count=2)
    office.update(practice(1, title="Otro"), practice(2), practice(3))

    assert [row.get("title") for row in read(office.data)["practices"]] == [
        "Defensoras 2",
        "Vino en papel",
        "Otro",
        "Defensoras 3",
    ]


def _table_part(data):
    return next(
        name
        for name in (f"xl/tables/table{number}.xml" for number in range(1, 6))
        if b'"tblPracticas"' in member(data, name)
    )


def test_everything_laid_over_the_table_grows_with_it():
    """Table, its filter, dimension, rules of entry and format, print area, filter name."""
    office = Office()
    office.update(practice(1), practice(2))
    office.edit(
        r"<definedNames>",
        "<definedNames>"
        '<definedName name="_xlnm.Print_Area" localSheetId="0">\'Prácticas\'!$B$1:$M$3</definedName>'
        '<definedName name="_xlnm._FilterDatabase" localSheetId="0">\'Prácticas\'!$A$1:$AS$3</definedName>'
        "<definedName name=\"otros\">'Prácticas'!$C$20:$C$30</definedName>",
        part="xl/workbook.xml",
    )
    office.edit(r'sqref="F2:F2000"', 'sqref="F2:F3 H40"')
    office.edit(r'sqref="I2:I2000"', 'sqref="I2:I3"')
    office.update(practice(3), practice(4))
    sheet, book = member(office.data, SHEET).decode(), member(office.data, "xl/workbook.xml").decode()

    assert member(office.data, _table_part(office.data)).count(b'ref="A1:AS5"') == 2
    assert '<dimension ref="A1:AS5"/>' in sheet
    assert 'sqref="F2:F5 H40"' in sheet
    assert 'sqref="I2:I5"' in sheet
    assert "'Prácticas'!$B$1:$M$5<" in book
    assert "'Prácticas'!$A$1:$AS$5<" in book
    assert "'Prácticas'!$C$20:$C$30<" in book


def test_what_people_wrote_below_the_table_is_never_written_over():
    """New rows pass by an occupied row."""
    office = Office()
    office.update(practice(1))
    office.edit(r"</sheetData>", f'<row r="3">{inline("D3", "Ojo: revisar")}</row></sheetData>')
    office.update(practice(2), practice(3))

    assert [row.get("title") for row in read(office.data)["practices"]] == [
        "Defensoras 1",
        None,
        "Defensoras 2",
        "Defensoras 3",
    ]
    assert read(office.data)["practices"][1] == {"main_implementer": "Ojo: revisar"}


def test_a_totals_row_gives_way():
    """A totals row that people switched on stays the table's last."""
    office = Office()
    office.update(practice(1))
    office.edit(r"</sheetData>", f'<row r="3">{inline("C3", "Total")}</row></sheetData>')
    office.edit(
        r'(<table [^>]*?)ref="A1:AS2"', r'\1totalsRowCount="1" ref="A1:AS3"', part=_table_part(office.data)
    )
    office.update(practice(2), practice(3))
    sheet = member(office.data, SHEET).decode()

    assert [row.get("title") for row in read(office.data)["practices"]] == [
        "Defensoras 1",
        "Defensoras 2",
        "Defensoras 3",
    ]
    assert '<row r="5"><c r="C5" t="inlineStr"><is><t>Total</t></is></c></row>' in sheet
    assert b'ref="A1:AS5"' in member(office.data, _table_part(office.data))
    assert b'autoFilter ref="A1:AS4"' in member(office.data, _table_part(office.data))


def test_new_rows_do_not_inherit_the_colour_of_the_row_above():
    """A new cell takes the column's own format, not its neighbour's."""
    office = Office()
    office.update(practice(1))
    clean = re.search(r'<c r="C2" s="(\d+)"', member(office.data, SHEET).decode())[1]
    office.edit(r'<c r="C2" s="\d+"', '<c r="C2" s="999"')
    office.update(practice(1, title="Otro"), practice(2))
    sheet = member(office.data, SHEET).decode()

    assert '<c r="C2" s="999" t="inlineStr"><is><t>Otro</t>' in sheet
    assert f'<c r="C3" s="{clean}" t="inlineStr"' in sheet


def test_renamed_moved_and_added_columns_are_no_matter():
    """Columns follow their names; a heading people renamed, a column they put in between, change nothing."""
    office = Office()
    office.update(practice(1))
    office.edit(cell_pattern("C1"), inline("C1", "Nombre"))
    office.edit(r'(name="_mk_practices_language"[^>]*>)[^<]*', r"\1'Prácticas'!$AT$1", part="xl/workbook.xml")
    office.edit(cell_pattern("Z1"), inline("Z1", "Prioridad"))
    office.edit(r'(<row r="1".*?)</row>', rf"\1{inline('AT1', 'Idioma')}</row>")
    office.edit(r'ref="A1:AS2"', 'ref="A1:AT2"', part=_table_part(office.data), count=2)
    outcome = office.update(practice(1, title="Otro", language="es"))
    (row,) = read(office.data)["practices"]

    assert (outcome.problems, outcome.conflicts) == ((), ())
    assert (row["title"], row["language"]) == ("Otro", "es")
    assert '<c r="AT2"' in member(office.data, SHEET).decode()


def test_a_deleted_column_is_told_and_the_rest_goes_on():
    """The name of a deleted column means nothing any more; its heading is gone too."""
    office = Office()
    office.update(practice(1))
    office.edit(r'(name="_mk_practices_title"[^>]*>)[^<]*', r"\1#REF!", part="xl/workbook.xml")
    office.edit(cell_pattern("C1"), inline("C1", "Otra cosa"))
    outcome = office.update(practice(1, title="Otro", version=2), practice(2))
    first, second = read(office.data)["practices"]

    assert [(problem.kind, problem.column) for problem in outcome.problems] == [("column_missing", "title")]
    assert (first["version"], first["+Otra cosa"], second["reference"]) == (
        "2",
        "Defensoras 1",
        "PMM-2027-0002",
    )


def test_without_names_columns_are_found_by_their_headings():
    """Some programs drop defined names; headings in any of our languages serve then."""
    office = Office()
    office.update(practice(1))
    office.edit(r"<definedNames>.*</definedNames>", "", part="xl/workbook.xml")
    outcome = office.update(practice(1, title="Otro"), practice(2))

    assert outcome.problems == ()
    assert [row["title"] for row in read(office.data)["practices"]] == ["Otro", "Defensoras 2"]


def test_a_renamed_sheet_is_found_and_a_deleted_one_is_told():
    """Texts have nowhere to go when their sheet was deleted; practices go on."""
    office = Office()
    office.edit(r'name="Prácticas"', 'name="Casos 2027"', part="xl/workbook.xml")
    office.edit(r"'?Prácticas'?!", "'Casos 2027'!", part="xl/workbook.xml", count=0)
    office.edit(r'<sheet [^>]*name="Textos"[^>]*/>', "", part="xl/workbook.xml")
    text = Row(key=key(1), cells={"reference": "PMM-2027-0001", "summary": "Largo"})
    outcome = office.update(practice(1), texts=(text,))

    assert [(problem.kind, problem.sheet) for problem in outcome.problems] == [("sheet_missing", "texts")]
    assert read(office.data)["practices"][0]["title"] == "Defensoras 1"


def test_all_sheets_are_written():
    """Textos, Contactos and Por revisar have rows of their own; a hostile link there is text alone."""
    office = Office()
    office.update(
        practice(1),
        texts=(Row(key=key(1), cells={"reference": "PMM-2027-0001", "summary": "Uno\n\nDos"}),),
        contacts=(Row(key=key(1), cells={"reference": "PMM-2027-0001", "focal_name": "Rosa Quispe"}),),
        review=(
            Row(
                key=key(7),
                cells={
                    "received": datetime(2027, 3, 12, 8, 0, tzinfo=UTC),
                    "sender": "=cmd|x",
                    "mail": Link(text="Abrir", url='javascript:"x'),
                },
            ),
        ),
    )
    found = read(office.data)

    assert found["texts"][0]["summary"] == "Uno\n\nDos"
    assert found["contacts"][0]["focal_name"] == "Rosa Quispe"
    assert found["review"][0] == {
        "key": key(7),
        "key_again": key(7),
        "received": "2027-03-12T08:00",
        "sender": "=cmd|x",
        "mail": "Abrir",
    }
    assert b"javascript" not in member(office.data, "xl/worksheets/_rels/sheet4.xml.rels")


def test_the_order_of_calculation_is_dropped_only_when_formulas_are_added():
    """A stale calculation chain makes Excel repair the file; one that is right is left."""
    office = Office()
    office.update(practice(1))
    office.edit(
        r"</Relationships>",
        '<Relationship Id="rId99" Target="calcChain.xml" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"/></Relationships>',
        part="xl/_rels/workbook.xml.rels",
    )
    office.edit(
        r"</Types>",
        '<Override PartName="/xl/calcChain.xml" ContentType="application/x"/></Types>',
        part="[Content_Types].xml",
    )
    office.data = with_parts(office.data, {"xl/calcChain.xml": b"<calcChain/>"})
    office.update(practice(1, title="Otro"))

    assert member(office.data, "xl/calcChain.xml") == b"<calcChain/>"

    office.update(practice(2))

    assert b"calcChain" not in member(office.data, "xl/_rels/workbook.xml.rels")
    assert b"calcChain" not in member(office.data, "[Content_Types].xml")
    with pytest.raises(KeyError):
        member(office.data, "xl/calcChain.xml")


def test_a_column_that_does_not_exist_is_a_mistake_of_the_caller():
    """A misspelt column must not be silently left out."""
    with pytest.raises(KeyError, match=r"practices\.titel"):
        Office().update(Row(key=key(1), cells={"titel": "x"}))


@pytest.mark.parametrize("bad", ["", "short", "KEY 00000001", "key000000001", "KEY0000000012"])
def test_a_key_that_would_not_be_found_again_is_refused(bad):
    """Its row would be made anew at each update."""
    with pytest.raises(ValueError, match="row key"):
        Row(key=bad, cells={})


def test_two_wanted_rows_with_one_key_are_a_mistake_of_the_caller():
    """Else the register would show a copied row that nobody copied."""
    with pytest.raises(ValueError, match="same key"):
        Office().update(practice(1), practice(1))


def test_a_title_row_above_the_headings_is_no_matter():
    """People insert a line on top: names, table and rows have moved down by one."""
    office = Office()
    office.update(practice(1))
    for row in (2, 1):
        office.edit(rf' r="([A-Z]*){row}"', rf' r="\g<1>{row + 1}"', count=0)
    office.edit(r"<sheetData>", '<sheetData><row r="1">' + inline("C1", "REGISTRO 2027") + "</row>")
    office.edit(r'ref="A1:AS2"', 'ref="A2:AS3"', part=_table_part(office.data), count=2)
    office.edit(r"('Prácticas'!\$[A-Z]+\$)1<", r"\g<1>2<", part="xl/workbook.xml", count=0)
    outcome = office.update(practice(1, title="Otro"), practice(2))

    assert outcome.problems == ()
    assert [row["title"] for row in read(office.data)["practices"]] == ["Otro", "Defensoras 2"]
    assert b'ref="A2:AS4"' in member(office.data, _table_part(office.data))


def test_a_table_turned_into_plain_cells_is_still_the_register():
    """Rows go on below the last one."""
    office = Office()
    office.update(practice(1))
    office.edit(r"<tableParts.*?</tableParts>", "")
    office.edit(
        r"<Relationship [^>]*relationships/table[^>]*/>", "", part="xl/worksheets/_rels/sheet1.xml.rels"
    )
    outcome = office.update(practice(1, title="Otro"), practice(2), practice(3))

    assert outcome.problems == ()
    assert [row["title"] for row in read(office.data)["practices"]] == [
        "Otro",
        "Defensoras 2",
        "Defensoras 3",
    ]
    assert '<dimension ref="A1:AS4"/>' in member(office.data, SHEET).decode()


def test_rows_and_cells_without_addresses_are_read_by_their_place():
    """Some programs state no addresses; the update gives them theirs."""
    office = Office()
    office.update(practice(1))
    root = etree.fromstring(member(office.data, SHEET))
    for row in root.iter("{*}row"):
        there = {cell.get("r").rstrip("0123456789"): cell for cell in row}
        for column in range(1, 46):
            row.append(there.get(letters(column), etree.Element(row.tag.replace("row", "c"))))
    for element in root.iter("{*}row", "{*}c"):
        element.attrib.pop("r", None)
    office.data = with_parts(office.data, {SHEET: etree.tostring(root)})
    outcome = office.update(practice(1, title="Otro"), practice(2))

    assert outcome.problems == ()
    assert [row["title"] for row in read(office.data)["practices"]] == ["Otro", "Defensoras 2"]


def test_one_row_of_five_thousand_is_updated_within_a_second():
    """The bar is well under a second; the test allows for a busy machine."""
    office = Office()
    office.update(*(practice(number) for number in range(1, 5001)))
    before = time.process_time()
    office.update(practice(2500, title="Otro"))
    spent = time.process_time() - before

    assert read(office.data)["practices"][2499]["title"] == "Otro"
    assert spent < 1.0
