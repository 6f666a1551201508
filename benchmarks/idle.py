"""What a tick costs when there is nothing to do: commands, files, time against the length of the ledger.

The ledgers are filled by SQL with rows as the worker leaves them when all is settled.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from contestants import mails_for, worker_office
from offices import Office
from places import Post, Sink
from sqlalchemy import Table, insert

from intake import schema
from intake.assembly import assembled, open_ledger
from intake.ledger import stamp
from intake.worker import Worker, now_utc

# Stands for the forms and mails in long columns, which no idle tick may read.
_FILLER = "x" * 1_000
# Taken by each of the two workers, to see whether a mail costs more with many behind it.
MAILS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """What was found.

    Attributes:
        commands: IMAP commands of one tick.
        written: Names of files below the office's folder that changed.
        ticks: How many pairs were measured.
        small, large: Median milliseconds of a tick with few and with many mails in the ledger.
        ratio: Median of the pairs' own ratios, wall time.
        cpu_ratio: The same in processor time of the worker.
        mail_small, mail_large: Milliseconds of processor time for a mail, with few and with many in the ledger.
    """

    commands: int
    written: tuple[str, ...]
    ticks: int
    small: float
    large: float
    ratio: float
    cpu_ratio: float
    mail_small: float
    mail_large: float


def measure(folder: Path, post: Post, sink: Sink, sizes: tuple[int, int], pairs: int) -> Idle:
    """Ticks of two running workers in turn, one with few and one with many mails behind it."""
    with ExitStack() as stack:
        offices = [worker_office(folder / str(size), post, sink) for size in sizes]
        workers = [stack.enter_context(assembled(office.config)) for office in offices]
        for office, worker, size in zip(offices, workers, sizes, strict=True):
            worker.tick()
            post.fill(office.imap, mails_for(office, 10, seed=3))
            worker.tick()
            fill(office, size)
            for _ in range(5):
                worker.tick()
        commands = _commands(workers[1])
        before = _files(offices[1].home)
        for _ in range(20):
            workers[1].tick()
        after = _files(offices[1].home)
        times = list(_pairs(workers[0], workers[1], pairs))
        busy = [_busy(office, worker, post) for office, worker in zip(offices, workers, strict=True)]
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return Idle(
        commands=commands,
        written=tuple(sorted(changed)),
        ticks=pairs,
        small=statistics.median(few[0] for few, _many in times) * 1e3,
        large=statistics.median(many[0] for _few, many in times) * 1e3,
        ratio=statistics.median(many[0] / few[0] for few, many in times),
        cpu_ratio=statistics.median(many[1] / few[1] for few, many in times),
        mail_small=busy[0] * 1e3,
        mail_large=busy[1] * 1e3,
    )


def _busy(office: Office, worker: Worker, post: Post) -> float:
    """Processor seconds of the worker for one mail of the usual mix."""
    count = post.fill(office.imap, mails_for(office, MAILS, seed=4))
    _wall, cpu = _timed(worker)
    return cpu / count


def _commands(worker: Worker) -> int:
    mailbox = worker._mailbox  # noqa: SLF001
    before = mailbox.commands
    worker.tick()
    return int(mailbox.commands - before)


_Times = tuple[float, float]


def _pairs(few: Worker, many: Worker, count: int) -> Iterator[tuple[_Times, _Times]]:
    for number in range(count):
        # Whoever comes second finds the caches of the machine as the other left them: they take turns.
        if number % 2:
            second = _timed(many)
            yield _timed(few), second
        else:
            first = _timed(few)
            yield first, _timed(many)


def _timed(worker: Worker) -> _Times:
    wall, cpu = time.perf_counter(), time.process_time()
    worker.tick()
    return time.perf_counter() - wall, time.process_time() - cpu


def _files(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Every file with size, time of change, inode and contents."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        status = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns, status.st_ino, digest)
    return found


def fill(office: Office, count: int) -> None:
    """Puts settled mails into an office's ledger, nine of ten with a case."""
    book = open_ledger(office.config)
    # Long ago: what counts the replies of the last hour must not find them all.
    now = stamp(now_utc() - timedelta(days=30))
    with book.transaction() as connection:
        for table, rows in _rows(count, now):
            connection.execute(insert(table), [_whole(table, row) for row in rows])
    book.close()


