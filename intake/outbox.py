"""Replies owed: prepared with the verdict, sent later, each once.

States: waiting (a person's approval, a pause), due, sending (committed before DATA), sent, refused,
superseded. Functions over one connection.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, bindparam, func, insert, select, update

from config import Config
from intake.answering import Reply, mime
from intake.ledger import moment, stamp
from intake.mailbox import SentAnswer
from intake.recall import folded
from intake.schema import cases, letters, messages, outbox, outbox_cases
from responses.letters import Correction, Waiting

# A refused or failed handing over is tried again after these minutes, then daily.
RETRY_MINUTES = (1, 5, 15, 60, 240)

# Statements of every mail are built once: building one costs more than running it.
_DUE = (
    select(outbox)
    .where(outbox.c.state.in_(("sending", "due")), outbox.c.due <= bindparam("now"))
    .order_by(outbox.c.state.desc(), outbox.c.due, outbox.c.id)
    .limit(bindparam("most"))
)
_OF_REPLY = update(outbox).where(outbox.c.id == bindparam("key"))
_OF_DUE_REPLY = _OF_REPLY.where(outbox.c.state == "due")
_BYTES = select(letters.c.mime).where(letters.c.outbox == bindparam("reply"))
_SPOKEN_OF = select(outbox_cases.c.reference).where(outbox_cases.c.outbox == bindparam("reply"))
_RECEIVED = select(messages.c.received).where(messages.c.id == bindparam("message"))
_THESE: BindParameter[list[str]] = bindparam("these", expanding=True)
_ALSO = outbox_cases.alias("also")
# From the cases to their letters by the index; the other way round it would grow with the ledger.
_UNSENT_OF_THESE_ALONE = select(outbox.c.id).where(
    outbox.c.id.in_(select(outbox_cases.c.outbox).where(outbox_cases.c.reference.in_(_THESE))),
    outbox.c.state.in_(("waiting", "due")),
    ~select(_ALSO.c.outbox).where(_ALSO.c.outbox == outbox.c.id, _ALSO.c.reference.not_in(_THESE)).exists(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A reply that is to be sent."""

    id: int
    message: int
    kind: str
    state: str
    due: datetime
    created: datetime
    recipient: str
    message_id: str
    reply_id: str
    answers: str | None
    attempts: int
    first_due: datetime


def queue(
    connection: Connection,
    reply: Reply,
    *,
    message: int,
    references: Iterable[str],
    answers: str | None,
    thread: Sequence[str],
    sender: str,
    config: Config,
    now: datetime,
    not_before: datetime | None = None,
) -> int:
    """Stores a prepared reply with its Message-ID, and supersedes older unsent ones of its cases.

    Args:
        not_before: When a cap frees; until then it is due, not sent.
        message: The message answered.
        references: Cases it speaks of.
        answers: Message-ID of the mail answered.
        thread: Its References.
        sender: Our address.

    Raises:
        ValueError: The reply cannot be put together, for instance to an address that no header can hold.
    """
    reply_id = secrets.token_hex(12)
    domain = sender.rpartition("@")[2]
    message_id = f"<{reply_id}.practice-intake@{domain}>"
    replies = config.settings.replies
    due = now + timedelta(minutes=replies.quiet_minutes) if reply.kind == "correction" else now
    due = max(due, not_before or due)
    named = [reference for reference in references if reference]
    # Made before anything is written: it may refuse an address that cannot go into a header.
    data = mime(
        reply,
        config=config,
        sender=sender,
        message_id=message_id,
        reply_id=reply_id,
        in_reply_to=answers,
        references=[*thread, *([answers] if answers else [])],
        date=now,
    )
    supersede(connection, named, now)
    row = connection.execute(
        insert(outbox),
        {
            "message": message,
            "kind": reply.kind,
            "state": "waiting" if replies.mode == "approve" else "due",
            "due": stamp(due),
            "first_due": stamp(due),
            "recipient": reply.recipient,
            "address": folded(reply.recipient),
            "language": reply.letter.language,
            "subject": reply.composed.subject,
            "message_id": message_id,
            "reply_id": reply_id,
            "answers": answers,
            "created": stamp(now),
        },
    ).inserted_primary_key[0]  # type: ignore[index]
    connection.execute(insert(letters), {"outbox": row, "mime": data})
    asked = {section.reference for section in reply.letter.sections if isinstance(section, Correction)}
    for reference in dict.fromkeys(named):
        connection.execute(
            insert(outbox_cases), {"outbox": row, "reference": reference, "asks": reference in asked}
        )
        if reference in asked:
            _count_round(connection, reference, 1)
    for section in reply.letter.sections:
        if isinstance(section, Waiting) and section.reference in named:
            connection.execute(
                update(cases).where(cases.c.reference == section.reference).values(noticed=True)
            )
    return int(row)


def _count_round(connection: Connection, reference: str, by: int) -> None:
    connection.execute(
        update(cases)
        .where(cases.c.reference == reference)
        .values(rounds=cases.c.rounds + by, changed=cases.c.changed + 1)
    )


def supersede(connection: Connection, references: Sequence[str], now: datetime) -> None:
    """Unsent replies that speak of these cases alone never leave; one in `sending` may have left already.

    A correction request that never leaves was no round: three mails within the quiet minutes are one.
    """
    if not references:
        return
    unsent = list(connection.scalars(_UNSENT_OF_THESE_ALONE, {"these": list(references)}))
    if not unsent:
        return
    connection.execute(
        update(outbox).where(outbox.c.id.in_(unsent)).values(state="superseded", settled=stamp(now))
    )
    asked = select(outbox_cases.c.reference).where(outbox_cases.c.outbox.in_(unsent), outbox_cases.c.asks)
    for reference in connection.scalars(asked).all():
        _count_round(connection, reference, -1)


