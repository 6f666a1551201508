"""Reads what an IMAP server says, as `imaplib` hands it over; pure.

Kept apart from the mailbox so that the answers of servers that are not at hand can be tested as bytes. It looks
only at the server's own words: bytes of a mail arrive as literals and are passed on unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"')
_EMPTY_BODY = re.compile(rb'\bBODY\[[^\]]*\](?:<\d+>)? ""')
_COPYUID = re.compile(rb"(\d+) (\S+) (\S+)")
_NAMESPACE = re.compile(rb'\(\("((?:[^"\\]|\\.)*)" (?:"(\\?.)"|NIL)')
_CODE = re.compile(rb"^\s*\[([A-Z0-9-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLine:
    """What one FETCH response told of one message.

    Attributes:
        literals: Bytes of the message or of its header, in the order asked; empty when none came.
    """

    uid: int
    size: int | None
    internal_date: datetime | None
    literals: tuple[bytes, ...]


def fetch_lines(data: Sequence[Any]) -> Iterator[FetchLine]:
    """One item a message; what carries no UID (news of flags that another client changed) is left out.

    Attributes may stand before or behind the literal: servers differ.

    Args:
        data: The second value of `imaplib.IMAP4.uid("FETCH", ...)`.
    """
    words = b""
    literals: list[bytes] = []
    for item in data:
        if isinstance(item, tuple):
            words += item[0] + b" "
            literals.append(item[1])
            continue
        if not isinstance(item, bytes):
            continue
        words += item
        line = _fetch_line(words, tuple(literals))
        words, literals = b"", []
        if line is not None:
            yield line


def _fetch_line(words: bytes, literals: tuple[bytes, ...]) -> FetchLine | None:
    uid = _UID.search(words)
    if uid is None:
        return None
    if not literals and _EMPTY_BODY.search(words):
        literals = (b"",)
    size = _SIZE.search(words)
    return FetchLine(
        uid=int(uid[1]),
        size=int(size[1]) if size else None,
        internal_date=_internal_date(words),
        literals=literals,
    )


def _internal_date(words: bytes) -> datetime | None:
    found = _DATE.search(words)
    if found is None:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = (
        part.decode() for part in found.groups()
    )
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
    except ValueError:
        # A leap second or a month of another language: the message is there all the same.
        return None


def copied_to(data: Sequence[Any]) -> tuple[int, int] | None:
    """UIDVALIDITY and UID of the copy of one message, from a COPYUID response code (RFC 4315, section 3).

    Args:
        data: What `imaplib` kept under `COPYUID`.
    """
    for item in reversed(data):
        found = _COPYUID.fullmatch(item.strip()) if isinstance(item, bytes) else None
        if found is not None and found[3].isdigit():
            return int(found[1]), int(found[3])
    return None


def copies_to(data: Sequence[Any]) -> tuple[int, dict[int, int]] | None:
    """UIDVALIDITY and, for each message, old and new UID, from a COPYUID response code (RFC 4315, section 3).

    Args:
        data: What `imaplib` kept under `COPYUID`.

    Returns:
        `None` where the server tells nothing, or two sets that do not match.
    """
    for item in reversed(data):
        words = item.split() if isinstance(item, bytes) else []
        if len(words) == 3 and words[0].isdigit():
            old, new = _listed(words[1]), _listed(words[2])
            return (int(words[0]), dict(zip(old, new, strict=True))) if len(old) == len(new) else None
    return None


def _listed(uids: bytes) -> list[int]:
    """A set of UIDs in the order in which it is written (RFC 4315: that of the copies)."""
    listed: list[int] = []
    for run in uids.split(b","):
        first, _, last = run.partition(b":")
        if not first.isdigit() or (last and not last.isdigit()):
            return []
        start, end = int(first), int(last or first)
        # A hostile or broken range is not spelled out.
        if abs(end - start) > 100_000:
            return []
        listed += range(start, end + 1) if start <= end else range(start, end - 1, -1)
    return listed


def namespace(data: Sequence[Any]) -> tuple[str, str] | None:
    """Prefix and separator of the user's own folders (RFC 2342); None when the server does not tell them."""
    for item in data:
        found = _NAMESPACE.match(item.strip()) if isinstance(item, bytes) else None
        if found is not None:
            prefix = re.sub(rb"\\(.)", rb"\1", found[1]).decode("ascii", "replace")
            return prefix, (found[2] or b"").decode("ascii", "replace").removeprefix("\\") or "/"
    return None


def response_code(data: Sequence[Any]) -> str:
    """The code in brackets with which a server explains an answer (RFC 5530), such as `UNAVAILABLE`; "" if none."""
    for item in data:
        found = _CODE.match(item) if isinstance(item, bytes) else None
        if found is not None:
            return found[1].decode("ascii")
    return ""


def numbers(data: Iterable[Any]) -> list[int]:
    """The numbers of a SEARCH response, ascending."""
    found = {int(word) for item in data if isinstance(item, bytes) for word in item.split() if word.isdigit()}
    return sorted(found)


def uid_set(uids: Iterable[int]) -> str:
    """UIDs as IMAP writes a set of them, runs folded: `3,5:9`."""
    runs: list[list[int]] = []
    for uid in sorted(set(uids)):
        if runs and runs[-1][1] == uid - 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)


def day(value: date) -> str:
    """A day as SEARCH wants it, `3-Nov-2026`, whatever the locale."""
    return f"{value.day}-{_MONTHS[value.month - 1]}-{value.year}"


def groups(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The UIDs in pieces of at most `size`, so that no command line grows without bound."""
    for start in range(0, len(uids), size):
        yield uids[start : start + size]
