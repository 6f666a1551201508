"""What the ledger recalls that bears on one mail: whether it was seen, whose case it continues, what was sent.

Reads only, over the caller's connection; gives the values of `intake.history` to judging.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from rapidfuzz import fuzz
from sqlalchemy import Connection, Row, bindparam, func, select

from config import Config
from intake.history import Earlier, FormHistory, History, KnownCase, Link, Waiver
from intake.ledger import fact, stamp
from intake.reading import File, Reading
from intake.schema import cases, corrections, messages, outbox, outbox_cases, versions, voices, waivers
from parsers.form import Finding, Form

findings_json: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])

# Two titles nearer than this are taken for the same practice by the same verified sender.
NEAR_TITLE = 90.0
# Two titles farther apart than this are two practices, whatever thread the second came in. Titles of different
# practices reach 65 (the field's words recur in them); one shortened or worded anew stays above 74.
FAR_TITLE = 68.0
# Characters of a token: no vowels to spell words, no letters taken for digits on paper.
_LETTERS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "BCDFGHJKMNPQRSTVWXYZ23456789BCDF")

# Statements of every mail are built once: building one costs more than running it.
_OF_DIGEST = select(messages).where(messages.c.digest == bindparam("digest")).order_by(messages.c.id)
_OF_FILE = (
    select(versions.c.reference)
    .join(voices, voices.c.reference == versions.c.reference)
    .where(versions.c.digest == bindparam("digest"), voices.c.address == bindparam("address"))
)
_OPEN_OF_ADDRESS = (
    select(cases.c.reference)
    .join(voices, voices.c.reference == cases.c.reference)
    .where(voices.c.address == bindparam("address"), voices.c.role == "sender", voices.c.verified)
    .where(~cases.c.closed, cases.c.disposition != "accepted")
)
# Not "state in (due, sending, sent)": SQLite would look through all that was ever sent by the index on states.
_REPLIES = (
    select(func.count())
    .select_from(outbox)
    .where(outbox.c.created >= bindparam("since"))
    .where(outbox.c.state.not_in(("waiting", "refused", "superseded")))
)
_REPLIES_TO = _REPLIES.where(outbox.c.address == bindparam("address"))
_CASES_OF = (
    select(func.count())
    .select_from(cases.join(voices, voices.c.reference == cases.c.reference))
    .where(voices.c.address == bindparam("address"), voices.c.role == "sender")
    .where(cases.c.opened >= bindparam("since"))
)
_TO_ADDRESS = outbox.c.address == bindparam("address")
_NOTICE_TO = select(outbox.c.id).where(_TO_ADDRESS, outbox.c.kind == "waiting").limit(1)
_LANGUAGE_TO = select(outbox.c.language).where(_TO_ADDRESS).order_by(outbox.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """Which of our cases a mail names, by what: our Message-IDs, right tokens, bare references."""

    replies: tuple[int, ...]
    threads: tuple[str, ...]
    tokens: tuple[str, ...]
    bare: tuple[str, ...]
    forged: bool

    @property
    def proved(self) -> tuple[str, ...]:
        """Cases named in a way that only somebody who got our reply can."""
        return tuple(dict.fromkeys((*self.threads, *self.tokens)))


def token(connection: Connection, reference: str) -> str:
    """The subject token of a case: its reference and eight characters of an HMAC (key in the ledger)."""
    key = bytes.fromhex(fact(connection, "token_key") or "")
    digest = hmac.new(key, reference.encode(), hashlib.sha256).digest()
    return f"{reference}-{base64.b32encode(digest).decode()[:8].translate(_LETTERS)}"


def known_message(connection: Connection, digest: str, message_id: str | None) -> Row[Any] | None:
    """The message with this content and Message-ID, if it was judged before."""
    for row in connection.execute(_OF_DIGEST, {"digest": digest}).all():
        if row.message_id is None or message_id is None or row.message_id == message_id:
            return row
    return None


def errors_of(row: Row[Any]) -> tuple[tuple[str, str | None], ...]:
    """`(code, field)` of the errors of a judged message."""
    return tuple((code, field) for code, field in json.loads(row.errors))


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
    named = _named(connection, reading)
    forms = tuple(
        _form_history(connection, reading, file, form, named, config) for file, form in reading.forms
    )
    day_began = midnight(now, config)
    address = folded(reading.sender)
    spoken_of = _spoken_of(connection, reading, named)
    return History(
        forms=forms,
        thread_case=known_case(connection, spoken_of) if spoken_of is not None else None,
        may_freeze=spoken_of is not None and _may_speak(connection, reading, spoken_of, named, config),
        ours=bool(named.replies or named.tokens),
        answered_by_person=answered_by_person,
        replies_today=_replies(connection, address, day_began),
        replies_this_hour=_replies(connection, None, now - timedelta(hours=1)),
        cases_today=_cases_today(connection, address, day_began),
        noticed=_noticed(connection, address),
        language=_last_language(connection, address),
        earlier=earlier,
    )


def folded(address: str | None) -> str | None:
    """An address as it is compared: people write the same one in capitals and without."""
    return address.casefold() if address is not None else None


def _named(connection: Connection, reading: Reading) -> _Named:
    replies = _named_replies(connection, reading)
    right: list[str] = []
    bare: list[str] = []
    forged = False
    for found in reading.tokens:
        if found.check is None:
            bare.append(found.reference)
        elif hmac.compare_digest(token(connection, found.reference), f"{found.reference}-{found.check}"):
            right.append(found.reference)
        else:
            forged = True
    return _Named(
        replies=tuple(replies),
        threads=tuple(_threads(connection, replies)),
        tokens=tuple(right),
        bare=tuple(bare),
        forged=forged,
    )


def _named_replies(connection: Connection, reading: Reading) -> list[int]:
    named = {*reading.in_reply_to, *reading.references}
    if not named:
        return []
    statement = select(outbox.c.id).where(outbox.c.message_id.in_(named)).order_by(outbox.c.id.desc())
    return list(connection.scalars(statement))


def _threads(connection: Connection, replies: Sequence[int]) -> list[str]:
    if not replies:
        return []
    statement = select(outbox_cases.c.reference).where(outbox_cases.c.outbox.in_(replies))
    return list(dict.fromkeys(connection.scalars(statement.order_by(outbox_cases.c.outbox.desc()))))


def _spoken_of(connection: Connection, reading: Reading, named: _Named) -> str | None:
    """The case that a mail without a form is about.

    Words of withdrawal count also with the bare reference, or from one of a case's addresses.
    """
    if named.proved:
        return named.proved[0]
    if not reading.withdrawal:
        return None
    for reference in named.bare:
        if connection.scalar(select(cases.c.reference).where(cases.c.reference == reference)) is not None:
            return reference
    statement = (
        select(cases.c.reference)
        .join(voices, voices.c.reference == cases.c.reference)
        .where(voices.c.address == folded(reading.sender), ~cases.c.closed)
        .order_by(cases.c.changed_at.desc())
    )
    return connection.scalar(statement.limit(1))


def _form_history(
    connection: Connection, reading: Reading, file: File, form: Form, named: _Named, config: Config
) -> FormHistory:
    found = _find_case(connection, reading, file, form, named)
    if found is None:
        return FormHistory(foreign=form.case_id is not None or (named.forged and not named.proved))
    reference, link = found
    case = known_case(connection, reference)
    if case is None:
        return FormHistory(foreign=True)
    return FormHistory(
        case=case,
        link=link,
        allowed=_may_speak(connection, reading, reference, named, config, by_document=link == "document"),
        same=_same(connection, reference, file),
        other_practice=_is_other_practice(case, form),
    )


def _find_case(
    connection: Connection, reading: Reading, file: File, form: Form, named: _Named
) -> tuple[str, Link] | None:
    if form.case_id is not None:
        exists = connection.scalar(select(cases.c.reference).where(cases.c.reference == form.case_id))
        return (form.case_id, "document") if exists else None
    links: tuple[tuple[Sequence[str], Link], ...] = ((named.threads, "thread"), (named.tokens, "token"))
    for references, link in links:
        chosen = _of_title(connection, references, form, alone=len(reading.forms) == 1)
        if chosen is not None:
            return chosen, link
    if reading.sender is None:
        return None
    same = connection.scalar(_OF_FILE, {"digest": file.digest, "address": folded(reading.sender)})
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
    known = connection.scalars(_OPEN_OF_ADDRESS, {"address": folded(address)}).all()
    near = [reference for reference in known if _near(connection, reference, title)]
    return (near[0], "address") if len(near) == 1 else None


def _near(connection: Connection, reference: str, title: str) -> bool:
    known = connection.scalar(select(cases.c.title).where(cases.c.reference == reference)) or ""
    return bool(title and known) and fuzz.ratio(title.casefold(), known.casefold()) >= NEAR_TITLE


def _is_other_practice(case: KnownCase, form: Form) -> bool:
    """A second practice sent as an answer to the first one's acknowledgement must not take its place."""
    title = str(form.value("title") or "")
    if case.accepted_version is None or form.case_id is not None or not title or not case.title:
        return False
    if "title" in case.corrections:
        # Staff's own title, a translation perhaps, tells nothing about the sender's.
        return False
    return fuzz.token_set_ratio(title.casefold(), case.title.casefold()) < FAR_TITLE


