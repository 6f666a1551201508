"""Mail of the past through the whole pipeline with a ledger in memory: sends and writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from config import Config
from config.settings import Mailbox
from intake import outbox, recall
from intake.bounded import BoundedReader, ReadingFailed
from intake.committing import commit
from intake.judging import judge
from intake.ledger import Ledger
from intake.reading import Reading
from intake.reporting import message_json

_MAIL_FIELDS = frozenset(
    {
        b"from",
        b"to",
        b"subject",
        b"date",
        b"received",
        b"return-path",
        b"message-id",
        b"delivered-to",
        b"mime-version",
    }
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One mail on disk."""

    path: Path
    name: str


def find_mails(paths: Sequence[Path]) -> list[Stored]:
    """The mails in files, Maildirs and folders, by path.

    Of a folder: what ends in `.eml`, what lies in a Maildir's `cur` and `new`, and whatever begins like a mail,
    for exports name their files as they like.
    """
    found: dict[Path, Stored] = {}
    for path in paths:
        if path.is_file():
            found[path] = Stored(path=path, name=str(path))
            continue
        for file in sorted(item for item in path.rglob("*") if item.is_file()):
            if file.suffix.lower() == ".eml" or file.parent.name in {"cur", "new"} or _begins_like_mail(file):
                found[file] = Stored(path=file, name=str(file))
    return list(found.values())


def _begins_like_mail(file: Path) -> bool:
    """Whether the first lines are header fields that only mail has (RFC 5322, section 3.6)."""
    if file.name.startswith(".") or (file.parent.name == "tmp" and (file.parent.parent / "cur").is_dir()):
        # What a Maildir's delivery has not finished is not there yet.
        return False
    with file.open("rb") as opened:
        lines = opened.read(4096).splitlines()[:30]
    names = {line.partition(b":")[0].strip().lower() for line in lines if b":" in line[:60]}
    return len(names & _MAIL_FIELDS) >= 2


def with_mailbox(config: Config, own: Sequence[str], *, dedicated: bool) -> Config:
    """A configuration with a mailbox, made up where the settings have none.

    Raises:
        ValueError: One of `own` is no address.
    """
    settings = config.settings
    if settings.mailboxes and not own and not dedicated:
        return config
    known: dict[str, Any] = (
        settings.mailboxes[0].model_dump() if settings.mailboxes else {"host": "localhost"}
    )
    known.setdefault("address", own[0] if own else settings.office.contact)
    known["own_addresses"] = (*known.get("own_addresses", ()), *own)
    known["dedicated"] = dedicated or known.get("dedicated", False)
    box = Mailbox.model_validate(known)
    return config.model_copy(update={"settings": settings.model_copy(update={"mailboxes": (box,)})})


def replay(mails: Sequence[Stored], config: Config) -> Iterator[dict[str, Any]]:
    """Judges stored mails in the order of their arrival.

    Yields:
        One object a mail, as the command contract says.
    """
    book = Ledger(None)
    book.open(_EPOCH)
    with BoundedReader(config) as reader:
        readings = [_read(mail, reader, config) for mail in mails]
        order = sorted(range(len(mails)), key=lambda place: (_when(readings[place]), str(mails[place].path)))
        for place in order:
            mail, read = mails[place], readings[place]
            if isinstance(read.reading, Reading):
                yield _one(book, mail, read.digest, read.reading, config)
            else:
                yield _unread(mail, read.reading, config)
    book.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A mail as read, or why it could not be: `attempts`, `oversize`."""

    digest: str
    reading: Reading | str


def _read(mail: Stored, reader: BoundedReader, config: Config) -> _Read:
    if mail.path.stat().st_size > config.settings.limits.message_bytes:
        return _Read(digest="", reading="oversize")
    raw = mail.path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return _Read(digest=digest, reading=reader.read(raw))
    except ReadingFailed:
        return _Read(digest=digest, reading="attempts")


def _when(read: _Read) -> datetime:
    received = read.reading.received if isinstance(read.reading, Reading) else None
    return received or _EPOCH


def _one(book: Ledger, mail: Stored, digest: str, reading: Reading, config: Config) -> dict[str, Any]:
    received = reading.received or _EPOCH
    today = config.settings.office.local(received).date()
    with book.transaction() as connection:
        _hand_over(connection, received)
        if recall.known_message(connection, reading.digest, reading.message_id) is not None:
            screening = reading.screening
            return {
                **_nothing(mail, "redelivered"),
                "may_reply": screening.may_reply,
                "trust": screening.trust,
            }
        history = recall.history(connection, reading, config, received)
        judgement = judge(reading, history, config, today)
        recorded, reply = commit(
            connection,
            reading,
            judgement,
            history,
            raw=digest,
            received=received,
            earlier=None,
            sender=config.settings.mailboxes[0].address,
            config=config,
            now=received,
        )
        return message_json(mail.name, reading, judgement, recorded, reply, config)


def _hand_over(connection: Connection, now: datetime) -> None:
    """What would have left by now counts as sent: only so are rounds counted as in the running program."""
    while owed := outbox.due(connection, now):
        for reply in owed:
            outbox.mark(connection, reply.id, "sent", now)


def _nothing(mail: Stored, reason: str) -> dict[str, Any]:
    return {
        "file": mail.name,
        "disposition": "ignored",
        "reason": reason,
        "may_reply": False,
        "trust": "unverified",
        "replies": [],
        "forms": [],
    }


def _unread(mail: Stored, why: str, config: Config) -> dict[str, Any]:
    """What cannot be read is held; what is too large to be read is left, but in a box of practices alone."""
    held = why == "attempts" or config.settings.mailboxes[0].dedicated
    return {**_nothing(mail, why), "disposition": "held" if held else "ignored"}
