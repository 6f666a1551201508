"""Fills our blank Excel template as a submitter does in Excel: beside the numbers, and from the drop-downs.

Writes into the blank file's own XML and leaves everything else as it was; texts become shared strings, as
when Excel saves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from lxml import etree

from config.form import Field, FormTemplate
from config.vocabulary import Vocabulary
from intake.demo.answers import written
from intake.demo.package import as_xml, member, names, replaced

Element = Any

_STRINGS: Final = "xl/sharedStrings.xml"
_S: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"


def fill_xlsx(
    blank: bytes,
    fields: Mapping[str, Any],
    template: FormTemplate,
    vocabularies: Mapping[str, Vocabulary],
    language: str,
) -> bytes:
    """The blank Excel template with these answers, as Excel leaves it; arguments as for `fill_docx`.

    Raises:
        KeyError: The blank lacks a question or a choice.
    """
    blank = _with_strings(blank)
    sheet_path = _sheet_path(blank, template.text("sheet_form", language))
    form = _ExcelForm(member(blank, sheet_path), member(blank, _STRINGS))
    shared = _first_of_each_list(template)
    for field in template.fields:
        if field.key in fields:
            answer = written(field, fields[field.key], vocabularies, language)
            main = shared.get(field.vocabulary or "", field) if field.layout == "list" else field
            mark = _mark(field, main, template, language)
            for key in answer.marks:
                form.write(f"{main.number}-{key}", mark)
            if answer.words or not answer.marks:
                form.write(field.number, answer.words)
    return replaced(blank, {sheet_path: form.sheet_xml(), _STRINGS: form.strings_xml()})


def _first_of_each_list(template: FormTemplate) -> dict[str, Field]:
    first: dict[str, Field] = {}
    for field in template.fields:
        if field.layout == "list" and field.vocabulary:
            first.setdefault(field.vocabulary, field)
    return first


def _mark(field: Field, main: Field, template: FormTemplate, language: str) -> str:
    """What is chosen beside an item: questions that share a list tell theirs apart by the word."""
    sharing = [
        other for other in template.fields if other.layout == "list" and other.vocabulary == field.vocabulary
    ]
    if field.layout != "list" or len(sharing) == 1:
        return template.text("yes", language)
    return template.text("principal" if field is main else "other", language)


class _ExcelForm:
    """The form sheet and the workbook's shared strings, into which Excel moves every text when it saves."""

    def __init__(self, sheet: bytes, strings: bytes) -> None:
        self._sheet = etree.fromstring(sheet)
        self._strings = etree.fromstring(strings)
        self._count = len(self._strings)
        self._share_inline_texts()
        self._rows = dict(self._codes())

    def _share_inline_texts(self) -> None:
        for cell in self._sheet.iter(f"{_S}c"):
            if cell.get("t") == "inlineStr":
                self._set(cell, "".join(text.text or "" for text in cell.iter(f"{_S}t")))

    def _codes(self) -> Iterable[tuple[str, Element]]:
        texts = ["".join(text.text or "" for text in item.iter(f"{_S}t")) for item in self._strings]
        for row in self._sheet.iter(f"{_S}row"):
            first = row.find(f"{_S}c")
            if first is not None and first.get("t") == "s":
                yield texts[int(first.find(f"{_S}v").text)], row

    def write(self, code: str, words: str) -> None:
        """Writes the answer beside a question number (`8`) or a choice (`6-5`)."""
        cells = self._rows[code].iter(f"{_S}c")
        self._set(next(cell for cell in cells if cell.get("r").startswith("C")), words)

    def _set(self, cell: Element, words: str) -> None:
        for child in list(cell):
            cell.remove(child)
        cell.attrib.pop("t", None)
        if words:
            cell.set("t", "s")
            etree.SubElement(cell, f"{_S}v").text = str(self._count)
            text = etree.SubElement(etree.SubElement(self._strings, f"{_S}si"), f"{_S}t")
            text.text = words
            text.set(_SPACE, "preserve")
            self._count += 1

    def sheet_xml(self) -> bytes:
        return as_xml(self._sheet)

    def strings_xml(self) -> bytes:
        self._strings.set("uniqueCount", str(self._count))
        self._strings.attrib.pop("count", None)
        return as_xml(self._strings)


def _with_strings(workbook: bytes) -> bytes:
    """The workbook with a part of shared strings; openpyxl leaves it out and writes each text into its cell."""
    if _STRINGS in names(workbook):
        return workbook
    types = member(workbook, "[Content_Types].xml")
    links = member(workbook, "xl/_rels/workbook.xml.rels")
    kind = (
        b'<Override PartName="/xl/sharedStrings.xml" ContentType='
        b'"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>'
    )
    link = (
        b'<Relationship Id="rIdStrings" Target="sharedStrings.xml" Type='
        b'"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/></Relationships>'
    )
    parts = {
        "[Content_Types].xml": types.replace(b"</Types>", kind),
        "xl/_rels/workbook.xml.rels": links.replace(b"</Relationships>", link),
        _STRINGS: f'<sst xmlns="{_S.strip("{}")}"/>'.encode(),
    }
    return replaced(workbook, parts)


def _sheet_path(workbook: bytes, name: str) -> str:
    sheets = etree.fromstring(member(workbook, "xl/workbook.xml")).iter(f"{_S}sheet")
    identity = next(sheet.get(f"{_R}id") for sheet in sheets if sheet.get("name") == name)
    targets = etree.fromstring(member(workbook, "xl/_rels/workbook.xml.rels"))
    target = next(link.get("Target") for link in targets if link.get("Id") == identity)
    return str(target).lstrip("/") if str(target).startswith("/") else f"xl/{target}"
