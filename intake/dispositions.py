"""What may become of a form and of a mail, as closed values: a verdict is one of these, never a flag.

People never read these names (`responses/locales` has the words); the command contract does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from intake.history import KnownCase
from intake.reading import File
from parsers.form import Finding, Form, Value

DispositionName = Literal["accepted", "needs_correction", "answered", "held", "ignored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Complete; goes to review. People read "Completa, pasa a revisión"."""

    reason: str = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsCorrection:
    """A mandatory field has no usable value."""

    reason: str = "incomplete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """No form, but about the call: template or format advice goes out."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A person decides."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing is done; `reason` "left_for_people" means that the mail is not even moved."""

    reason: str


Disposition = Accepted | NeedsCorrection | Answered | Held | Ignored


def name_of(disposition: Disposition) -> DispositionName:
    """The disposition's name in the command contract."""
    match disposition:
        case Accepted():
            return "accepted"
        case NeedsCorrection():
            return "needs_correction"
        case Answered():
            return "answered"
        case Held():
            return "held"
        case Ignored():
            return "ignored"


# A mail's disposition is the first of these that any of its parts has.
PRECEDENCE: tuple[DispositionName, ...] = ("held", "needs_correction", "accepted", "answered", "ignored")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormJudgement:
    """The verdict on one form.

    Attributes:
        file: The attachment it came in, `None` for `check` and for staff's corrections.
        form: As filed: values that may not stand (an end before the start) are taken out.
        findings: All, in the order of the form.
        disposition: Accepted, NeedsCorrection or Held.
        case: The case it continues.
        opens_case: Whether it begins or continues a case; if not, it is a row of "Por revisar" only.
        same: The same bytes again; no new version.
        read_values: The values as read, by which copies in one mail are known.
    """

    file: File | None
    form: Form
    findings: tuple[Finding, ...]
    disposition: Disposition
    case: KnownCase | None = None
    opens_case: bool = True
    same: bool = False
    read_values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[tuple[str, str | None], ...]:
        """`(code, field)` of the errors."""
        return tuple(
            (finding.code, finding.field) for finding in self.findings if finding.severity == "error"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict on one mail.

    Attributes:
        disposition: Of the mail.
        forms: One a recognised form.
        answer: What a mail without a form gets: `"template"`, `"empty"`, `"format"`, `"waiting"`, or nothing.
        format_findings: For `"format"`.
        reply: Whether a reply leaves; if not, `silence` says why.
        silence: Reason for no reply.
        file_to: Folder key (`config.settings.Folders`), `None` leaves the mail where it is.
        review: Reason for a row of "Por revisar", `None` for none.
        also_review: Reasons for further rows, of things that change no verdict (a file that cannot be read).
        delay: A cap is reached: the reply leaves when the `"day"` or the `"hour"` is over.
        thread_case: Case that a mail without a form speaks of.
        freezes: Words of withdrawal: the case's outgoing mail stops.
    """

    disposition: Disposition
    forms: tuple[FormJudgement, ...] = ()
    answer: Literal["template", "empty", "format", "waiting"] | None = None
    format_findings: tuple[Finding, ...] = ()
    reply: bool = False
    silence: str | None = None
    file_to: str | None = None
    review: str | None = None
    also_review: tuple[str, ...] = ()
    delay: Literal["day", "hour"] | None = None
    thread_case: KnownCase | None = None
    freezes: bool = False
