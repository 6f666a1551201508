"""Fills our blank templates as a submitter does in Word or Excel, for the demonstration and the tests.

Writes into the blank file's own XML and leaves everything else as it was, as Word and Excel do; finds each
question by its visible number, as a person does. Never used on a file that somebody sent.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from babel.dates import format_date, format_skeleton
from lxml import etree

from config.form import Field, FormTemplate
from config.vocabulary import Vocabulary

Element = Any

_LOCALES: Final[Mapping[str, str]] = {"en": "en_GB"}
_ONGOING: Final[Mapping[str, str]] = {"es": "Continúa", "en": "Ongoing", "fr": "En cours"}
_DATE: Final = re.compile(r"\d{4}(-\d{2}){0,2}|ongoing")
_NUMBER: Final = re.compile(r"(\d+[a-z]?)\. ")
_STRINGS: Final = "xl/sharedStrings.xml"
_ZIP_DATE: Final = (2026, 1, 1, 0, 0, 0)

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_W14: Final = "{http://schemas.microsoft.com/office/word/2010/wordml}"
_S: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a person writes or marks for one question.

    Attributes:
        words: Text for the answer cell; empty when the question is answered by marks alone.
        marks: Keys of the terms that are marked.
    """

    words: str = ""
    marks: tuple[str, ...] = ()


def written(field: Field, value: Any, vocabularies: Mapping[str, Vocabulary], language: str) -> Written:
    """A typed value as a person would answer it in a form of this language.

    Args:
        field: The question.
        value: As in `Practice.fields`; other words for a date, or a string for a list, are written as they
            stand.
        vocabularies: Name to vocabulary.
        language: Language of the form; titles and dates are written in it, texts stay as they are.

    Raises:
        KeyError: A list or country code that the vocabularies lack.
    """
    if field.kind == "date" and _DATE.fullmatch(value):
        return Written(words=date_words(value, language))
    if field.kind == "emails":
        return Written(words=", ".join(value))
    if field.kind in {"line", "text", "lines", "date"} or (
        field.kind == "choices" and isinstance(value, str)
    ):
        return Written(words=str(value))
    keys = _keys(field, value)
    vocabulary = vocabularies[field.vocabulary or ""]
    if field.layout in {"checks", "list"}:
        return Written(marks=keys)
    terms = [vocabulary.get(key) for key in keys]
    if None in terms:
        raise KeyError(f"{field.key}: {value!r} is not in the list {vocabulary.name}")
    return Written(words=", ".join(term.title(language) for term in terms if term))


def _keys(field: Field, value: Any) -> tuple[str, ...]:
    if field.kind == "sender":
        return ("contact" if value else "other",)
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return (str(value),)


def date_words(value: str, language: str) -> str:
    """A date of the form in words, as precise as it is: `"2021-04"` gives `"abril de 2021"`."""
    if value == "ongoing":
        return _ONGOING[language]
    locale = _LOCALES.get(language, language)
    match [int(part) for part in value.split("-")]:
        case [year]:
            return str(year)
        case [year, month]:
            return str(format_skeleton("yMMMM", date(year, month, 1), locale=locale))
        case [year, month, day]:
            return str(format_date(date(year, month, day), "long", locale=locale))
        case _:
            raise ValueError(f"{value!r} is no date of the form (expected 2021, 2021-04 or 2021-04-15)")


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
    form = _WordForm(_member(blank, "word/document.xml"))
    for field in template.fields:
        if field.key in fields:
            answer = written(field, fields[field.key], vocabularies, language)
            for key in answer.marks:
                form.tick(f"{field.key}.{key}")
            if answer.words or not answer.marks:
                form.write(field, answer.words)
    return _replaced(blank, {"word/document.xml": form.xml()})


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
        return _xml(self._root)

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
    form = _ExcelForm(_member(blank, sheet_path), _member(blank, _STRINGS))
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
    return _replaced(blank, {sheet_path: form.sheet_xml(), _STRINGS: form.strings_xml()})


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
        return _xml(self._sheet)

    def strings_xml(self) -> bytes:
        self._strings.set("uniqueCount", str(self._count))
        self._strings.attrib.pop("count", None)
        return _xml(self._strings)


def _with_strings(workbook: bytes) -> bytes:
    """The workbook with a part of shared strings; openpyxl leaves it out and writes each text into its cell."""
    if _STRINGS in _names(workbook):
        return workbook
    types = _member(workbook, "[Content_Types].xml")
    links = _member(workbook, "xl/_rels/workbook.xml.rels")
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
    return _replaced(workbook, parts)


def _sheet_path(workbook: bytes, name: str) -> str:
    sheets = etree.fromstring(_member(workbook, "xl/workbook.xml")).iter(f"{_S}sheet")
    identity = next(sheet.get(f"{_R}id") for sheet in sheets if sheet.get("name") == name)
    targets = etree.fromstring(_member(workbook, "xl/_rels/workbook.xml.rels"))
    target = next(link.get("Target") for link in targets if link.get("Id") == identity)
    return str(target).lstrip("/") if str(target).startswith("/") else f"xl/{target}"


def _xml(root: Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _member(package: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read(name)


def _names(package: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.namelist()


def _replaced(package: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The package with some parts replaced or added, with one fixed date."""
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        members = {name: source.read(name) for name in source.namelist()} | dict(parts)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=_ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 0
            made.writestr(info, content)
    return target.getvalue()
