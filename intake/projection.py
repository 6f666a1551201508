"""What the register should show of each case and each line of *Por revisar*, from the ledger.

Reads the ledger, says nothing to the workbook: `intake.registering` brings both together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select

from config import Config
from config.form import Field
from intake.cases import form_json, last_version
from intake.ledger import moment
from intake.recall import findings_json
from intake.register.layout import words
from intake.register.wanted import CellValue, Wanted
from intake.register.wanted import Row as RegisterRow
from intake.schema import cases, messages, outbox, outbox_cases, review, versions, voices
from parsers.form import Finding, Form, Value
from responses.describing import describe_value
from responses.telling import finding_label, staff_reason

# Fields shown in words in *Prácticas*, and as text in *Textos*.
_SHOWN = ("type", "implementer_type", "scope", "countries", "status", "consent_publish")
_TEXTS = (
    "short", "summary", "impact", "lessons", "recommendations", "innovation", "guiding_principles",
    "other_orgs", "partners", "people", "acronyms", "resources",
)  # fmt: skip
_CONTACTS = ("focal_name", "focal_role", "focal_phone", "submitter_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which state of a case or line a row shows: its `changed` count, and the row's key."""

    changed: int
    row_key: str


# Statements of every case are built once: building one costs more than running it.
_LAST_SENT = (
    select(func.max(outbox.c.settled))
    .join(outbox_cases, outbox_cases.c.outbox == outbox.c.id)
    .where(outbox_cases.c.reference == bindparam("reference"), outbox.c.state == "sent")
)
_SENDERS = select(voices.c.address).where(
    voices.c.reference == bindparam("reference"), voices.c.role == "sender"
)


def wanted_rows(connection: Connection, config: Config) -> tuple[Wanted, dict[str, Shown], dict[int, Shown]]:
    """Rows that the register does not show yet.

    Returns:
        The rows; reference of each case, and id of each line of *Por revisar*, to the state shown.
    """
    changed = connection.execute(
        select(cases).where(cases.c.changed > cases.c.registered).order_by(cases.c.reference)
    ).all()
    projected = [_Projection(connection, row, config) for row in changed]
    lines = connection.execute(
        select(review).where(review.c.changed > review.c.registered).order_by(review.c.id)
    ).all()
    wanted = Wanted(
        practices=tuple(item.practice() for item in projected),
        texts=tuple(item.texts() for item in projected),
        contacts=tuple(item.contacts() for item in projected),
        review=tuple(_review_row(row, config) for row in lines),
    )
    return (
        wanted,
        {row.reference: Shown(changed=row.changed, row_key=row.row_key) for row in changed},
        {row.id: Shown(changed=row.changed, row_key=row.row_key) for row in lines},
    )