def _may_speak(
    connection: Connection,
    reading: Reading,
    reference: str,
    named: _Named,
    config: Config,
    *,
    by_document: bool = False,
) -> bool:
    """Earlier senders, the contact of the last judged version, or the same institution with a valid token.

    A From address alone proves nothing: where its earlier mails were verified, or where only the case id in
    the file leads here (references can be guessed), this mail must be verified too or come in our thread.
    """
    sender = folded(reading.sender)
    if sender is None:
        return False
    proved = reading.screening.trust == "verified" or reference in named.proved
    known = connection.execute(select(voices).where(voices.c.reference == reference)).all()
    own = [voice for voice in known if voice.address == sender]
    if own:
        return proved or not (by_document or any(voice.verified for voice in own))
    domain = sender.rpartition("@")[2]
    if domain in config.settings.auth.free_mail or reference not in named.tokens:
        return False
    return any(voice.address.rpartition("@")[2] == domain for voice in known)


def _same(connection: Connection, reference: str, file: File) -> bool:
    last = connection.scalar(
        select(versions.c.digest)
        .where(versions.c.reference == reference)
        .order_by(versions.c.number.desc())
        .limit(1)
    )
    return last == file.digest


def known_case(connection: Connection, reference: str) -> KnownCase | None:
    """A case by its reference, as it stands."""
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
        # A request that still waits for quiet was no round yet: a newer version supersedes it.
        rounds=row.rounds - _unsent_requests(connection, reference),
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