def is_asking(connection: Connection, reference: str) -> bool:
    """Whether a correction request of this case alone has not left yet."""
    others = select(outbox_cases.c.outbox).where(outbox_cases.c.reference != reference)
    statement = (
        select(outbox.c.id)
        .join(outbox_cases, outbox_cases.c.outbox == outbox.c.id)
        .where(outbox_cases.c.reference == reference, outbox_cases.c.asks)
        .where(outbox.c.state.in_(("waiting", "due")), outbox.c.id.not_in(others))
    )
    return connection.scalar(statement.limit(1)) is not None


def freeze(connection: Connection, reference: str, now: datetime) -> None:
    """Words of withdrawal: nothing unsent leaves; a letter that speaks of other cases too waits for a person."""
    supersede(connection, [reference], now)
    shared = select(outbox_cases.c.outbox).where(outbox_cases.c.reference == reference)
    connection.execute(
        update(outbox)
        .where(outbox.c.state == "due", outbox.c.id.in_(shared))
        .values(state="waiting", trouble="frozen")
    )


def quiet(connection: Connection, sender: str | None, now: datetime, minutes: float) -> None:
    """Another mail of the same sender: their correction requests wait again."""
    if sender is None or minutes <= 0:
        return
    connection.execute(
        update(outbox)
        .where(outbox.c.address == folded(sender), outbox.c.kind == "correction", outbox.c.state == "due")
        .values(due=stamp(now + timedelta(minutes=minutes)))
    )


def due(connection: Connection, now: datetime, *, limit: int = 50) -> list[Owed]:
    """Replies to hand over now, the interrupted ones first."""
    rows = connection.execute(_DUE, {"now": stamp(now), "most": limit}).all()
    return [_owed(row) for row in rows]


def _owed(row: Row[Any]) -> Owed:
    return Owed(
        id=row.id,
        message=row.message,
        kind=row.kind,
        state=row.state,
        due=moment(row.due),
        created=moment(row.created),
        recipient=row.recipient,
        message_id=row.message_id,
        reply_id=row.reply_id,
        answers=row.answers,
        attempts=row.attempts,
        first_due=moment(row.first_due),
    )


def bytes_of(connection: Connection, reply: int) -> bytes:
    """A reply as it is sent.

    Raises:
        LookupError: There is no such reply.
    """
    data = connection.scalar(_BYTES, {"reply": reply})
    if data is None:
        raise LookupError(f"reply {reply}")
    return bytes(data)


def next_due(connection: Connection) -> datetime | None:
    """When the next reply falls due."""
    text = connection.scalar(select(func.min(outbox.c.due)).where(outbox.c.state == "due"))
    return moment(text) if text else None


def mark(connection: Connection, reply: int, state: str, now: datetime, trouble: str = "") -> None:
    """A reply's new state."""
    settled = stamp(now) if state in ("sent", "refused", "superseded") else None
    connection.execute(_OF_REPLY, {"key": reply, "state": state, "settled": settled, "trouble": trouble})


def claim(connection: Connection, reply: int) -> bool:
    """Marks a due reply as being sent; False when it was superseded meanwhile."""
    return bool(connection.execute(_OF_DUE_REPLY, {"key": reply, "state": "sending"}).rowcount)


def is_ours(connection: Connection, answer: SentAnswer) -> bool:
    """Whether a mail in Sent is one of our replies, by its Message-ID or its reply id."""
    statement = select(outbox.c.id).where(
        (outbox.c.message_id == answer.message_id) | (outbox.c.reply_id == answer.reply_id)
    )
    return connection.scalar(statement.limit(1)) is not None


def unclaim(connection: Connection, reply: int) -> None:
    """A reply that was surely not handed over is due again, and may be superseded again."""
    connection.execute(
        update(outbox).where(outbox.c.id == reply, outbox.c.state == "sending").values(state="due")
    )


def postpone(
    connection: Connection,
    owed: Owed,
    now: datetime,
    trouble: str,
    *,
    state: Literal["due", "sending"] = "due",
) -> None:
    """The same bytes later: after a temporary refusal, or (`sending`) when nobody can know whether it arrived."""
    minutes = RETRY_MINUTES[owed.attempts] if owed.attempts < len(RETRY_MINUTES) else 24 * 60
    connection.execute(
        update(outbox)
        .where(outbox.c.id == owed.id)
        .values(
            state=state,
            due=stamp(now + timedelta(minutes=minutes)),
            attempts=owed.attempts + 1,
            trouble=trouble,
        )
    )


def approve(connection: Connection, reference: str, now: datetime) -> int:
    """A person lets the waiting replies of a case go; returns how many."""
    of_case = select(outbox_cases.c.outbox).where(outbox_cases.c.reference == reference)
    return _approve(connection, outbox.c.id.in_(of_case), now)


def approve_answers(connection: Connection, message: int, now: datetime) -> int:
    """A person lets the waiting replies to a mail go; returns how many."""
    return _approve(connection, outbox.c.message == message, now)


def _approve(connection: Connection, which: ColumnElement[bool], now: datetime) -> int:
    done = connection.execute(
        update(outbox)
        .where(outbox.c.state == "waiting", which)
        .values(state="due", due=stamp(now), first_due=stamp(now), trouble="")
    )
    return int(done.rowcount)


def references_of(connection: Connection, reply: int) -> list[str]:
    """Cases a reply speaks of."""
    return list(connection.scalars(_SPOKEN_OF, {"reply": reply}))


def received_of(connection: Connection, message: int) -> datetime | None:
    """When the answered mail arrived."""
    text = connection.scalar(_RECEIVED, {"message": message})
    return moment(text) if text else None
