"""From the mailbox to the disk: what is new is fetched, its original kept and flushed, its delivery noted.

Looks inside nothing; a mail is judged only after its original is on disk (`intake.worker`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select

from config import Config
from intake import ledger, recall
from intake.archive import Archive
from intake.bounded import BoundedReader, ReadingFailed
from intake.errors import DiskUnusable, LedgerAdoption
from intake.ledger import Ledger
from intake.mailbox import Fetched, Gone, Mailbox
from intake.schema import messages

log = structlog.get_logger("intake")

# Mails taken from the mailbox at a time; their originals are on disk before the next are fetched.
BATCH = 50


class TakingIn:
    """Takes in what is new in one mailbox.

    Args:
        config: Its first mailbox is watched.
        book: The ledger, open.
        archive: Originals on disk.
        mailbox: Connected by `connect`.
        reader: Asked only whether a mail from before the start line was judged before.
        clock: Gives aware moments.
        step: Called with each step's name when it is done.
    """

    def __init__(
        self,
        config: Config,
        *,
        book: Ledger,
        archive: Archive,
        mailbox: Mailbox,
        reader: BoundedReader,
        clock: Callable[[], datetime],
        step: Callable[[str], None],
    ) -> None:
        self._config = config
        self._settings = config.settings.mailboxes[0]
        self._book = book
        self._archive = archive
        self._mailbox = mailbox
        self._reader = reader
        self._clock = clock
        self._step = step
        self._prepared = False
        # UIDVALIDITY, the highest UID taken in, and the moment of the start line.
        self._mark: tuple[int, int, datetime] | None = None

    def connect(self) -> None:
        """Signs in if need be; at the first time makes the folders and finishes interrupted deletions.

        Raises:
            LedgerAdoption: The ledger is empty, but mail was filed here before.
        """
        if not self._mailbox.connected:
            self._mailbox.connect()
            self._mark = None
        if self._prepared:
            return
        folders = self._settings.folders
        names = (
            folders.accepted,
            folders.needs_correction,
            folders.answered,
            folders.held,
            folders.automatic,
        )
        with self._book.reading() as connection:
            begun = ledger.fact(connection, "begun") is not None
        if not begun and self._mailbox.filed_count(names):
            raise LedgerAdoption(f"{self._settings.name}: {folders.root}")
        self._mailbox.prepare_folders(names)
        with self._book.reading() as connection:
            used = ledger.originals_in_use(connection)
        self._archive.sweep(used.__contains__)
        self._prepared = True

    def take_in(self, *, stopping: Callable[[], bool]) -> None:
        """Keeps and notes every new mail; ends after a batch when `stopping` says so."""
        fresh = self._mark is None
        validity, after, since = self._known()
        if fresh:
            self._ask_again(validity, since)
        # When no UID is known yet (a new UIDVALIDITY, or a start in the past), a box of years is not fetched
        # whole to find the few mails behind the line. A day more, because servers have days of their own.
        new = self._mailbox.new_uids(after, (since - timedelta(days=1)).date() if after == 0 else None)
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self._keep(self._mailbox.fetch(batch), since)
            self._mark = (validity, max(batch), since)
            if stopping():
                return

    def original(self, item: ledger.Pending) -> bytes | None:
        """The kept original; fetched anew when somebody removed it from the disk, `None` when it is lost.

        Nothing of this counts against the message.
        """
        try:
            return self._archive.read(item.raw)
        except (FileNotFoundError, DiskUnusable):
            # A disk that is broken as a whole tells so when the mail is kept anew.
            log.warning("an original is missing on disk", action="original_missing", delivery=item.id)
        if self._mailbox.state().uidvalidity != item.delivery.uidvalidity:
            return None
        for mail in self._mailbox.fetch([item.delivery.uid]):
            if mail.raw is not None and self._archive.keep(mail.raw) == item.raw:
                return mail.raw
        return None

    def _known(self) -> tuple[int, int, datetime]:
        state = self._mailbox.state()
        if self._mark is not None and self._mark[0] == state.uidvalidity:
            return self._mark
        account, folder = self._settings.name, self._settings.inbox
        start = self._settings.start
        office = ZoneInfo(self._config.settings.office.timezone)
        since = datetime(start.year, start.month, start.day, tzinfo=office) if start is not None else None
        with self._book.transaction() as connection:
            line = ledger.start_line(
                connection, account, folder, state.uidvalidity, state.uidnext, since=since, now=self._clock()
            )
            highest = max(line.uid, ledger.highest_uid(connection, account, folder, state.uidvalidity))
            ledger.set_fact(connection, "begun", "1")
        self._mark = (state.uidvalidity, highest, line.since)
        return self._mark

    def _ask_again(self, validity: int, since: datetime) -> None:
        """Mails that the server withheld are asked for again after each sign-in."""
        with self._book.reading() as connection:
            withheld = ledger.pending(connection, "withheld", account=self._settings.name)
        uids = [item.delivery.uid for item in withheld if item.delivery.uidvalidity == validity]
        if uids:
            self._keep(self._mailbox.fetch(uids), since)

    def _keep(self, fetched: Iterator[Fetched], since: datetime) -> None:
        kept: list[tuple[Fetched, str]] = []
        for mail in fetched:
            self._step("fetched")
            # INTERNALDATE has whole seconds; the line does not cut within its own.
            if mail.internal_date < since.replace(microsecond=0) and not self._was_judged(mail):
                continue
            if mail.withheld:
                log.warning("the server withholds a mail", action="withheld", uid=mail.delivery.uid)
                kept.append((mail, ""))
                continue
            try:
                raw = self._archive.keep(mail.raw) if mail.raw is not None else self._keep_large(mail)
            except Gone:
                continue
            # The bytes are on disk now; fifty mails are not held in memory as well.
            kept.append((replace(mail, raw=None), raw))
            self._step("kept")
        if kept:
            with self._book.transaction() as connection:
                ledger.note_deliveries(connection, kept)
            self._step("noted")

    def _keep_large(self, mail: Fetched) -> str:
        digest, _size = self._archive.keep_chunks(self._mailbox.fetch_chunks(mail.delivery.uid))
        return digest

    def _was_judged(self, mail: Fetched) -> bool:
        """The start line does not hold for a message that was judged before and is put back."""
        if mail.raw is None:
            return False
        with self._book.reading() as connection:
            if connection.scalar(select(messages.c.id).limit(1)) is None:
                return False
        try:
            reading = self._reader.read(mail.raw)
        except ReadingFailed:
            return False
        with self._book.reading() as connection:
            return recall.known_message(connection, reading.digest, reading.message_id) is not None