def _unsent_requests(connection: Connection, reference: str) -> int:
    statement = (
        select(func.count())
        .select_from(outbox_cases.join(outbox, outbox.c.id == outbox_cases.c.outbox))
        .where(outbox_cases.c.reference == reference, outbox_cases.c.asks)
        .where(outbox.c.state.in_(("due", "waiting")))
    )
    return int(connection.scalar(statement) or 0)


def midnight(now: datetime, config: Config) -> datetime:
    """When the office's day began."""
    return config.settings.office.local(now).replace(hour=0, minute=0, second=0, microsecond=0)


def _replies(connection: Connection, address: str | None, since: datetime) -> int:
    statement = _REPLIES if address is None else _REPLIES_TO
    return int(connection.scalar(statement, {"since": stamp(since), "address": address}) or 0)


def _cases_today(connection: Connection, address: str | None, since: datetime) -> int:
    if address is None:
        return 0
    return int(connection.scalar(_CASES_OF, {"address": address, "since": stamp(since)}) or 0)


def _noticed(connection: Connection, address: str | None) -> bool:
    return address is not None and connection.scalar(_NOTICE_TO, {"address": address}) is not None


def _last_language(connection: Connection, address: str | None) -> str | None:
    if address is None:
        return None
    return connection.scalar(_LANGUAGE_TO, {"address": address})
