"""XLSX to raw labelled answers: rows of number, label and answer, marked rows of choices.

Reads the parts with lxml, a row at a time (ECMA-376 part 1, SpreadsheetML, transitional and strict): a general
library can be made to spend gigabytes by a small file. Formulas are never computed, their last result is taken.
Knows no question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from lxml import etree

from parsers.docx_form import split_number
from parsers.form import Location
from parsers.package import MOST_MARKS, Package, UnreadableError, parse_xml, xml_problem
from parsers.rows import RawAnswer, RawChoice, RawDocument

_MOST_SHEETS: Final = 20
_MOST_ROWS: Final = 3_000
_MOST_CELLS: Final = 40_000
_MOST_SHEET_BYTES: Final = 16_000_000
_COLUMNS: Final = 64
_CODE: Final = re.compile(r"(\d{1,2}[a-zA-Z]?)\s?[-–]\s?(\w+)")
_QUESTION: Final = re.compile(r"(\d{1,2}[a-zA-Z]?)\.?")
_NAME: Final = re.compile(r"q_(\w+)", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d+)")
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Built-in number formats that show a date (ECMA-376 part 1, 18.8.30); 17 shows month and year.
_DATE_FORMATS: Final[Mapping[int, str]] = {
    **dict.fromkeys((14, 15, 22, 27, 28, 29, 30, 31, 34, 35, 36, 50, 51, 52, 53, 54, 57, 58), "d m y"),
    17: "m y",
}
_QUOTED: Final = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')


@dataclass(slots=True, kw_only=True)
class _Workbook:
    package: Package
    names: dict[tuple[str, int], dict[int, str]] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    epoch: date = date(1899, 12, 30)


@dataclass(slots=True, kw_only=True)
class _Found:
    answers: list[RawAnswer] = field(default_factory=list)
    choices: list[RawChoice] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    words: int = 0
    rows: int = 0
    cells: int = 0


def read_xlsx(package: Package) -> RawDocument:
    """All rows and marks of a workbook's sheets.

    Raises:
        UnreadableError: The workbook or a sheet is damaged, locked or unsafe.
    """
    main = package.main_part
    root = package.xml(main)
    if _local(root) != "workbook":
        raise UnreadableError("damaged.part", part=main)
    relations = package.relations(main)
    book = _Workbook(package=package, names=_defined_names(root))
    for kind, target in relations.values():
        if kind == "sharedStrings" and package.has(target):
            book.shared = _shared_strings(package, target)
        elif kind == "styles" and package.has(target):
            book.formats = _date_formats(package, target)
    if any(_local(entry) == "workbookPr" and entry.get("date1904") in {"1", "true"} for entry in root):
        book.epoch = date(1904, 1, 1)
    found = _Found()
    for place, (name, target) in enumerate(_sheets(root, relations)):
        if place >= _MOST_SHEETS or found.cells >= _MOST_CELLS:
            break
        for number, cells in _rows(book, target):
            _sort(found, book, name, place, number, cells)
            if found.cells >= _MOST_CELLS:
                break
    return RawDocument(
        answers=tuple(found.answers),
        choices=tuple(found.choices),
        lines=tuple(found.lines),
        properties=package.properties(),
        words=found.words,
        rows=found.rows,
    )


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _sheets(root: Any, relations: Mapping[str, tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Name and part of each sheet, in order; chart and macro sheets have no rows."""
    for sheets in root:
        if _local(sheets) != "sheets":
            continue
        for sheet in sheets:
            identity = next((value for key, value in sheet.items() if key.endswith("}id")), "")
            kind, target = relations.get(identity, ("", ""))
            if kind == "worksheet":
                yield sheet.get("name") or "", target


def _defined_names(root: Any) -> dict[tuple[str, int], dict[int, str]]:
    """Sheet and row to column and field key, of names like `q_start`."""
    found: dict[tuple[str, int], dict[int, str]] = {}
    for names in root:
        if _local(names) != "definedNames":
            continue
        for entry in names:
            name = _NAME.fullmatch(entry.get("name") or "")
            sheet, _, cell = "".join(entry.itertext()).strip().rpartition("!")
            place = _REFERENCE.match(cell)
            if name and place:
                where = sheet.strip("'").replace("''", "'"), int(place[2])
                found.setdefault(where, {})[_column(place[1])] = name[1]
    return found


def _shared_strings(package: Package, name: str) -> list[str]:
    return [_rich(item) for item in package.xml(name) if _local(item) == "si"]


def _rich(item: Any) -> str:
    """All words of a string with runs; readings of East Asian words are left out."""
    pieces = []
    for child in item:
        kind = _local(child)
        if kind == "t":
            pieces.append(child.text or "")
        elif kind == "r":
            pieces.extend(text.text or "" for text in child if _local(text) == "t")
    return _unescape("".join(pieces))


def _unescape(text: str) -> str:
    """`_x000A_` is how the format writes a character that XML may not hold (18.4.12, ST_Xstring)."""
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _date_formats(package: Package, name: str) -> list[str]:
    """For each cell style the parts of a date it shows, e.g. `"m y"`; `""` for no date."""
    try:
        root = package.xml(name)
    except UnreadableError:
        return []
    own: dict[int, str] = {}
    styles: list[str] = []
    for group in root:
        if _local(group) == "numFmts":
            for entry in group:
                own[_number(entry.get("numFmtId"))] = _shown_parts(entry.get("formatCode") or "")
        elif _local(group) == "cellXfs":
            for entry in group:
                number = _number(entry.get("numFmtId"))
                styles.append(own.get(number, _DATE_FORMATS.get(number, "")))
    return styles


