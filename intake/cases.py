"""Cases in the ledger: finding the one a mail belongs to, and recording a verdict.

Functions over one connection; the caller's transaction keeps or drops everything together.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from rapidfuzz import fuzz
from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from config import Config
from config.settings import Call
from intake.history import Earlier, FormHistory, History, KnownCase, Link, Waiver
from intake.judging import FormJudgement, Judgement, name_of
from intake.ledger import fact, stamp
from intake.reading import File, Reading
from intake.schema import (
    cases,
    corrections,
    events,
    messages,
    outbox,
    outbox_cases,
    review,
    sequences,
    versions,
    voices,
    waivers,
)
from parsers.form import Finding, Form

form_json: TypeAdapter[Form] = TypeAdapter(Form)
findings_json: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])

# Two titles nearer than this are taken for the same practice by the same verified sender.
NEAR_TITLE = 90.0
# Characters of a token: no vowels to spell words, no letters taken for digits on paper.
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "BCDFGHJKMNPQRSTVWXYZ23456789BCDF")


def token(connection: Connection, reference: str) -> str:
    """The subject token of a case: its reference and eight characters of an HMAC (key in the ledger)."""
    key = bytes.fromhex(fact(connection, "token_key") or "")
    digest = hmac.new(key, reference.encode(), hashlib.sha256).digest()
    return f"{reference}-{base64.b32encode(digest).decode()[:8].translate(_LETTERS)}"


def known_message(connection: Connection, digest: str, message_id: str | None) -> Row[Any] | None:
    """The message with this content and Message-ID, if it was judged before."""
    statement = select(messages).where(messages.c.digest == digest)
    rows = connection.execute(statement.order_by(messages.c.id)).all()
    for row in rows:
        if row.message_id is None or message_id is None or row.message_id == message_id:
            return row
    return None


def history(
    connection: Connection,
    reading: Reading,
    config: Config,
    now: datetime,
    *,
    answered_by_person: bool = False,
    earlier: Earlier | None = None,
) -> History:
    """Everything the ledger knows that bears on this mail."""
    named = _named_replies(connection, reading)
    threads = _threads(connection, named)
    tokens, forged = _tokens(connection, reading)
    hints = list(dict.fromkeys([*threads, *tokens]))
    forms = tuple(
        _form_history(
            connection, reading, file, form, threads=threads, tokens=tokens, forged=forged, config=config
        )
        for file, form in reading.forms
    )
    midnight = _midnight(now, config)
    return History(
        forms=forms,
        thread_case=_known_case(connection, hints[0]) if hints else None,
        ours=bool(named or tokens),
        reply_named=named[0] if named else None,
        answered_by_person=answered_by_person,
        replies_today=_replies(connection, reading.sender, midnight),
        replies_this_hour=_replies(connection, None, now - timedelta(hours=1)),
        cases_today=_cases_today(connection, reading.sender, midnight),
        noticed=_noticed(connection, reading.sender),
        language=_last_language(connection, reading.sender),
        earlier=earlier,
    )


def _named_replies(connection: Connection, reading: Reading) -> list[int]:
    named = {*reading.in_reply_to, *reading.references}
    if not named:
        return []
    return list(
        connection.scalars(
            select(outbox.c.id).where(outbox.c.message_id.in_(named)).order_by(outbox.c.id.desc())
        )
    )


def _threads(connection: Connection, replies: Sequence[int]) -> list[str]:
    if not replies:
        return []
    statement = select(outbox_cases.c.reference).where(outbox_cases.c.outbox.in_(replies))
    return list(dict.fromkeys(connection.scalars(statement.order_by(outbox_cases.c.outbox.desc()))))


def _tokens(connection: Connection, reading: Reading) -> tuple[list[str], bool]:
    """References whose token is right, and whether any was wrong."""
    right: list[str] = []
    forged = False
    for found in reading.tokens:
        if found.check is None:
            continue
        if hmac.compare_digest(token(connection, found.reference), f"{found.reference}-{found.check}"):
            right.append(found.reference)
        else:
            forged = True
    return right, forged


def _form_history(
    connection: Connection,
    reading: Reading,
    file: File,
    form: Form,
    *,
    threads: Sequence[str],
    tokens: Sequence[str],
    forged: bool,
    config: Config,
) -> FormHistory:
    found = _find_case(connection, reading, file, form, threads=threads, tokens=tokens)
    if found is None:
        foreign = (form.case_id is not None) or (forged and not threads and not tokens)
        return FormHistory(foreign=foreign)
    reference, link = found
    case = _known_case(connection, reference)
    if case is None:
        return FormHistory(foreign=True)
    allowed = _may_speak(connection, reading, reference, tokens=tokens, config=config)
    return FormHistory(case=case, link=link, allowed=allowed, same=_same(connection, reference, file))


def _find_case(
    connection: Connection,
    reading: Reading,
    file: File,
    form: Form,
    *,
    threads: Sequence[str],
    tokens: Sequence[str],
) -> tuple[str, Link] | None:
    if form.case_id is not None:
        exists = connection.scalar(select(cases.c.reference).where(cases.c.reference == form.case_id))
        return (form.case_id, "document") if exists else None
    links: tuple[tuple[Sequence[str], Link], ...] = ((threads, "thread"), (tokens, "token"))
    for references, link in links:
        chosen = _of_title(connection, references, form, alone=len(reading.forms) == 1)
        if chosen is not None:
            return chosen, link
    if reading.sender is None:
        return None
    same = connection.scalar(
        select(versions.c.reference)
        .join(voices, voices.c.reference == versions.c.reference)
        .where(versions.c.digest == file.digest, voices.c.address == reading.sender)
    )
    if same is not None:
        return same, "address"
    if reading.screening.trust != "verified":
        return None
    return _of_address(connection, reading.sender, form)


def _of_title(connection: Connection, references: Sequence[str], form: Form, *, alone: bool) -> str | None:
    """Which of the thread's cases this form continues: the only one, else the one of a near title."""
    if len(references) == 1 and alone:
        return references[0]
    title = str(form.value("title") or "")
    near = [reference for reference in references if _near(connection, reference, title)]
    return near[0] if len(near) == 1 else None


