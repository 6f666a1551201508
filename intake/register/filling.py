"""Puts one value into one cell, in the format that people see there."""

from __future__ import annotations

from datetime import date, datetime

from intake.register import cells, ranges
from intake.register.layout import Column
from intake.register.place import Place
from intake.register.wanted import CellValue


def put(place: Place, number: int, index: int, value: CellValue) -> None:
    """Writes a value; the format of a cell that is there stays, for it may be people's colour.

    Args:
        place: The table.
        number: The row.
        index: The column's number.
        value: What to write; `None` empties the cell.
    """
    book, grid = place.grid.book, place.grid
    book.touch(grid.path)
    text = cells.text_of(value)
    there = grid.cell(number, index)
    if not text:
        if there is not None:
            cells.empty(there)
        return
    style = place.style(index)
    if isinstance(value, date) and not book.style(style).date:
        style = book.date_style(time=isinstance(value, datetime)) or style
    cell = grid.make_cell(number, index, style)
    plain = cell.get("s") in {None, "0", place.style(index)}
    if isinstance(value, date) and plain and not book.style(cell.get("s")).date:
        # Only a plain format gives way to one that shows dates; in people's own the date becomes text.
        cell.set("s", style or "0")
    if isinstance(value, date) and book.style(cell.get("s")).date:
        cells.put_number(cell, cells.serial(value, from_1904=book.from_1904))
    elif isinstance(value, int):
        cells.put_number(cell, text)
    else:
        cells.put_text(cell, text)


def put_formula(place: Place, number: int, column: Column) -> bool:
    """Writes a column's formula into a new row; says whether there was one to write."""
    needed = [each.key for each in place.sheet.columns if f"{{{each.key}}}" in (column.formula or "")]
    if column.formula is None or any(key not in place.columns for key in needed):
        return False
    addresses = {key: f"{ranges.letters(place.columns[key])}{number}" for key in needed}
    index = place.columns[column.key]
    cell = place.grid.make_cell(number, index, place.style(index))
    cells.put_number(cell, "0")
    cells.put_formula(cell, column.formula.format(**addresses))
    place.grid.book.touch(place.grid.path)
    return True
