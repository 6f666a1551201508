"""The worker: the only place that orders the steps of a message's way.

Every step that changes the world is committed as a plan first, is idempotent, and is ticked after: killed at
any instant and started again, each message has one disposition, each case one row, each reply goes once.
Failures of disk, servers and register never count against a message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from config import Config
from intake import cases, committing, ledger, recall
from intake.archive import Archive
from intake.bounded import BoundedReader, ReadingFailed
from intake.dispositions import Held, Judgement
from intake.errors import LedgerAdoption, OperatorError
from intake.history import Earlier, History
from intake.judging import judge, left
from intake.ledger import Ledger, Pending
from intake.logs import fault
from intake.mailbox import Delivery, Filed, Mailbox
from intake.mailer import Mailer
from intake.reading import Reading
from intake.registering import Registrar
from intake.schema import messages
from intake.screening import Screening
from intake.sending import Sending
from intake.taking_in import TakingIn

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
    "register_offered",
    "register_replaced",
    "register_ticked",
)

# Mails filed at a time.
BATCH = 50
# Of a mail over the limit only so much is read, in bytes: enough for its header.
HEAD = 256_000


def now_utc() -> datetime:
    """The present moment; the worker's clock unless a test gives another."""
    return datetime.now(UTC)


class _UnlistedStepError(LookupError):
    """A step that nobody would be killed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one tick did.

    Attributes:
        judged: Messages that got their disposition.
        sent: Replies handed over.
        filed: Mails moved.
        waiting: Why something is still owed: `rate`, `sending`, `filing`, `register_open` ...
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
        self._registrar = registrar
        self._reader = reader
        self._clock = clock
        self._on_step = on_step
        self._stopping = False
        self._taking_in = TakingIn(
            config,
            book=book,
            archive=archive,
            mailbox=mailbox,
            reader=reader,
            clock=clock,
            step=self._step,
        )
        self._sending = Sending(
            config, book=book, mailbox=mailbox, mailer=mailer, clock=clock, step=self._step
        )

    def stop(self) -> None:
        """Ends the tick after the message in hand."""
        self._stopping = True

    def check_adoption(self) -> None:
        """Refuses to start with an empty ledger beside a non-empty register.

        Raises:
            LedgerAdoption: See there. Filed folders are looked at when the mailbox is first reached.
        """
        with self._book.reading() as connection:
            begun = ledger.fact(connection, "begun") is not None
        if not begun and self._registrar is not None and self._registrar.has_rows():
            raise LedgerAdoption(str(self._registrar.path))

    def tick(self) -> Report:
        """Takes in what is new, judges it, settles what is owed. The register is served whatever fails before.

        Raises:
            MailboxUnavailable, SignInRefused: The mailbox cannot be used now.
            LedgerAdoption: The ledger is empty, but mail was filed here before.
        """
        waiting: list[str] = []
        judged = sent = filed = 0
        try:
            self._taking_in.connect()
            self._taking_in.take_in(stopping=lambda: self._stopping)
            for _ in self._judge_new():
                judged += 1
                sent += self._sending.send_due(waiting)
                if judged % BATCH == 0:
                    filed += self._file(waiting)
                if self._stopping:
                    break
            sent += self._sending.send_due(waiting)
            filed += self._file(waiting)
        finally:
            note = self._bring_register_up_to_date()
        if note:
            waiting.append(note)
        return Report(judged=judged, sent=sent, filed=filed, waiting=tuple(dict.fromkeys(waiting)))

    def _bring_register_up_to_date(self) -> str | None:
        if self._registrar is None:
            return None
        return self._registrar.bring_up_to_date(self._clock(), self._step)

    # Judging

    def _judge_new(self) -> Iterator[Pending]:
        """Judges what waits, each by itself: what one message does to us never stops the others."""
        with self._book.reading() as connection:
            waiting = ledger.pending(connection, "new", account=self._settings.name)
        begun = bool(waiting) and self._begin_reading(waiting[0])
        for place, item in enumerate(waiting):
            try:
                handed, begun = begun, False
                reading = self._read(item, begun=handed)
                # The child reads the next mail while this one is judged and committed.
                if place + 1 < len(waiting) and not self._stopping:
                    begun = self._begin_reading(waiting[place + 1])
                if reading is None or not self._decide(item, reading):
                    continue
            except (OperatorError, OperationalError, OSError, _UnlistedStepError):
                # Servers, ledger, disk, a fault of the program's own making: nobody's message is to blame.
                raise
            except Exception as error:  # noqa: BLE001
                log.error(  # noqa: TRY400
                    "a message could not be judged",
                    action="judging_failed",
                    delivery=item.id,
                    fault=fault(error),
                )
                self._count_attempt(item)
                continue
            yield item

    def _begin_reading(self, item: Pending) -> bool:
        """Hands the mail to the child; False when there is nothing to hand, or it cannot start now."""
        if self._is_given_up(item) or item.size > self._config.settings.limits.message_bytes:
            return False
        raw = self._taking_in.original(item)
        if raw is None:
            return False
        try:
            self._reader.start(raw)
        except ReadingFailed:
            return False
        return True

    def _read(self, item: Pending, *, begun: bool) -> Reading | None:
        if self._is_given_up(item):
            return _unread(item.raw)
        try:
            if begun:
                reading = self._reader.result()
            else:
                raw = self._taking_in.original(item)
                if raw is None:
                    # Neither on disk nor in the box any more: waits for its disk, and counts for nothing.
                    return None
                large = item.size > self._config.settings.limits.message_bytes
                reading = self._reader.read(raw[:HEAD] if large else raw)
        except ReadingFailed as error:
            if not self._stopping:
                log.warning("reading failed", action="reading_failed", delivery=item.id, why=str(error))
                self._count_attempt(item)
            return None
        self._step("read")
        return reading

    def _is_given_up(self, item: Pending) -> bool:
        return item.attempts >= self._config.settings.limits.attempts

    def _count_attempt(self, item: Pending) -> None:
        """An attempt that raised or died counts; after the last the message is held, at the next tick."""
        with self._book.transaction() as connection:
            ledger.count_attempt(connection, item.id)

    def _decide(self, item: Pending, reading: Reading) -> bool:
        """Judges and commits one message."""
        known = self._known(item, reading)
        if known is not None and known[1] is None:
            self._redelivered(item, known[0])
            return True
        message, earlier = known if known is not None else (None, None)
        # The server's word on when it came: the Date header is the sender's, and may be any.
        received = min(item.internal_date, self._clock())
        by_person = self._answered_by_person(reading, received)
        with self._book.reading() as connection:
            history = recall.history(
                connection,
                reading,
                self._config,
                self._clock(),
                answered_by_person=by_person,
                earlier=earlier,
            )
        self._step("remembered")
        judgement = self._judgement(item, reading, history, received)
        self._step("judged")
        self._commit(item, reading, judgement, history, message, received)
        self._step("committed")
        if judgement.file_to is None:
            self._forget(item)
        return True

    def _judgement(self, item: Pending, reading: Reading, history: History, received: datetime) -> Judgement:
        if self._is_given_up(item):
            return _held("attempts", history)
        if item.size > self._config.settings.limits.message_bytes:
            ours = history.ours or history.thread_case is not None or self._settings.dedicated
            return _held("oversize", history) if ours and reading.screening.process else left("oversize")
        return judge(reading, history, self._config, self._config.settings.office.local(received).date())

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
            row = recall.known_message(connection, reading.digest, reading.message_id)
            if row is None:
                return None
            last = ledger.last_filed(connection, row.id)
        if last is None or not self._was_put_back(item, *last):
            return int(row.id), None
        return int(row.id), Earlier(disposition=row.disposition, errors=recall.errors_of(row))

    def _was_put_back(self, item: Pending, delivery: Delivery, filed: Filed | None) -> bool:
        """A new UID under the same UIDVALIDITY, and the filed copy is gone from where it was filed."""
        if delivery.uidvalidity != item.delivery.uidvalidity or delivery.uid == item.delivery.uid:
            return False
        if filed is None or filed.uid is None or filed.uidvalidity is None:
            return False
        return not self._mailbox.holds(filed.folder, filed.uidvalidity, filed.uid)

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
        if reading.message_id is None or not reading.screening.may_reply:
            return False
        return bool(self._sending.answers_by_people(reading.message_id, since))

    # Filing

    def _file(self, waiting: list[str]) -> int:
        """Moves what is decided and answered; a mail that cannot be moved stops no other."""
        if "filing" in waiting:
            return 0
        with self._book.reading() as connection:
            ready = ledger.ready_to_file(connection, account=self._settings.name, limit=BATCH)
        if not ready:
            return 0
        current = self._mailbox.state().uidvalidity
        groups: dict[str | None, list[Pending]] = {}
        for item in ready:
            # Of another UIDVALIDITY, the UID tells nothing any more: it counts as gone.
            here = item.delivery.uidvalidity == current
            groups.setdefault(item.file_to if here else None, []).append(item)
        return sum(self._file_together(items, file_to, current, waiting) for file_to, items in groups.items())

    def _file_together(
        self, items: list[Pending], file_to: str | None, uidvalidity: int, waiting: list[str]
    ) -> int:
        settled: dict[int, Filed | None] = {item.delivery.uid: None for item in items}
        if file_to is not None:
            folder = getattr(self._settings.folders, file_to)
            settled = self._mailbox.file_all(list(settled), folder, uidvalidity=uidvalidity)
            self._step("moved")
        done = [item for item in items if item.delivery.uid in settled]
        if len(done) < len(items):
            waiting.append("filing")
        with self._book.transaction() as connection:
            for item in done:
                ledger.note_filed(connection, item.id, settled[item.delivery.uid])
        self._step("filed")
        return len(done)

    def _step(self, name: str) -> None:
        if self._on_step is not None:
            if name not in STEPS:
                raise _UnlistedStepError(f"the step {name!r} is not listed in worker.STEPS")
            self._on_step(name)


def _unread(raw: str) -> Reading:
    """Stands for a mail that could not be read at all: known by its bytes alone."""
    screening = Screening(
        kind="person",
        process=True,
        may_reply=False,
        reason="attempts",
        trust="unverified",
        dmarc_failed=False,
    )
    return Reading(digest=raw, message_id=None, sender=None, screening=screening)


def _held(reason: str, history: History) -> Judgement:
    return replace(
        left(reason),
        disposition=Held(reason=reason),
        file_to="held",
        review=reason,
        thread_case=history.thread_case,
    )
