"""Where a sheet's table stands now, after people moved, renamed, inserted and deleted things.

Columns are found by hidden defined names on their headings, which follow every move; where a name is lost,
by the heading's words in any of our languages.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from intake.register import ranges
from intake.register.book import Book
from intake.register.grid import Grid
from intake.register.layout import LANGUAGES, Sheet, words

_NAME = "_mk_{sheet}_{column}"
# How far down a heading row is looked for when no name tells it.
_HEADING_ROWS = 20
_HEADINGS_ENOUGH = 3
_ROW_POINTS = 30


def name_of(sheet: str, column: str) -> str:
    """The defined name on a column's heading."""
    return _NAME.format(sheet=sheet, column=column)


@dataclass(slots=True, kw_only=True)
class Place:
    """A sheet's table as found.

    Attributes:
        sheet: Its layout.
        name: The sheet's name now.
        grid: The worksheet.
        header: Row of the headings.
        columns: Column key to column number, of those that were found.
        missing: Keys of the columns that were not.
        table: Root and path of the table's part; `None` when people turned it into plain cells.
        left, right: First and last column of the table.
        bottom: Last row of the table's data (a totals row not counted).
        totals: Whether a totals row follows.
    """

    sheet: Sheet
    name: str
    grid: Grid
    header: int
    columns: dict[str, int]
    missing: tuple[str, ...]
    table: tuple[Any, str] | None
    left: int
    right: int
    bottom: int
    totals: bool
    _styles: dict[int, str | None] = field(default_factory=dict, repr=False)

    def heading(self, column: str) -> str:
        """What people read over a column now."""
        return self.grid.text(self.header, self.columns[column])

    def make_rows(self, count: int) -> list[int] | None:
        """Takes free rows at the table's end for new records and enlarges what covers the table.

        Returns:
            Row numbers; `None` when a totals row cannot give way.
        """
        used = self.grid.last_occupied(self.left, self.right, above=self.header, until=self.bottom)
        rows: list[int] = []
        row = used
        while len(rows) < count:
            row += 1
            # What people wrote below the table stays theirs: a row that holds anything is never used.
            if (self.totals and row > self.bottom) or not self.grid.occupied(row, self.left, self.right):
                rows.append(row)
        if rows[-1] > self.bottom:
            if self.totals and not self._lower_totals(rows[-1] - self.bottom):
                return None
            self._grow(rows[-1])
        for row in rows:
            self.grid.set_height(row, _ROW_POINTS)
        return rows

    def _lower_totals(self, by: int) -> bool:
        old = self.bottom + 1
        if any(self.grid.occupied(row, 1, self.right + 1000) for row in range(old + 1, old + by + 1)):
            return False
        if old in self.grid.numbers:
            self.grid.move_row(old, old + by)
        return True

    def _grow(self, new: int) -> None:
        growth = ranges.Growth(left=self.left, right=self.right, old=self.bottom, new=new)
        if self.table:
            root, path = self.table
            totals = 1 if self.totals else 0
            area = ranges.Range(left=self.left, top=self.header, right=self.right, bottom=new)
            for node in root.iter("{*}autoFilter"):
                node.set("ref", ranges.write(area))
            whole = ranges.Range(left=self.left, top=self.header, right=self.right, bottom=new + totals)
            root.set("ref", ranges.write(whole))
            self.grid.book.touch(path)
        self.grid.grow(growth)
        self.grid.book.grow_names(self.name, growth)
        self.bottom = new

    def style(self, column: int) -> str | None:
        """The clean format of a new cell: the column's own, else the commonest unfilled one of its records.

        Never the row's above: people colour rows. Never a fixed number: other programs renumber formats.
        """
        if column not in self._styles:
            self._styles[column] = self.grid.column_style(column) or self._commonest(column)
        return self._styles[column]

    def _commonest(self, column: int) -> str | None:
        counted: Counter[str] = Counter()
        for row in reversed(self.grid.numbers):
            if not self.header < row <= self.bottom:
                continue
            cell = self.grid.cell(row, column)
            index = cell.get("s") if cell is not None else None
            if index and not self.grid.book.style(index).filled:
                counted[index] += 1
            if counted.total() >= 50:
                break
        return counted.most_common(1)[0][0] if counted else None


def locate(book: Book, sheet: Sheet) -> Place | None:
    """Finds a sheet's table in the workbook; `None` when the sheet is not there or holds no headings."""
    named = {column.key: book.names.get(name_of(sheet.key, column.key)) for column in sheet.columns}
    places = Counter(place[0] for place in named.values() if place and place[0] in book.sheets)
    name = places.most_common(1)[0][0] if places else _by_title(book, sheet)
    if name is None:
        return None
    grid = Grid(book, book.sheets[name])
    cells = {
        key: area
        for key, place in named.items()
        if place and place[0] == name and (area := ranges.parse(place[1]))
    }
    rows = Counter(area.top for area in cells.values())
    header = rows.most_common(1)[0][0] if rows else _heading_row(grid, sheet)
    if header is None:
        return None
    columns = _columns(grid, sheet, header, cells)
    if not columns:
        return None
    left, right = min(columns.values()), max(columns.values())
    place = Place(
        sheet=sheet,
        name=name,
        grid=grid,
        header=header,
        columns=columns,
        missing=tuple(column.key for column in sheet.columns if column.key not in columns),
        table=None,
        left=left,
        right=right,
        bottom=grid.last_occupied(left, right, above=header, until=ranges.LAST_ROW),
        totals=False,
    )
    return _with_table(place)


def _by_title(book: Book, sheet: Sheet) -> str | None:
    titles = {words(language).sheet(sheet.key).casefold() for language in LANGUAGES}
    return next((name for name in book.sheets if name.strip().casefold() in titles), None)


def _headings(sheet: Sheet) -> dict[str, str]:
    """Heading in any of our languages, case folded, to column key."""
    return {
        words(language).heading(sheet.key, column.key).casefold(): column.key
        for language in LANGUAGES
        for column in sheet.columns
    }


def _heading_row(grid: Grid, sheet: Sheet) -> int | None:
    known = _headings(sheet)
    for row in grid.numbers[:_HEADING_ROWS]:
        texts = (text.strip().casefold() for text in grid.row_texts(row).values())
        if sum(text in known for text in texts) >= _HEADINGS_ENOUGH:
            return row
    return None


def _columns(grid: Grid, sheet: Sheet, header: int, cells: dict[str, ranges.Range]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for key, area in cells.items():
        if area.top == header and area.left not in columns.values():
            columns[key] = area.left
    known = _headings(sheet)
    for number, text in grid.row_texts(header).items():
        found = known.get(text.strip().casefold())
        if found and found not in columns and number not in columns.values():
            columns[found] = number
    return columns


def _with_table(place: Place) -> Place:
    """The same with the table that lies over it, if there still is one."""
    book = place.grid.book
    for _, kind, path in book.related(place.grid.path):
        if kind != "table" or path not in book.package:
            continue
        root = book.tree(path)
        area = ranges.parse(root.get("ref", ""))
        if area and area.top == place.header and area.left <= place.right and area.right >= place.left:
            totals = int(root.get("totalsRowCount", "0")) > 0
            return replace(
                place,
                table=(root, path),
                left=area.left,
                right=area.right,
                bottom=area.bottom - int(totals),
                totals=totals,
            )
    return place
