"""The ledger: migrations, transactions, what SQLite is told, the start line, deliveries."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select, text

from intake import ledger
from intake.errors import LedgerUnusable
from intake.ledger import Ledger, fact, moment, set_fact, stamp, start_line
from intake.mailbox import Delivery, Fetched, Filed
from intake.schema import MIGRATIONS, deliveries, facts, messages, migrations

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture(name="book")
def _book(tmp_path):
    """An open ledger on disk."""
    book = Ledger(tmp_path / "datos" / "ledger.sqlite3")
    book.open(NOW)
    yield book
    book.close()


def reopened(book: Ledger) -> Ledger:
    book.close()
    book.open(NOW)
    return book


def add_step(monkeypatch, name, step):
    """A program newer by one migration."""
    steps = (*MIGRATIONS, (name, step))
    monkeypatch.setattr("intake.schema.MIGRATIONS", steps)
    monkeypatch.setattr("intake.ledger.MIGRATIONS", steps)


# Opening


def test_the_write_ahead_log_and_full_sync_are_really_set(book):
    """Asked of SQLite on the connection that the program uses."""
    with book.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with book.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_the_file_and_its_folder_are_for_their_owner_alone(book):
    """Addresses of people stand in it."""
    assert (book.path.parent.stat().st_mode & 0o077) == 0


def test_every_migration_is_recorded_with_its_moment(book):
    """The tables are there, and so is the record of how they came."""
    with book.reading() as connection:
        rows = connection.execute(select(migrations)).all()

    assert [(row.id, row.at) for row in rows] == [(name, stamp(NOW)) for name, _step in MIGRATIONS]


def test_an_older_ledger_is_migrated_once(book, monkeypatch):
    """A step that the file lacks is taken at the next opening, and never again."""
    taken = []

    def step(connection):
        taken.append(1)
        connection.execute(text("ALTER TABLE facts ADD COLUMN remark TEXT"))

    add_step(monkeypatch, "0002-remark", step)
    reopened(reopened(book))

    assert taken == [1]
    with book.reading() as connection:
        assert "0002-remark" in connection.scalars(select(migrations.c.id)).all()
        assert connection.exec_driver_sql("SELECT remark FROM facts").all() != []


def test_a_migration_that_fails_leaves_neither_its_work_nor_its_record(book, monkeypatch):
    """Both are one transaction; the ledger is as it was, and opens again with the program as it was."""

    def step(connection):
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise RuntimeError("in the middle")

    book.close()
    with monkeypatch.context() as newer:
        add_step(newer, "0002-half", step)
        with pytest.raises(RuntimeError):
            book.open(NOW)
        book.close()

    book.open(NOW)
    with book.reading() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        assert "half" not in tables.all()
        assert connection.scalars(select(migrations.c.id)).all() == [name for name, _step in MIGRATIONS]


def test_a_ledger_of_a_newer_program_is_refused_untouched(book):
    """Better no worker than one that does not know what it may not break."""
    with book.transaction() as connection:
        connection.execute(insert(migrations).values(id="9999-later", at=stamp(NOW)))
    book.close()
    before = book.path.read_bytes()

    with pytest.raises(LedgerUnusable, match="9999-later"):
        book.open(NOW)

    assert book.path.read_bytes() == before
    with pytest.raises(LedgerUnusable):
        book.transaction().__enter__()


@pytest.mark.parametrize(
    "damage", [b"this is no database at all, and long enough to be looked at" * 20, None]
)
def test_a_file_that_is_no_ledger_is_told_in_one_sentence(tmp_path, damage):
    """A damaged file, a folder in its place: an error for operators, no traceback of the driver's."""
    path = tmp_path / "ledger.sqlite3"
    if damage is None:
        path.mkdir()
    else:
        path.write_bytes(damage)

    with pytest.raises(LedgerUnusable, match=r"ledger\.sqlite3"):
        Ledger(path).open(NOW)


def test_a_folder_that_cannot_be_made_is_told_too(tmp_path):
    """A file stands where paths.data should be a folder."""
    (tmp_path / "datos").write_text("")

    with pytest.raises(LedgerUnusable):
        Ledger(tmp_path / "datos" / "ledger.sqlite3").open(NOW)


def test_the_token_key_is_made_once(book):
    """Tokens sent a year ago are still right after a restart."""
    with book.reading() as connection:
        key = fact(connection, "token_key")
    with reopened(book).reading() as connection:
        assert fact(connection, "token_key") == key

    assert len(bytes.fromhex(key)) == 32