def _shown_parts(code: str) -> str:
    bare = _QUOTED.sub("", code.partition(";")[0]).lower()
    if "y" not in bare and "a" not in bare.replace("am/pm", "").replace("general", ""):
        return "" if "d" not in bare else "d m y"
    return " ".join(sign for sign in "dmy" if sign in bare)


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError:
        return -1


def _rows(book: _Workbook, name: str) -> Iterator[tuple[int, dict[int, str]]]:
    """Rows with words: number, and column (from 0) to text.

    Raises:
        UnreadableError: As `Package.chunks`; or no XML, or one row of absurd size.
    """
    parser: Any = etree.XMLPullParser(
        events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True, tag="{*}row",
    )  # fmt: skip
    size = marks = seen = 0
    complete = True
    try:
        for chunk in book.package.chunks(name):
            if b"<!DOCTYPE" in chunk or (not size and b"\x00" in chunk[:64]):
                # Another encoding than UTF-8 is rare; read whole, where declarations are looked for.
                yield from _whole(book, name)
                return
            size += len(chunk)
            marks += chunk.count(b"<") + chunk.count(b"=")
            parser.feed(chunk)
            for _, row in parser.read_events():
                seen += 1
                marks = 0
                yield _row(book, row, seen)
                row.clear(keep_tail=False)
                while row.getprevious() is not None:
                    del row.getparent()[0]
            if marks > MOST_MARKS // 4:
                raise UnreadableError("unsafe.size")
            if seen > _MOST_ROWS or size > _MOST_SHEET_BYTES:
                complete = False
                break
        if complete:
            parser.close()
    except etree.XMLSyntaxError as error:
        raise xml_problem(error, name) from error


def _whole(book: _Workbook, name: str) -> Iterator[tuple[int, dict[int, str]]]:
    root = parse_xml(book.package.read(name), name)
    for seen, row in enumerate(root.iter("{*}row"), 1):
        if seen > _MOST_ROWS:
            return
        yield _row(book, row, seen)


def _row(book: _Workbook, row: Any, seen: int) -> tuple[int, dict[int, str]]:
    number = _number(row.get("r"))
    cells: dict[int, str] = {}
    column = -1
    # Children have the row's namespace; making their local names costs more than comparing.
    space = row.tag[: -len("row")]
    wanted = f"{space}c"
    for cell in row:
        if cell.tag != wanted:
            continue
        place = _REFERENCE.match(cell.get("r") or "")
        column = _column(place[1]) if place else column + 1
        if column < _COLUMNS:
            text = _text(book, cell, space)
            if text.strip():
                cells[column] = text
    return number if number > 0 else seen, cells


def _column(letters: str) -> int:
    value = 0
    for letter in letters.upper():
        value = value * 26 + ord(letter) - 64
    return value - 1


def _letters(column: int) -> str:
    return chr(65 + column) if column < 26 else chr(64 + column // 26) + chr(65 + column % 26)


def _text(book: _Workbook, cell: Any, space: str) -> str:
    kind = cell.get("t") or "n"
    value: str | None = None
    for child in cell:
        if child.tag == f"{space}is":
            return _rich(child)
        if child.tag == f"{space}v":
            value = child.text
    if value is None:
        return ""
    if kind == "s":
        place = _number(value.strip())
        return book.shared[place] if 0 <= place < len(book.shared) else ""
    if kind == "b":
        return "TRUE" if value.strip() in {"1", "true"} else "FALSE"
    if kind in {"str", "e"}:
        return _unescape(value)
    if kind == "d":
        return value.partition("T")[0]
    style = _number(cell.get("s"))
    shown = book.formats[style] if 0 <= style < len(book.formats) else ""
    return _figure(value.strip(), shown, book.epoch)


def _figure(value: str, shown: str, epoch: date) -> str:
    """A number as a person reads it; a date as precise as the cell shows it."""
    try:
        figure = float(value)
    except ValueError:
        return value
    if shown and 0 < figure < 2_958_466:
        day = (epoch + timedelta(days=int(figure))).isoformat()
        return day[:4] if shown == "y" else day[:7] if shown == "m y" else day
    if figure == int(figure) if abs(figure) < 1e15 else False:
        return str(int(figure))
    return repr(figure) if figure == figure else ""  # noqa: PLR0124  # Not a number equals nothing.


def _sort(found: _Found, book: _Workbook, sheet: str, group: int, number: int, cells: dict[int, str]) -> None:
    """Adds one row to what was found."""
    if not cells:
        return
    found.cells += len(cells)
    found.words += sum(len(text.split()) for text in cells.values())
    found.rows += len(cells) > 1
    found.lines.extend(text for text in cells.values() if len(text) <= 200)
    columns = sorted(cells)
    first = columns[0]
    lead = cells[first].strip()
    code = _CODE.fullmatch(lead)
    if code and first + 1 in cells:
        found.choices.append(
            RawChoice(
                question=code[1].lower(),
                key=code[2],
                words=cells[first + 1],
                mark=cells.get(first + 2, ""),
                group=group,
                location=Location(
                    question=code[1].lower(), sheet=sheet, cell=f"{_letters(first + 2)}{number}"
                ),
            )
        )
        return
    question = _QUESTION.fullmatch(lead)
    if question and first + 1 in cells and any(sign.isalpha() for sign in cells[first + 1]):
        name: str | None = question[1].lower()
        label, place = cells[first + 1], first + 2
    else:
        name, label = split_number(lead)
        place = first + 1
    tags = book.names.get((sheet, number), {})
    place = next((column for column in sorted(tags) if column > first), place)
    found.answers.append(
        RawAnswer(
            number=name,
            label=label,
            tag=tags.get(place),
            text=cells.get(place, ""),
            location=Location(question=name, sheet=sheet, cell=f"{_letters(place)}{number}"),
        )
    )
