"""Brings the register up to date in place: our cells where nobody else wrote, nothing else at all.

Pure: bytes and what we last wrote go in, bytes and what we wrote now come out. The register is never read
here to learn what the program did; that is the ledger's to know.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from intake.register import cells
from intake.register.book import Book
from intake.register.errors import unreadable
from intake.register.filling import put, put_formula
from intake.register.finding import Finder, References, known
from intake.register.layout import HISTORY, LANGUAGES, SHEETS, Column, words
from intake.register.package import Package
from intake.register.place import Place, locate
from intake.register.wanted import (
    CellValue,
    Conflict,
    Link,
    Problem,
    ProblemKind,
    Row,
    Texts,
    Update,
    Wanted,
    Written,
)

Once = Collection[tuple[str, str]]
_UPDATED = "row_updated"


def update(data: bytes, wanted: Wanted, written: Texts, *, now: datetime, once: Once = frozenset()) -> Update:
    """Writes the wanted rows into the workbook.

    A cell of ours is written when its text is what we last wrote, or the row is new. A cell that people
    changed stays; if we want another text now, that is a conflict, told once and noted in the history sheet.
    Rows that are not wanted, staff's cells, and every part that need not change stay as they are.

    Args:
        data: The workbook.
        wanted: Rows to write, each with the cells that matter.
        written: Sheet, row key and column key to the text we last wrote; of the wanted rows at least.
        now: Time of the update by the office's clock; `row_updated` and the history sheet bear it.
        once: Staff's cells, by sheet and column key, that get a first value, in an empty cell, and never another.

    Raises:
        RegisterUnreadable: The workbook is damaged, encrypted or not our register.
        KeyError: A row names a column that the sheet does not have.
        ValueError: Two rows of a sheet have the same key.
    """
    run = _Run(Book(Package(data)), written, frozenset(once), now)
    for sheet, rows in wanted.sheets():
        if rows:
            run.write(sheet, rows)
    run.note_conflicts()
    return run.outcome(data)


class _Run:
    """One update under way."""

    def __init__(self, book: Book, written: Texts, once: frozenset[tuple[str, str]], now: datetime) -> None:
        self.book = book
        self.texts = written
        self.once = once
        self.now = now
        self.rows_known = {(sheet, key) for sheet, key, _ in written}
        self.written: dict[tuple[str, str, str], str] = {}
        self.conflicts: list[tuple[Conflict, str, str, str]] = []
        self.problems: list[Problem] = []
        self.formulas = False
        self.references = References(written)

    def outcome(self, data: bytes) -> Update:
        if self.formulas:
            self.book.drop_calculation_chain()
        changed = self.book.changed
        news = {place: text for place, text in self.written.items() if self.texts.get(place) != text}
        return Update(
            data=self.book.rebuild() if changed else data,
            written=tuple(Written(sheet=s, key=k, column=c, text=text) for (s, k, c), text in news.items()),
            conflicts=tuple(each[0] for each in self.conflicts),
            problems=tuple(self.problems),
            changed=changed,
        )

    def problem(
        self,
        kind: ProblemKind,
        sheet: str,
        *,
        key: str | None = None,
        column: str | None = None,
        rows: Collection[int] = (),
    ) -> None:
        self.problems.append(
            Problem(kind=kind, sheet=sheet, key=key, column=column, rows=tuple(sorted(rows)))
        )

    # -- one sheet

    def write(self, sheet: str, rows: tuple[Row, ...]) -> None:
        if len({row.key for row in rows}) < len(rows):
            raise ValueError(f"{sheet}: two wanted rows have the same key")
        for row in rows:
            for column in row.cells:
                SHEETS[sheet].column(column)
        place = locate(self.book, SHEETS[sheet])
        if place is None and sheet == "practices":
            raise unreadable("foreign", "the sheet of practices is not in this workbook")
        if place is None:
            self.problem("sheet_missing", sheet)
            return
        for column in place.missing:
            self.problem("column_missing", sheet, column=column)
        finder = Finder(place)
        if not finder.able:
            # Without any key column, rows cannot be told apart; nothing is written rather than twice.
            return
        new = [row for row in rows if self._existing(place, finder, row)]
        if new:
            self._append(place, new)

    def _existing(self, place: Place, finder: Finder, row: Row) -> bool:
        """Updates the row where it stands; says whether it is still to be made."""
        sheet = place.sheet.key
        first, second = finder.rows(row.key)
        both = first | second
        if not both:
            deleted = (sheet, row.key) in self.rows_known
            if deleted:
                self.problem("row_missing", sheet, key=row.key)
            return not deleted
        if len(first) > 1 or len(second) > 1:
            self.problem("key_repeated", sheet, key=row.key, rows=both)
        elif len(both) > 1 or not finder.agree(row.key) or self.references.of_another(place, row, min(both)):
            self.problem("keys_disagree", sheet, key=row.key, rows=both)
        else:
            self._update_row(place, row, min(both))
        return False

    def _update_row(self, place: Place, row: Row, number: int) -> None:
        touched = False
        for key, value in row.cells.items():
            column = place.sheet.column(key)
            if key not in place.columns or column.kind == "key":
                continue
            if column.owner in {"fixed", "machine"}:
                touched |= self._update_cell(place, row, number, column, value)
            elif (place.sheet.key, key) in self.once:
                touched |= self._first_value(place, row, number, column, value)
        if touched and _UPDATED in place.columns and _UPDATED not in row.cells:
            self._stamp(place, row.key, number)

    def _update_cell(self, place: Place, row: Row, number: int, column: Column, value: CellValue) -> bool:
        sheet = place.sheet.key
        spot = (sheet, row.key, column.key)
        index = place.columns[column.key]
        present = cells.clean(place.grid.text(number, index))
        new = cells.text_of(value)
        ours = known(self.texts.get(spot, ""))
        touched = False
        if present != new:
            cell = place.grid.cell(number, index)
            formula = cell is not None and cell.find(cells.tag("f")) is not None
            if formula or present not in ours:
                if new not in ours:
                    self._disagree(place, row, number, column, present, new)
                self.written[spot] = new
                return False
            put(place, number, index, value)
            touched = True
        self.written[spot] = new
        if isinstance(value, Link) and place.grid.link(number, index, value.url):
            # Other programs rewrite addresses; putting one right is no news of the case.
            self.book.touch(place.grid.path)
        return touched

    def _first_value(self, place: Place, row: Row, number: int, column: Column, value: CellValue) -> bool:
        """Gives a staff cell its first value; one that they filled or that had a value is theirs."""
        spot = (place.sheet.key, row.key, column.key)
        index = place.columns[column.key]
        if not cells.text_of(value) or any(known(self.texts.get(spot, ""))):
            return False
        self.written[spot] = cells.text_of(value)
        if place.grid.occupied(number, index, index):
            return False
        put(place, number, index, value)
        return True

    def _disagree(self, place: Place, row: Row, number: int, column: Column, staff: str, new: str) -> None:
        before = self.texts.get((place.sheet.key, row.key, column.key))
        conflict = Conflict(
            sheet=place.sheet.key,
            key=row.key,
            column=column.key,
            written=None if before is None else known(before)[-1],
            staff=staff,
            new=new,
        )
        reference = cells.text_of(row.cells.get("reference"))
        if not reference and "reference" in place.columns:
            reference = place.grid.text(number, place.columns["reference"])
        self.conflicts.append((conflict, reference or row.key, place.name, place.heading(column.key)))

    # -- new rows

    def _append(self, place: Place, rows: list[Row]) -> None:
        numbers = place.make_rows(len(rows))
        if numbers is None:
            for row in rows:
                self.problem("no_room", place.sheet.key, key=row.key)
            return
        for row, number in zip(rows, numbers, strict=True):
            self._new_row(place, row, number)

    def _new_row(self, place: Place, row: Row, number: int) -> None:
        sheet = place.sheet.key
        for column in place.sheet.columns:
            index = place.columns.get(column.key)
            if index is None:
                continue
            if column.kind == "key":
                put(place, number, index, row.key)
            elif column.owner == "formula":
                self.formulas |= put_formula(place, number, column)
            elif column.owner != "staff" or (sheet, column.key) in self.once:
                value = row.cells.get(column.key)
                if column.key == _UPDATED and value is None:
                    value = self.now
                put(place, number, index, value)
                if isinstance(value, Link):
                    place.grid.link(number, index, value.url)
                self.written[sheet, row.key, column.key] = cells.text_of(value)

    def _stamp(self, place: Place, key: str, number: int) -> None:
        """Says in the row when it was last written, unless people wrote there themselves."""
        spot = (place.sheet.key, key, _UPDATED)
        index = place.columns[_UPDATED]
        if place.grid.text(number, index) in (*known(self.texts.get(spot, "")), ""):
            put(place, number, index, self.now)
            self.written[spot] = cells.text_of(self.now)

    # -- history

    def note_conflicts(self) -> None:
        """Appends a line to the history sheet for each conflict of this update."""
        if not self.conflicts:
            return
        place = locate(self.book, HISTORY)
        if place is None:
            self.problem("sheet_missing", HISTORY.key)
            return
        numbers = place.make_rows(len(self.conflicts))
        if numbers is None:
            self.problem("no_room", HISTORY.key)
            return
        note = words(_language(place)).tables["history_notes"]["kept"]
        for number, (conflict, reference, sheet, heading) in zip(numbers, self.conflicts, strict=True):
            line: dict[str, CellValue] = {
                "at": self.now,
                "reference": reference,
                "sheet": sheet,
                "column": heading,
                "written": conflict.written,
                "staff": conflict.staff,
                "new": conflict.new,
                "note": note,
            }
            for key, value in line.items():
                if key in place.columns:
                    put(place, number, place.columns[key], value)


def _language(place: Place) -> str:
    """The language whose headings the sheet bears most."""
    shown = {key: place.heading(key) for key in place.columns}

    def alike(language: str) -> int:
        own = words(language)
        return sum(own.heading(place.sheet.key, key) == text for key, text in shown.items())

    return max(LANGUAGES, key=alike)
