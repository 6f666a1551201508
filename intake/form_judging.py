"""The verdict on one form: criteria, waivers and staff's corrections. Pure; `check` and mail both call it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from config import Config
from intake.checks import form_findings
from intake.dispositions import Accepted, Disposition, Held, NeedsCorrection
from intake.history import KnownCase
from parsers import read_answer
from parsers.form import Finding, Form


def judge_form(
    form: Form,
    config: Config,
    today: date,
    *,
    case: KnownCase | None = None,
    other_files: bool = False,
    images: bool = False,
) -> tuple[Form, tuple[Finding, ...], Disposition]:
    """Judges one form.

    Args:
        form: As read.
        config: Template and criteria.
        today: Day of the verdict in the office's time zone.
        case: What is known of its case: staff's corrections and waivers hold.
        other_files: Whether the mail holds another attachment ("ver anexo" can be looked up there).
        images: Whether photographs came along (their authorisation is then needed).

    Returns:
        The form as it is filed, all findings in the form's order, and Accepted, NeedsCorrection or Held.
    """
    filed, findings = form_findings(form, config, today, other_files=other_files, images=images)
    if case is not None:
        findings = tuple(finding for finding in findings if not _waived(finding, filed, case))
    held = [finding for finding in findings if finding.severity == "hold"]
    errors = [finding for finding in findings if finding.severity == "error"]
    if held:
        return filed, findings, Held(reason=held[0].code)
    if not errors:
        return filed, findings, Accepted()
    if case is not None and case.rounds >= config.settings.replies.rounds:
        return filed, findings, Held(reason="third_round")
    return filed, findings, NeedsCorrection()


def _waived(finding: Finding, form: Form, case: KnownCase) -> bool:
    """A waiver holds for case, code, field and value; consent cannot be waived."""
    if finding.field == "consent_publish":
        return False
    value = raw_of(form, finding.field)
    return any(
        waiver.code == finding.code and waiver.field == finding.field and waiver.value == value
        for waiver in case.waivers
    )


def raw_of(form: Form, key: str | None) -> str:
    """The words of a field as written, `""` when there are none."""
    answer = form.answers.get(key) if key is not None else None
    return answer.raw if answer is not None else ""


def with_corrections(form: Form, case: KnownCase | None, config: Config) -> Form:
    """The form with staff's corrections standing over what the sender wrote.

    Staff's words are read by the same value reader as the sender's.
    """
    if case is None or not case.corrections:
        return form
    texts = dict(case.corrections)
    if "start" in texts and "end" not in texts and (end := form.answers.get("end")) is not None:
        # An end that came before the sender's start may stand beside staff's: it is read anew.
        texts["end"] = end.raw
    findings = [finding for finding in form.findings if finding.field not in texts]
    answers = dict(form.answers)
    for key, text in texts.items():
        earlier = answers.get(key)
        place = earlier.location if earlier is not None else None
        read, told = read_answer(key, text, config, form.template, form.language, location=place)
        # Own words beside the sender's choice do not stand beside another choice.
        answers.pop(f"{key}_other", None)
        answers |= {answer.field: answer for answer in read}
        findings += told
    return replace(form, answers=answers, findings=tuple(findings))
