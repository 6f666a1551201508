"""Values of cells: to the text by which they are compared, and to and from the XML of a cell.

Whatever the value, it goes in as a number or as an inline string, never as a formula (CWE-1236).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from lxml import etree

from intake.register.wanted import CellValue, Link

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
# Excel's limit for the text of one cell, in UTF-16 units.
_LONGEST = 32_767
# Characters that XML 1.0 cannot hold (its production Char), but for the line ends dealt with before.
_FORBIDDEN = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# ST_Xstring (ECMA-376 part 1, 22.9.2.19): _xHHHH_ stands for a character.
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# Day 60 of the 1900 calendar is a day that never was, so serial numbers count from here.
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - a workbook knows no time zone.
_EPOCH_1904 = datetime(1904, 1, 1)  # noqa: DTZ001 - the same.


def tag(name: str) -> str:
    """The name of an element of the main namespace."""
    return f"{{{MAIN}}}{name}"


def clean(text: str) -> str:
    """The text as a cell can hold it: LF line ends, no control characters, at most 32,767 UTF-16 units."""
    text = _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) * 2 > _LONGEST and len(units := text.encode("utf-16-le")) > _LONGEST * 2:
        text = units[: _LONGEST * 2].decode("utf-16-le", "ignore")
    return text


def text_of(value: CellValue) -> str:
    """The text by which a value is compared and remembered; dates in ISO 8601, to the minute."""
    if value is None:
        return ""
    if isinstance(value, Link):
        return clean(value.text)
    if isinstance(value, datetime):
        return _moment_text(_minute(value))
    if isinstance(value, date):
        return value.isoformat()
    return clean(str(value))


def _minute(moment: datetime) -> datetime:
    """The moment by its own clock, seconds cut off: what is written is so read back the same."""
    return moment.replace(second=0, microsecond=0, tzinfo=None)


def _moment_text(moment: datetime) -> str:
    # A serial number is a binary fraction of a day, so it may stand a hair below its minute.
    moment += timedelta(seconds=30)
    return moment.strftime("%Y-%m-%dT%H:%M" if (moment.hour or moment.minute) else "%Y-%m-%d")


def serial(value: date, *, from_1904: bool) -> str:
    """A date, or a moment by its own clock, as the workbook counts: days since its epoch."""
    moment = (
        _minute(value) if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a workbook knows no time zone.
    )
    days = (moment - (_EPOCH_1904 if from_1904 else _EPOCH_1900)) / timedelta(days=1)
    return str(int(days)) if days == int(days) else f"{days:.10f}"


def moment_text(days: float, *, from_1904: bool) -> str | None:
    """The text of a serial number; `None` outside the calendar."""
    try:
        return _moment_text((_EPOCH_1904 if from_1904 else _EPOCH_1900) + timedelta(days=days))
    except OverflowError:
        return None


def number_text(text: str) -> str:
    """A number's text without the noise of binary fractions: `"5.0"` is `"5"`."""
    try:
        return format(float(text), ".15g")
    except ValueError:
        return text


def string_text(element: Any) -> str:
    """The text of a shared or inline string: its runs joined, phonetic hints left out."""
    parts = [
        node.text or ""
        for node in element.iter(tag("t"))
        if node.getparent() is not None and node.getparent().tag != tag("rPh")
    ]
    return unescape("".join(parts))


def unescape(text: str) -> str:
    """`_x0041_` is `A`."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text).replace("\r\n", "\n").replace("\r", "\n")


def empty(cell: Any) -> None:
    """Takes the value out of a cell; its style stays."""
    for child in list(cell):
        if child.tag in {tag("v"), tag("is")}:
            cell.remove(child)
    # `cm` and `vm` point to metadata of the value that was here.
    for name in ("t", "cm", "vm"):
        cell.attrib.pop(name, None)


def put_number(cell: Any, digits: str) -> None:
    """Makes the cell a number."""
    empty(cell)
    node = etree.Element(tag("v"))
    node.text = digits
    cell.insert(0, node)


def put_text(cell: Any, text: str) -> None:
    """Makes the cell an inline string, whatever the text begins with."""
    empty(cell)
    cell.set("t", "inlineStr")
    holder = etree.Element(tag("is"))
    node = etree.SubElement(holder, tag("t"))
    node.text = _ESCAPE.sub(r"_x005F_x\1_", text)
    if text != text.strip() or "\n" in text or "  " in text or "\t" in text:
        node.set(_SPACE, "preserve")
    cell.insert(0, holder)


def put_formula(cell: Any, formula: str) -> None:
    """Puts a formula of our own, made of addresses alone, before the cell's value."""
    node = etree.Element(tag("f"))
    node.text = formula
    cell.insert(0, node)
