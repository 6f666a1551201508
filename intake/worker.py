"""The worker: the only place that orders the steps of a message's way.

Every step that changes the world is committed as a plan first, is idempotent, and is ticked after: killed at
any instant and started again, each message has one disposition, each case one row, each reply goes once.
Failures of disk, servers and register never count against a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from config import Config
from intake import cases, committing, ledger, outbox
from intake.archive import Archive
from intake.bounded import BoundedReader, ReadingFailed
from intake.errors import LedgerAdoption, MailboxUnavailable, SendingUnavailable, SignInRefused
from intake.history import Earlier, History
from intake.judging import Held, Judgement, judge, left
from intake.ledger import Ledger, Pending
from intake.mailbox import Delivery, Fetched, Filed, Gone, Mailbox
from intake.mailer import Mailer, Refused, Sent, Uncertain
from intake.reading import Reading
from intake.registering import Registrar
from intake.schema import messages
from intake.screening import Screening

log = structlog.get_logger("intake")

# Every instant at which the worker may be killed, in the order of a message's way. Tests kill it at each.
STEPS: tuple[str, ...] = (
    "fetched",
    "kept",
    "noted",
    "read",
    "remembered",
    "judged",
    "committed",
    "left_deleted",
    "sending",
    "handed_over",
    "sent",
    "moved",
    "filed",
    "register_read",
    "register_replaced",
    "register_ticked",
)

# Mails taken from the mailbox at a time; their originals are on disk before the next are fetched.
BATCH = 50


def now_utc() -> datetime:
    """The present moment; the worker's clock unless a test gives another."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one tick did.

    Attributes:
        judged: Messages that got their disposition.
        sent: Replies handed over.
        filed: Mails moved.
        waiting: Why something is still owed, in words for `status`.
    """

    judged: int = 0
    sent: int = 0
    filed: int = 0
    waiting: tuple[str, ...] = ()


class Worker:
    """One mailbox, one ledger, one register.

    Args:
        config: The configuration.
        book: The ledger, open.
        archive: Originals on disk.
        mailbox: Where mail comes from; connected by `tick`.
        mailer: How replies leave; `None` sends nothing.
        registrar: Keeps the register up to date; `None` keeps none.
        reader: The bounded child.
        clock: Gives aware moments.
        on_step: Called with each step's name when it is done.
    """

    def __init__(
        self,
        config: Config,
        *,
        book: Ledger,
        archive: Archive,
        mailbox: Mailbox,
        mailer: Mailer | None,
        registrar: Registrar | None,
        reader: BoundedReader,
        clock: Callable[[], datetime] = now_utc,
        on_step: Callable[[str], None] | None = None,
    ) -> None:
        self._config = config
        self._settings = config.settings.mailboxes[0]
        self._book = book
        self._archive = archive
        self._mailbox = mailbox
        self._mailer = mailer
        self._registrar = registrar
        self._reader = reader
        self._clock = clock
        self._on_step = on_step
        self._stopping = False
        self._prepared = False
        self._highest: tuple[int, int] | None = None
        self._since = clock()
        self._failing_until_restart: set[int] = set()

    def stop(self) -> None:
        """Ends the tick after the message in hand."""
        self._stopping = True

    def check_adoption(self) -> None:
        """Refuses to start with an empty ledger beside a non-empty register.

        Raises:
            LedgerAdoption: See there.
        """
        with self._book.reading() as connection:
            known = connection.scalar(select(messages.c.id).limit(1)) is not None
            begun = ledger.fact(connection, "begun") is not None
        if not known and not begun and self._registrar is not None and self._registrar.has_rows():
            raise LedgerAdoption(str(self._registrar.path))

    def tick(self) -> Report:
        """Takes in what is new, judges it, and settles what is owed.

        Raises:
            MailboxUnavailable, SignInRefused: The mailbox cannot be used now.
        """
        self._connect()
        self._take_in()
        waiting: list[str] = []
        judged = sent = filed = 0
        for _ in self._judge_new():
            judged += 1
            done = self._settle_mail(waiting)
            sent, filed = sent + done.sent, filed + done.filed
            if self._stopping:
                break
        done = self._settle_mail(waiting)
        if self._registrar is not None:
            note = self._registrar.bring_up_to_date(self._clock(), self._step)
            if note:
                waiting.append(note)
        return Report(
            judged=judged,
            sent=sent + done.sent,
            filed=filed + done.filed,
            waiting=tuple(dict.fromkeys(waiting)),
        )

    # Taking in

    def _connect(self) -> None:
        if not self._mailbox.connected:
            self._mailbox.connect()
            self._highest = None
        if not self._prepared:
            folders = self._settings.folders
            self._mailbox.prepare_folders(
                (
                    folders.accepted,
                    folders.needs_correction,
                    folders.answered,
                    folders.held,
                    folders.automatic,
                )
            )
            self._sweep()
            self._prepared = True

    def _sweep(self) -> None:
        """Finishes the deletion of originals of mail left for people that a kill interrupted."""
        with self._book.reading() as connection:
            used = ledger.originals_in_use(connection)
        self._archive.sweep(used.__contains__)

    def _take_in(self) -> None:
        after, since = self._mark()
        # When no UID is known yet (a new UIDVALIDITY, or a start in the past), a box of years is not fetched
        # whole to find the few mails behind the line. A day more, because servers have days of their own.
        new = self._mailbox.new_uids(after, (since - timedelta(days=1)).date() if after == 0 else None)
        if not new:
            return
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            self._keep(self._mailbox.fetch(batch), since)
            if self._highest is not None:
                self._highest = (self._highest[0], max(batch))
            if self._stopping:
                return

    def _mark(self) -> tuple[int, datetime]:
        """The UID above which mail is new, and the moment before which nothing is touched."""
        state = self._mailbox.state()
        account, folder = self._settings.name, self._settings.inbox
        if self._highest is not None and self._highest[0] == state.uidvalidity:
            return self._highest[1], self._since
        start = self._settings.start
        office = ZoneInfo(self._config.settings.office.timezone)
        since = datetime(start.year, start.month, start.day, tzinfo=office) if start is not None else None
        with self._book.transaction() as connection:
            line = ledger.start_line(
                connection, account, folder, state.uidvalidity, state.uidnext, since=since, now=self._clock()
            )
            highest = max(line.uid, ledger.highest_uid(connection, account, folder, state.uidvalidity))
            ledger.set_fact(connection, "begun", "1")
        self._highest = (state.uidvalidity, highest)
        self._since = line.since
        return highest, line.since

    def _keep(self, fetched: Iterator[Fetched], since: datetime) -> None:
        kept: list[tuple[Fetched, str]] = []
        for mail in fetched:
            self._step("fetched")
            # INTERNALDATE has whole seconds; the line does not cut within its own.
            if mail.withheld:
                log.warning("the server withholds a mail", action="withheld", uid=mail.delivery.uid)
                continue
            if mail.internal_date < since.replace(microsecond=0) and not self._maybe_put_back(mail):
                continue
            try:
                kept.append(
                    (mail, self._archive.keep(mail.raw) if mail.raw is not None else self._keep_large(mail))
                )
            except Gone:
                continue
            self._step("kept")
        if kept:
            with self._book.transaction() as connection:
                ledger.note_deliveries(connection, kept)
            self._step("noted")

    def _maybe_put_back(self, mail: Fetched) -> bool:
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
            return cases.known_message(connection, reading.digest, reading.message_id) is not None

    def _keep_large(self, mail: Fetched) -> str:
        digest, _size = self._archive.keep_chunks(self._mailbox.fetch_chunks(mail.delivery.uid))
        return digest

    # Judging

    def _judge_new(self) -> Iterator[Pending]:
        with self._book.reading() as connection:
            waiting = ledger.pending(connection, "new", account=self._settings.name)
        waiting = [item for item in waiting if item.id not in self._failing_until_restart]
        ahead = self._start_reading(waiting[0]) if waiting else None
        for place, item in enumerate(waiting):
            reading = self._finish_reading(item, ahead)
            # The child reads the next mail while this one is judged and committed.
            following = waiting[place + 1] if place + 1 < len(waiting) and not self._stopping else None
            ahead = self._start_reading(following) if following is not None else None
            if reading is None:
                continue
            self._step("read")
            if self._decide(item, reading):
                yield item

    def _start_reading(self, item: Pending) -> bool:
        """Hands the mail to the child; False when there is nothing to hand (too large, or it cannot start)."""
        if item.size > self._config.settings.limits.message_bytes:
            return False
        try:
            self._reader.start(self._archive.read(item.raw))
        except ReadingFailed:
            return False
        return True

    def _finish_reading(self, item: Pending, started: bool | None) -> Reading | None:
        if item.size > self._config.settings.limits.message_bytes:
            return _unread(item.raw, "oversize")
        try:
            if not started:
                return self._reader.read(self._archive.read(item.raw))
            return self._reader.result()
        except ReadingFailed as error:
            return self._failed(item, str(error))

    def _failed(self, item: Pending, why: str) -> Reading | None:
        """An attempt that raised or died counts; after the last the message is held."""
        with self._book.transaction() as connection:
            attempts = ledger.count_attempt(connection, item.id)
        log.warning("attempt failed", action="attempt_failed", delivery=item.id, attempts=attempts, why=why)
        if attempts < self._config.settings.limits.attempts:
            return None
        return _unread(item.raw, "attempts")

    def _decide(self, item: Pending, reading: Reading) -> bool:
        """Judges and commits one message; False when the attempt failed."""
        known = self._known(item, reading)
        if known is not None:
            message, earlier = known
            if earlier is None:
                self._redelivered(item, message)
                return True
        else:
            message, earlier = None, None
        received = reading.received or item.internal_date
        received = min(received, self._clock())
        by_person = self._answered_by_person(reading, received)
        now = self._clock()
        with self._book.reading() as connection:
            history = cases.history(
                connection, reading, self._config, now, answered_by_person=by_person, earlier=earlier
            )
        self._step("remembered")
        judgement = self._judged(item, reading, history, received)
        if judgement is None:
            return False
        self._step("judged")
        if not self._committed(item, reading, judgement, history, message, received):
            return False
        self._step("committed")
        if judgement.file_to is None:
            self._forget(item)
        return True

    def _judged(
        self, item: Pending, reading: Reading, history: History, received: datetime
    ) -> Judgement | None:
        kind = reading.screening.reason
        if kind in ("attempts", "oversize"):
            return _held_unread(kind) if kind == "attempts" or self._settings.dedicated else left(kind)
        office = ZoneInfo(self._config.settings.office.timezone)
        try:
            return judge(reading, history, self._config, received.astimezone(office).date())
        except Exception as error:
            if self._failed(item, type(error).__name__) is None:
                # Tried again after a restart or at the next tick; the others go on.
                log.exception("judging failed", action="judging_failed", delivery=item.id)
                return None
            return _held_unread("attempts")

    def _committed(
        self,
        item: Pending,
        reading: Reading,
        judgement: Judgement,
        history: History,
        message: int | None,
        received: datetime,
    ) -> bool:
        """Commits the verdict; a fault in writing the reply counts as one of judging and stops nobody else."""
        try:
            self._commit(item, reading, judgement, history, message, received)
        except (SQLAlchemyError, OSError):
            raise
        except Exception as error:
            log.exception("commit failed", action="commit_failed", delivery=item.id)
            failed = self._failed(item, type(error).__name__)
            if failed is None:
                return False
            self._commit(item, failed, _held_unread("attempts"), History(), None, received)
        return True

    def _commit(
        self,
        item: Pending,
        reading: Reading,
        judgement: Judgement,
        history: History,
        message: int | None,
        received: datetime,
    ) -> None:
        with self._book.transaction() as connection:
            recorded, _reply = committing.commit(
                connection,
                reading,
                judgement,
                history,
                raw=item.raw,
                received=received,
                earlier=message,
                sender=self._settings.address,
                config=self._config,
                now=self._clock(),
            )
            ledger.decide_delivery(connection, item.id, recorded.message, judgement.file_to)
        log.info(
            "judged",
            action="judged",
            delivery=item.id,
            disposition=type(judgement.disposition).__name__,
            reason=judgement.disposition.reason,
            references=[reference for reference in recorded.references if reference],
        )

    def _known(self, item: Pending, reading: Reading) -> tuple[int, Earlier | None] | None:
        """The message's row when it was judged before; with `Earlier` when a person put it back."""
        with self._book.reading() as connection:
            row = cases.known_message(connection, reading.digest, reading.message_id)
            if row is None:
                return None
            copies = ledger.filed_copies(connection, row.id)
        if not self._was_put_back(item, copies):
            return int(row.id), None
        return int(row.id), Earlier(disposition=row.disposition, errors=cases.errors_of(row))

    def _was_put_back(self, item: Pending, copies: Sequence[tuple[Delivery, Filed | None]]) -> bool:
        """A new UID under the same UIDVALIDITY, and the filed copy is gone from where it was filed."""
        for delivery, filed in copies:
            if delivery.uidvalidity != item.delivery.uidvalidity or delivery.uid == item.delivery.uid:
                continue
            if filed is None or filed.uid is None or filed.uidvalidity is None:
                continue
            if not self._mailbox.holds(filed.folder, filed.uidvalidity, filed.uid):
                return True
        return False

    def _redelivered(self, item: Pending, message: int) -> None:
        with self._book.transaction() as connection:
            file_to = connection.scalar(select(messages.c.file_to).where(messages.c.id == message))
            ledger.decide_delivery(connection, item.id, message, file_to)
            cases.add_event(connection, self._clock(), "redelivered", message=message)
        self._step("committed")
        if file_to is None:
            self._forget(item)

    def _forget(self, item: Pending) -> None:
        """The original of mail left for people does not stay; the mail itself is still in its box."""
        with self._book.reading() as connection:
            used = ledger.is_original_in_use(connection, item.raw)
        if not used:
            self._archive.delete(item.raw)
        self._step("left_deleted")

    def _answered_by_person(self, reading: Reading, since: datetime) -> bool:
        if not self._settings.sent or reading.message_id is None or not reading.screening.may_reply:
            return False
        answers = self._mailbox.answers_to([reading.message_id], since.date())
        with self._book.reading() as connection:
            return any(not outbox.is_ours(connection, answer) for answer in answers)

    # Settling

    def _settle_mail(self, waiting: list[str]) -> Report:
        sent = self._send_due(waiting)
        return Report(sent=sent, filed=self._file_decided())

    def _send_due(self, waiting: list[str]) -> int:
        if self._mailer is None:
            return 0
        with self._book.reading() as connection:
            owed = outbox.due(connection, self._clock())
        sent = 0
        for reply in owed:
            if self._mailer.wait_seconds() > 0:
                waiting.append("rate")
                break
            try:
                sent += self._send(reply)
            except (SendingUnavailable, SignInRefused) as error:
                waiting.append("sending")
                log.warning("sending unavailable", action="sending_unavailable", why=str(error))
                break
        return sent

    def _send(self, owed: outbox.Owed) -> int:
        now = self._clock()
        settled = self._need_not_be_sent(owed, now)
        if settled is not None:
            state, why = settled
            with self._book.transaction() as connection:
                outbox.mark(connection, owed.id, state, now, why)
            return 0
        if owed.state != "sending":
            with self._book.transaction() as connection:
                # Judging a newer version may have superseded it since it was listed.
                if not outbox.claim(connection, owed.id):
                    return 0
        self._step("sending")
        assert self._mailer is not None
        outcome = self._mailer.send(self._settings.address, owed.recipient, owed.mime)
        self._step("handed_over")
        now = self._clock()
        with self._book.transaction() as connection:
            self._tick_reply(connection, owed, outcome, now)
        self._step("sent")
        if isinstance(outcome, Sent) and self._config.settings.replies.append_sent and self._settings.sent:
            with contextlib.suppress(MailboxUnavailable):
                self._mailbox.append_sent(owed.mime, now)
        return int(isinstance(outcome, Sent))

    def _tick_reply(
        self, connection: Connection, owed: outbox.Owed, outcome: Sent | Refused | Uncertain, now: datetime
    ) -> None:
        if isinstance(outcome, Uncertain):
            # It may have arrived: the same bytes with the same Message-ID go again at the next tick.
            return
        if isinstance(outcome, Refused) and not outcome.permanent:
            outbox.postpone(connection, owed, now, str(outcome.code))
            return
        references = outbox.references_of(connection, owed.id)
        refused = isinstance(outcome, Refused)
        action = "reply_refused" if refused else "reply_sent"
        outbox.mark(connection, owed.id, "refused" if refused else "sent", now)
        if refused:
            cases.add_review(
                connection,
                reason=action,
                message=owed.message,
                reference=references[0] if references else None,
                reading=None,
                now=now,
            )
        for reference in references:
            cases.add_event(
                connection, now, action, reference=reference, message=owed.message, kind=owed.kind
            )
        cases.touch(connection, references, now)
        log.info("reply", action=action, reply=owed.id, kind=owed.kind, references=references)

    def _need_not_be_sent(self, owed: outbox.Owed, now: datetime) -> tuple[str, str] | None:
        """The state of a reply that must not leave (again), with the reason; `None` when it goes."""
        if (now - owed.due).days >= self._config.settings.replies.stale_days and owed.state == "due":
            return "waiting", "stale"
        if not self._settings.sent or owed.answers is None:
            return None
        with self._book.reading() as connection:
            since = outbox.received_of(connection, owed.message) or owed.created
        answers = self._mailbox.answers_to([owed.answers], since.date())
        if owed.state == "sending":
            if any(
                answer.message_id == owed.message_id or answer.reply_id == owed.reply_id for answer in answers
            ):
                return "sent", "found in Sent"
            return None
        with self._book.reading() as connection:
            if any(not outbox.is_ours(connection, answer) for answer in answers):
                return "superseded", "answered by a person"
        return None

    def _file_decided(self) -> int:
        with self._book.reading() as connection:
            decided = ledger.pending(connection, "decided", account=self._settings.name)
            ready = [item for item in decided if item.message and outbox.is_settled(connection, item.message)]
        if not ready:
            return 0
        current = self._mailbox.state().uidvalidity
        for item in ready:
            filed = None
            if item.delivery.uidvalidity == current and item.file_to is not None:
                folder = getattr(self._settings.folders, item.file_to)
                filed = self._mailbox.file(item.delivery.uid, folder, uidvalidity=current)
                self._step("moved")
            with self._book.transaction() as connection:
                ledger.note_filed(connection, item.id, filed)
            self._step("filed")
        return len(ready)

    def _step(self, name: str) -> None:
        if self._on_step is not None:
            if name not in STEPS:
                raise LookupError(f"the step {name!r} is not listed in worker.STEPS")
            self._on_step(name)


def _unread(raw: str, kind: str) -> Reading:
    """Stands for a mail that could not be read at all: known by its bytes alone."""
    screening = Screening(
        kind="person", process=True, may_reply=False, reason=kind, trust="unverified", dmarc_failed=False
    )
    return Reading(digest=raw, message_id=None, sender=None, screening=screening)


def _held_unread(kind: str) -> Judgement:
    return replace(left(kind), disposition=Held(reason=kind), file_to="held", review=kind)
