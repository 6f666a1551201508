"""The blank Word template: what people see, what the parser finds, what other programs keep."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import pytest
from fillers import (
    W14,
    W,
    answer_cells,
    controls_of,
    fill_docx,
    fill_docx_outside,
    libreoffice_pdf,
    member,
    needs_libreoffice,
    text_of,
    through_libreoffice,
)
from lxml import etree

import config
from responses.blank_docx import blank_docx, file_name

LANGUAGES = ["es", "en", "fr"]
SHIPPED = config.load()
TEMPLATE = SHIPPED.template
VOCABULARIES = SHIPPED.vocabularies

PRACTICE = {
    "title": "Voces de la feria",
    "primary_objectives": [7, 16],
    "secondary_objectives": [17],
    "guiding_principles": ["human_rights"],
    "sdgs": [5, 10],
    "status": "ongoing",
    "start": "2021-03",
    "end": "ongoing",
    "type": "other",
    "type_other": "Feria itinerante",
    "countries": ["PE", "EC"],
    "summary": "Primer párrafo.\n\nSegundo párrafo: =1+1 & <b>.",
    "focal_email": ["a@example.org", "b@example.org"],
    "sent_by_contact": True,
    "consent_publish": "conditional",
}


def blank(language="es", **options):
    return blank_docx(TEMPLATE, VOCABULARIES, language, **options)


def root_of(document):
    return etree.fromstring(member(document, "word/document.xml"))


def paragraphs_of(element):
    return [text_of(paragraph) for paragraph in element.iter(f"{W}p")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_shows_its_number_and_label_in_one_row_of_two_cells(language):
    """The number in the label cell is the parser's first key, and the only one that every program keeps."""
    rows = [row.findall(f"{W}tc") for row in root_of(blank(language)).iter(f"{W}tr")]

    labels = [paragraphs_of(cells[0])[0] for cells in rows if len(cells) == 2]
    questions = [label for label in labels if re.match(r"\d+[a-z]?\. ", label)]

    expected = [
        f"{field.number}. {field.label(language)}" + (" *" if field.requirement == "mandatory" else "")
        for field in TEMPLATE.fields
    ]
    assert expected == questions
    assert len(expected) > 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_answer_has_the_control_that_its_question_needs(language):
    """Short answers in a plain-text control, choices in a drop-down, long answers in a bare cell."""
    root = root_of(blank(language))
    controls, cells = controls_of(root), answer_cells(root)

    found = {}
    for field in TEMPLATE.fields:
        control = controls.get(field.key)
        inside = [] if control is None else [etree.QName(child).localname for child in control[0]]
        found[field.key] = next((name for name in ("text", "dropDownList") if name in inside), "bare")
        assert control is None or control in list(cells[field.number].iter(f"{W}sdt"))

    def wanted(field):
        if field.layout == "dropdown":
            return "dropDownList"
        short = field.layout == "cell" and field.kind in {"line", "date", "countries", "emails"}
        return "text" if short else "bare"

    assert {field.key: wanted(field) for field in TEMPLATE.fields} == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_drop_downs_offer_the_official_words_and_have_nothing_chosen(language):
    """The placeholder shows until a person chooses; the items are the vocabulary's titles."""
    controls = controls_of(root_of(blank(language)))
    fields = [field for field in TEMPLATE.fields if field.layout == "dropdown"]

    assert fields
    for field in fields:
        control = controls[field.key]
        shown = [
            item.get(f"{W}displayText") or item.get(f"{W}value") for item in control.iter(f"{W}listItem")
        ]
        titles = [term.title(language) for term in VOCABULARIES[field.vocabulary].terms]
        assert [TEMPLATE.text("choose", language), *titles] == shown
        assert TEMPLATE.text("choose", language) == text_of(control)
        assert control.find(f"{W}sdtPr/{W}showingPlcHdr") is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_choice_is_a_row_with_a_box_its_number_and_its_words(language):
    """People see what they tick; programs that lose the box's tag still have number and words."""
    rows = {}
    for row in root_of(blank(language)).iter(f"{W}tr"):
        boxes = [box.getparent().find(f"{W}tag").get(f"{W}val") for box in row.iter(f"{W14}checkbox")]
        rows.update({tag: [text_of(cell) for cell in row.findall(f"{W}tc")] for tag in boxes})

    objective = VOCABULARIES["objectives"].by_number(16).title(language)
    assert ["☐", "☐", "16", objective] == rows["primary_objectives.16"] == rows["secondary_objectives.16"]
    assert ["☐", "5", VOCABULARIES["sdgs"].get("5").title(language)] == rows["sdgs.5"]
    principle = VOCABULARIES["principles"].get("human_rights")
    assert ["☐", str(principle.number), principle.title(language)] == rows["guiding_principles.human_rights"]
    consent = VOCABULARIES["consent"].get("pending").title(language)
    assert ["☐", consent] == rows["consent_publish.pending"]
    assert len(rows) == 23 + 23 + 10 + 17 + 2 + 4 + 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_ticked_or_answered_beforehand(language):
    """Consent above all is given by a tick of the sender's; only the template's own prefill stands there."""
    root = root_of(blank(language))
    placeholders = {TEMPLATE.text(name, language) for name in ("placeholder", "choose")}

    assert {"0"} == {box.get(f"{W14}val") for box in root.iter(f"{W14}checked")}
    assert "☒" not in text_of(root)
    answers = {field.key: text_of(answer_cells(root)[field.number]) for field in TEMPLATE.fields}
    written = {key: text for key, text in answers.items() if text and text not in placeholders}
    assert {"countries": TEMPLATE.field("countries").prefills[language]} == written