def _whole(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """A row with something in each column that must have it."""
    needed = {
        column.name: column.type.python_type()
        for column in table.columns
        if not column.nullable and column.default is None and not column.primary_key
    }
    known = {name: value for name, value in row.items() if name in table.columns}
    return {**needed, **known}


def _rows(count: int, now: str) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    """Rows by table, numbered from a million so that they meet no real ones."""
    numbers = range(1_000_000, 1_000_000 + count)
    with_case = [number for number in numbers if number % 10]
    yield schema.messages, [_message(number, now) for number in numbers]
    yield schema.deliveries, [_delivery(number, now) for number in numbers]
    yield schema.cases, [_case(number, now) for number in with_case]
    yield schema.versions, [_version(number, now) for number in with_case]
    yield (
        schema.voices,
        [
            {
                "reference": f"OLD-{number}",
                "address": f"a{number}@x.example",
                "role": "sender",
                "verified": True,
            }
            for number in with_case
        ],
    )
    yield schema.outbox, [_reply(number, now) for number in with_case]
    yield schema.outbox_cases, [{"outbox": number, "reference": f"OLD-{number}"} for number in with_case]
    yield (
        schema.events,
        [
            {"reference": f"OLD-{number}", "message": number, "at": now, "action": "reply_sent"}
            for number in with_case
        ],
    )
    yield (
        schema.register_cells,
        [
            {"sheet": "practices", "case": f"K{number}", "column": column, "written": "text"}
            for number in with_case
            for column in ("title", "situation", "language")
        ],
    )


def _message(number: int, now: str) -> dict[str, Any]:
    return {
        "id": number,
        "digest": f"{number:064d}",
        "message_id": f"<{number}@x.example>",
        "raw": f"{number:064d}",
        "disposition": "accepted",
        "reason": "",
        "received": now,
        "judged": now,
        "sender": f"a{number}@x.example",
        "subject": f"Envío {number}",
        "file_to": "accepted",
    }


def _delivery(number: int, now: str) -> dict[str, Any]:
    return {
        "id": number,
        "account": "main",
        "folder": "INBOX",
        "uidvalidity": 1,
        "uid": number,
        "raw": f"{number:064d}",
        "size": 70_000,
        "internal_date": now,
        "state": "done",
        "message": number,
        "file_to": "accepted",
        "filed_folder": "Prácticas/Recibidas",
        "filed_uidvalidity": 2,
        "filed_uid": number,
    }


def _case(number: int, now: str) -> dict[str, Any]:
    return {
        "reference": f"OLD-{number}",
        "row_key": f"K{number}",
        "opened": now,
        "disposition": "accepted",
        "situation": "complete",
        "title": f"Práctica {number}",
        "language": "es",
        "changed": 2,
        "registered": 2,
        "changed_at": now,
    }


def _version(number: int, now: str) -> dict[str, Any]:
    return {
        "reference": f"OLD-{number}",
        "number": 1,
        "message": number,
        "at": now,
        "source": "sender",
        "digest": f"{number:064d}",
        "disposition": "accepted",
        "form": _FILLER,
        "findings": "[]",
    }


def _reply(number: int, now: str) -> dict[str, Any]:
    return {
        "id": number,
        "message": number,
        "kind": "acknowledgement",
        "state": "sent",
        "due": now,
        "recipient": f"a{number}@x.example",
        "language": "es",
        "subject": "Recibida",
        "message_id": f"<r{number}@x.example>",
        "reply_id": f"r{number}",
        "mime": _FILLER.encode(),
        "created": now,
        "settled": now,
    }
