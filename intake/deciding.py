"""Staff's decisions on cases: corrections, waivers, release, join, withdraw, close.

One function, `decide`; the command uses it now, the register later. Each decision is an event with person and
reason; the form is judged again and answered by the same path as mail.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from config import Config
from intake import cases, outbox, recall
from intake.answering import form_section, prepared
from intake.cases import Recorded
from intake.checks import usable
from intake.dispositions import Accepted, Disposition, FormJudgement, Held, NeedsCorrection, name_of
from intake.errors import OperatorError
from intake.form_judging import judge_form, raw_of, with_corrections
from intake.history import KnownCase
from intake.ledger import Ledger, moment, stamp
from intake.schema import cases as case_table
from intake.schema import corrections, messages, review, versions, waivers
from parsers import read_answer
from parsers.form import Finding, Form
from responses.letters import Letter


class DecisionRefused(OperatorError):
    """The decision cannot be carried out; `show REF` tells what the case holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correct:
    """Staff's value of a field stands from now on."""

    field: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waive:
    """A finding is let pass for this case, field and value. Consent cannot be waived."""

    code: str
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What was held goes on: judged again without what held it, now and while those answers stay as they are.

    Outgoing mail that words of withdrawal froze goes on too, and replies that wait for a person leave. For a line
    of "Por revisar": the replies to its mail leave.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """The case is the same practice as another, which goes on alone."""

    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """The submitter withdrew it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Nothing more is done with it; for a line of "Por revisar": seen to."""


