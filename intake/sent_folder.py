"""Threading headers of the Sent folder: who has already answered which message, people or we.

Reads headers alone, never a body, and compares nothing: no Message-ID that a sender chose goes into a command.
"""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import Message
from email.utils import parsedate_to_datetime

from intake import imap_lines
from intake.imap_connection import ImapConnection, must

#: Header that every reply of ours carries; tells our mails in Sent from people's.
REPLY_HEADER = "X-Practice-Intake-Reply"

_HEADERS_AT_ONCE = 500
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_SENT_FIELDS = f"(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID IN-REPLY-TO REFERENCES DATE {REPLY_HEADER.upper()})])"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAnswer:
    """The threading headers of one mail in Sent; Message-IDs with their angle brackets.

    Attributes:
        reply_id: What our own replies carry in `X-Practice-Intake-Reply`; None on people's mails.
    """

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    reply_id: str | None
    date: datetime | None


class SentIndex:
    """Headers of the Sent folder, read once a connection: asked before every judgement and every sending."""

    def __init__(self, link: ImapConnection) -> None:
        self._link = link
        self._answers: list[SentAnswer] = []
        self._read: tuple[str, int, date] | None = None
        self._next = 1

    def since(self, folder: str, day: date) -> list[SentAnswer]:
        """Every mail in the folder since that day; may hold some that were removed meanwhile."""
        told = self._link.status(folder)
        # SEARCH compares days without a zone: one day earlier is safe.
        start = day - timedelta(days=1)
        if (
            self._read is None
            or self._read[:2] != (folder, told.get("UIDVALIDITY", 0))
            or start < self._read[2]
        ):
            self._answers, self._next = [], 1
            self._read = (folder, told.get("UIDVALIDITY", 0), start)
        if told.get("UIDNEXT", 0) != self._next:
            self._read_on(folder, self._read[2])
            self._next = told.get("UIDNEXT", 0)
        return self._answers

    def _read_on(self, folder: str, start: date) -> None:
        self._link.select(folder, readonly=True)
        typ, data = self._link.uid("SEARCH", "UID", f"{max(self._next, 1)}:*", "SINCE", imap_lines.day(start))
        must(typ, "search the Sent folder")
        fresh = [uid for uid in imap_lines.numbers(data) if uid >= self._next]
        for group in imap_lines.groups(fresh, _HEADERS_AT_ONCE):
            typ, data = self._link.uid("FETCH", imap_lines.uid_set(group), _SENT_FIELDS)
            must(typ, "fetch headers from the Sent folder")
            self._answers += [
                _sent_answer(line.literals[0]) for line in imap_lines.fetch_lines(data) if line.literals
            ]


def _sent_answer(header: bytes) -> SentAnswer:
    message = email.message_from_bytes(header)
    ids = _ids(message, "Message-ID")
    reply_id = message.get(REPLY_HEADER)
    return SentAnswer(
        message_id=ids[0] if ids else "",
        in_reply_to=_ids(message, "In-Reply-To"),
        references=_ids(message, "References"),
        reply_id=None if reply_id is None else str(reply_id).strip(),
        date=_date(message),
    )


def _ids(message: Message, name: str) -> tuple[str, ...]:
    return tuple(_MESSAGE_ID.findall(" ".join(str(value) for value in message.get_all(name, []))))


def _date(message: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(message["Date"]))
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