def _of_address(connection: Connection, address: str, form: Form) -> tuple[str, Link] | None:
    title = str(form.value("title") or "")
    statement = (
        select(cases.c.reference)
        .join(voices, voices.c.reference == cases.c.reference)
        .where(voices.c.address == address, voices.c.role == "sender", voices.c.verified, ~cases.c.closed)
        .where(cases.c.disposition != "accepted")
    )
    near = [reference for reference in connection.scalars(statement) if _near(connection, reference, title)]
    return (near[0], "address") if len(near) == 1 else None


def _near(connection: Connection, reference: str, title: str) -> bool:
    known = connection.scalar(select(cases.c.title).where(cases.c.reference == reference)) or ""
    return bool(title and known) and fuzz.ratio(title.casefold(), known.casefold()) >= NEAR_TITLE


def _may_speak(
    connection: Connection, reading: Reading, reference: str, *, tokens: Sequence[str], config: Config
) -> bool:
    """Earlier senders, the contact of the last judged version, or the same institution with a valid token."""
    sender = reading.sender
    if sender is None:
        return False
    known = set(connection.scalars(select(voices.c.address).where(voices.c.reference == reference)))
    if sender in known:
        return True
    domain = sender.rpartition("@")[2]
    if domain in config.settings.auth.free_mail or reference not in tokens:
        return False
    return any(address.rpartition("@")[2] == domain for address in known)


def _same(connection: Connection, reference: str, file: File) -> bool:
    last = connection.scalar(
        select(versions.c.digest)
        .where(versions.c.reference == reference)
        .order_by(versions.c.number.desc())
        .limit(1)
    )
    return last == file.digest


