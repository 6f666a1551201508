"""Fills our blank Word template as a submitter does in Word: in the controls, the boxes and the bare cells.

Writes into the blank file's own XML and leaves everything else as it was; finds each question by its visible
number, as a person does.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lxml import etree

from config.form import Field, FormTemplate
from config.vocabulary import Vocabulary
from intake.demo.answers import written
from intake.demo.package import as_xml, member, replaced

Element = Any

_NUMBER: Final = re.compile(r"(\d+[a-z]?)\. ")
_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W14: Final = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_DOCUMENT: Final = "word/document.xml"


def fill_docx(
    blank: bytes,
    fields: Mapping[str, Any],
    template: FormTemplate,
    vocabularies: Mapping[str, Vocabulary],
    language: str,
) -> bytes:
    """The blank Word template with these answers, as Word leaves it; the same arguments give the same bytes.

    Args:
        blank: From `responses.blank_docx.blank_docx`.
        fields: As in `Practice.fields`; questions without a key stay as they are, `""` empties the answer.
        template: The form of the blank.
        vocabularies: Its vocabularies.
        language: Language of the blank.

    Raises:
        KeyError: The blank lacks a question or a box.
    """
    form = _WordForm(member(blank, _DOCUMENT))
    for field in template.fields:
        if field.key in fields:
            answer = written(field, fields[field.key], vocabularies, language)
            for key in answer.marks:
                form.tick(f"{field.key}.{key}")
            if answer.words or not answer.marks:
                form.write(field, answer.words)
    return replaced(blank, {_DOCUMENT: form.xml()})


class _WordForm:
    """The questions, controls and boxes of one `word/document.xml`."""

    def __init__(self, xml: bytes) -> None:
        self._root = etree.fromstring(xml)
        self._controls: dict[str, Element] = {
            control.find(f"{_W}sdtPr/{_W}tag").get(f"{_W}val"): control
            for control in self._root.iter(f"{_W}sdt")
        }
        self._cells = dict(self._questions())

    def _questions(self) -> Iterable[tuple[str, Element]]:
        for row in self._root.iter(f"{_W}tr"):
            cells = row.findall(f"{_W}tc")
            label = "".join(text.text or "" for text in cells[0].find(f"{_W}p").iter(f"{_W}t"))
            number = _NUMBER.match(label)
            if number and len(cells) > 1:
                yield number[1], cells[1]

    def xml(self) -> bytes:
        return as_xml(self._root)

    def tick(self, tag: str) -> None:
        control = self._controls[tag]
        control.find(f"{_W}sdtPr/{_W14}checkbox/{_W14}checked").set(f"{_W14}val", "1")
        next(control.iter(f"{_W}t")).text = "☒"

    def write(self, field: Field, words: str) -> None:
        control = self._controls.get(field.key)
        if control is None:
            _write_paragraphs(self._cells[field.number], words)
        else:
            _write_control(control, words)


def _write_control(control: Element, words: str) -> None:
    """Word drops the placeholder's mark and style when somebody types, and puts a line break as `w:br`."""
    showing = control.find(f"{_W}sdtPr/{_W}showingPlcHdr")
    if showing is not None:
        control.find(f"{_W}sdtPr").remove(showing)
    content = control.find(f"{_W}sdtContent")
    for child in list(content):
        content.remove(child)
    run = etree.SubElement(content, f"{_W}r")
    for position, line in enumerate(words.split("\n")):
        if position:
            etree.SubElement(run, f"{_W}br")
        _text(run, line)


def _write_paragraphs(cell: Element, words: str) -> None:
    """In a bare cell the Enter key makes paragraphs, each with the properties of the first."""
    first = cell.find(f"{_W}p")
    properties = first.find(f"{_W}pPr")
    for paragraph in cell.findall(f"{_W}p"):
        cell.remove(paragraph)
    for line in words.split("\n"):
        paragraph = etree.SubElement(cell, f"{_W}p")
        if properties is not None:
            paragraph.append(copy.deepcopy(properties))
        if line:
            _text(etree.SubElement(paragraph, f"{_W}r"), line)


def _text(run: Element, line: str) -> None:
    text = etree.SubElement(run, f"{_W}t")
    text.text = line
    text.set(_SPACE, "preserve")
