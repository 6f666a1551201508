"""What is measured side by side on the same mails: the whole worker, getmail6, and the obvious code.

Each run has a fresh mailbox that was filled before the clock starts. Nothing here prints.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obvious
import sqlalchemy
from offices import Office, make_office
from places import AUTHSERV, PASSWORD, Post, Sink
from sqlalchemy.engine import Engine

from intake.assembly import assembled
from intake.demo.bulk import bulk
from intake.worker import Worker

SENT = "Sent"
# Mails that the worker and the obvious code take before the clock starts: a running program is measured.
WARM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one contestant.

    Attributes:
        seconds: From the mailbox full to all done.
        mails: How many it took.
        replies: How many the SMTP server got.
        connections: SMTP connections opened.
        counts: Other things counted, by name.
    """

    seconds: float
    mails: int
    replies: int = 0
    connections: int = 0
    counts: dict[str, int]


def worker_office(folder: Path, post: Post, sink: Sink) -> Office:
    """An office as it runs, with caps that the measuring does not reach."""
    box = post.new_box(folders=[SENT])
    office = make_office(folder, box, sink, replies="quiet_minutes = 0\nper_hour = 1000000")
    settings = folder / "settings.toml"
    text = settings.read_text(encoding="utf-8")
    text = text.replace("[smtp]", f'sent = "{SENT}"\n\n[smtp]', 1).replace(
        "per_minute = 10000", "per_minute = 1000000"
    )
    settings.write_text(text, encoding="utf-8")
    return office


def mails_for(office: Office, count: int, seed: int) -> list[bytes]:
    """The same mails at every call: 60 % complete forms, 30 % incomplete, 10 % neither; ~50 KB attached."""
    return list(bulk(count, office.config, seed, authserv_id=AUTHSERV))


def whole_worker(
    folder: Path, post: Post, sink: Sink, count: int, *, around: Callable[[Worker], Any] | None = None
) -> Run:
    """Everything that the worker does with a mail, from its box to its row, its reply and its folder.

    Args:
        folder: A new folder for this run.
        post, sink: The servers.
        count: Mails.
        around: Runs the measured tick itself (a profiler).
    """
    office = worker_office(folder, post, sink)
    with assembled(office.config) as worker:
        worker.tick()
        post.fill(office.imap, mails_for(office, WARM, seed=2))
        worker.tick()
        post.fill(office.imap, mails_for(office, count, seed=1))
        sink.taken()
        gc.collect()
        with counting() as counts:
            begun = time.perf_counter()
            report = around(worker) if around is not None else worker.tick()
            seconds = time.perf_counter() - begun
    replies, connections = sink.taken()
    rows = len(office.rows())
    if report.judged != count or report.waiting or rows != count * 9 // 10 + WARM * 9 // 10:
        raise RuntimeError(f"the worker did not do all: {report}, {rows} rows")
    if replies != report.sent:
        raise RuntimeError(f"{report.sent} replies were told, {replies} came")
    return Run(seconds=seconds, mails=count, replies=replies, connections=connections, counts=counts)


@contextmanager
def counting() -> Iterator[dict[str, int]]:
    """Counts what reaches the disk: flushes of files by the program, transactions that write and that only read."""
    counts = {"fsync": 0, "commit": 0, "read": 0}
    flush = os.fsync

    def counted(descriptor: int) -> None:
        counts["fsync"] += 1
        flush(descriptor)

    def on_commit(connection: sqlalchemy.Connection) -> None:
        reads_only = connection.get_execution_options().get("reads_only", False)
        counts["read" if reads_only else "commit"] += 1

    os.fsync = counted
    sqlalchemy.event.listen(Engine, "commit", on_commit)
    try:
        yield counts
    finally:
        os.fsync = flush
        sqlalchemy.event.remove(Engine, "commit", on_commit)


_GETMAIL = """[retriever]
type = SimpleIMAPRetriever
server = {host}
port = {port}
username = {user}
password = {password}
mailboxes = ("INBOX",)
[destination]
type = Maildir
path = {folder}/mail/
{user_line}
[options]
read_all = true
delete = false
verbose = 0
delivered_to = false
received = false
"""


class Getmail:
    """getmail6, merely fetching a mailbox to a Maildir; mail stays on the server."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self.program = Path(sys.executable).with_name("getmail")

    def run(self, folder: Path, mails: Sequence[bytes]) -> Run:
        """One fetch of a fresh mailbox.

        Raises:
            RuntimeError: It did not fetch all.
        """
        box = self._post.new_box()
        if mails:
            self._post.fill(box, mails)
        owner = self._post.owner
        for name in ("cur", "new", "tmp"):
            (folder / "mail" / name).mkdir(parents=True)
        settings = folder / "getmailrc"
        values = {
            "host": box.host,
            "port": box.port,
            "user": box.user,
            "password": PASSWORD,
            "folder": folder,
        }
        other = ""
        if os.geteuid() == 0:
            # It refuses to deliver mail as root.
            other = f"user = {owner.pw_name}"
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        settings.write_text(_GETMAIL.format(**values, user_line=other))
        command = [str(self.program), "--getmaildir", str(folder), "--rcfile", str(settings)]
        begun = time.perf_counter()
        done = subprocess.run(command, cwd="/", check=False, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        fetched = len(list((folder / "mail" / "new").iterdir()))
        if done.returncode or fetched != len(mails):
            raise RuntimeError(f"getmail fetched {fetched} of {len(mails)}: {done.stderr[-400:]}")
        return Run(seconds=seconds, mails=fetched, counts={})


def obvious_code(post: Post, sink: Sink, mails: Sequence[bytes], warm: Sequence[bytes]) -> Run:
    """What a day's work would write: see `obvious`."""
    box = post.new_box(folders=[obvious.DONE])
    seconds = 0.0
    for group in (warm, mails):
        post.fill(box, group)
        sink.taken()
        gc.collect()
        begun = time.perf_counter()
        done = obvious.process(box.host, box.port, box.user, PASSWORD, sink.host, sink.port)
        seconds = time.perf_counter() - begun
        if done != len(group):
            raise RuntimeError(f"the obvious code took {done} of {len(group)}")
    replies, connections = sink.taken()
    return Run(seconds=seconds, mails=len(mails), replies=replies, connections=connections, counts={})
