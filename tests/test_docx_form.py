"""Word documents to rows and marks: whole cells, boxes in all their shapes, what tracked changes leave."""

from __future__ import annotations

import io

import pytest
from docx import Document
from lxml import etree

import config
from parsers.docx_form import read_docx, split_number
from parsers.package import examine

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
W14 = "http://schemas.microsoft.com/office/word/2010/wordml"
NAMES = (
    f'xmlns:w="{W}" xmlns:w14="{W14}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
)


@pytest.fixture(name="limits", scope="module")
def _limits():
    return config.load().settings.limits


def rows(limits, *cells, strict=False):
    """Reads a document with one table of one row a pair of cells, each the XML of its paragraphs."""
    document = Document()
    table = document.add_table(rows=0, cols=len(cells[0]))
    for line in cells:
        row = table.add_row()
        for cell, content in zip(row.cells, line, strict=True):
            for paragraph in list(cell._tc)[1:]:
                cell._tc.remove(paragraph)
            for made in etree.fromstring(f"<x {NAMES}>{content}</x>"):
                cell._tc.append(made)
    buffer = io.BytesIO()
    document.save(buffer)
    data = buffer.getvalue()
    if strict:
        data = as_strict(data)
    return read_docx(examine(data, limits).package)


def as_strict(data):
    """The same document in the strict namespaces (ISO/IEC 29500)."""
    import zipfile

    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            content = source.read(name)
            for old, new in (
                (W, "http://purl.oclc.org/ooxml/wordprocessingml/main"),
                (
                    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                    "http://purl.oclc.org/ooxml/officeDocument/relationships",
                ),
            ):
                content = content.replace(old.encode(), new.encode())
            made.writestr(name, content)
    return target.getvalue()


def p(text):
    return f"<w:p><w:r><w:t xml:space='preserve'>{text}</w:t></w:r></w:p>"


def box(ticked, glyph, tag=""):
    return (
        f"<w:p><w:sdt><w:sdtPr><w:tag w:val='{tag}'/><w14:checkbox><w14:checked w14:val='{ticked}'/></w14:checkbox></w:sdtPr>"
        f"<w:sdtContent><w:r><w:t>{glyph}</w:t></w:r></w:sdtContent></w:sdt></w:p>"
    )


def test_a_question_row_gives_number_label_and_the_whole_answer(limits):
    """Lines of the answer are kept, blank ones too; the help below the label stays with the label."""
    raw = rows(limits, (p("8. ¿Desde cuándo? *") + p("Basta el año."), p("marzo") + "<w:p/>" + p("de 2021")))
    (answer,) = raw.answers
    assert (
        answer.number,
        answer.label,
        answer.text,
    ) == ("8", "¿Desde cuándo? *\nBasta el año.", "marzo\n\nde 2021")
    assert (answer.location.table, answer.location.row, answer.location.question) == (1, 1, "8")


def test_a_control_and_what_was_typed_beside_it_are_one_answer(limits):
    """People type at the edge of a control; the tag is kept for the label that lost its words."""
    control = "<w:p><w:sdt><w:sdtPr><w:tag w:val='start'/></w:sdtPr><w:sdtContent><w:r><w:t>Escriba aquí</w:t></w:r></w:sdtContent></w:sdt><w:r><w:t> 2021</w:t></w:r></w:p>"
    (answer,) = rows(limits, (p("8. ¿Desde cuándo?"), control)).answers
    assert (answer.tag, answer.text) == ("start", "Escriba aquí 2021")


def test_tracked_changes_are_read_as_accepted(limits):
    """Insertions count, deletions and the origin of a move do not."""
    changed = (
        "<w:p><w:ins><w:r><w:t>2021</w:t></w:r></w:ins><w:del><w:r><w:delText>2019</w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>2018</w:t></w:r></w:moveFrom></w:p>"
    )
    (answer,) = rows(limits, (p("8. ¿Desde cuándo?"), changed)).answers
    assert answer.text == "2021"


def test_breaks_tabs_and_hyphens_are_characters(limits):
    """A tab stop in the paragraph's properties is none."""
    content = "<w:p><w:pPr><w:tabs><w:tab w:val='left' w:pos='1'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"
    (answer,) = rows(limits, (p("1. Título"), content)).answers
    assert answer.text == "a\tb\nc-d"


