"""A verdict put into the ledger with the reply it owes, in the caller's one transaction.

The worker, `replay` and staff's decisions all come through here, so that what is said offline is what is mailed.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import Config
from intake import cases, outbox
from intake.answering import Reply, language_of_reply, reply_for
from intake.cases import Recorded
from intake.dispositions import Judgement
from intake.history import History
from intake.reading import Reading
from intake.recall import midnight


def commit(
    connection: Connection,
    reading: Reading,
    judgement: Judgement,
    history: History,
    *,
    raw: str,
    received: datetime,
    earlier: int | None,
    sender: str,
    config: Config,
    now: datetime,
) -> tuple[Recorded, Reply | None]:
    """Records the verdict, allocates references, renders and queues the reply.

    Args:
        raw: Digest of the original.
        received: When the mail arrived.
        earlier: The message's row when it is looked at again.
        sender: Our address.
    """
    recorded = cases.record(
        connection, reading, judgement, raw=raw, received=received, earlier=earlier, config=config, now=now
    )
    if judgement.freezes and judgement.thread_case is not None:
        outbox.freeze(connection, judgement.thread_case.reference, now)
    language = language_of_reply(reading, history.language, config)
    reply = reply_for(reading, judgement, recorded, received=received, language=language, config=config)
    if judgement.file_to is not None:
        # Only mail that is about the call makes correction requests wait for quiet again.
        outbox.quiet(connection, reading.sender, now, config.settings.replies.quiet_minutes)
    references = [reference for reference in recorded.references if reference]
    if reply is None:
        if judgement.silence != "unchanged":
            # A letter about the version before must not leave behind the newer one's back.
            outbox.supersede(connection, references, now)
        return recorded, None
    try:
        outbox.queue(
            connection,
            reply,
            message=recorded.message,
            references=references,
            answers=reading.message_id,
            thread=reading.references,
            sender=sender,
            config=config,
            now=now,
            not_before=_cap_frees(judgement, config, now),
        )
    except ValueError:
        # Their address cannot stand in a header: a person finds another way.
        reference = references[0] if references else None
        cases.add_review(
            connection,
            reason="reply_refused",
            message=recorded.message,
            reference=reference,
            reading=reading,
            now=now,
        )
        return recorded, None
    if config.settings.replies.mode == "approve" and not references and judgement.review is None:
        # Without a case there is no reference to release; staff see the line and let the reply go by its number.
        cases.add_review(
            connection,
            reason="approval",
            message=recorded.message,
            reference=None,
            reading=reading,
            now=now,
        )
    return recorded, reply


def _cap_frees(judgement: Judgement, config: Config, now: datetime) -> datetime | None:
    """When a reply at a cap may leave: after midnight of the office, or in an hour."""
    match judgement.delay:
        case "day":
            return midnight(now, config) + timedelta(days=1)
        case "hour":
            return now + timedelta(hours=1)
        case None:
            return None
