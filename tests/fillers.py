"""Fills blank templates the ways people and programs do, for tests of everything that reads forms.

`practice` is a mapping of field key to canonical value: text; a list of integers (objectives, SDGs) or of
term keys (principles); a term key (choices); `"2021"`, `"2021-03"`, `"2021-03-15"` or `"ongoing"`; a list of
country codes; a list of addresses; a boolean (`sent_by_contact`). `type_other` is written beside `type`.
"""

from __future__ import annotations

import atexit
import copy
import io
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from openpyxl import load_workbook

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
SPACE = "{http://www.w3.org/XML/1998/namespace}space"
MONTHS = {
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}
ONGOING = {"es": "Continúa", "en": "Ongoing", "fr": "En cours"}


def date_words(value, language):
    """A canonical date as a person writes it: `2021-03` gives "marzo de 2021"."""
    if value == "ongoing":
        return ONGOING[language]
    year, *rest = value.split("-")
    if not rest:
        return year
    month = MONTHS[language].split()[int(rest[0]) - 1]
    if len(rest) == 2:
        return f"{int(rest[1])} {month} {year}" if language == "en" else f"{rest[1]}/{rest[0]}/{year}"
    return f"{month} de {year}" if language == "es" else f"{month} {year}"


def marks(field, value):
    """Keys of the terms that a person ticks; empty where the answer is written."""
    if field.layout not in {"checks", "list"} or (isinstance(value, str) and field.kind == "choices"):
        return []
    if field.kind == "sender":
        return ["contact" if value else "other"]
    return [str(item) for item in value] if isinstance(value, list) else [value]


def words(field, practice, vocabularies, language):
    """What a person writes in the answer, empty where they tick."""
    value = practice[field.key]
    if marks(field, value):
        return ""
    if field.kind == "date":
        return date_words(value, language)
    if field.kind == "countries":
        return ", ".join(vocabularies["countries"].get(code).title(language) for code in value)
    if field.kind == "emails":
        return ", ".join(value)
    if field.kind == "choice":
        return vocabularies[field.vocabulary].get(value).title(language)
    return value


def other_words(field, practice):
    """Own words beside the choice "other", e.g. `type_other`."""
    return practice.get(f"{field.key}_other", "") if field.kind == "choice" else ""


def fill_docx(blank, practice, template, vocabularies, language):
    """Fills as Word does: inside the controls, boxes ticked, paragraphs in bare cells."""
    root = etree.fromstring(member(blank, "word/document.xml"))
    controls = controls_of(root)
    cells = answer_cells(root)
    for field in _answered(template, practice):
        for key in marks(field, practice[field.key]):
            _tick(controls[f"{field.key}.{key}"])
        text = words(field, practice, vocabularies, language)
        control = controls.get(field.key)
        if not text:
            continue
        if control is None:
            _write_cell(cells[field.number], text)
            continue
        _write_control(control, text)
        beside = other_words(field, practice)
        if beside:
            control.addnext(_run(f": {beside}"))
    return with_member(blank, "word/document.xml", etree.tostring(root, encoding="UTF-8", standalone=True))


def fill_docx_outside(blank, practice, template, vocabularies, language):
    """Fills as people do: in even rows beside the untouched placeholder, in odd ones in place of all that
    the cell held, and an X typed where a box was.
    """
    root = etree.fromstring(member(blank, "word/document.xml"))
    controls = controls_of(root)
    cells = answer_cells(root)
    for row, field in enumerate(_answered(template, practice)):
        for key in marks(field, practice[field.key]):
            box = controls[f"{field.key}.{key}"]
            box.addnext(_run("X"))
            box.getparent().remove(box)
        text = words(field, practice, vocabularies, language)
        beside = other_words(field, practice)
        if beside:
            text = f"{text}: {beside}"
        if not text:
            continue
        control = controls.get(field.key)
        prefilled = control is not None and control.find(f"{W}sdtPr/{W}showingPlcHdr") is None
        if control is None or prefilled or row % 2:
            _write_cell(cells[field.number], text)
        else:
            control.addnext(_run(f" {text}"))
    return with_member(blank, "word/document.xml", etree.tostring(root, encoding="UTF-8", standalone=True))


