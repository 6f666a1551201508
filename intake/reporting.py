"""Verdicts as the JSON of the command contract; what `check` and `replay` print, and nothing else."""

from __future__ import annotations

from typing import Any

from config import Config
from intake.answering import Reply
from intake.cases import Recorded
from intake.dispositions import FormJudgement, Judgement, name_of
from intake.reading import Reading
from parsers.form import Finding, Form, Location
from responses.telling import finding_message


def finding_json(finding: Finding, config: Config, language: str) -> dict[str, Any]:
    """One finding; its message in the form's language."""
    return {
        "code": finding.code,
        "field": finding.field,
        "severity": finding.severity,
        "location": location_json(finding.location),
        "message": finding_message(finding, config, language, quote=True),
    }


def location_json(location: Location | None) -> dict[str, Any] | None:
    """Where something stands, without what is not known."""
    if location is None:
        return None
    parts = {name: getattr(location, name) for name in ("question", "sheet", "cell", "table", "row")}
    return {name: value for name, value in parts.items() if value is not None}


def form_json(
    name: str, form: Form, findings: tuple[Finding, ...], verdict: str, config: Config
) -> dict[str, Any]:
    """One form as `check` prints it."""
    fields: dict[str, Any] = {
        field.key: form.value(field.key) for field in config.templates[form.template].fields
    }
    fields |= {key: answer.value for key, answer in form.answers.items()}
    return {
        "file": name,
        "template": form.template,
        "language": form.language,
        "verdict": verdict,
        "fields": fields,
        "findings": [finding_json(finding, config, form.language) for finding in findings],
    }


def unreadable_json(name: str, findings: tuple[Finding, ...], config: Config) -> dict[str, Any]:
    """A file in which no form can be read."""
    language = config.languages[0]
    held = any(finding.code == "template_mismatch.foreign" for finding in findings)
    return {
        "file": name,
        "template": None,
        "language": None,
        "verdict": "held" if held else "unreadable",
        "fields": {},
        "findings": [finding_json(finding, config, language) for finding in findings],
    }


def message_json(
    name: str, reading: Reading, judgement: Judgement, recorded: Recorded, reply: Reply | None, config: Config
) -> dict[str, Any]:
    """One message as `replay` prints it."""
    pairs = zip(judgement.forms, recorded.references, strict=True)
    return {
        "file": name,
        "disposition": name_of(judgement.disposition),
        "reason": judgement.disposition.reason,
        "may_reply": reading.screening.may_reply,
        "trust": reading.screening.trust,
        "replies": [_reply_json(reply)] if reply is not None else [],
        "forms": [_judged_json(form, reference, config) for form, reference in pairs],
    }


def _judged_json(judged: FormJudgement, reference: str | None, config: Config) -> dict[str, Any]:
    name = name_of(judged.disposition)
    file = judged.file.name if judged.file is not None else ""
    shown = form_json(file, judged.form, judged.findings, name, config)
    return {**shown, "disposition": name, "reference": reference}


def _reply_json(reply: Reply) -> dict[str, Any]:
    return {
        "to": reply.recipient,
        "subject": reply.composed.subject,
        "language": reply.letter.language,
        "text": reply.composed.text,
        "attachments": [attachment.name for attachment in reply.attachments],
    }
