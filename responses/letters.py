"""What we say to a sender, as values: one letter a mail, a section for each thing in it.

A letter holds facts (findings, what was understood, files); its words are made by `responses.compose`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from parsers.form import Finding, Form


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file that came with the mail.

    Attributes:
        name: As the sender named it, cleaned; shown to verified senders only.
        kind: `Document.kind` (unverified senders get number and kinds).
        size: In bytes.
    """

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A complete form, passed on to review (never "accepted" in words).

    Attributes:
        reference: Case reference, e.g. `PMM-2026-0042`.
        form: What was understood.
        advice: Findings of severity advice, each a suggestion.
        consent: Value of `consent_publish`; "no" and "pending" change what is said.
        again: True when the same content had been received already (existing reference).
        late: Deadline that has passed, or `None`; late is marked, never refused.
    """

    reference: str
    form: Form
    advice: tuple[Finding, ...] = ()
    consent: str = "yes"
    again: bool = False
    late: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One complete list of what is missing.

    Attributes:
        reference: Case reference.
        form: What was read.
        errors: Findings of severity error, in the form's order.
        advice: Suggestions told in the same letter.
        annotated: Whether a marked copy of their document is attached.
    """

    reference: str
    form: Form
    errors: tuple[Finding, ...]
    advice: tuple[Finding, ...] = ()
    annotated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A person of the secretariat will read this; said once a case or sender.

    Attributes:
        reference: Case reference if there is a case.
    """

    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateEnclosed:
    """The blank template was asked for (or an empty one came back) and is attached.

    Attributes:
        reason: `"requested"` or `"empty"`.
    """

    reason: Literal["requested", "empty"] = "requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatAdvice:
    """A file about the call in a format that cannot be read; asks for Word or Excel, the template attached.

    Attributes:
        findings: One for each such file (`format.pdf`, `format.doc`, `encrypted.password`, `damaged.zip` ...).
    """

    findings: tuple[Finding, ...]


Section = Acknowledgement | Correction | Waiting | TemplateEnclosed | FormatAdvice


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One reply.

    Attributes:
        language: Of the reply, e.g. `"es"`.
        received: When the mail arrived (aware; told in the office's time zone).
        verified: Whether anything of the sender's may be quoted (design: Trust).
        sections: What the mail's parts gave, in their order; never empty.
        files: Files received, the form included.
        subject: The mail's own subject; used only for verified senders.
        tokens: Reference to its subject token (`{"PMM-2026-0042": "PMM-2026-0042-K7QX2M9D"}`).
        official_letter: The office number quoted from their subject ("OFICIO N° 0231-2027"), verified only.
        template_id: Template whose field labels the words use.
    """

    language: str
    received: datetime
    verified: bool
    sections: tuple[Section, ...]
    files: tuple[ReceivedFile, ...] = ()
    subject: str | None = None
    tokens: Mapping[str, str]
    official_letter: str | None = None
    template_id: str = "practice-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A letter in words.

    Attributes:
        subject: Ready for the header (cleaned, with the token).
        text: Plain text, LF line ends.
        html: The same as a small HTML page.
    """

    subject: str
    text: str
    html: str
