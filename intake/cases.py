"""Verdicts written into the ledger: messages, cases, versions, voices, events, lines of *Por revisar*.

Functions over one connection; the caller's transaction keeps or drops everything together.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from config import Config
from config.settings import Call
from intake.dispositions import FormJudgement, Held, Judgement, name_of
from intake.history import KnownCase
from intake.ledger import stamp
from intake.reading import Reading
from intake.recall import findings_json, folded, token
from intake.schema import cases, events, messages, review, sequences, versions, voices
from parsers.form import Form

form_json: TypeAdapter[Form] = TypeAdapter(Form)


# Statements of every mail are built once: building one costs more than running it.
_NEXT_NUMBER = upsert(sequences).on_conflict_do_update(
    index_elements=["prefix", "year"], set_={"last": sequences.c.last + 1}
)
_LAST_NUMBER = select(sequences.c.last).where(
    sequences.c.prefix == bindparam("prefix"), sequences.c.year == bindparam("year")
)
_NO_CONTACTS = voices.delete().where(voices.c.reference == bindparam("of"), voices.c.role == "contact")
_NEW_VOICE = upsert(voices)
# Once proved stays proved: from then on the address alone is no proof.
_VOICE = _NEW_VOICE.on_conflict_do_update(
    index_elements=["reference", "address", "role"],
    set_={"verified": voices.c.verified | _NEW_VOICE.excluded.verified},
)
_LAST_VERSION = (
    select(versions)
    .where(versions.c.reference == bindparam("reference"))
    .order_by(versions.c.number.desc())
    .limit(1)
)
_LAST_ACCEPTED = _LAST_VERSION.where(versions.c.disposition == "accepted")
_TOUCH = (
    update(cases)
    .where(cases.c.reference.in_(bindparam("these", expanding=True)))
    .values(changed=cases.c.changed + 1, changed_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a verdict became in the ledger.

    Attributes:
        message: The message's row.
        references: The reference of each judged form, `None` where it opens no case.
        tokens: Reference to subject token.
        deadlines: Reference to the deadline that had passed when its case was begun; nothing of a case in time.
    """

    message: int
    references: tuple[str | None, ...]
    tokens: dict[str, str]
    deadlines: dict[str, date] = field(default_factory=dict)


def record(
    connection: Connection,
    reading: Reading,
    judgement: Judgement,
    *,
    raw: str,
    received: datetime,
    earlier: int | None,
    config: Config,
    now: datetime,
) -> Recorded:
    """Writes a verdict: the message, its cases and versions, events, a row of "Por revisar".

    Args:
        raw: Digest of the original.
        received: When it arrived.
        earlier: The message's row when it is looked at again.
    """
    message = _record_message(
        connection, reading, judgement, raw=raw, received=received, earlier=earlier, now=now
    )
    call, late = call_of(config, received)
    references: list[str | None] = []
    for form in judgement.forms:
        if not form.opens_case:
            references.append(None)
            continue
        reference = _record_form(
            connection,
            form,
            reading,
            message=message,
            received=received,
            call=call,
            late=late,
            config=config,
            now=now,
        )
        references.append(reference)
    if judgement.thread_case is not None:
        _record_words(connection, judgement, judgement.thread_case.reference, message=message, now=now)
    _record_reviews(connection, reading, judgement, references, message=message, received=received)
    tokens = {reference: token(connection, reference) for reference in references if reference}
    return Recorded(
        message=message,
        references=tuple(references),
        tokens=tokens,
        deadlines=missed_deadlines(connection, tuple(tokens), config),
    )


def missed_deadlines(connection: Connection, references: Sequence[str], config: Config) -> dict[str, date]:
    """Reference to its call's deadline, of the cases begun after it; a later correction makes nobody late."""
    known = {call.id: call.deadline for call in config.settings.calls}
    if not references or not known:
        return {}
    rows = connection.execute(
        select(cases.c.reference, cases.c.call).where(cases.c.reference.in_(references), cases.c.late)
    )
    found = {row.reference: known.get(row.call) for row in rows}
    return {reference: deadline for reference, deadline in found.items() if deadline is not None}


def _record_reviews(
    connection: Connection,
    reading: Reading,
    judgement: Judgement,
    references: Sequence[str | None],
    *,
    message: int,
    received: datetime,
) -> None:
    """Lines of *Por revisar*; a mail looked at again with the same outcome has its line already."""
    if judgement.silence == "unchanged":
        return
    held = [
        reference
        for form, reference in zip(judgement.forms, references, strict=True)
        if isinstance(form.disposition, Held) and reference is not None
    ]
    spoken_of = judgement.thread_case.reference if judgement.thread_case is not None else None
    named = next((form.case.reference for form in judgement.forms if form.case is not None), None)
    if judgement.review is not None:
        reference = held[0] if held else spoken_of or named
        add_review(
            connection,
            reason=judgement.review,
            message=message,
            reference=reference,
            reading=reading,
            now=received,
        )
    for reason in judgement.also_review:
        reference = next((each for each in references if each is not None), spoken_of)
        add_review(
            connection, reason=reason, message=message, reference=reference, reading=reading, now=received
        )


