"""The criteria applied to one form: each kind one pure function, chosen by `config/criteria.toml`.

Severity follows one rule: `error` is a mandatory field without a usable value; everything else about values is
advice, and `hold` and `note` are given by the parser or by the criterion's own severity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from config import Config
from config.criteria import Criterion
from config.form import Condition
from parsers.form import Answer, Finding, Form, Value

_Check = Callable[[Criterion, Form, Config, date], list[Finding]]


def form_findings(
    form: Form, config: Config, today: date, *, other_files: bool = False, images: bool = False
) -> tuple[Form, tuple[Finding, ...]]:
    """All findings of a form, in the order of its questions, and the form as it is filed.

    Args:
        form: As read, with the parser's findings about values.
        config: Template and criteria.
        today: Day of the verdict.
        other_files: Whether another attachment could hold what "ver anexo" refers to.
        images: Whether photographs came along.
    """
    findings = list(form.findings)
    for criterion in config.criteria:
        check = CHECKS.get(criterion.kind)
        if check is not None:
            findings.extend(check(criterion, form, config, today))
    if form.value("status") == "not_started":
        # One hold, and nothing more about its dates: a person invites them back.
        findings = [finding for finding in findings if finding.field not in ("start", "end")]
        mandatory = frozenset(mandatory_fields(form, config, images=images)) - {"start", "end"}
    else:
        mandatory = frozenset(mandatory_fields(form, config, images=images))
    filed = _without_impossible(form, findings)
    findings = _as_errors(filed, findings, mandatory, other_files=other_files)
    order = {field.key: place for place, field in enumerate(config.templates[form.template].fields)}
    findings.sort(key=lambda finding: order.get(finding.field or "", -1))
    return filed, tuple(findings)


def mandatory_fields(form: Form, config: Config, *, images: bool = False) -> tuple[str, ...]:
    """Keys of the questions that this form must answer, conditions applied."""
    return tuple(
        field.key
        for field in config.templates[form.template].fields
        if field.requirement == "mandatory"
        or (field.mandatory_when is not None and condition_holds(field.mandatory_when, form))
        or (images and field.key == "consent_images")
    )


def condition_holds(condition: Condition, form: Form) -> bool:
    """Whether the deciding answer makes the field mandatory.

    Without a deciding answer, "when one of these" does not hold and "unless one of these" does.
    """
    value = form.value(condition.field)
    if value is None:
        return not condition.any_of
    if isinstance(value, bool):
        values = {"contact" if value else "other"}
    elif isinstance(value, list):
        values = {str(item) for item in value}
    else:
        values = {str(value)}
    if condition.any_of:
        return not values.isdisjoint(condition.any_of)
    return values.isdisjoint(condition.none_of)


def usable(value: Value) -> bool:
    """Whether there is something to file."""
    return value is not None and value not in ("", [])


def _filed(form: Form, key: str) -> bool:
    if key == "countries":
        # Names outside the list are kept as written and satisfy the field.
        return usable(form.value("countries")) or usable(form.value("countries_other"))
    return usable(form.value(key))


def _as_errors(
    form: Form, findings: list[Finding], mandatory: frozenset[str], *, other_files: bool
) -> list[Finding]:
    """Turns what was found about a mandatory field without a usable value into errors."""
    judged: list[Finding] = []
    lacking = {key for key in mandatory if not _filed(form, key)}
    told: set[str] = set()
    for finding in findings:
        if finding.code == "answer.none" and finding.field not in mandatory:
            # "No aplica" where no answer is needed is an answer; the parser cannot know the conditions.
            continue
        if finding.code == "answer.refers_to_attachment" and finding.field in lacking and other_files:
            judged.append(replace(finding, severity="hold"))
            told.add(finding.field)
        elif finding.field in lacking and finding.severity == "advice":
            judged.append(replace(finding, severity="error"))
            told.add(finding.field)
        else:
            judged.append(finding)
    for key in lacking - told:
        answer = form.answers.get(key)
        location = answer.location if answer is not None else None
        judged.append(Finding(code="answer.missing", field=key, severity="error", location=location))
    return judged


def _without_impossible(form: Form, findings: list[Finding]) -> Form:
    """An end before the start is found on `end` and not filed."""
    if not any(finding.code == "date.end_before_start" for finding in findings) or "end" not in form.answers:
        return form
    answers: Mapping[str, Answer] = {**form.answers, "end": replace(form.answers["end"], value=None)}
    return replace(form, answers=answers)


def _finding(criterion: Criterion, key: str, form: Form, code: str, **params: object) -> Finding:
    answer = form.answers.get(key)
    return Finding(
        code=criterion.code or code,
        field=key,
        severity=criterion.severity if criterion.severity != "error" else "advice",
        location=answer.location if answer is not None else None,
        params={"read": (answer.raw if answer is not None else "")[:120], **params},
    )


def _choice(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    return [
        _finding(criterion, key, form, "choice.noted")
        for key in criterion.fields
        if str(form.value(key)) in criterion.values
    ]


def _count(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    found = []
    for key in criterion.fields:
        value = form.value(key)
        if not isinstance(value, list) or not value:
            continue
        if criterion.maximum is not None and len(value) > criterion.maximum:
            found.append(
                _finding(criterion, key, form, "count.many", count=len(value), limit=criterion.maximum)
            )
        elif criterion.minimum is not None and len(value) < criterion.minimum:
            found.append(
                _finding(criterion, key, form, "count.few", count=len(value), limit=criterion.minimum)
            )
    return found


def words_in(text: str) -> int:
    """Number of words as a word processor counts them."""
    return len(re.findall(r"\S*\w\S*", text))


def _words(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    return _length(criterion, form, words_in, "words")


def _characters(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    return _length(criterion, form, len, "characters")


def _length(criterion: Criterion, form: Form, measure: Callable[[str], int], unit: str) -> list[Finding]:
    found = []
    for key in criterion.fields:
        value = form.value(key)
        if not isinstance(value, str) or not value:
            continue
        size = measure(value)
        if criterion.maximum is not None and size > criterion.maximum:
            found.append(_finding(criterion, key, form, f"{unit}.many", count=size, limit=criterion.maximum))
        elif criterion.minimum is not None and size < criterion.minimum:
            found.append(_finding(criterion, key, form, f"{unit}.few", count=size, limit=criterion.minimum))
    return found


def _date_order(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    found = []
    for key in criterion.fields:
        late, early = form.value(key), form.value(criterion.other or "")
        if _is_date(late) and _is_date(early) and _before(str(late), str(early)):
            found.append(_finding(criterion, key, form, "date.end_before_start", start=str(early)))
    return found


def _not_in_future(criterion: Criterion, form: Form, _config: Config, today: date) -> list[Finding]:
    return [
        _finding(criterion, key, form, "date.in_future")
        for key in criterion.fields
        if _is_date(form.value(key)) and _before(today.isoformat(), str(form.value(key)))
    ]


def _not_before(criterion: Criterion, form: Form, _config: Config, _today: date) -> list[Finding]:
    return [
        _finding(criterion, key, form, "date.before", date=criterion.date or "")
        for key in criterion.fields
        if criterion.date and _is_date(form.value(key)) and _before(str(form.value(key)), criterion.date)
    ]


def _is_date(value: Value) -> bool:
    return isinstance(value, str) and value not in {"", "ongoing"}


def _before(left: str, right: str) -> bool:
    """Whether a date is surely before another; dates of different precision are compared as far as both go."""
    size = min(len(left), len(right))
    return left[:size] < right[:size]


# The closed set of kinds. `answered` is the rule of `_as_errors`; `question` is for reviewers.
CHECKS: Mapping[str, _Check] = {
    "choice": _choice,
    "count": _count,
    "words": _words,
    "characters": _characters,
    "date_order": _date_order,
    "not_in_future": _not_in_future,
    "not_before": _not_before,
}


def reviewer_questions(config: Config, language: str) -> tuple[tuple[str, str], ...]:
    """What people judge: (criterion's key, question)."""
    return tuple(
        (criterion.key, criterion.questions.get(language) or criterion.questions.get("es", ""))
        for criterion in config.criteria
        if criterion.kind == "question"
    )
