"""Cell addresses and ranges in the A1 way of writing, and how a range grows when rows are appended."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"^\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?$")
# A sheet's name in front of a range: quoted with doubled quotes inside, or bare.
_PLACE = re.compile(r"^(?:'((?:[^']|'')+)'|([^'!\[\]]+))!(.+)$")
LAST_ROW = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A rectangle of cells; columns and rows counted from 1, both ends included."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Rows were appended to a table.

    Attributes:
        left, right: The table's columns.
        old: Its last row before.
        new: Its last row now.
    """

    left: int
    right: int
    old: int
    new: int


def letters(column: int) -> str:
    """`1` is `"A"`, `27` is `"AA"`."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def number(text: str) -> int:
    """`"A"` is `1`, `"AA"` is `27`."""
    value = 0
    for letter in text:
        value = value * 26 + ord(letter) - 64
    return value


def parse(text: str) -> Range | None:
    """A range or single cell, absolute or not; `None` for whole columns, names and anything else."""
    match = _RANGE.match(text.strip().upper())
    if not match:
        return None
    first, top, last, bottom = match.groups()
    return Range(left=number(first), top=int(top), right=number(last or first), bottom=int(bottom or top))


def write(area: Range, *, absolute: bool = False) -> str:
    """The range as text; a single cell without a colon."""
    mark = "$" if absolute else ""
    first = f"{mark}{letters(area.left)}{mark}{area.top}"
    last = f"{mark}{letters(area.right)}{mark}{area.bottom}"
    return first if first == last else f"{first}:{last}"


def split_place(text: str) -> tuple[str, str] | None:
    """`'My ''sheet'''!$A$1` is `("My 'sheet'", "$A$1")`; `None` where no one sheet is named."""
    match = _PLACE.match(text.strip())
    if not match:
        return None
    quoted, bare, rest = match.groups()
    return (quoted.replace("''", "'") if quoted else bare), rest


def grown(area: Range, growth: Growth) -> Range | None:
    """The range enlarged by the appended rows, or `None` where it does not concern them.

    A range concerns the table when it shares a column with it and reaches its last row from within or above:
    one that ends earlier was laid by people over a part, one that begins below is something else.
    """
    if area.right < growth.left or area.left > growth.right:
        return None
    if area.top > growth.old or not growth.old <= area.bottom < growth.new:
        return None
    return Range(left=area.left, top=area.top, right=area.right, bottom=growth.new)


def grown_list(text: str, growth: Growth) -> str:
    """The same for a list of ranges parted by blanks (`sqref`)."""
    out = []
    for each in text.split():
        area = parse(each)
        larger = grown(area, growth) if area else None
        out.append(write(larger) if larger else each)
    return " ".join(out)
