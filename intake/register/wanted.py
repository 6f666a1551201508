"""What goes into an update of the register and what comes out, as values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cell's text with an address behind it; an empty address gives the text alone.

    Attributes:
        text: What people read.
        url: Absolute or relative to the workbook, already percent-encoded.
    """

    text: str
    url: str


_KEY = re.compile("[A-Z0-9]{12}")
CellValue = str | int | date | Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The program's cells of one row.

    Attributes:
        key: Opaque, `[A-Z0-9]{12}`, never reused; not the reference, which people may read and type.
        cells: Column key to value. A column left out is not looked at; `None` wants the cell empty.
    """

    key: str
    cells: Mapping[str, CellValue]

    def __post_init__(self) -> None:
        # A key that comes back from the sheet other than it went in would make its row anew each time.
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"no row key: {self.key!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The rows as they should be; rows left out are not looked at."""

    practices: tuple[Row, ...] = ()
    texts: tuple[Row, ...] = ()
    contacts: tuple[Row, ...] = ()
    review: tuple[Row, ...] = ()

    def sheets(self) -> Iterator[tuple[str, tuple[Row, ...]]]:
        """Sheet key and rows, in the order in which sheets are written."""
        yield "practices", self.practices
        yield "texts", self.texts
        yield "contacts", self.contacts
        yield "review", self.review


Place = tuple[str, str, str]
"""Sheet key, row key, column key."""

Texts = Mapping[Place, str | tuple[str, ...]]
"""What we last wrote in each cell. Several texts mean that any of them is ours: while it is not known
whether an update reached the disk, the ledger gives the text before it and the text after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the ledger has to remember of a cell.

    Attributes:
        text: What we last wrote in it or, where staff's text was left standing, last offered: the same
            disagreement is so told only once.
    """

    sheet: str
    key: str
    column: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Staff and the program both changed a cell; staff's text stands.

    Attributes:
        written: What we had written before; `None` when not known.
        staff: What stands there.
        new: What we would have written.
    """

    sheet: str
    key: str
    column: str
    written: str | None
    staff: str
    new: str


ProblemKind = Literal[
    "sheet_missing",
    "column_missing",
    "row_missing",  # staff deleted it; it is not brought back
    "key_repeated",  # a copied row; neither is written until one is gone
    "keys_disagree",  # part of the sheet was sorted alone, or cells pasted over; the row is not written
    "no_room",  # a totals row with something below it: no row can be added
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something staff did to the workbook that a person has to look at.

    Attributes:
        rows: Row numbers in the sheet that it is about.
    """

    kind: ProblemKind
    sheet: str
    key: str | None = None
    column: str | None = None
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The outcome of an update.

    Attributes:
        data: The workbook; the same bytes that were given when nothing changed.
        written: What differs from the texts given, to be remembered once `data` is in place.
        conflicts: Each also stands in the history sheet.
        problems: What could not be written and why; told anew at each update while it lasts.
        changed: Whether `data` differs from what was given.
    """

    data: bytes
    written: tuple[Written, ...]
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    changed: bool