def _known_case(connection: Connection, reference: str) -> KnownCase | None:
    row = connection.execute(select(cases).where(cases.c.reference == reference)).first()
    if row is None:
        return None
    last = connection.execute(
        select(versions.c.number, versions.c.findings)
        .where(versions.c.reference == reference)
        .order_by(versions.c.number.desc())
        .limit(1)
    ).first()
    findings = findings_json.validate_json(last.findings) if last is not None else ()
    return KnownCase(
        reference=reference,
        disposition=row.disposition,
        title=row.title,
        rounds=row.rounds,
        versions=last.number if last is not None else 0,
        accepted_version=row.accepted_version,
        noticed=row.noticed,
        frozen=row.frozen,
        closed=row.closed,
        waivers=tuple(
            Waiver(code=waiver.code, field=waiver.field, value=waiver.value)
            for waiver in connection.execute(select(waivers).where(waivers.c.reference == reference))
        ),
        corrections={
            correction.field: correction.value
            for correction in connection.execute(
                select(corrections).where(corrections.c.reference == reference)
            )
        },
        errors=tuple((finding.code, finding.field) for finding in findings if finding.severity == "error"),
    )


def known_case(connection: Connection, reference: str) -> KnownCase | None:
    """A case by its reference."""
    return _known_case(connection, reference)


