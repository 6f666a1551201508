"""Hands over the replies that are owed, each once, and ticks what became of it.

A reply is committed as `sending` before DATA and ticked after; what is not known is not repeated blindly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Connection

from config import Config
from intake import cases, outbox
from intake.errors import MailboxUnavailable, SendingUnavailable, SignInRefused
from intake.ledger import Ledger
from intake.mailbox import Mailbox, SentAnswer
from intake.mailer import Mailer, Outcome, Refused, Sent, Uncertain
from intake.outbox import Owed

log = structlog.get_logger("intake")

# A reply of which nobody can know whether it arrived goes once more, with the same Message-ID; then a person asks.
REPEATS = 1


class Sending:
    """Sends what is due.

    Args:
        config: Whose replies and which Sent folder.
        book: The ledger, open.
        mailbox: Asked what people answered themselves; connected.
        mailer: `None` sends nothing.
        clock: Gives aware moments.
        step: Called with each step's name when it is done.
    """

    def __init__(
        self,
        config: Config,
        *,
        book: Ledger,
        mailbox: Mailbox,
        mailer: Mailer | None,
        clock: Callable[[], datetime],
        step: Callable[[str], None],
    ) -> None:
        self._config = config
        self._settings = config.settings.mailboxes[0]
        self._book = book
        self._mailbox = mailbox
        self._mailer = mailer
        self._clock = clock
        self._step = step

    def send_due(self, waiting: list[str]) -> int:
        """Hands over what is due; why something stays owed is added to `waiting`.

        Returns:
            How many replies the server took.
        """
        if self._mailer is None or not {"sending", "rate"}.isdisjoint(waiting):
            # Asked once a tick: a server that is down is not tried again with every mail.
            return 0
        with self._book.reading() as connection:
            owed = outbox.due(connection, self._clock())
        sent = 0
        for reply in owed:
            if self._mailer.wait_seconds() > 0:
                waiting.append("rate")
                break
            try:
                sent += self._send(reply, self._mailer)
            except (SendingUnavailable, SignInRefused) as error:
                waiting.append("sending")
                log.warning("sending unavailable", action="sending_unavailable", why=type(error).__name__)
                break
        return sent

    def answers_by_people(self, message_id: str, since: datetime) -> list[SentAnswer]:
        """What people sent from the mailbox in answer to a mail; empty where there is no Sent to look in."""
        if not self._settings.sent:
            return []
        answers = self._mailbox.answers_to([message_id], since.date())
        with self._book.reading() as connection:
            return [answer for answer in answers if not outbox.is_ours(connection, answer)]

    def _send(self, owed: Owed, mailer: Mailer) -> int:
        now = self._clock()
        settled = self._need_not_be_sent(owed, now)
        if settled is not None:
            self._settle(owed, *settled, now)
            return 0
        with self._book.transaction() as connection:
            # Judging a newer version may have superseded it since it was listed.
            if owed.state != "sending" and not outbox.claim(connection, owed.id):
                return 0
            data = outbox.bytes_of(connection, owed.id)
        self._step("sending")
        try:
            outcome = mailer.send(self._settings.address, owed.recipient, data)
        except (SendingUnavailable, SignInRefused):
            # Raised only when nothing was handed over.
            with self._book.transaction() as connection:
                outbox.unclaim(connection, owed.id)
            raise
        self._step("handed_over")
        now = self._clock()
        with self._book.transaction() as connection:
            self._tick(connection, owed, outcome, now)
        self._step("sent")
        if isinstance(outcome, Sent) and self._config.settings.replies.append_sent and self._settings.sent:
            with contextlib.suppress(MailboxUnavailable):
                self._mailbox.append_sent(data, now)
        return int(isinstance(outcome, Sent))

    def _need_not_be_sent(self, owed: Owed, now: datetime) -> tuple[str, str] | None:
        """The state of a reply that must not leave (again), with the reason; `None` when it goes."""
        told = self._told_by_sent(owed)
        if told is None and (now - owed.first_due).days >= self._config.settings.replies.stale_days:
            return "waiting", "stale"
        return told

    def _told_by_sent(self, owed: Owed) -> tuple[str, str] | None:
        if not self._settings.sent or owed.answers is None:
            return None
        with self._book.reading() as connection:
            since = outbox.received_of(connection, owed.message) or owed.created
        answers = self._mailbox.answers_to([owed.answers], since.date())
        if any(
            answer.message_id == owed.message_id or answer.reply_id == owed.reply_id for answer in answers
        ):
            return "sent", "found in Sent"
        with self._book.reading() as connection:
            if any(not outbox.is_ours(connection, answer) for answer in answers):
                return "superseded", "answered by a person"
        return None

    def _settle(self, owed: Owed, state: str, why: str, now: datetime) -> None:
        with self._book.transaction() as connection:
            outbox.mark(connection, owed.id, state, now, why)
            if state == "waiting":
                self._tell_staff(connection, owed, why, now)
            cases.touch(connection, outbox.references_of(connection, owed.id), now)

    def _tick(self, connection: Connection, owed: Owed, outcome: Outcome, now: datetime) -> None:
        if isinstance(outcome, Uncertain):
            self._note_uncertain(connection, owed, now)
            return
        if isinstance(outcome, Refused) and not outcome.permanent:
            outbox.postpone(connection, owed, now, str(outcome.code))
            return
        references = outbox.references_of(connection, owed.id)
        refused = isinstance(outcome, Refused)
        action = "reply_refused" if refused else "reply_sent"
        outbox.mark(connection, owed.id, "refused" if refused else "sent", now)
        if refused:
            self._tell_staff(connection, owed, action, now)
        for reference in references:
            cases.add_event(
                connection, now, action, reference=reference, message=owed.message, kind=owed.kind
            )
        cases.touch(connection, references, now)
        log.info("reply", action=action, reply=owed.id, kind=owed.kind, references=references)

    def _note_uncertain(self, connection: Connection, owed: Owed, now: datetime) -> None:
        log.warning("nobody can know whether a reply arrived", action="reply_uncertain", reply=owed.id)
        if owed.attempts < REPEATS:
            outbox.postpone(connection, owed, now, "uncertain", state="sending")
            return
        outbox.mark(connection, owed.id, "waiting", now, "uncertain")
        self._tell_staff(connection, owed, "uncertain", now)

    @staticmethod
    def _tell_staff(connection: Connection, owed: Owed, reason: str, now: datetime) -> None:
        references = outbox.references_of(connection, owed.id)
        cases.add_review(
            connection,
            reason=reason,
            message=owed.message,
            reference=references[0] if references else None,
            reading=None,
            now=now,
        )
