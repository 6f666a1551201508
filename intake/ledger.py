"""The ledger: what was seen, decided and owed. One SQLite file, write-ahead log, full sync.

Opens and migrates the file, gives transactions that are kept only when committed, and knows deliveries.
Cases are in `intake.cases`, replies owed in `intake.outbox`; both are functions over one connection.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, create_engine, event, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from intake.errors import LedgerUnusable
from intake.mailbox import Delivery, Fetched, Filed
from intake.schema import (
    MIGRATIONS,
    deliveries,
    facts,
    lines,
    messages,
    migrations,
    outbox,
    pending_migrations,
)

# How far our clock and the mail server's may differ.
SKEW = timedelta(minutes=15)

# Statements of every mail are built once: building one costs more than running it.
_FACT = select(facts.c.value).where(facts.c.name == bindparam("name"))
_OF_DELIVERY = update(deliveries).where(deliveries.c.id == bindparam("key"))
_NEW_DELIVERY = upsert(deliveries)
_DELIVERED = _NEW_DELIVERY.on_conflict_do_update(
    index_elements=["account", "folder", "uidvalidity", "uid"],
    set_={"raw": _NEW_DELIVERY.excluded.raw, "state": _NEW_DELIVERY.excluded.state},
    where=deliveries.c.state == "withheld",
)


def stamp(moment: datetime) -> str:
    """An aware moment as UTC text that sorts.

    Raises:
        ValueError: The moment is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    # Not strftime, which writes the year 100 with three digits.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def moment(text: str) -> datetime:
    """The reverse of `stamp`."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Before this nothing in the folder is touched: a UID and a moment of arrival."""

    uid: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A delivery that is kept and waits for its verdict, or for its filing."""

    id: int
    delivery: Delivery
    raw: str
    size: int
    internal_date: datetime
    attempts: int
    message: int | None = None
    file_to: str | None = None


class Ledger:
    """One worker's memory.

    Args:
        path: The SQLite file; `None` keeps everything in memory (`replay`).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._engine: Engine | None = None

    def open(self, now: datetime) -> None:
        """Opens the file, makes or migrates its tables, makes the token key at the first start.

        Raises:
            LedgerUnusable: The file is damaged, newer than this program, or cannot be written.
        """
        try:
            self._engine = _engine(self.path)
            with self.transaction() as connection:
                self._migrate(connection, now)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            # What the first commands of a connection raise comes from the driver as it is.
            self.close()
            raise LedgerUnusable(f"{self.path}: {type(error).__name__}") from error
        except LedgerUnusable:
            self.close()
            raise

    def close(self) -> None:
        """Ends all connections."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: kept when the block ends, undone on any exception, `KeyboardInterrupt` too."""
        if self._engine is None:
            raise LedgerUnusable("the ledger is not open")
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads: takes no lock and writes no file, so an idle tick leaves no trace."""
        if self._engine is None:
            raise LedgerUnusable("the ledger is not open")
        with self._engine.connect().execution_options(reads_only=True) as connection, connection.begin():
            yield connection

    def _migrate(self, connection: Connection, now: datetime) -> None:
        for name in pending_migrations(connection):
            dict(MIGRATIONS)[name](connection)
            connection.execute(insert(migrations).values(id=name, at=stamp(now)))
        known = set(connection.scalars(select(migrations.c.id)))
        newer = known - set(dict(MIGRATIONS))
        if newer:
            raise LedgerUnusable(f"made by a newer version of this program ({', '.join(sorted(newer))})")
        if fact(connection, "token_key") is None:
            set_fact(connection, "token_key", secrets.token_hex(32))


def _engine(path: Path | None) -> Engine:
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Parameters hold what people wrote; an exception that prints them would put it into the log.
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver's own transaction handling would begin too late; ours begins with BEGIN IMMEDIATE below.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")

    return engine


def fact(connection: Connection, name: str) -> str | None:
    """A single value by name."""
    return connection.scalar(_FACT, {"name": name})


def set_fact(connection: Connection, name: str, value: str) -> None:
    """Sets a single value."""
    statement = upsert(facts).values(name=name, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def start_line(
    connection: Connection,
    account: str,
    folder: str,
    uidvalidity: int,
    uidnext: int,
    *,
    since: datetime | None,
    now: datetime,
) -> Line:
    """The folder's start line; drawn here when it is seen for the first time.

    The first line of a folder begins at its next UID (or, with `since`, at that moment). After a new
    UIDVALIDITY the UIDs begin anew and the moment of the first line still holds.
    """
    rows = connection.execute(select(lines).where(lines.c.account == account, lines.c.folder == folder)).all()
    for row in rows:
        if row.uidvalidity == uidvalidity:
            return Line(uid=row.uid, since=moment(row.since))
    if rows:
        line = Line(uid=0, since=min(moment(row.since) for row in rows))
    elif since is not None:
        line = Line(uid=0, since=since)
    else:
        # The UID cuts exactly; the moment is for a later UIDVALIDITY, and clocks disagree.
        line = Line(uid=max(uidnext - 1, 0), since=now - SKEW)
    connection.execute(
        insert(lines).values(
            account=account, folder=folder, uidvalidity=uidvalidity, uid=line.uid, since=stamp(line.since)
        )
    )
    return line


def highest_uid(connection: Connection, account: str, folder: str, uidvalidity: int) -> int:
    """The highest UID recorded for the folder, 0 when none is."""
    statement = select(func.max(deliveries.c.uid)).where(
        deliveries.c.account == account,
        deliveries.c.folder == folder,
        deliveries.c.uidvalidity == uidvalidity,
    )
    return int(connection.scalar(statement) or 0)


def note_deliveries(connection: Connection, kept: Sequence[tuple[Fetched, str]]) -> None:
    """Records mails whose originals are kept on disk; one already recorded is left as it is.

    A mail that the server withheld has no original yet (`""`): it is noted, so that it is asked for again.
    """
    rows = [
        {
            "account": fetched.delivery.account,
            "folder": fetched.delivery.folder,
            "uidvalidity": fetched.delivery.uidvalidity,
            "uid": fetched.delivery.uid,
            "raw": raw,
            "size": fetched.size,
            "internal_date": stamp(fetched.internal_date),
            "state": "new" if raw else "withheld",
            "attempts": 0,
        }
        for fetched, raw in kept
    ]
    if rows:
        connection.execute(_DELIVERED, rows)


def pending(connection: Connection, state: str, *, account: str) -> list[Pending]:
    """Deliveries in a state (`new` wait for a verdict, `decided` for filing), oldest first."""
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.state == state, deliveries.c.account == account)
        .order_by(deliveries.c.id)
    ).all()
    return [_pending(row) for row in rows]


def ready_to_file(connection: Connection, *, account: str, limit: int) -> list[Pending]:
    """Judged deliveries whose immediate reply is sent, refused, superseded or waiting for a person.

    A correction request that waits for quiet, or a reply that waits for a cap, is not immediate: the mail is
    filed meanwhile. One put off by the server is still owed.
    """
    owed = (
        select(outbox.c.id)
        .where(outbox.c.message == deliveries.c.message)
        .where(
            (outbox.c.state == "sending")
            | (
                (outbox.c.state == "due")
                & ((outbox.c.first_due <= outbox.c.created) | (outbox.c.attempts > 0))
            )
        )
        .exists()
    )
    rows = connection.execute(
        select(deliveries)
        .where(deliveries.c.state == "decided", deliveries.c.account == account, ~owed)
        .order_by(deliveries.c.id)
        .limit(limit)
    ).all()
    return [_pending(row) for row in rows]


def _pending(row: Row[Any]) -> Pending:
    return Pending(
        id=row.id,
        delivery=Delivery(account=row.account, folder=row.folder, uidvalidity=row.uidvalidity, uid=row.uid),
        raw=row.raw,
        size=row.size,
        internal_date=moment(row.internal_date),
        attempts=row.attempts,
        message=row.message,
        file_to=row.file_to,
    )


def count_attempt(connection: Connection, delivery: int) -> int:
    """One more failed attempt to read or judge; returns how many there were."""
    connection.execute(
        update(deliveries).where(deliveries.c.id == delivery).values(attempts=deliveries.c.attempts + 1)
    )
    return int(connection.scalar(select(deliveries.c.attempts).where(deliveries.c.id == delivery)) or 0)


def decide_delivery(connection: Connection, delivery: int, message: int, file_to: str | None) -> None:
    """A delivery has its verdict; without a folder it is done, for the mail stays where it is."""
    state = "done" if file_to is None else "decided"
    connection.execute(
        _OF_DELIVERY, {"key": delivery, "message": message, "file_to": file_to, "state": state}
    )


def note_filed(connection: Connection, delivery: int, filed: Filed | None) -> None:
    """A mail was filed, or is gone from its folder, which counts as filed."""
    connection.execute(
        _OF_DELIVERY,
        {
            "key": delivery,
            "state": "done",
            "filed_folder": filed.folder if filed else None,
            "filed_uidvalidity": filed.uidvalidity if filed else None,
            "filed_uid": filed.uid if filed else None,
        },
    )


def last_filed(connection: Connection, message: int) -> tuple[Delivery, Filed | None] | None:
    """The last delivery of a message that is done with, and where it was filed."""
    row = connection.execute(
        select(deliveries)
        .where(deliveries.c.message == message, deliveries.c.state == "done")
        .order_by(deliveries.c.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    filed = Filed(folder=row.filed_folder, uidvalidity=row.filed_uidvalidity, uid=row.filed_uid)
    return _pending(row).delivery, filed if row.filed_folder else None


def originals_in_use(connection: Connection) -> set[str]:
    """Digests of the originals that must stay: all but those of mail left for people."""
    waiting = connection.scalars(select(deliveries.c.raw).where(deliveries.c.state != "done"))
    kept = connection.scalars(select(messages.c.raw).where(messages.c.raw.is_not(None)))
    return {*waiting, *(raw for raw in kept if raw is not None)}


def is_original_in_use(connection: Connection, raw: str) -> bool:
    """Whether one original must stay: a verdict is owed on it, or its message is not one left for people."""
    waiting = connection.scalar(
        select(deliveries.c.id).where(deliveries.c.raw == raw, deliveries.c.state != "done").limit(1)
    )
    kept = connection.scalar(select(messages.c.id).where(messages.c.raw == raw).limit(1))
    return waiting is not None or kept is not None
