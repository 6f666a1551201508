r"""The mailbox: hands over new messages as bytes and files them; knows nothing of what is in them.

It never sets `\Seen`, never touches flags, and removes nothing but the one message that it files. It keeps the
inbox selected from `connect` to `close`; UIDs given to it are UIDs of the inbox.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol

from config.settings import Mailbox as MailboxSettings
from intake import imap_lines
from intake.errors import MailboxUnavailable
from intake.imap_connection import ImapConnection, encoded, must
from intake.imap_lines import groups
from intake.sent_folder import REPLY_HEADER, SentAnswer, SentIndex

__all__ = [
    "REPLY_HEADER",
    "Delivery",
    "Fetched",
    "Filed",
    "FolderState",
    "Gone",
    "ImapMailbox",
    "Mailbox",
    "SentAnswer",
]

_BATCH_MAILS = 50
_BATCH_BYTES = 8_000_000
_CHUNK = 1_000_000
_LISTED = 500
# Gmail and Exchange drop an IDLE after about ten minutes.
_IDLE_SECONDS = 9 * 60 - 10


class Gone(LookupError):
    """The message is no longer in the inbox: somebody moved or deleted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where one copy of a message was put by the server; the key of a delivery in the ledger."""

    account: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One message as it came.

    Attributes:
        raw: The bytes; None when over the limit (see `fetch_chunks`) or withheld.
        size: Bytes, as the server tells.
        internal_date: When the server received it; aware.
        withheld: True when the server refuses to give this one message out.
    """

    delivery: Delivery
    raw: bytes | None
    size: int
    internal_date: datetime
    withheld: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where a message lies after filing; UIDVALIDITY and UID are None where the server does not tell (no UIDPLUS)."""

    folder: str
    uidvalidity: int | None
    uid: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderState:
    """Two numbers of the inbox: a changed UIDVALIDITY voids every UID; UIDNEXT is above every UID there is."""

    uidvalidity: int
    uidnext: int


class Mailbox(Protocol):
    """What the worker needs of a mailbox; every method may raise `MailboxUnavailable`."""

    @property
    def commands(self) -> int: ...
    def connect(self) -> None: ...
    def close(self) -> None: ...
    @property
    def connected(self) -> bool: ...
    def prepare_folders(self, names: Iterable[str]) -> None: ...
    def filed_count(self, names: Iterable[str]) -> int: ...
    def state(self) -> FolderState: ...
    def new_uids(self, after: int, since: date | None = None) -> list[int]: ...
    def fetch(self, uids: Iterable[int]) -> Iterator[Fetched]: ...
    def fetch_chunks(self, uid: int) -> Iterator[bytes]: ...
    def file(self, uid: int, folder: str, *, uidvalidity: int | None = None) -> Filed | None: ...
    def file_all(
        self, uids: Sequence[int], folder: str, *, uidvalidity: int | None = None
    ) -> dict[int, Filed | None]: ...
    def holds(self, folder: str, uidvalidity: int, uid: int) -> bool: ...
    def answers_to(self, message_ids: Iterable[str], since: date) -> list[SentAnswer]: ...
    def append_sent(self, raw: bytes, date: datetime) -> None: ...
    def wait(self, timeout_seconds: float, stop: threading.Event) -> bool: ...


class ImapMailbox:
    """A `Mailbox` on an IMAP server.

    After a `MailboxUnavailable` the connection is gone (`connected` is False); `connect` again. Folder names are
    those of `settings.folders`, without their root; full paths as `Filed.folder` tells them are understood too.
    """

    def __init__(self, settings: MailboxSettings, *, max_bytes: int) -> None:
        """Remember; nothing is connected yet.

        Args:
            settings: The account.
            max_bytes: Larger messages are not fetched whole.
        """
        self._settings = settings
        self._max_bytes = max_bytes
        self._link = ImapConnection(settings)
        self._validity: int | None = None
        self._sent = SentIndex(self._link)

    @property
    def commands(self) -> int:
        """IMAP commands sent since `connect`."""
        return self._link.commands

    @property
    def connected(self) -> bool:
        return self._link.is_open

    @property
    def can_file(self) -> bool:
        """Whether the server can take one message out of the inbox without touching others (MOVE or UIDPLUS)."""
        return bool({"MOVE", "UIDPLUS"} & self._link.capabilities)

    def connect(self) -> None:
        """Connect, sign in, select the inbox.

        Raises:
            MailboxUnavailable: Not reachable now.
            SignInRefused: User name or password are not accepted.
        """
        self._link.open()
        self._validity = None
        self._enter_inbox()

    def close(self) -> None:
        """Log out; harmless when closed already."""
        self._link.close()

    def _enter_inbox(self) -> int:
        if self._validity is None or self._link.selected != self._settings.inbox:
            validity, _ = self._link.select(self._settings.inbox)
            if self._validity not in {None, validity}:
                # Every UID that the caller holds would now name another message.
                self._link.drop()
                raise MailboxUnavailable("The inbox was rebuilt on the server while it was being read")
            self._validity = validity
        return self._validity

    def prepare_folders(self, names: Iterable[str]) -> None:
        """Make the missing folders below the root, and the root; folders that are there stay as they are."""
        _, separator = self._link.layout()
        root = self._path("").rstrip(separator)
        present = self._link.folders(f"{root}*")
        wanted = [*([root] if root else []), *(self._path(name) for name in names)]
        for path in wanted:
            if path not in present:
                self._link.create(path)
                present.add(path)

    def filed_count(self, names: Iterable[str]) -> int:
        """How many mails lie in our folders; folders that are not there hold none."""
        root = self._path("").rstrip(self._link.layout()[1])
        present = self._link.folders(f"{root}*")
        paths = [path for path in (self._path(name) for name in names) if path in present]
        return sum(self._link.status(path).get("MESSAGES", 0) for path in paths)

    def _path(self, name: str) -> str:
        # "/" in a setting means a level, whatever the server writes for it; a separator in a folder's own name is
        # no level ("Avisos aut." on a server that separates by a point).
        prefix, separator = self._link.layout()
        root = self._settings.folders.root.strip("/")
        above = (
            separator.join(_plain(level, separator) for level in root.split("/")) + separator if root else ""
        )
        if not above.startswith(prefix):
            above = prefix + above
        if above and name.startswith(above):
            return name
        return above + separator.join(_plain(level, separator) for level in name.split("/"))

    def state(self) -> FolderState:
        """UIDVALIDITY and UIDNEXT of the inbox now; one command."""
        told = self._link.status(self._settings.inbox)
        if told.get("UIDVALIDITY") != self._validity:
            self._validity = None
        validity = self._enter_inbox()
        return FolderState(uidvalidity=validity, uidnext=told.get("UIDNEXT", 0) or self._uid_above_all())

    def _uid_above_all(self) -> int:
        # A server that does not tell UIDNEXT: the last message's UID, plus one.
        _, data = self._link.uid("SEARCH", "UID", "*")
        return max(imap_lines.numbers(data), default=0) + 1

    def new_uids(self, after: int, since: date | None = None) -> list[int]:
        """UIDs of the inbox above `after`, ascending; two commands whatever the size of the inbox.

        Args:
            after: UIDs up to this one are known.
            since: Leave out what the server received before this day (its own idea of a day).
        """
        self._enter_inbox()
        self._link.noop()
        days = ("SINCE", imap_lines.day(since)) if since is not None else ()
        typ, data = self._link.uid("SEARCH", "UID", f"{int(after) + 1}:*", *days)
        must(typ, "search the inbox")
        # `n:*` always names the last message, even where its UID is below n (RFC 3501, section 6.4.8).
        return [uid for uid in imap_lines.numbers(data) if uid > after]

    def fetch(self, uids: Iterable[int]) -> Iterator[Fetched]:
        """The messages, in batches of about 50 or 8 MB; those that are gone are left out. Nothing becomes read by it.

        Other methods may be called between two items.
        """
        for group in groups(sorted(set(uids)), _LISTED):
            validity = self._enter_inbox()
            typ, data = self._link.uid("FETCH", imap_lines.uid_set(group), "(RFC822.SIZE INTERNALDATE)")
            must(typ, "tell the sizes of messages")
            wanted = set(group)
            listed = [
                line for line in imap_lines.fetch_lines(data) if line.uid in wanted and line.size is not None
            ]
            for batch in self._batches(listed):
                yield from self._fetch_batch(batch, validity)

    def _batches(self, listed: Sequence[imap_lines.FetchLine]) -> Iterator[list[imap_lines.FetchLine]]:
        batch: list[imap_lines.FetchLine] = []
        load = 0
        for line in listed:
            size = line.size or 0
            if batch and (len(batch) >= _BATCH_MAILS or load + size > _BATCH_BYTES):
                yield batch
                batch, load = [], 0
            batch.append(line)
            load += size if size <= self._max_bytes else 0
        if batch:
            yield batch

    def _fetch_batch(self, batch: Sequence[imap_lines.FetchLine], validity: int) -> Iterator[Fetched]:
        if self._enter_inbox() != validity:
            return
        within = [line.uid for line in batch if (line.size or 0) <= self._max_bytes]
        bodies, withheld = self._bodies(within)
        for line in batch:
            raw = bodies.pop(line.uid, None)
            if raw is None and line.uid in within and line.uid not in withheld:
                # Moved or deleted by somebody between the two commands.
                continue
            size = len(raw) if raw is not None else line.size or 0
            yield Fetched(
                delivery=Delivery(
                    account=self._settings.name,
                    folder=self._settings.inbox,
                    uidvalidity=validity,
                    uid=line.uid,
                ),
                raw=raw if size <= self._max_bytes else None,
                size=size,
                internal_date=line.internal_date or datetime.now(UTC),
                withheld=line.uid in withheld,
            )

    def _bodies(self, uids: Sequence[int]) -> tuple[dict[int, bytes], set[int]]:
        """Bytes by UID, and the UIDs that the server refuses to give out."""
        if not uids:
            return {}, set()
        typ, data = self._link.uid("FETCH", imap_lines.uid_set(uids), "(BODY.PEEK[])")
        if typ == "OK":
            return {
                line.uid: line.literals[0] for line in imap_lines.fetch_lines(data) if line.literals
            }, set()
        if len(uids) == 1:
            return {}, set(uids)
        # Some servers refuse a whole batch for one damaged message: it must not stop the others.
        bodies: dict[int, bytes] = {}
        withheld: set[int] = set()
        for uid in uids:
            body, refused = self._bodies([uid])
            bodies.update(body)
            withheld.update(refused)
        return bodies, withheld

    def fetch_chunks(self, uid: int) -> Iterator[bytes]:
        """One message in pieces of a megabyte, for those over the limit.

        Raises:
            Gone: It is not there (any more), or is withheld.
        """
        offset = 0
        while True:
            self._enter_inbox()
            typ, data = self._link.uid("FETCH", str(int(uid)), f"(BODY.PEEK[]<{offset}.{_CHUNK}>)")
            found = [
                line.literals[0] for line in imap_lines.fetch_lines(data) if line.uid == uid and line.literals
            ]
            if typ != "OK" or not found:
                raise Gone(f"UID {uid}")
            if found[0]:
                yield found[0]
            if len(found[0]) < _CHUNK:
                return
            offset += _CHUNK

    def file(self, uid: int, folder: str, *, uidvalidity: int | None = None) -> Filed | None:
        """Move one message out of the inbox; its flags, read or unread among them, go with it.

        With neither MOVE nor UIDPLUS nothing can be removed without a bare EXPUNGE, which would also remove what
        other clients marked: then the message stays where it is, and None is returned (see `can_file`).

        Args:
            uid: The message.
            folder: A name of `settings.folders`; made if it is missing.
            uidvalidity: Under which the UID was told; if the inbox has another now, the message counts as gone.

        Returns:
            Where it lies now, or None when the UID is no longer there.
        """
        validity = self._enter_inbox()
        if uidvalidity not in {None, validity} or not self.can_file:
            return None
        path = self._path(folder)
        verb = "MOVE" if "MOVE" in self._link.capabilities else "COPY"
        typ, data = self._link.uid(verb, str(int(uid)), encoded(path))
        if typ != "OK" and imap_lines.response_code(data) in {"TRYCREATE", "NONEXISTENT"}:
            self.prepare_folders([folder])
            typ, data = self._link.uid(verb, str(int(uid)), encoded(path))
        copied = imap_lines.copied_to(self._link.told("COPYUID"))
        left = bool(self._link.told("EXPUNGE"))
        if typ != "OK":
            if self._is_there(uid):
                raise MailboxUnavailable(f"The server does not move a message to {path!r}")
            return None
        if verb == "COPY" and copied is not None:
            self._remove(uid)
        if copied is None:
            # Without UIDPLUS only the news of a removal tells that there was something to move.
            silent = left and "UIDPLUS" not in self._link.capabilities
            return Filed(folder=path, uidvalidity=None, uid=None) if silent else None
        return Filed(folder=path, uidvalidity=copied[0], uid=copied[1])

    def file_all(
        self, uids: Sequence[int], folder: str, *, uidvalidity: int | None = None
    ) -> dict[int, Filed | None]:
        """Move several messages into one folder with one command where the server can; see `file`.

        Returns:
            Where each lies now, `None` for one that was no longer there. One that the server does not move is
            left out, and stops no other.
        """
        validity = self._enter_inbox()
        together = {"MOVE", "UIDPLUS"} <= self._link.capabilities and uidvalidity in {None, validity}
        if len(uids) > 1 and together:
            path = self._path(folder)
            typ, _ = self._link.uid("MOVE", imap_lines.uid_set(uids), encoded(path))
            copied = imap_lines.copies_to(self._link.told("COPYUID")) if typ == "OK" else None
            if copied is not None:
                moved = {
                    old: Filed(folder=path, uidvalidity=copied[0], uid=new) for old, new in copied[1].items()
                }
                return {uid: moved.get(uid) for uid in uids}
        settled: dict[int, Filed | None] = {}
        for uid in uids:
            try:
                settled[uid] = self.file(uid, folder, uidvalidity=uidvalidity)
            except MailboxUnavailable:
                if not self.connected:
                    raise
        return settled

    def _is_there(self, uid: int) -> bool:
        self._link.noop()
        _, data = self._link.uid("SEARCH", "UID", str(int(uid)))
        return uid in imap_lines.numbers(data)

    def _remove(self, uid: int) -> None:
        typ, _ = self._link.uid("STORE", str(int(uid)), "+FLAGS.SILENT", "(\\Deleted)")
        must(typ, "mark a filed message")
        typ, _ = self._link.uid("EXPUNGE", str(int(uid)))
        must(typ, "remove a filed message")

    def holds(self, folder: str, uidvalidity: int, uid: int) -> bool:
        """Whether the copy that `file` told of is still in its folder."""
        path = self._path(folder)
        if path not in self._link.folders(path):
            return False
        if self._link.status(path).get("UIDVALIDITY") != uidvalidity:
            return False
        self._link.select(path, readonly=True)
        _, data = self._link.uid("SEARCH", "UID", str(int(uid)))
        self._enter_inbox()
        return uid in imap_lines.numbers(data)

    def answers_to(self, message_ids: Iterable[str], since: date) -> list[SentAnswer]:
        """Mails in the Sent folder that name one of these Message-IDs, ours and people's.

        Only numbers and a day are sent to the server; the comparing is done here.

        Args:
            message_ids: With or without angle brackets.
            since: The first day of interest.

        Returns:
            Empty too when `settings.sent` is empty.
        """
        wanted = {known.strip().strip("<>") for known in message_ids} - {""}
        if not self._settings.sent or not wanted:
            return []
        answers = self._sent.since(self._sent_path(), since)
        if self._link.selected != self._settings.inbox:
            self._enter_inbox()
        return [
            answer
            for answer in answers
            if wanted & {each.strip("<>") for each in (*answer.in_reply_to, *answer.references)}
        ]

    def append_sent(self, raw: bytes, date: datetime) -> None:
        """Put a copy of a sent reply into Sent, as read; does nothing when `settings.sent` is empty.

        Args:
            raw: The mail.
            date: When it was sent; aware.
        """
        if self._settings.sent:
            self._link.append(self._sent_path(), raw, date)

    def _sent_path(self) -> str:
        _, separator = self._link.layout()
        return self._settings.sent.replace("/", separator)

    def wait(self, timeout_seconds: float, stop: threading.Event) -> bool:
        """Wait with IDLE until something new is in the inbox; for a connection that does nothing else.

        What came before `connect` is not announced: look once after connecting.

        Args:
            timeout_seconds: How long at most; cut to under nine minutes, after which servers hang up.
            stop: Ends the waiting within a second.

        Returns:
            True when something arrived; False on time-out, on `stop`, and after waiting without IDLE.
        """
        deadline = time.monotonic() + min(timeout_seconds, _IDLE_SECONDS)
        self._enter_inbox()
        if "IDLE" not in self._link.capabilities:
            stop.wait(max(0, deadline - time.monotonic()))
            return False
        arrived = False
        while not arrived and not stop.is_set() and time.monotonic() < deadline:
            arrived = self._link.idle(deadline, stop)
        return arrived


def _plain(level: str, separator: str) -> str:
    return level if separator == "/" else level.replace(separator, "-")