def _record_message(
    connection: Connection,
    reading: Reading,
    judgement: Judgement,
    *,
    raw: str,
    received: datetime,
    earlier: int | None,
    now: datetime,
) -> int:
    is_left = judgement.file_to is None
    values = {
        "digest": reading.digest,
        "disposition": name_of(judgement.disposition),
        "reason": judgement.disposition.reason,
        "received": stamp(received),
        "judged": stamp(now),
        "silence": judgement.silence,
        "file_to": judgement.file_to,
        "errors": json.dumps([list(error) for form in judgement.forms for error in form.errors]),
        # Of mail left for people nothing is kept but digest, date and reason.
        "message_id": None if is_left else reading.message_id,
        "raw": None if is_left else raw,
        "sender": None if is_left else reading.sender,
        "subject": None if is_left else reading.subject,
        "language": None if is_left else reading.language,
        "trust": None if is_left else reading.screening.trust,
    }
    if earlier is not None:
        connection.execute(update(messages).where(messages.c.id == earlier).values(**values))
        add_event(connection, now, "looked_again", message=earlier)
        return earlier
    return int(connection.execute(insert(messages), values).inserted_primary_key[0])  # type: ignore[index]


def call_of(config: Config, received: datetime) -> tuple[Call | None, bool]:
    """The call a mail belongs to by its day, and whether its deadline had passed."""
    day = config.settings.office.local(received).date()
    opened = [call for call in config.settings.calls if call.opens is None or call.opens <= day]
    current = [call for call in opened if call.deadline is None or day <= call.deadline]
    if current:
        return current[-1], False
    return (opened[-1], True) if opened else (None, False)


def _record_form(
    connection: Connection,
    judged: FormJudgement,
    reading: Reading,
    *,
    message: int,
    received: datetime,
    call: Call | None,
    late: bool,
    config: Config,
    now: datetime,
) -> str:
    known = judged.case
    name = name_of(judged.disposition)
    reference = (
        known.reference if known is not None else _new_case(connection, judged, call, late, received, config)
    )
    # Asked of the ledger, not of what was known before: another form of this mail may have added one.
    last = last_version(connection, reference) if known is not None else None
    number = last.number if last is not None else 0
    if not judged.same or last is None:
        number += 1
        add_version(
            connection,
            reference,
            number,
            judged,
            message=message,
            source="sender",
            files=[
                {"name": file.name, "size": file.size, "kind": file.kind}
                for file in reading.files
                if not file.inline
            ],
            now=received,
        )
    settle_case(connection, reference, judged, number=number, known=known, now=now)
    _voices(connection, reference, judged.form, reading)
    add_event(
        connection,
        now,
        name,
        reference=reference,
        message=message,
        version=number,
        reason=judged.disposition.reason,
    )
    return reference


def _new_case(
    connection: Connection,
    judged: FormJudgement,
    call: Call | None,
    late: bool,
    received: datetime,
    config: Config,
) -> str:
    reference = _next_reference(connection, received, config)
    connection.execute(
        insert(cases),
        {
            "reference": reference,
            "row_key": new_key(),
            "call": call.id if call is not None else "",
            "late": late,
            "opened": stamp(received),
            "disposition": "held",
            "situation": "received",
            "language": judged.form.language,
            "changed_at": stamp(received),
        },
    )
    return reference


def new_key() -> str:
    """An opaque key of a register row: twelve characters that no spreadsheet takes for a number or formula."""
    return "".join(secrets.choice("BCDFGHJKMNPQRSTVWXYZ") for _ in range(12))


def _next_reference(connection: Connection, received: datetime, config: Config) -> str:
    settings = config.settings
    year = settings.office.local(received).year
    of_year = {"prefix": settings.reference.prefix, "year": year}
    connection.execute(_NEXT_NUMBER, {**of_year, "last": 1})
    last = connection.scalar(_LAST_NUMBER, of_year)
    return f"{settings.reference.prefix}-{year}-{last:0{settings.reference.digits}d}"