def fill_xlsx(blank, practice, template, vocabularies, language):
    """Fills as somebody does in Excel: answers beside the numbers, marks chosen from the drop-downs."""
    book = load_workbook(io.BytesIO(blank))
    sheet = book[template.text("sheet_form", language)]
    rows = {cell.value: cell.row for cell in sheet["A"] if cell.value}
    for field in _answered(template, practice):
        first, mark = _mark(field, template, language)
        for key in marks(field, practice[field.key]):
            sheet.cell(row=rows[f"{first.number}-{key}"], column=3).value = mark
        text = words(field, practice, vocabularies, language)
        beside = other_words(field, practice)
        if text:
            cell = sheet.cell(row=rows[field.number], column=3)
            cell.value = f"{text}: {beside}" if beside else text
            # "=..." typed into a text cell stays text.
            cell.data_type = "s"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def through_libreoffice(data, suffix):
    """Opens the file in headless LibreOffice and saves it in its own format; `suffix` is "docx" or "xlsx"."""
    suffix = suffix.removeprefix(".")
    target = {"docx": "docx:MS Word 2007 XML", "xlsx": "xlsx:Calc MS Excel 2007 XML"}[suffix]
    return _converted(data, suffix, target)


def libreoffice_pdf(data, suffix):
    """The file printed by headless LibreOffice."""
    return _converted(data, suffix.removeprefix("."), "pdf")


def _converted(data, suffix, target):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"form.{suffix}")
        source.write_bytes(data)
        made = Path(folder, "out", f"form.{target.partition(':')[0]}")
        command = ["soffice", f"-env:UserInstallation={_profile()}", "--headless", "--convert-to", target]
        done = subprocess.run(
            [*command, "--outdir", str(made.parent), str(source)],
            capture_output=True,
            timeout=180,
            check=False,
        )
        assert made.is_file(), f"LibreOffice saved nothing: {done.stderr.decode(errors='replace')[-500:]}"
        return made.read_bytes()


def needs_libreoffice(test):
    """Skips with one line where LibreOffice is not installed, unless PRACTICE_INTAKE_REQUIRE=all."""
    absent = shutil.which("soffice") is None and os.environ.get("PRACTICE_INTAKE_REQUIRE") != "all"
    return pytest.mark.libreoffice(pytest.mark.skipif(absent, reason="LibreOffice is not installed")(test))


@cache
def _profile():
    """One profile a process: two instances on one profile talk to each other instead of working."""
    folder = tempfile.mkdtemp(prefix="libreoffice-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder).as_uri()


def member(package, name):
    """The bytes of one member of a package."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(name)


def with_member(package, name, data):
    """The package with one member replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(target, "w") as made:
        for info in source.infolist():
            made.writestr(info, data if info.filename == name else source.read(info), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def controls_of(root):
    """Tag to content control."""
    return {
        control.find(f"{W}sdtPr/{W}tag").get(f"{W}val"): control
        for control in root.iter(f"{W}sdt")
        if control.find(f"{W}sdtPr/{W}tag") is not None
    }


def answer_cells(root):
    """Question number to answer cell."""
    cells = {}
    for row in root.iter(f"{W}tr"):
        columns = row.findall(f"{W}tc")
        number = re.match(r"(\d+[a-z]?)\. ", text_of(columns[0]))
        if number:
            cells[number[1]] = columns[1]
    return cells


def text_of(element):
    """All text below an element."""
    return "".join(piece.text or "" for piece in element.iter(f"{W}t"))


def _answered(template, practice):
    return [field for field in template.fields if practice.get(field.key) not in (None, "", [])]


def _mark(field, template, language):
    """The question whose number the list's codes bear, and the word that marks an item for this one."""
    if field.layout != "list":
        return field, template.text("yes", language)
    sharing = [f for f in template.fields if f.layout == "list" and f.vocabulary == field.vocabulary]
    if len(sharing) == 1:
        return field, template.text("yes", language)
    return sharing[0], template.text("principal" if field is sharing[0] else "other", language)


def _tick(control):
    control.find(f"{W}sdtPr/{W14}checkbox/{W14}checked").set(f"{W14}val", "1")
    next(control.iter(f"{W}t")).text = "☒"


def _write_control(control, text):
    properties = control.find(f"{W}sdtPr")
    showing = properties.find(f"{W}showingPlcHdr")
    if showing is not None:
        properties.remove(showing)
    content = control.find(f"{W}sdtContent")
    for child in list(content):
        content.remove(child)
    content.append(_run(text))


def _write_cell(cell, text):
    """The Enter key makes paragraphs of the first one's properties."""
    properties = cell.find(f"{W}p/{W}pPr")
    for paragraph in cell.findall(f"{W}p"):
        cell.remove(paragraph)
    for line in text.split("\n"):
        paragraph = etree.SubElement(cell, f"{W}p")
        if properties is not None:
            paragraph.append(copy.deepcopy(properties))
        if line:
            paragraph.append(_run(line))


def _run(text):
    made = etree.Element(f"{W}r")
    piece = etree.SubElement(made, f"{W}t")
    piece.text = text
    piece.set(SPACE, "preserve")
    return made
