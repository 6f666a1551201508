"""The verdict on a mail: all findings at once, a disposition for each form, what is to be answered.

Pure: values in, values out. `check`, `replay` and the worker all call `judge_form` and `judge`, so the
offline verdict is the mailed one. What a machine may not judge (innovative, replicable, cross-cutting,
coherent) becomes questions for reviewers, never a finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Literal

from config import Config
from intake.dispositions import PRECEDENCE, Answered, FormJudgement, Held, Ignored, Judgement, name_of
from intake.form_judging import judge_form, with_corrections
from intake.history import Earlier, FormHistory, History, KnownCase
from intake.reading import File, Reading
from parsers.form import Form


def judge(reading: Reading, history: History, config: Config, today: date) -> Judgement:
    """Judges one mail.

    Args:
        reading: The mail as read.
        history: What the ledger knows.
        config: Criteria, limits, mailbox kind.
        today: Day of receipt in the office's time zone.

    Returns:
        The verdict with the plan of what to answer and where to file.
    """
    if not reading.screening.process:
        return _machine(reading, history)
    if reading.forms:
        return _with_forms(reading, history, config, today)
    return _without_forms(reading, history, config)


def left(reason: str = "left_for_people") -> Judgement:
    """A mail that is not about the call: untouched, only counted."""
    return Judgement(disposition=Ignored(reason=reason), silence=reason)


def _machine(reading: Reading, history: History) -> Judgement:
    # Machine mail is filed only if it names a Message-ID or token of ours; else it is left where it is.
    reason = reading.screening.kind
    if not history.ours or reason == "own":
        return left(reason)
    return Judgement(
        disposition=Ignored(reason=reason),
        silence="machine",
        file_to="automatic",
        thread_case=history.thread_case,
    )


def _with_forms(reading: Reading, history: History, config: Config, today: date) -> Judgement:
    blocked = _blocked(reading, history, config)
    judged = _judged_forms(reading, history, config, today, blocked)
    names = {name_of(item.disposition) for item in judged}
    name = next(name for name in PRECEDENCE if name in names)
    first = next(item for item in judged if name_of(item.disposition) == name)
    silence = _silence(reading, history, config)
    if blocked is not None:
        silence = blocked
    elif history.earlier is not None and _unchanged(history.earlier, name, judged):
        silence = "unchanged"
    elif silence is None and not _anything_to_say(judged, history):
        silence = "nothing_new"
    if any(known.case is not None and known.case.frozen for known in history.forms):
        silence = silence or "frozen"
    return Judgement(
        disposition=first.disposition,
        forms=judged,
        reply=silence is None,
        silence=silence,
        file_to=name,
        review=first.disposition.reason if name == "held" else None,
        also_review=_unread(reading),
        delay=_delay(history, config),
    )


def _judged_forms(
    reading: Reading, history: History, config: Config, today: date, blocked: str | None
) -> tuple[FormJudgement, ...]:
    """Every form of the mail, each practice once: the same content as Word and Excel is one case."""
    images = any(file.kind == "image" and not file.inline for file in reading.files)
    judged: list[FormJudgement] = []
    for (file, form), known in zip(reading.forms, history.forms, strict=True):
        if any(_is_copy(file, form, item) for item in judged):
            continue
        if blocked is not None:
            judged.append(_held_form(file, form, blocked))
        elif known.case is not None and any(_continues(item, known.case) for item in judged):
            # Two different forms for one case: which of them counts is not guessed.
            judged.append(_held_form(file, form, "several_for_one_case"))
        else:
            judged.append(_one_form(file, form, known, reading, config, today, images=images))
    return tuple(judged)


def _is_copy(file: File, form: Form, item: FormJudgement) -> bool:
    same_bytes = item.file is not None and item.file.digest == file.digest
    return same_bytes or bool(form.values() == item.read_values and form.value("title"))


def _continues(item: FormJudgement, case: KnownCase) -> bool:
    return item.opens_case and item.case is not None and item.case.reference == case.reference


def _held_form(file: File, form: Form, reason: str, case: KnownCase | None = None) -> FormJudgement:
    """A form that a person looks at first: it neither begins nor continues a case."""
    return FormJudgement(
        file=file,
        form=form,
        findings=(),
        disposition=Held(reason=reason),
        opens_case=False,
        case=case,
        read_values=form.values(),
    )


# Files beside a form that people may take for read: staff are told when they cannot be.
_UNREAD = (
    "damaged.",
    "encrypted.",
    "unsafe.",
    "format.doc",
    "format.xls",
    "format.odt",
    "format.ods",
    "format.rtf",
)


def _unread(reading: Reading) -> tuple[str, ...]:
    """The reason, for staff alone, that a limit cut the mail short or a file beside the form cannot be read."""
    if reading.problems:
        return ("problems",)
    found = [
        finding
        for file in reading.files
        if not file.inline and file.form is None
        for finding in file.findings
        if finding.code.startswith(_UNREAD)
    ]
    return ("other_file_unread",) if found else ()


def _one_form(
    file: File, form: Form, known: FormHistory, reading: Reading, config: Config, today: date, *, images: bool
) -> FormJudgement:
    case = known.case
    reason = _not_theirs(known)
    if reason is not None:
        # Never merged into a case that is not proved to be the sender's, and never a case of its own.
        return _held_form(file, form, reason, case)
    # A photograph of the annex is an annex too; a logo in the body is none.
    others = any(other.form is None and not other.inline and other.kind != "empty" for other in reading.files)
    corrected = with_corrections(form, case, config)
    filed, findings, disposition = judge_form(
        corrected, config, today, case=case, other_files=others, images=images
    )
    same = known.same and case is not None
    return FormJudgement(
        file=file,
        form=filed,
        findings=findings,
        disposition=disposition,
        case=case,
        same=same,
        read_values=form.values(),
    )


def _not_theirs(known: FormHistory) -> str | None:
    """Why a form is not simply the next version of the case it leads to."""
    if known.foreign:
        return "foreign_reference"
    if not known.allowed:
        return "wrong_sender"
    if known.case is not None and known.case.closed:
        # What staff ended does not begin again by itself.
        return "closed"
    return "other_practice" if known.other_practice else None


def _blocked(reading: Reading, history: History, config: Config) -> str | None:
    """Why no form of this mail may open or continue a case, and nothing is answered."""
    limits = config.settings.limits
    if reading.screening.dmarc_failed:
        return "dmarc"
    if reading.sender is None:
        return "no_sender"
    if len(reading.forms) > limits.forms_per_mail:
        return "forms"
    if history.cases_today + len(reading.forms) > limits.cases_per_address_day and any(
        known.case is None for known in history.forms
    ):
        return "limit"
    if reading.screening.kind != "person" or not reading.screening.may_reply:
        return "weak_signs"
    return None


def _without_forms(reading: Reading, history: History, config: Config) -> Judgement:
    if history.thread_case is not None or history.ours:
        return _words_in_thread(reading, history)
    if reading.sender is None:
        return left("no_sender")
    if reading.screening.kind == "sharing" and reading.weak is not None:
        return Judgement(
            disposition=Held(reason="sharing"), silence="machine", file_to="held", review="sharing"
        )
    if not reading.screening.may_reply or reading.screening.kind != "person":
        return left()
    plan = _about_the_call(reading, config)
    if plan is None:
        if not _dedicated(config):
            return left()
        plan = Judgement(
            disposition=Held(reason="question"), answer="waiting", file_to="held", review="question"
        )
    silence = _silence(reading, history, config)
    if plan.answer == "waiting" and history.noticed:
        silence = silence or "noticed_before"
    if history.earlier is not None and history.earlier.disposition == name_of(plan.disposition):
        silence = silence or "unchanged"
    if reading.screening.dmarc_failed:
        return Judgement(disposition=Held(reason="dmarc"), silence="dmarc", file_to="held", review="dmarc")
    if plan.answer is None:
        silence = silence or plan.disposition.reason
    return replace(plan, reply=silence is None, silence=silence, delay=_delay(history, config))


def _words_in_thread(reading: Reading, history: History) -> Judgement:
    """A mail without a form in a case's thread is never answered; staff read it."""
    reason = "withdrawal" if reading.withdrawal else "reply_in_words"
    return Judgement(
        disposition=Held(reason=reason),
        silence="people_answer",
        file_to="held",
        review=reason,
        thread_case=history.thread_case,
        also_review=_unread(reading),
        # Anybody may have got hold of a Message-ID of ours; only who may speak for the case stops its mail.
        freezes=reading.withdrawal and history.may_freeze,
    )