def add_version(
    connection: Connection,
    reference: str,
    number: int,
    judged: FormJudgement,
    *,
    message: int | None,
    source: str,
    files: Sequence[dict[str, Any]],
    now: datetime,
) -> None:
    """Adds a version of a case, from the sender or from staff."""
    connection.execute(
        insert(versions),
        {
            "reference": reference,
            "number": number,
            "message": message,
            "at": stamp(now),
            "source": source,
            "digest": judged.file.digest if judged.file is not None else "",
            "disposition": name_of(judged.disposition),
            "form": form_json.dump_json(judged.form).decode(),
            "findings": findings_json.dump_json(judged.findings).decode(),
            "files": json.dumps(list(files), ensure_ascii=False),
        },
    )


def situation_of(judged: FormJudgement) -> str:
    """The key of what people see in *Situación del formulario*."""
    match name_of(judged.disposition):
        case "accepted":
            consent = judged.form.value("consent_publish")
            return {"no": "unauthorized", "pending": "received"}.get(str(consent), "complete")
        case "needs_correction":
            return "correction"
        case _:
            return "waiting"


def settle_case(
    connection: Connection,
    reference: str,
    judged: FormJudgement,
    *,
    number: int,
    known: KnownCase | None,
    now: datetime,
) -> None:
    """The case after a verdict. A failing update leaves it at its last accepted version."""
    name = name_of(judged.disposition)
    values: dict[str, Any] = {
        "changed": cases.c.changed + 1,
        "changed_at": stamp(now),
        "reason": judged.disposition.reason,
    }
    if name == "accepted":
        values |= {"disposition": name, "situation": situation_of(judged), "accepted_version": number}
        values["completed"] = func.coalesce(cases.c.completed, stamp(now))
    elif known is None or known.accepted_version is None:
        values |= {"disposition": name, "situation": situation_of(judged)}
    if name == "accepted" or known is None or known.accepted_version is None:
        values["title"] = str(judged.form.value("title") or "")
        values["language"] = judged.form.language
    connection.execute(update(cases).where(cases.c.reference == reference).values(**values))


def _voices(connection: Connection, reference: str, form: Form, reading: Reading) -> None:
    addresses = [(folded(reading.sender), "sender", reading.screening.trust == "verified")]
    emails = form.value("focal_email")
    if isinstance(emails, list):
        connection.execute(_NO_CONTACTS, {"of": reference})
        addresses += [(folded(str(address)), "contact", False) for address in emails]
    rows = [
        {"reference": reference, "address": address, "role": role, "verified": verified}
        for address, role, verified in addresses
        if address is not None
    ]
    if rows:
        connection.execute(_VOICE, rows)


def _record_words(
    connection: Connection, judgement: Judgement, reference: str, *, message: int, now: datetime
) -> None:
    """A mail without a form in a case's thread: the disposition stays, people see that somebody wrote."""
    if judgement.review is None:
        # Machine mail that names us: a line in the case's history, nothing else.
        add_event(
            connection,
            now,
            "machine_mail",
            reference=reference,
            message=message,
            kind=judgement.disposition.reason,
        )
        return
    values: dict[str, Any] = {
        "situation": "answered",
        "changed": cases.c.changed + 1,
        "changed_at": stamp(now),
    }
    if judgement.freezes:
        values["frozen"] = True
    connection.execute(update(cases).where(cases.c.reference == reference).values(**values))
    action = "withdrawal_words" if judgement.freezes else "wrote"
    add_event(connection, now, action, reference=reference, message=message)


def add_review(
    connection: Connection,
    *,
    reason: str,
    message: int | None,
    reference: str | None,
    reading: Reading | None,
    now: datetime,
) -> int:
    """A row of "Por revisar"."""
    result = connection.execute(
        insert(review).values(
            row_key=new_key(),
            message=message,
            reference=reference,
            at=stamp(now),
            sender=(reading.sender or "") if reading is not None else "",
            subject=reading.subject if reading is not None else "",
            reason=reason,
            words=reading.own_text
            if reading is not None and reason in ("reply_in_words", "withdrawal")
            else "",
        )
    )
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def add_event(
    connection: Connection,
    now: datetime,
    action: str,
    *,
    reference: str | None = None,
    message: int | None = None,
    by: str = "",
    **detail: Any,
) -> None:
    """One line of a case's story, for `show`."""
    connection.execute(
        insert(events),
        {
            "reference": reference,
            "message": message,
            "at": stamp(now),
            "action": action,
            "by": by,
            "detail": json.dumps(detail, ensure_ascii=False),
        },
    )


def last_version(connection: Connection, reference: str, *, accepted: bool = False) -> Row[Any] | None:
    """The last version of a case, or the last complete one."""
    statement = _LAST_ACCEPTED if accepted else _LAST_VERSION
    return connection.execute(statement, {"reference": reference}).first()


def touch(connection: Connection, references: Sequence[str], now: datetime) -> None:
    """The register has something new to show of these cases."""
    if references:
        connection.execute(_TOUCH, {"these": list(references), "at": stamp(now)})