Action = Correct | Waive | Release | Join | Withdraw | Close


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided.

    Attributes:
        target: A case's reference, or the number of a line of "Por revisar".
        action: What.
        by: Who.
        reason: Why, a sentence.
    """

    target: str
    action: Action
    by: str
    reason: str


def decide(book: Ledger, config: Config, decision: Decision, now: datetime) -> str:
    """Carries out one decision.

    Returns:
        The case's disposition afterwards.

    Raises:
        DecisionRefused: No such case or line, or the action does not fit it.
    """
    with book.transaction() as connection:
        if decision.target.isdigit():
            return _decide_line(connection, decision, now)
        known = recall.known_case(connection, decision.target)
        if known is None:
            raise DecisionRefused(f"no case {decision.target}")
        if known.closed:
            raise DecisionRefused(f"{known.reference} is closed")
        _note(connection, decision, known, now)
        match decision.action:
            case Correct(field=field, value=value):
                _correct(connection, known, field, value, config)
                return _judge_again(connection, known.reference, config, now, source=decision.by)
            case Waive(code=code, field=field):
                _waive(connection, known, code, field)
                return _judge_again(connection, known.reference, config, now, source=decision.by)
            case Release():
                return _release(connection, known, config, decision.by, now)
            case Join(other=other):
                if recall.known_case(connection, other) is None or other == known.reference:
                    raise DecisionRefused(f"no other case {other}")
                _end(connection, known, "joined", now, joined_to=other)
            case Withdraw():
                _end(connection, known, "withdrawn", now)
            case Close():
                _end(connection, known, "closed", now)
        return known.disposition


def _note(connection: Connection, decision: Decision, known: KnownCase, now: datetime) -> None:
    detail: dict[str, Any] = {"reason": decision.reason, "decision": type(decision.action).__name__.lower()}
    match decision.action:
        case Correct(field=field):
            detail["field"] = field
        case Waive(code=code, field=waived):
            detail |= {"code": code, "field": waived or ""}
        case Join(other=other):
            detail["other"] = other
        case _:
            pass
    cases.add_event(connection, now, "decided", reference=known.reference, by=decision.by, **detail)


def _decide_line(connection: Connection, decision: Decision, now: datetime) -> str:
    """A line of "Por revisar" is closed; released, the replies to its mail leave."""
    if not isinstance(decision.action, Close | Release):
        raise DecisionRefused("a line of Por revisar can only be released or closed")
    line = connection.execute(select(review).where(review.c.id == int(decision.target))).first()
    if line is None:
        raise DecisionRefused(f"no line {decision.target}")
    released = isinstance(decision.action, Release)
    if released and (line.message is None or not outbox.approve_answers(connection, line.message, now)):
        raise DecisionRefused(f"no reply to the mail of line {decision.target} waits; decide on its case")
    connection.execute(
        update(review)
        .where(review.c.id == line.id)
        .values(closed=True, result=f"{decision.by}: {decision.reason}", changed=review.c.changed + 1)
    )
    action = "line_released" if released else "line_closed"
    cases.add_event(connection, now, action, by=decision.by, line=decision.target, reason=decision.reason)
    return "closed"


def _correct(connection: Connection, known: KnownCase, field: str, value: str, config: Config) -> None:
    if all(item.key != field for item in config.template.fields):
        keys = ", ".join(item.key for item in config.template.fields)
        raise DecisionRefused(f"no field {field}; fields are {keys}")
    form = _last_form(connection, known.reference)
    read, _findings = read_answer(field, value, config, form.template, form.language)
    if value.strip() and not any(usable(answer.value) for answer in read):
        # Else the sender would be asked about words that are not theirs.
        raise DecisionRefused(f"{field}: {value!r} cannot be read as an answer")
    statement = upsert(corrections).values(reference=known.reference, field=field, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["reference", "field"], set_={"value": value})
    )


def _waive(connection: Connection, known: KnownCase, code: str, field: str | None) -> None:
    if field == "consent_publish":
        raise DecisionRefused("consent cannot be waived; correct it with what the submitter answered")
    found = [
        (finding.code, finding.field)
        for finding in _last_findings(connection, known.reference)
        if finding.severity in ("error", "hold")
    ]
    if (code, field) not in found:
        listed = "; ".join(f"{one} {of or ''}".strip() for one, of in found if of != "consent_publish")
        raise DecisionRefused(f"{known.reference} has no {code} {field or ''}; it has: {listed or 'nothing'}")
    _let_pass(connection, known.reference, code, field)


def _release(connection: Connection, known: KnownCase, config: Config, by: str, now: datetime) -> str:
    """What was held or frozen is judged again; a case whose replies alone wait gets no new version."""
    reference = known.reference
    last = cases.last_version(connection, reference)
    if not known.frozen and last is not None and last.disposition != "held":
        if not outbox.approve(connection, reference, now):
            raise DecisionRefused(f"{reference}: nothing is held, and no reply waits")
        cases.touch(connection, [reference], now)
        return known.disposition
    for finding in _last_findings(connection, reference):
        if finding.severity == "hold" and finding.field != "consent_publish":
            _let_pass(connection, reference, finding.code, finding.field)
    connection.execute(update(case_table).where(case_table.c.reference == reference).values(frozen=False))
    disposition = _judge_again(connection, reference, config, now, source=by, released=True)
    outbox.approve(connection, reference, now)
    return disposition


def _let_pass(connection: Connection, reference: str, code: str, field: str | None) -> None:
    value = raw_of(_last_form(connection, reference), field)
    connection.execute(insert(waivers).values(reference=reference, code=code, field=field, value=value))


def _last_findings(connection: Connection, reference: str) -> tuple[Finding, ...]:
    last = cases.last_version(connection, reference)
    return recall.findings_json.validate_json(last.findings) if last is not None else ()


def _last_form(connection: Connection, reference: str) -> Form:
    last = cases.last_version(connection, reference)
    if last is None:
        raise DecisionRefused(f"{reference} holds no form")
    return cases.form_json.validate_json(last.form)


def _judge_again(
    connection: Connection,
    reference: str,
    config: Config,
    now: datetime,
    *,
    source: str,
    released: bool = False,
) -> str:
    known = recall.known_case(connection, reference)
    last = cases.last_version(connection, reference)
    if known is None or last is None:
        raise DecisionRefused(f"{reference} holds no form")
    form = with_corrections(_last_form(connection, reference), known, config)
    today = config.settings.office.local(now).date()
    filed, findings, disposition = judge_form(
        form,
        config,
        today,
        # Rounds are asked of senders; staff filling in one answer after the other go through none.
        case=replace(known, rounds=0),
        other_files=_came_with_others(connection, last),
        images=any(file["kind"] == "image" for file in json.loads(last.files)),
    )
    if released and isinstance(disposition, Held):
        findings, disposition = _without_hold(findings, disposition)
    judged = FormJudgement(file=None, form=filed, findings=findings, disposition=disposition, case=known)
    number = known.versions + 1
    cases.add_version(
        connection,
        reference,
        number,
        judged,
        message=last.message,
        source=source,
        # Still what came with the sender's form: whether images need a permission hangs on it.
        files=json.loads(last.files),
        now=now,
    )
    cases.settle_case(connection, reference, judged, number=number, known=known, now=now)
    complete = name_of(disposition) == "accepted" and last.disposition != "accepted"
    outdated = known.errors != judged.errors and outbox.is_asking(connection, reference)
    if released or complete or outdated:
        # Staff's word completes a form or not; only that it is complete, or what they release, is news. A request
        # that has not left yet asks no longer for what they filled in.
        _answer(connection, judged, known, last.message, config, now)
    return name_of(disposition)


def _without_hold(
    findings: tuple[Finding, ...], disposition: Held
) -> tuple[tuple[Finding, ...], Disposition]:
    """The verdict without what a person has seen: what let pass is gone, a third round is theirs to ask for.

    Consent that is said to stand in an annex is still the submitter's to give.
    """
    findings = tuple(
        replace(finding, severity="error")
        if finding.severity == "hold" and finding.field == "consent_publish"
        else finding
        for finding in findings
    )
    severities = {finding.severity for finding in findings}
    if "hold" in severities:
        return findings, disposition
    return findings, NeedsCorrection() if "error" in severities else Accepted()


def _came_with_others(connection: Connection, last: Row[Any]) -> bool:
    """Whether the mail of a version held files besides its forms, in which an annex may be."""
    forms = select(func.count()).select_from(versions)
    forms = forms.where(versions.c.message == last.message, versions.c.source == "sender")
    files = [file for file in json.loads(last.files) if file["kind"] != "empty"]
    return last.message is not None and len(files) > int(connection.scalar(forms) or 0)


def _answer(
    connection: Connection,
    judged: FormJudgement,
    known: KnownCase,
    message: int | None,
    config: Config,
    now: datetime,
) -> None:
    row = connection.execute(select(messages).where(messages.c.id == message)).first()
    if (
        row is None
        or row.sender is None
        or known.frozen
        or known.closed
        or isinstance(judged.disposition, Held)
    ):
        return
    recorded = Recorded(
        message=row.id,
        references=(known.reference,),
        tokens={known.reference: recall.token(connection, known.reference)},
        deadlines=cases.missed_deadlines(connection, [known.reference], config),
    )
    section = form_section(judged, known.reference, recorded)
    if section is None or config.settings.replies.mode == "off":
        return
    verified = row.trust == "verified"
    language = row.language if row.language in config.languages else judged.form.language
    letter = Letter(
        language=language,
        received=moment(row.received),
        verified=verified,
        sections=(section,),
        subject=row.subject if verified else None,
        tokens=recorded.tokens,
        template_id=config.settings.template,
    )
    outbox.queue(
        connection,
        prepared(letter, row.sender, config),
        message=row.id,
        references=[known.reference],
        answers=row.message_id,
        thread=(),
        sender=config.settings.mailboxes[0].address,
        config=config,
        now=now,
    )


def _end(
    connection: Connection, known: KnownCase, why: str, now: datetime, joined_to: str | None = None
) -> None:
    outbox.supersede(connection, [known.reference], now)
    values: dict[str, object] = {
        "closed": True,
        "changed": case_table.c.changed + 1,
        "changed_at": stamp(now),
    }
    if why == "withdrawn":
        values |= {"situation": "withdrawn", "frozen": True}
    if joined_to is not None:
        values["joined_to"] = joined_to
    connection.execute(update(case_table).where(case_table.c.reference == known.reference).values(**values))