# Transactions


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_kept_unless_the_block_ends(book, error):
    """Undone on any exception; kept otherwise, also for another connection."""

    def interrupted():
        with book.transaction() as connection:
            set_fact(connection, "lost", "1")
            raise error

    with pytest.raises(error):
        interrupted()
    with book.transaction() as connection:
        set_fact(connection, "kept", "1")

    with sqlite3.connect(book.path) as other:
        names = {name for (name,) in other.execute("SELECT name FROM facts")}
    other.close()
    assert "kept" in names
    assert "lost" not in names


def test_a_writer_takes_the_lock_at_once(book):
    """What was read in a transaction cannot have changed when it writes."""
    other = sqlite3.connect(book.path, timeout=0, isolation_level=None)
    with book.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")

    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    other.close()


def test_reading_takes_no_lock_and_writes_nothing(book):
    """An idle look leaves no byte and no time stamp behind, and stops no writer."""
    folder = book.path.parent
    other = sqlite3.connect(book.path, timeout=0, isolation_level=None)
    with book.transaction() as connection:
        set_fact(connection, "some", "thing")

    def state():
        return {
            item.name: (item.stat().st_size, item.stat().st_mtime_ns, item.read_bytes())
            for item in folder.iterdir()
            if not item.name.endswith("-shm")
        }

    before = state()
    for _ in range(20):
        with book.reading() as connection:
            assert fact(connection, "some") == "thing"
            ledger.pending(connection, "new", account="main")

    assert state() == before
    assert len(before) >= 2
    with book.reading() as connection:
        assert fact(connection, "some") == "thing"
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    other.close()


def test_a_closed_ledger_says_so():
    """Not an error of the driver's."""
    book = Ledger(None)

    with pytest.raises(LedgerUnusable), book.transaction():
        pass


def test_a_ledger_in_memory_makes_no_file(tmp_path, monkeypatch):
    """For `replay`, which writes nothing."""
    monkeypatch.chdir(tmp_path)
    book = Ledger(None)
    book.open(NOW)
    with book.transaction() as connection:
        set_fact(connection, "a", "b")
    with book.reading() as connection:
        assert fact(connection, "a") == "b"
        assert connection.scalars(select(facts.c.name)).all() != []
    book.close()

    assert list(tmp_path.iterdir()) == []


# Moments


def test_moments_are_kept_as_utc_text_that_sorts():
    """There and back; a naive moment is refused."""
    lima = timezone(timedelta(hours=-5))
    early = datetime(2026, 11, 20, 9, 59, 59, 999999, tzinfo=lima)
    late = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

    assert moment(stamp(early)) == early
    assert stamp(early) < stamp(late)
    with pytest.raises(ValueError, match="time zone"):
        stamp(datetime(2026, 11, 20))  # noqa: DTZ001


# Folders and deliveries


def line(book, uidvalidity, uidnext, since=None, now=NOW):
    with book.transaction() as connection:
        return start_line(connection, "main", "INBOX", uidvalidity, uidnext, since=since, now=now)


def test_the_first_start_draws_a_line_at_the_next_uid(book):
    """What lay in the box before is never touched; asked again, the line stands."""
    drawn = line(book, 7, 101)

    assert (drawn.uid, drawn.since) == (100, NOW - ledger.SKEW)
    assert line(book, 7, 500, now=NOW + timedelta(days=9)) == drawn


def test_after_a_new_uidvalidity_the_moment_still_holds(book):
    """UIDs begin anew, the day does not."""
    line(book, 7, 101)

    drawn = line(book, 8, 3, now=NOW + timedelta(days=9))

    assert (drawn.uid, drawn.since) == (0, NOW - ledger.SKEW)


def test_a_start_day_in_the_settings_looks_back(book):
    """From that moment on, whatever the UIDs."""
    since = NOW - timedelta(days=30)

    assert line(book, 7, 101, since=since) == ledger.Line(uid=0, since=since)


def fetched(uid, uidvalidity=7):
    delivery = Delivery(account="main", folder="INBOX", uidvalidity=uidvalidity, uid=uid)
    return Fetched(delivery=delivery, raw=b"x", size=1, internal_date=NOW)


def note(book, *uids, raw="r"):
    with book.transaction() as connection:
        ledger.note_deliveries(connection, [(fetched(uid), f"{raw}{uid}") for uid in uids])
        return ledger.pending(connection, "new", account="main")