def _about_the_call(reading: Reading, config: Config) -> Judgement | None:
    """What a first mail without a form gets when it is about the call; `None` when it is not."""
    if reading.empty_forms:
        return Judgement(disposition=Answered(reason="empty_template"), answer="empty", file_to="answered")
    if reading.request is not None:
        if reading.request.also_question:
            # The template goes out; what they asked about deadline, money or certificates a person answers.
            return Judgement(
                disposition=Held(reason="question"), answer="template", file_to="held", review="question"
            )
        return Judgement(
            disposition=Answered(reason="template_requested"), answer="template", file_to="answered"
        )
    about = reading.weak is not None or _dedicated(config)
    findings = [
        replace(finding, params={**finding.params, "file": file.name} if file.name else finding.params)
        for file in reading.files
        if not file.inline
        for finding in file.findings
    ]
    if any(finding.severity == "hold" for finding in findings) and about:
        return Judgement(
            disposition=Held(reason="foreign_document"),
            answer="waiting",
            file_to="held",
            review="foreign_document",
        )
    told = tuple(finding for finding in findings if not finding.code.startswith("template_mismatch."))
    if about and told:
        return Judgement(
            disposition=Answered(reason="format"), answer="format", format_findings=told, file_to="answered"
        )
    if reading.weak is not None:
        return Judgement(
            disposition=Held(reason="no_form"), answer="waiting", file_to="held", review="no_form"
        )
    return None


def _silence(reading: Reading, history: History, config: Config) -> str | None:
    """Why a mail that would be answered is not."""
    replies = config.settings.replies
    if not reading.screening.may_reply:
        return "may_not_reply"
    if history.answered_by_person:
        return "answered_by_person"
    if replies.mode == "off":
        return "replies_off"
    return None


def _delay(history: History, config: Config) -> Literal["day", "hour"] | None:
    """At a cap a reply is not swallowed: it leaves when the cap frees."""
    replies = config.settings.replies
    if history.replies_today >= replies.per_address_day:
        return "day"
    return "hour" if history.replies_this_hour >= replies.per_hour else None


def _anything_to_say(judged: Sequence[FormJudgement], history: History) -> bool:
    """A held case, or a sender without one, that had the notice already gets no further reply for it."""
    return any(
        not isinstance(item.disposition, Held)
        or not (item.case.noticed if item.case is not None and item.opens_case else history.noticed)
        for item in judged
    )


def _unchanged(earlier: Earlier, name: str, judged: Sequence[FormJudgement]) -> bool:
    errors = tuple(error for item in judged for error in item.errors)
    return earlier.disposition == name and tuple(earlier.errors) == errors


def _dedicated(config: Config) -> bool:
    return any(mailbox.dedicated for mailbox in config.settings.mailboxes)
