"""Keeps the register beside people: brings it up to date from the ledger, remembers what was written.

The ledger's `register_cells` is committed with the texts of an update before the workbook is replaced, and
ticked after, so that a kill in between never makes our own text look like staff's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from config import Config
from intake import ledger
from intake.errors import RegisterUnreadable
from intake.ledger import Ledger
from intake.projection import Shown, wanted_rows
from intake.register import RegisterFile, Update, Written, create
from intake.register import read as read_workbook
from intake.register import update as update_workbook
from intake.register.wanted import Wanted
from intake.schema import cases, register_cells, review

log = structlog.get_logger("intake")

_Key = TypeVar("_Key", str, int)

# Written once, with the row; afterwards staff's own.
ONCE = frozenset({("practices", "state")})


class Registrar:
    """The register of one office.

    Args:
        path: The workbook.
        book: The ledger, open.
        config: Language and vocabularies of what is shown.
    """

    def __init__(self, path: Path, book: Ledger, config: Config) -> None:
        self.path = path
        self._file = RegisterFile(path)
        self._book = book
        self._config = config

    def has_rows(self) -> bool:
        """Whether a workbook with rows of ours stands there.

        Raises:
            RegisterUnreadable: It cannot be read.
        """
        if not self.path.exists():
            return False
        data, _version = self._file.read()
        return bool(read_workbook(data)["practices"])

    def bring_up_to_date(self, now: datetime, step: Callable[[str], None]) -> str | None:
        """Writes what the register does not show yet.

        Returns:
            Why it could not, for `status`; `None` when it is up to date. Never raises for the workbook's sake:
            a register that cannot be read or is open is waited for, and mail goes on.
        """
        with self._book.reading() as connection:
            wanted, case_counts, review_counts = wanted_rows(connection, self._config)
            created = ledger.fact(connection, "register_created") is not None
        if not case_counts and not review_counts and created:
            return None
        try:
            return self._write(wanted, case_counts, review_counts, now, step, created=created)
        except (RegisterUnreadable, OSError) as error:
            log.warning("register waits", action="register_waits", why=str(error))
            return self._waits("register_unreadable", now)

    def _write(
        self,
        wanted: Wanted,
        case_counts: dict[str, Shown],
        review_counts: dict[int, Shown],
        now: datetime,
        step: Callable[[str], None],
        *,
        created: bool,
    ) -> str | None:
        if not self.path.exists():
            if created:
                # Moved, renamed or deleted by people: never rebuilt by itself.
                return self._waits("register_missing", now)
            self._file.create(create(self._config.languages[0]))
            with self._book.transaction() as connection:
                ledger.set_fact(connection, "register_created", ledger.stamp(now))
        elif not created:
            with self._book.transaction() as connection:
                ledger.set_fact(connection, "register_created", ledger.stamp(now))
        if self._file.locked() is not None:
            return self._waits("register_open", now)
        data, version = self._file.read()
        step("register_read")
        with self._book.transaction() as connection:
            _settle_offers(connection, data)
            texts = _texts(connection, wanted)
        outcome = update_workbook(data, wanted, texts, now=self._config.settings.office.local(now), once=ONCE)
        if outcome.changed:
            with self._book.transaction() as connection:
                _offer(connection, outcome.written)
                ledger.set_fact(connection, "register_offered", hashlib.sha256(outcome.data).hexdigest())
                ledger.set_fact(connection, "register_base", hashlib.sha256(data).hexdigest())
            step("register_offered")
            if not self._file.replace(outcome.data, version):
                with self._book.transaction() as connection:
                    _withdraw_offers(connection)
                return self._waits("register_changed_meanwhile", now)
        step("register_replaced")
        # What could not be written is not ticked: staff may mend the sheet, and then the row follows.
        stuck = {problem.key for problem in outcome.problems if problem.key and problem.kind != "row_missing"}
        self._tick(outcome, _without(case_counts, stuck), _without(review_counts, stuck), waits=bool(stuck))
        step("register_ticked")
        return self._waits("register_problems", now) if stuck else None

    def _tick(
        self, outcome: Update, case_counts: dict[str, Shown], review_counts: dict[int, Shown], *, waits: bool
    ) -> None:
        with self._book.transaction() as connection:
            _keep(connection, outcome.written)
            of_case, of_line = cases.c.reference == bindparam("of"), review.c.id == bindparam("of")
            for statement, counts in (
                (update(cases).where(of_case), case_counts),
                (update(review).where(of_line), review_counts),
            ):
                if counts:
                    rows = [{"of": name, "registered": shown.changed} for name, shown in counts.items()]
                    connection.execute(statement, rows)
            if not waits:
                ledger.set_fact(connection, "register_waiting", "")
            ledger.set_fact(connection, "register_offered", "")
            ledger.set_fact(
                connection,
                "register_problems",
                ", ".join(sorted({problem.kind for problem in outcome.problems})),
            )
        for conflict in outcome.conflicts:
            log.info(
                "staff's text stands",
                action="register_conflict",
                sheet=conflict.sheet,
                column=conflict.column,
            )

    def _waits(self, why: str, now: datetime) -> str:
        with self._book.reading() as connection:
            waiting = ledger.fact(connection, "register_waiting") or ""
        if not waiting.startswith(f"{why} "):
            with self._book.transaction() as connection:
                ledger.set_fact(connection, "register_waiting", f"{why} {ledger.stamp(now)}")
        return why


def _texts(connection: Connection, wanted: Wanted) -> dict[tuple[str, str, str], str | tuple[str, ...]]:
    """What is ours in each cell; both texts where it is not known whether an update reached the disk."""
    keys = {row.key for _sheet, rows in wanted.sheets() for row in rows}
    texts: dict[tuple[str, str, str], str | tuple[str, ...]] = {}
    for row in connection.execute(select(register_cells).where(register_cells.c.case.in_(keys))):
        known = tuple(text for text in (row.written, row.offered) if text is not None)
        texts[row.sheet, row.case, row.column] = known[0] if len(known) == 1 else known
    return texts


def _settle_offers(connection: Connection, data: bytes) -> None:
    """After a kill: whether the update in flight reached the disk is told by the workbook itself."""
    offered = ledger.fact(connection, "register_offered")
    if not offered:
        return
    digest = hashlib.sha256(data).hexdigest()
    in_flight = register_cells.c.offered.is_not(None)
    if digest == offered:
        connection.execute(
            update(register_cells).where(in_flight).values(written=register_cells.c.offered, offered=None)
        )
    elif digest == ledger.fact(connection, "register_base"):
        _withdraw_offers(connection)
    else:
        # People saved it since: an update in flight reached the disk where its cells show it.
        rows = {
            (sheet, row.get("key", "")): row for sheet, found in read_workbook(data).items() for row in found
        }
        for cell in connection.execute(select(register_cells).where(in_flight)).all():
            if rows.get((cell.sheet, cell.case), {}).get(cell.column, "") == cell.offered:
                _settle_cell(connection, cell.sheet, cell.case, cell.column, cell.offered)
        _withdraw_offers(connection)
    ledger.set_fact(connection, "register_offered", "")


def _settle_cell(connection: Connection, sheet: str, key: str, column: str, written: str) -> None:
    connection.execute(
        update(register_cells)
        .where(
            register_cells.c.sheet == sheet, register_cells.c.case == key, register_cells.c.column == column
        )
        .values(written=written, offered=None)
    )


def _withdraw_offers(connection: Connection) -> None:
    in_flight = register_cells.c.offered.is_not(None)
    connection.execute(register_cells.delete().where(in_flight & register_cells.c.written.is_(None)))
    connection.execute(update(register_cells).where(in_flight).values(offered=None))


def _without(counts: dict[_Key, Shown], stuck: set[str]) -> dict[_Key, Shown]:
    return {key: shown for key, shown in counts.items() if shown.row_key not in stuck}


def _offer(connection: Connection, written: Sequence[Written]) -> None:
    _upsert(connection, written, "offered")


def _keep(connection: Connection, written: Sequence[Written]) -> None:
    _upsert(connection, written, "written")
    connection.execute(
        update(register_cells).where(register_cells.c.offered.is_not(None)).values(offered=None)
    )


def _upsert(connection: Connection, written: Sequence[Written], column: str) -> None:
    if not written:
        return
    rows = [
        {"sheet": cell.sheet, "case": cell.key, "column": cell.column, column: cell.text} for cell in written
    ]
    statement = upsert(register_cells)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["sheet", "case", "column"], set_={column: statement.excluded[column]}
        ),
        rows,
    )