@pytest.mark.parametrize(
    ("case_id", "line"),
    [(None, "practice-1 · v1 · fr"), ("PMM-2026-0042", "practice-1 · v1 · fr · PMM-2026-0042")],
)
def test_the_identity_stands_in_a_visible_line_and_in_the_custom_properties(case_id, line):
    """The line survives every program; the properties are the backup."""
    document = blank("fr", case_id=case_id)

    assert line in paragraphs_of(root_of(document))
    properties = etree.fromstring(member(document, "docProps/custom.xml"))
    expected = {"PracticeTemplate": "practice-1", "PracticeVersion": "1", "PracticeLanguage": "fr"}
    expected |= {"PracticeCase": case_id} if case_id else {}
    assert expected == {entry.get("name"): "".join(entry.itertext()) for entry in properties}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_notes_on_consent_and_data_are_printed_before_the_boxes(language):
    """A tick without the words beside it would be no consent."""
    section = TEMPLATE.sections[-1]
    printed = paragraphs_of(root_of(blank(language)))

    notes = [line.strip() for line in section.notes[language].splitlines() if line.strip()]
    assert len(notes) == 3
    positions = [printed.index(note) for note in notes]
    first = printed.index(VOCABULARIES["consent"].terms[0].title(language))
    assert positions == sorted(positions)
    assert positions[-1] < first


def test_only_controls_that_other_programs_keep_are_used():
    """Controls stand inside paragraphs; none is bound to data, repeats, or is a legacy field."""
    document = blank()
    root = root_of(document)
    controls = list(root.iter(f"{W}sdt"))

    assert controls
    assert {f"{W}p"} == {control.getparent().tag for control in controls}
    names = {etree.QName(element).localname for element in root.iter() if isinstance(element.tag, str)}
    assert not names & {"dataBinding", "repeatingSection", "ffData", "commentReference", "vMerge", "gridSpan"}
    identities = [element.get(f"{W}val") for element in root.iter(f"{W}id")]
    assert len(controls) == len(identities) == len(set(identities))
    with zipfile.ZipFile(io.BytesIO(document)) as package:
        assert not [name for name in package.namelist() if "customXml" in name or "thumbnail" in name]


@pytest.mark.parametrize(("language", "region"), [("es", "es-PE"), ("en", "en-GB"), ("fr", "fr-FR")])
def test_word_reads_it_as_an_a4_document_in_its_language(language, region):
    """python-docx opens it; spelling and screen readers take the form's language."""
    document = docx.Document(io.BytesIO(blank(language)))

    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert TEMPLATE.titles[language] == document.core_properties.title
    assert region == document.core_properties.language
    assert {region} == {lang.get(f"{W}val") for lang in document.styles.element.iter(f"{W}lang")}
    assert "PAGE" in {field.get(f"{W}instr") for field in section.footer._element.iter(f"{W}fldSimple")}


def test_every_style_that_is_used_is_defined():
    """An undefined style falls back to Word's defaults without a word."""
    document = blank()
    styles = etree.fromstring(member(document, "word/styles.xml"))
    defined = {style.get(f"{W}styleId") for style in styles.iter(f"{W}style")}
    footer = etree.fromstring(member(document, "word/footer1.xml"))

    used = {
        element.get(f"{W}val")
        for root in (root_of(document), footer)
        for name in ("pStyle", "rStyle", "tblStyle")
        for element in root.iter(f"{W}{name}")
    }
    assert used
    assert used <= defined


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_form_is_the_same_file(language):
    """No date of making is in it."""
    assert blank(language) == blank(language)
    with zipfile.ZipFile(io.BytesIO(blank(language))) as package:
        assert {(2026, 1, 1, 0, 0, 0)} == {entry.date_time for entry in package.infolist()}