class _Projection:
    """One case as rows of three sheets."""

    def __init__(self, connection: Connection, case: Row[Any], config: Config) -> None:
        self._connection = connection
        self._case = case
        self._config = config
        self._language = config.languages[0]
        self._words = words(self._language)
        last = last_version(connection, case.reference)
        # A failing update leaves the case at its last complete version.
        shown = last_version(connection, case.reference, accepted=True) or last
        if last is None or shown is None:
            raise LookupError(f"{case.reference} has no version")
        self._number = last.number
        self._shown: Form = form_json.validate_json(shown.form)
        self._findings: tuple[Finding, ...] = findings_json.validate_json(last.findings)
        self._files = json.loads(last.files)

    def practice(self) -> RegisterRow:
        """The row of *Prácticas*."""
        case = self._case
        cells: dict[str, CellValue] = {
            "reference": case.reference,
            "title": self._text("title"),
            "main_implementer": self._text("main_implementer"),
            "situation": self._situation(),
            "state": self._state(),
            "last_notice": self._last_notice(),
            "primary_objectives": self._numbers("primary_objectives", "O"),
            "secondary_objectives": self._numbers("secondary_objectives", "O"),
            "local": self._text("local"),
            "start": self._date("start"),
            "end": self._date("end"),
            "language": case.language,
            "call": self._call(),
            "received": self._day(case.opened),
            "complete_since": self._day(case.completed) if case.completed else None,
            "version": self._number,
            "pending": self._pending(),
            "images": self._images(),
        }
        for key in _SHOWN:
            cells[key] = self._described(key)
        return RegisterRow(key=case.row_key, cells=cells)

    def texts(self) -> RegisterRow:
        """The row of *Textos*."""
        cells: dict[str, CellValue] = {"reference": self._case.reference}
        for key in _TEXTS:
            cells[key] = self._described(key) if key == "guiding_principles" else self._text(key)
        cells["sdgs"] = self._numbers("sdgs", self._words.tables.get("sdg_prefix", "ODS"))
        return RegisterRow(key=self._case.row_key, cells=cells)

    def contacts(self) -> RegisterRow:
        """The row of *Contactos*."""
        cells: dict[str, CellValue] = {key: self._text(key) for key in _CONTACTS}
        cells["reference"] = self._case.reference
        cells["organization"] = self._text("main_implementer")
        emails = self._shown.value("focal_email")
        cells["focal_email"] = "\n".join(str(email) for email in emails) if isinstance(emails, list) else None
        senders = self._connection.scalars(_SENDERS, {"reference": self._case.reference})
        cells["submitter_email"] = "\n".join(senders) or None
        return RegisterRow(key=self._case.row_key, cells=cells)

    def _text(self, key: str) -> str | None:
        value = self._shown.value(key)
        return str(value) if value not in (None, "", []) else None

    def _described(self, key: str) -> str | None:
        field = next(field for field in self._config.template.fields if field.key == key)
        value = self._shown.value(key)
        other = self._shown.value("type_other") if key == "type" else None
        names = self._shown.value("countries_other") if key == "countries" else None
        parts = [self._short(field, value)] if value not in (None, "", []) else []
        if key == "type" and other:
            parts = [f"{parts[0]}: {other}" if parts else str(other)]
        if isinstance(names, list):
            parts += [str(name) for name in names]
        raw = self._shown.answers.get(key)
        if not parts and raw is not None and raw.raw:
            # Words that no list knows stand as written, for staff to place.
            parts = [raw.raw]
        return "; ".join(parts) or None

    def _short(self, field: Field, value: Value) -> str:
        """A choice by its short title: cells are narrow, and filters are by exact words."""
        vocabulary = self._config.vocabularies.get(field.vocabulary or "")
        term = vocabulary.get(str(value)) if vocabulary is not None and field.kind == "choice" else None
        if term is not None:
            return term.short(self._language)
        return describe_value(field, value, self._config, self._language)

    def _numbers(self, key: str, prefix: str) -> str | None:
        """`O07 · O16`: a filter for O07 never finds O17."""
        value = self._shown.value(key)
        if not isinstance(value, list) or not value:
            return None
        return " · ".join(f"{prefix}{int(number):02d}" for number in value)

    def _date(self, key: str) -> str | None:
        value = self._shown.value(key)
        if value == "ongoing":
            field = next(field for field in self._config.template.fields if field.key == key)
            return describe_value(field, value, self._config, self._language)
        return str(value) if value else None

    def _situation(self) -> str:
        case = self._case
        key = case.situation
        if key == "correction":
            return self._words.situation("correction", n=max(case.rounds, 1))
        return self._words.situation(key)

    def _state(self) -> str | None:
        return self._words.state("unassigned") if self._case.situation == "complete" else None

    def _call(self) -> str:
        case = self._case
        return f"{case.call} {self._words.tables['calls']['late']}" if case.late else str(case.call)

    def _pending(self) -> str | None:
        """«2: Fecha de inicio; Autorización», of the last version, also where an older one stands."""
        keys = [finding.field for finding in self._findings if finding.severity == "error" and finding.field]
        keys = list(dict.fromkeys(keys))
        if not keys:
            return None
        labels = [finding_label(key, self._config, self._language) for key in keys]
        return f"{len(keys)}: " + "; ".join(labels)

    def _images(self) -> str | None:
        count = sum(1 for file in self._files if file["kind"] == "image")
        described = self._described("consent_images")
        if not count:
            return None
        return f"{count}, {described.lower()}" if described else str(count)

    def _last_notice(self) -> str | None:
        sent = self._connection.scalar(_LAST_SENT, {"reference": self._case.reference})
        return self._words.tables["notices"]["sent"].format(when=self._moment_words(sent)) if sent else None

    def _day(self, text: str) -> date:
        return self._config.settings.office.local(moment(text)).date()

    def _moment_words(self, text: str) -> str:
        from babel.dates import format_datetime

        local = self._config.settings.office.local(moment(text))
        return str(format_datetime(local, "dd-MMM HH:mm", locale=self._language))


def _review_row(row: Row[Any], config: Config) -> RegisterRow:
    language = config.languages[0]
    # Reasons of ours have their own sentences; a finding that held a form is told by its code.
    reason = staff_reason(row.reason if "." in row.reason else f"held.{row.reason}", language)
    if row.reference:
        reason = f"{row.reference}: {reason}"
    if row.words:
        reason = f"{reason}\n«{row.words}»"
    cells: dict[str, CellValue] = {
        "received": config.settings.office.local(moment(row.at)).replace(tzinfo=None, microsecond=0),
        "sender": row.sender or None,
        "subject": row.subject or None,
        "reason": reason,
        "proposal": None if row.closed else staff_reason(f"propose.{row.reason}", language),
        "result": row.result or None,
    }
    return RegisterRow(key=row.row_key, cells=cells)


def counts(connection: Connection) -> dict[str, int]:
    """Messages by disposition, for `status` and the sum that closes."""
    rows = connection.execute(
        select(messages.c.disposition, func.count()).group_by(messages.c.disposition)
    ).all()
    return {name: int(count) for name, count in rows}


def versions_of(connection: Connection, reference: str) -> list[Row[Any]]:
    """All versions of a case, oldest first."""
    return list(
        connection.execute(
            select(versions).where(versions.c.reference == reference).order_by(versions.c.number)
        )
    )