def test_a_text_drawn_twice_for_old_programs_is_read_once(limits):
    """The second rendering of alternate content is left out."""
    content = "<w:p><mc:AlternateContent><mc:Choice Requires='wps'><w:r><w:t>uno</w:t></w:r></mc:Choice><mc:Fallback><w:r><w:t>uno</w:t></w:r></mc:Fallback></mc:AlternateContent></w:p>"
    (answer,) = rows(limits, (p("1. Título"), content)).answers
    assert answer.text == "uno"


@pytest.mark.parametrize(
    ("content", "mark"),
    [
        (box(1, "☒"), "☒"),
        (box(0, "☐"), "☐"),
        (box(1, ""), "☒"),
        (box(0, "☐").replace("</w:sdt>", "</w:sdt><w:r><w:t> x</w:t></w:r>"), "☐ x"),
        ("<w:p><w:r><w:sym w:font='Wingdings' w:char='F0FE'/></w:r></w:p>", "☑"),
        ("<w:p><w:r><w:sym w:font='Wingdings' w:char='F0A8'/></w:r></w:p>", "☐"),
        ("<w:p><w:r><w:t>\uf0fe</w:t></w:r></w:p>", "☑"),
        ("<w:p><w:r><w:fldChar><w:ffData><w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox></w:ffData></w:fldChar></w:r></w:p>", "☒"),
        ("<w:p><w:r><w:fldChar><w:ffData><w:checkBox><w:default w:val='0'/></w:checkBox></w:ffData></w:fldChar></w:r></w:p>", "☐"),
        (p("[x]"), "[x]"),
    ],
)  # fmt: skip
def test_a_box_is_known_in_every_shape(content, mark, limits):
    """Controls, glyphs, symbol fonts, old form fields and brackets all are boxes."""
    raw = rows(limits, (p("33. Autorización"), "<w:p/>"), (content, p("Sí")), (p("☐"), p("No")))
    assert [mark, "☐"] == [choice.mark for choice in raw.choices]
    assert [choice.words for choice in raw.choices] == ["Sí", "No"]
    assert {"33"} == {choice.question for choice in raw.choices}


def test_an_x_typed_over_a_box_is_still_a_mark(limits):
    """A row among rows of boxes is a choice, though its own box is gone."""
    raw = rows(limits, (p("33. Autorización"), "<w:p/>"), (p("X"), p("Sí")), (p("☐"), p("No")))
    assert [choice.mark for choice in raw.choices] == ["X", "☐"]
    assert [answer.number for answer in raw.answers] == ["33"]


def test_two_boxes_in_a_row_keep_their_columns_and_heads(limits):
    """One list for two questions: the head of the column says for which."""
    raw = rows(
        limits,
        (p("Principal"), p("Otro"), "<w:p/>", "<w:p/>"),
        (box(1, "☒", "primary_objectives.7"), box(0, "☐", "secondary_objectives.7"), p("7"), p("Abordar")),
    )
    assert [(choice.heading, choice.column) for choice in raw.choices] == [("Principal", 0), ("Otro", 1)]
    assert [choice.tag for choice in raw.choices] == ["primary_objectives.7", "secondary_objectives.7"]
    assert {"7 Abordar"} == {choice.words for choice in raw.choices}


def test_strict_documents_are_read(limits):
    """The strict form of the format differs in its namespaces alone."""
    (answer,) = rows(limits, (p("8. ¿Desde cuándo?"), p("2021")), strict=True).answers
    assert (answer.number, answer.text) == ("8", "2021")


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("8. ¿Desde cuándo?", ("8", "¿Desde cuándo?")),
        ("30a. Nombre", ("30a", "Nombre")),
        ("30A) Nombre", ("30a", "Nombre")),
        ("8 ¿Desde cuándo?", ("8", "¿Desde cuándo?")),
        ("Título", (None, "Título")),
        ("2021", (None, "2021")),
        ("1er año", (None, "1er año")),
    ],
)
def test_the_number_in_front_of_a_label_is_split_off(label, expected):
    """Numbers of other things stay where they are."""
    assert expected == split_number(label)
