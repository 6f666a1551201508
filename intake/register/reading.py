"""What stands in the register now, as text: staff's own cells, and everything for tests and `show`."""

from __future__ import annotations

from intake.register.book import Book
from intake.register.errors import unreadable
from intake.register.layout import SHEETS
from intake.register.package import Package
from intake.register.place import Place, locate

UNKNOWN = "+"
"""Stands before the heading of a column that people added."""


def read(data: bytes) -> dict[str, list[dict[str, str]]]:
    """Reads every table of the register.

    Returns:
        Sheet key to its rows, in the sheet's order: column key to text (dates in ISO 8601; empty cells left
        out). A column that is not ours appears under `"+"` and its heading. Rows without a key are staff's.

    Raises:
        RegisterUnreadable: The workbook is damaged, encrypted or not our register.
    """
    book = Book(Package(data))
    found = {key: locate(book, sheet) for key, sheet in SHEETS.items()}
    if found["practices"] is None:
        raise unreadable("foreign", "the sheet of practices is not in this workbook")
    return {key: _rows(place) for key, place in found.items() if place is not None}


def _rows(place: Place) -> list[dict[str, str]]:
    keys = {number: key for key, number in place.columns.items()}
    for number, text in place.grid.row_texts(place.header).items():
        if number not in keys:
            keys[number] = UNKNOWN + text
    rows = []
    for row in place.grid.numbers:
        # Not every program enlarges the table when people type below it, so rows there count too.
        if row > place.header and not (place.totals and row == place.bottom + 1):
            texts = place.grid.row_texts(row)
            cells = {key: texts[number] for number, key in keys.items() if number in texts}
            if cells:
                rows.append(cells)
    return rows
