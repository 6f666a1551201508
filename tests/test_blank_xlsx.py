"""The blank Excel template: what people see and may write, what the parser finds, what prints."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from fillers import fill_xlsx, libreoffice_pdf, member, needs_libreoffice, through_libreoffice
from openpyxl import load_workbook

import config
from responses.blank_xlsx import blank_xlsx, file_name

LANGUAGES = ["es", "en", "fr"]
SHIPPED = config.load()
TEMPLATE = SHIPPED.template
VOCABULARIES = SHIPPED.vocabularies

PRACTICE = {
    "title": "=Voces de la feria",
    "primary_objectives": [7, 16],
    "secondary_objectives": [17],
    "guiding_principles": ["human_rights"],
    "sdgs": [5, 10],
    "status": "ongoing",
    "start": "2021-03",
    "type": "other",
    "type_other": "Feria itinerante",
    "countries": ["PE", "EC"],
    "summary": "Primer párrafo.\n\nSegundo párrafo.",
    "focal_email": ["a@example.org", "b@example.org"],
    "sent_by_contact": False,
    "consent_publish": "conditional",
}


def blank(language="es", **options):
    return blank_xlsx(TEMPLATE, VOCABULARIES, language, **options)


def book_of(data):
    return load_workbook(io.BytesIO(data))


def form_of(data, language="es"):
    return book_of(data)[TEMPLATE.text("sheet_form", language)]


def rows_of(sheet):
    """Question number or choice code to row number."""
    return {
        cell.value: cell.row for cell in sheet["A"] if re.fullmatch(r"\d+[a-z]?(-\w+)?", cell.value or "")
    }


def choices():
    """Code to words' term and the field whose row it is; objectives share one row."""
    shared, found = set(), {}
    for field in TEMPLATE.fields:
        if field.layout in {"list", "checks"} and field.vocabulary not in shared:
            if field.layout == "list":
                shared.add(field.vocabulary)
            found |= {f"{field.number}-{term.key}": term for term in VOCABULARIES[field.vocabulary].terms}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_is_a_row_of_number_label_answer_and_help(language):
    """The number stands as text in the first column, the parser's first key."""
    sheet = form_of(blank(language), language)
    rows = rows_of(sheet)

    numbers = [code for code in rows if "-" not in code]
    assert [field.number for field in TEMPLATE.fields] == numbers
    for field in TEMPLATE.fields:
        row = rows[field.number]
        star = " *" if field.requirement == "mandatory" else ""
        assert field.label(language) + star == sheet.cell(row, 2).value
        assert field.prefills.get(language) == sheet.cell(row, 3).value
        assert (sheet.cell(row, 4).value or "").startswith(field.hints.get(language, ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_choice_is_a_row_below_its_question_with_code_and_words(language):
    """Codes such as 5-human_rights are read before words; objectives have one row for both questions."""
    sheet = form_of(blank(language), language)
    rows = rows_of(sheet)

    expected = {
        code: term.title(language) if term.number is None else f"{term.number} – {term.title(language)}"
        for code, term in choices().items()
    }
    assert expected == {code: sheet.cell(row, 2).value for code, row in rows.items() if "-" in code}
    assert len(expected) == 23 + 10 + 17 + 2 + 4 + 3
    assert (
        rows["4"] < rows["3-1"] < rows["3-23"] < rows["5"] < rows["5-human_rights"] < rows["6"] < rows["6-1"]
    )
    assert rows["33"] < rows["33-yes"] < rows["34"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_answers_can_be_written_and_they_stay_text(language):
    """All sheets are protected without a password; 2021-03 in an answer does not become a date."""
    book = book_of(blank(language))
    sheet = book[TEMPLATE.text("sheet_form", language)]

    assert {True} == {page.protection.sheet for page in book.worksheets}
    assert {None} == {page.protection.password for page in book.worksheets}
    unlocked = {cell.coordinate for row in sheet.iter_rows() for cell in row if not cell.protection.locked}
    assert {f"C{row}" for row in rows_of(sheet).values()} == unlocked
    assert {"@"} == {sheet[address].number_format for address in unlocked}


@pytest.mark.parametrize("language", LANGUAGES)
def test_drop_downs_draw_from_the_hidden_lists_sheet(language):
    """A list typed into a validation ends at 255 characters; ranges do not."""
    book = book_of(blank(language))
    sheet = book[TEMPLATE.text("sheet_form", language)]
    lists = book[TEMPLATE.text("sheet_lists", language)]
    rows = rows_of(sheet)

    offered = {}
    for validation in sheet.data_validations.dataValidation:
        if validation.type == "list":
            area = re.fullmatch(r"'([^']+)'!(.+)", validation.formula1)
            assert lists.title == area[1]
            words = [row[0].value for row in lists[area[2].replace("$", "")]]
            offered |= {cell: words for area in validation.sqref.ranges for cell in _addresses(area)}

    assert lists.sheet_state == "hidden"
    yes, main, other = (TEMPLATE.text(name, language) for name in ("yes", "principal", "other"))
    expected = {
        f"C{rows[code]}": [main, other] if code.startswith("3-") else [yes] for code in rows if "-" in code
    }
    expected |= {
        f"C{rows[field.number]}": [term.title(language) for term in VOCABULARIES[field.vocabulary].terms]
        for field in TEMPLATE.fields
        if field.layout == "dropdown"
    }
    assert expected == offered


def _addresses(area):
    return [f"C{row}" for row in range(area.min_row, area.max_row + 1)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_prompts_keep_excels_limits_and_never_refuse_an_answer(language):
    """Excel calls a workbook damaged when a prompt's title has over 32 or its text over 255 characters."""
    validations = form_of(blank(language), language).data_validations.dataValidation

    assert validations
    assert all(0 < len(validation.promptTitle) <= 32 for validation in validations)
    assert all(len(validation.prompt or "") <= 255 for validation in validations)
    assert not any(validation.showErrorMessage for validation in validations)
    assert all(validation.showInputMessage for validation in validations)


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_lead_to_each_answer(language):
    """`q_<key>` follows the answer when rows are inserted above."""
    book = book_of(blank(language))
    title = TEMPLATE.text("sheet_form", language)
    rows = rows_of(book[title])

    expected = {f"q_{field.key}": f"'{title}'!$C${rows[field.number]}" for field in TEMPLATE.fields}
    assert expected == {name: target.attr_text for name, target in book.defined_names.items()}


@pytest.mark.parametrize(
    ("case_id", "line"),
    [(None, "practice-1 · v1 · en"), ("PMM-2026-0042", "practice-1 · v1 · en · PMM-2026-0042")],
)
def test_the_identity_stands_in_a_visible_cell_and_in_the_custom_properties(case_id, line):
    """The cell survives every program; the properties are the backup, text so that none becomes a float."""
    book = book_of(blank("en", case_id=case_id))

    assert line == book[TEMPLATE.text("sheet_form", "en")]["A2"].value
    expected = {"PracticeTemplate": "practice-1", "PracticeVersion": "1", "PracticeLanguage": "en"}
    expected |= {"PracticeCase": case_id} if case_id else {}
    assert expected == {entry.name: entry.value for entry in book.custom_doc_props.props}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_marked_and_nothing_is_a_formula(language):
    """Only the template's own prefill stands in the answers."""
    data = blank(language)
    book = book_of(data)
    sheet = book[TEMPLATE.text("sheet_form", language)]

    written = {code: sheet.cell(row, 3).value for code, row in rows_of(sheet).items()}
    prefill = TEMPLATE.field("countries").prefills[language]
    assert {"12": prefill} == {code: value for code, value in written.items() if value}
    cells = [cell for page in book.worksheets for row in page.iter_rows() for cell in row if cell.value]
    assert {"s"} == {cell.data_type for cell in cells}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/")]
        assert len(sheets) == 3
        assert not [name for name in sheets if b"<f>" in package.read(name)]
        assert not [name for name in package.namelist() if "comment" in name]


@pytest.mark.parametrize("language", LANGUAGES)
def test_instructions_come_first_and_name_the_sheet_to_fill(language):
    """The workbook opens on them; the promise of one single request is among them."""
    book = book_of(blank(language))
    names = [TEMPLATE.text(f"sheet_{name}", language) for name in ("instructions", "form", "lists")]

    assert names == book.sheetnames
    assert names[0] == book.active.title
    text = "\n".join(str(cell.value) for row in book[names[0]].iter_rows() for cell in row if cell.value)
    assert names[1] in text
    intro = [line for line in TEMPLATE.intros[language].splitlines() if line.strip()]
    assert [line for line in intro if text.count(line) == 1] == intro


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_are_high_enough_for_their_words_and_long_answers_have_room(language):
    """A row without a height is cut to one line by programs that do not fit rows on opening."""
    sheet = form_of(blank(language), language)
    rows = rows_of(sheet)

    assert all(sheet.row_dimensions[row].height >= 15 for row in rows.values())
    for field in TEMPLATE.fields:
        row = rows[field.number]
        characters = len(sheet.cell(row, 4).value or "") / sheet.column_dimensions["D"].width
        assert sheet.row_dimensions[row].height >= characters * 9
        if field.kind == "text":
            assert sheet.row_dimensions[row].height >= 90


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_on_a4_with_its_header_and_page_numbers(language):
    """As wide as the page, the header row in sight on screen and on each page."""
    sheet = form_of(blank(language), language)

    assert (
        sheet.page_setup.paperSize,
        sheet.page_setup.orientation,
        sheet.page_setup.fitToWidth,
        sheet.page_setup.fitToHeight,
    ) == (9, "portrait", 1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$3:$3"
    assert f"'{sheet.title}'!$A$1:$D${sheet.max_row}" == sheet.print_area
    assert sheet.freeze_panes == "A4"
    assert sheet.oddFooter.right.text == "&P / &N"
    heads = [TEMPLATE.text(name, language) for name in ("number", "question", "answer", "help")]
    assert heads == [sheet.cell(3, column).value for column in range(1, 5)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_form_is_the_same_file(language):
    """No date of making is in it."""
    assert blank(language) == blank(language)
    assert b"2026-01-01T00:00:00Z" in member(blank(language), "docProps/core.xml")


def test_given_answers_are_prefilled_as_text_whatever_they_hold():
    """A text that begins with = is no formula; control characters go; over-long text is cut at Excel's limit."""
    answers = {"title": "=1+1", "short": "#N/A", "summary": "x\x00y" + "z" * 40_000, "status": "completed"}
    sheet = form_of(blank("es", answers=answers))
    rows = rows_of(sheet)

    assert (sheet.cell(rows["1"], 3).value, sheet.cell(rows["1"], 3).data_type) == ("=1+1", "s")
    assert (sheet.cell(rows["2"], 3).value, sheet.cell(rows["2"], 3).data_type) == ("#N/A", "s")
    assert sheet.cell(rows["18"], 3).value.startswith("xyz")
    assert len(sheet.cell(rows["18"], 3).value) == 32_767
    assert VOCABULARIES["statuses"].get("completed").title("es") == sheet.cell(rows["7"], 3).value


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_name_tells_form_and_language(language):
    """In the form's language."""
    assert f"{TEMPLATE.titles[language]} (practice-1, {language}).xlsx" == file_name(
        TEMPLATE, language, "xlsx"
    )


def assert_filled(sheet):
    rows = rows_of(sheet)
    answers = {code: sheet.cell(row, 3).value for code, row in rows.items()}

    assert answers["1"] == "=Voces de la feria"
    assert answers["8"] == "marzo de 2021"
    assert answers["10"].endswith(": Feria itinerante")
    assert answers["12"] == "Perú, Ecuador"
    assert PRACTICE["summary"] == answers["18"]
    marked = {code: answer for code, answer in answers.items() if "-" in code and answer}
    assert marked == {
        "3-7": "Principal",
        "3-16": "Principal",
        "3-17": "Otro",
        "5-human_rights": "Sí",
        "6-5": "Sí",
        "6-10": "Sí",
        "30-other": "Sí",
        "33-conditional": "Sí",
    }


def test_a_filled_form_holds_the_answers_beside_their_numbers():
    """The filler of these tests does what people do in Excel."""
    assert_filled(form_of(fill_xlsx(blank(), PRACTICE, TEMPLATE, VOCABULARIES, "es")))


@needs_libreoffice
def test_answers_and_marks_survive_a_save_by_libreoffice():
    """Codes, answers, names and the lock are kept; that is what the parser lives on."""
    book = book_of(through_libreoffice(fill_xlsx(blank(), PRACTICE, TEMPLATE, VOCABULARIES, "es"), "xlsx"))
    sheet = book[TEMPLATE.text("sheet_form", "es")]

    assert_filled(sheet)
    assert sheet.protection.sheet
    assert {f"q_{field.key}" for field in TEMPLATE.fields} <= set(book.defined_names)


@needs_libreoffice
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_on_few_pages(language):
    """One page of instructions and four of questions and lists; the hidden lists do not print."""
    pages = re.findall(rb"/Type\s*/Page\b", libreoffice_pdf(blank(language), "xlsx"))

    assert len(pages) == 5