def test_given_answers_are_prefilled_as_text_whatever_they_hold():
    """Control characters go, markup and formulas stay words, term keys are told in the form's language."""
    answers = {
        "title": "=1+1 {{7*7}} <b>\x00\x0b",
        "summary": "uno\r\n\r\ndos",
        "status": "completed",
        "countries": "Ecuador\nPerú",
    }
    root = root_of(blank("es", answers=answers))
    cells = answer_cells(root)

    assert text_of(cells["1"]) == "=1+1 {{7*7}} <b>"
    assert paragraphs_of(cells["18"]) == ["uno", "", "dos"]
    assert VOCABULARIES["statuses"].get("completed").title("es") == text_of(cells["7"])
    assert text_of(cells["12"]) == "Ecuador, Perú"
    assert controls_of(root)["title"].find(f"{W}sdtPr/{W}showingPlcHdr") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_file_name_tells_form_and_language(language):
    """In the form's language, and safe on every file system."""
    name = file_name(TEMPLATE, language, "docx")

    assert f"{TEMPLATE.titles[language]} (practice-1, {language}).docx" == name
    assert not re.search(r'[<>:"/\\|?*]', name)


def test_a_form_filled_in_its_controls_holds_the_answers_there():
    """The filler of these tests does what Word does."""
    root = root_of(fill_docx(blank(), PRACTICE, TEMPLATE, VOCABULARIES, "es"))
    cells, controls = answer_cells(root), controls_of(root)

    assert "Voces de la feria" == text_of(controls["title"]) == text_of(cells["1"])
    assert text_of(controls["start"]) == "marzo de 2021"
    assert text_of(controls["countries"]) == "Perú, Ecuador"
    assert text_of(cells["10"]).endswith(": Feria itinerante")
    assert PRACTICE["summary"].split("\n") == paragraphs_of(cells["18"])
    ticked = {
        tag for tag, control in controls.items() if "☒" in text_of(control) and "1" in _checked(control)
    }
    expected = {
        "primary_objectives.7",
        "primary_objectives.16",
        "secondary_objectives.17",
        "sdgs.5",
        "sdgs.10",
    }
    expected |= {"guiding_principles.human_rights", "sent_by_contact.contact", "consent_publish.conditional"}
    assert expected == ticked


def _checked(control):
    return {box.get(f"{W14}val") for box in control.iter(f"{W14}checked")}


def test_a_form_filled_beside_its_controls_holds_the_answers_in_the_same_cells():
    """The filler of these tests does what people do."""
    root = root_of(fill_docx_outside(blank(), PRACTICE, TEMPLATE, VOCABULARIES, "es"))
    cells, controls = answer_cells(root), controls_of(root)

    assert text_of(cells["1"]) == "Escriba aquí Voces de la feria"
    assert "primary_objectives.16" not in controls
    assert text_of(cells["9"]).endswith("Continúa")
    crossed = [text_of(row) for row in root.iter(f"{W}tr") if text_of(row).startswith("X")]
    assert len(crossed) == len(["7", "16", "5", "10", "human_rights", "contact", "conditional"])


@needs_libreoffice
def test_answers_and_ticks_survive_a_save_by_libreoffice():
    """Text, labels, row order and ticked boxes are kept; that is what the parser lives on."""
    filled = fill_docx(blank(), PRACTICE, TEMPLATE, VOCABULARIES, "es")
    root = root_of(through_libreoffice(filled, "docx"))
    cells = answer_cells(root)

    assert [field.number for field in TEMPLATE.fields] == list(cells)
    assert text_of(cells["1"]) == "Voces de la feria"
    assert PRACTICE["summary"].split("\n") == paragraphs_of(cells["18"])
    rows = [text_of(row) for row in root.iter(f"{W}tr")]
    objective = VOCABULARIES["objectives"].by_number(16).title("es")
    assert f"☒☐16{objective}" in rows


@needs_libreoffice
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_prints_on_two_pages_of_questions_and_one_of_lists(language):
    """People were promised a short form."""
    pages = re.findall(rb"/Type\s*/Page\b", libreoffice_pdf(blank(language), "docx"))

    assert len(pages) == 3