def _midnight(now: datetime, config: Config) -> datetime:
    local = now.astimezone(ZoneInfo(config.settings.office.timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _replies(connection: Connection, address: str | None, since: datetime) -> int:
    statement = select(func.count()).select_from(outbox).where(outbox.c.created >= stamp(since))
    statement = statement.where(outbox.c.state.in_(("due", "sending", "sent")))
    if address is not None:
        statement = statement.where(outbox.c.recipient == address)
    return int(connection.scalar(statement) or 0)


def _cases_today(connection: Connection, address: str | None, since: datetime) -> int:
    statement = (
        select(func.count())
        .select_from(cases.join(voices, voices.c.reference == cases.c.reference))
        .where(voices.c.address == address, voices.c.role == "sender", cases.c.opened >= stamp(since))
    )
    return int(connection.scalar(statement) or 0) if address is not None else 0


def _noticed(connection: Connection, address: str | None) -> bool:
    statement = select(outbox.c.id).where(outbox.c.recipient == address, outbox.c.kind == "waiting").limit(1)
    return address is not None and connection.scalar(statement) is not None


def _last_language(connection: Connection, address: str | None) -> str | None:
    if address is None:
        return None
    return connection.scalar(
        select(outbox.c.language).where(outbox.c.recipient == address).order_by(outbox.c.id.desc()).limit(1)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a verdict became in the ledger.

    Attributes:
        message: The message's row.
        references: The reference of each judged form, `None` where it opens no case.
        tokens: Reference to subject token.
        late: Whether the call's deadline had passed.
    """

    message: int
    references: tuple[str | None, ...]
    tokens: dict[str, str]
    call: Call | None = None
    late: bool = False


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
    if judgement.review is not None:
        add_review(
            connection,
            reason=judgement.review,
            message=message,
            reference=next((reference for reference in references if reference), None)
            or (judgement.thread_case.reference if judgement.thread_case else None),
            reading=reading,
            now=received,
        )
    tokens = {reference: token(connection, reference) for reference in references if reference}
    return Recorded(message=message, references=tuple(references), tokens=tokens, call=call, late=late)


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
        _event(connection, now, "looked_again", message=earlier)
        return earlier
    return int(connection.execute(insert(messages).values(**values)).inserted_primary_key[0])  # type: ignore[index]


def call_of(config: Config, received: datetime) -> tuple[Call | None, bool]:
    """The call a mail belongs to by its day, and whether its deadline had passed."""
    day = received.astimezone(ZoneInfo(config.settings.office.timezone)).date()
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
    if not judged.same:
        number = (known.versions if known is not None else 0) + 1
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
    else:
        number = known.versions if known is not None else 1
    settle_case(connection, reference, judged, number=number, known=known, now=now)
    _voices(connection, reference, judged.form, reading)
    _event(
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
        insert(cases).values(
            reference=reference,
            row_key=new_key(),
            call=call.id if call is not None else "",
            late=late,
            opened=stamp(received),
            disposition="held",
            situation="received",
            language=judged.form.language,
            changed_at=stamp(received),
        )
    )
    return reference


def new_key() -> str:
    """An opaque key of a register row: twelve characters that no spreadsheet takes for a number or formula."""
    return "".join(secrets.choice("BCDFGHJKMNPQRSTVWXYZ") for _ in range(12))


def _next_reference(connection: Connection, received: datetime, config: Config) -> str:
    settings = config.settings
    year = received.astimezone(ZoneInfo(settings.office.timezone)).year
    statement = upsert(sequences).values(prefix=settings.reference.prefix, year=year, last=1)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["prefix", "year"], set_={"last": sequences.c.last + 1}
        )
    )
    last = connection.scalar(
        select(sequences.c.last).where(
            sequences.c.prefix == settings.reference.prefix, sequences.c.year == year
        )
    )
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
        insert(versions).values(
            reference=reference,
            number=number,
            message=message,
            at=stamp(now),
            source=source,
            digest=judged.file.digest if judged.file is not None else "",
            disposition=name_of(judged.disposition),
            form=form_json.dump_json(judged.form).decode(),
            findings=findings_json.dump_json(judged.findings).decode(),
            files=json.dumps(list(files), ensure_ascii=False),
        )
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
    addresses = [(reading.sender, "sender", reading.screening.trust == "verified")]
    emails = form.value("focal_email")
    if isinstance(emails, list):
        connection.execute(voices.delete().where(voices.c.reference == reference, voices.c.role == "contact"))
        addresses += [(str(address).lower(), "contact", False) for address in emails]
    for address, role, verified in addresses:
        if address is None:
            continue
        statement = upsert(voices).values(reference=reference, address=address, role=role, verified=verified)
        connection.execute(statement.on_conflict_do_nothing())


def _record_words(
    connection: Connection, judgement: Judgement, reference: str, *, message: int, now: datetime
) -> None:
    """A mail without a form in a case's thread: the disposition stays, people see that somebody wrote."""
    if judgement.review is None:
        # Machine mail that names us: a line in the case's history, nothing else.
        _event(
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
    _event(connection, now, action, reference=reference, message=message)


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


def _event(
    connection: Connection,
    now: datetime,
    action: str,
    *,
    reference: str | None = None,
    message: int | None = None,
    by: str = "",
    **detail: Any,
) -> None:
    connection.execute(
        insert(events).values(
            reference=reference,
            message=message,
            at=stamp(now),
            action=action,
            by=by,
            detail=json.dumps(detail, ensure_ascii=False),
        )
    )


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
    _event(connection, now, action, reference=reference, message=message, by=by, **detail)


def last_version(connection: Connection, reference: str, *, accepted: bool = False) -> Row[Any] | None:
    """The last version of a case, or the last complete one."""
    statement = (
        select(versions).where(versions.c.reference == reference).order_by(versions.c.number.desc()).limit(1)
    )
    if accepted:
        statement = statement.where(versions.c.disposition == "accepted")
    return connection.execute(statement).first()


def errors_of(row: Row[Any]) -> tuple[tuple[str, str | None], ...]:
    """`(code, field)` of the errors of a judged message."""
    return tuple((code, field) for code, field in json.loads(row.errors))


def touch(connection: Connection, references: Sequence[str], now: datetime) -> None:
    """The register has something new to show of these cases."""
    if references:
        connection.execute(
            update(cases)
            .where(cases.c.reference.in_(references))
            .values(changed=cases.c.changed + 1, changed_at=stamp(now))
        )