def test_a_delivery_is_noted_once(book):
    """Fetched again after a kill, it is the same row."""
    note(book, 5, 6)

    waiting = note(book, 6, 7, raw="other")

    assert [(item.delivery.uid, item.raw) for item in waiting] == [(5, "r5"), (6, "r6"), (7, "other7")]
    with book.reading() as connection:
        assert ledger.highest_uid(connection, "main", "INBOX", 7) == 7
        assert ledger.highest_uid(connection, "main", "INBOX", 8) == 0
        assert ledger.pending(connection, "new", account="another") == []


def test_a_delivery_goes_from_new_to_decided_to_done(book):
    """With a folder it waits for its filing; without one it is done at once."""
    first, second = note(book, 5, 6)
    with book.transaction() as connection:
        message = message_row(connection, "d")
        ledger.decide_delivery(connection, first.id, message, "accepted")
        ledger.decide_delivery(connection, second.id, message, None)
        [decided] = ledger.pending(connection, "decided", account="main")
        assert (decided.id, decided.file_to, decided.message) == (first.id, "accepted", message)
        ledger.note_filed(connection, first.id, Filed(folder="Recibidas", uidvalidity=1, uid=9))

    with book.reading() as connection:
        assert ledger.pending(connection, "decided", account="main") == []
        assert ledger.pending(connection, "new", account="main") == []
        # The last that is done with counts: there a person would have taken it from.
        delivery, filed = ledger.last_filed(connection, message)
    assert (delivery.uid, filed) == (6, None)


def test_where_a_mail_was_filed_is_kept(book):
    """To see whether a person has put it back since."""
    [item] = note(book, 5)
    filed = Filed(folder="Recibidas", uidvalidity=1, uid=9)
    with book.transaction() as connection:
        message = message_row(connection, "d")
        ledger.decide_delivery(connection, item.id, message, "accepted")
        ledger.note_filed(connection, item.id, filed)

    with book.reading() as connection:
        assert ledger.last_filed(connection, message) == (item.delivery, filed)
        assert ledger.last_filed(connection, 99) is None


def test_a_mail_that_the_server_withholds_is_asked_for_again(book):
    """It is noted without an original, and taken when it comes; then it is like any other."""
    with book.transaction() as connection:
        ledger.note_deliveries(connection, [(fetched(5), "")])
        assert ledger.pending(connection, "new", account="main") == []
        assert [item.delivery.uid for item in ledger.pending(connection, "withheld", account="main")] == [5]

    assert [item.raw for item in note(book, 5)] == ["r5"]
    assert [item.raw for item in note(book, 5, raw="other")] == ["r5"]


def message_row(connection, digest, raw=None):
    values = {"digest": digest, "disposition": "ignored", "reason": "x", "errors": "[]", "raw": raw}
    moments = {"received": stamp(NOW), "judged": stamp(NOW)}
    return connection.execute(insert(messages).values(**values, **moments)).inserted_primary_key[0]


def test_failed_attempts_are_counted_across_restarts(book):
    """After the last one the message is held; a restart forgets none."""
    [item] = note(book, 5)
    with book.transaction() as connection:
        assert ledger.count_attempt(connection, item.id) == 1
    with reopened(book).transaction() as connection:
        assert ledger.count_attempt(connection, item.id) == 2


def test_originals_stay_as_long_as_anything_needs_them(book):
    """A verdict is owed, or its message was about the call; those of mail left for people go."""
    first, second, third = note(book, 5, 6, 7)
    with book.transaction() as connection:
        ledger.decide_delivery(connection, second.id, message_row(connection, "left"), None)
        ledger.decide_delivery(connection, third.id, message_row(connection, "kept", raw="r7"), None)

    with book.reading() as connection:
        assert ledger.originals_in_use(connection) == {first.raw, "r7"}
        assert [ledger.is_original_in_use(connection, raw) for raw in ("r5", "r6", "r7")] == [
            True,
            False,
            True,
        ]


def test_every_table_refuses_a_row_that_names_nothing(book):
    """Foreign keys hold."""
    from sqlalchemy.exc import IntegrityError

    [item] = note(book, 5)
    with pytest.raises(IntegrityError), book.transaction() as connection:
        connection.execute(deliveries.update().where(deliveries.c.id == item.id).values(message=999))
