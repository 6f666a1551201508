"""From a verdict to the reply in words: which letter, in which language, with what attached. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config import Config
from intake.cases import Recorded
from intake.dispositions import Accepted, FormJudgement, Held, Judgement, NeedsCorrection
from intake.reading import Reading
from intake.trust import same_organisation
from responses import blank_docx, blank_xlsx
from responses.compose import compose
from responses.envelope import Attachment, build
from responses.letters import (
    Acknowledgement,
    Composed,
    Correction,
    FormatAdvice,
    Letter,
    ReceivedFile,
    Section,
    TemplateEnclosed,
    Waiting,
)

# Offices number their letters; the number is what they file our answer under.
_OFFICIAL = re.compile(
    r"\b(?:OFICIO|CARTA|MEMORANDO|MEMORÁNDUM|MEMORANDUM|INFORME|NOTA)\s*(?:M[ÚU]LTIPLE\s*)?"
    r"N\s*[.°º]{0,3}\s*\d[\w./-]{0,60}(?:\s?-\s?\w[\w./-]{0,40})?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One prepared reply.

    Attributes:
        kind: `acknowledgement`, `correction`, `waiting`, `template`, `format`; the gravest of its sections.
        recipient: Address it goes to.
        composed: Subject and words.
        attachments: Files that go along.
        letter: What was said, as values.
    """

    kind: str
    recipient: str
    composed: Composed
    attachments: tuple[Attachment, ...]
    letter: Letter


def reply_for(
    reading: Reading,
    judgement: Judgement,
    recorded: Recorded,
    *,
    received: datetime,
    language: str,
    config: Config,
) -> Reply | None:
    """The reply to a mail, `None` when nothing is said.

    Args:
        recorded: References and tokens as allocated.
        received: When the mail arrived.
        language: Of the reply.
    """
    recipient = recipient_of(reading, config)
    if not judgement.reply or recipient is None:
        return None
    sections = _sections(judgement, recorded)
    if not sections:
        return None
    verified = reading.screening.trust == "verified"
    return prepared(
        Letter(
            language=language,
            received=received,
            verified=verified,
            sections=sections,
            files=tuple(
                ReceivedFile(name=file.name, kind=file.kind, size=file.size)
                for file in reading.files
                if not file.inline
            ),
            subject=reading.subject if verified else None,
            tokens=recorded.tokens,
            official_letter=_official(reading) if verified else None,
            template_id=config.settings.template,
        ),
        recipient,
        config,
    )


def prepared(letter: Letter, recipient: str, config: Config) -> Reply:
    """A letter in words, with what it encloses."""
    sections, language = letter.sections, letter.language
    attachments = blank_templates(config, language) if _encloses(sections) else ()
    return Reply(
        kind=_kind(sections),
        recipient=recipient,
        composed=compose(letter, config),
        attachments=attachments,
        letter=letter,
    )


def language_of_reply(reading: Reading, known: str | None, config: Config) -> str:
    """The mail's own text if long enough to tell, else the form's, else the last known, else the default."""
    languages = config.languages
    candidates = (
        reading.request.language if reading.request is not None else None,
        reading.language,
        *(form.language for _file, form in reading.forms),
        *(file.form.language for file in reading.empty_forms if file.form is not None),
        reading.weak,
        known,
        config.settings.replies.default_language,
    )
    return next((candidate for candidate in candidates if candidate in languages), languages[0])


def recipient_of(reading: Reading, config: Config) -> str | None:
    """The From address; Reply-To only when verified and in the same organisational domain."""
    if reading.sender is None:
        return None
    other = reading.reply_to
    if other is None or reading.screening.trust != "verified":
        return reading.sender
    if other.rpartition("@")[2].casefold() in config.settings.auth.free_mail:
        # Two addresses at a public provider are two strangers.
        return reading.sender
    same = same_organisation(other.rpartition("@")[2], reading.sender.rpartition("@")[2])
    return other if same else reading.sender


def blank_templates(config: Config, language: str) -> tuple[Attachment, ...]:
    """The blank form as Word and as Excel file."""
    template, vocabularies = config.template, config.vocabularies
    return (
        Attachment(
            name=blank_docx.file_name(template, language, "docx"),
            content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            data=blank_docx.blank_docx(template, vocabularies, language),
        ),
        Attachment(
            name=blank_docx.file_name(template, language, "xlsx"),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            data=blank_xlsx.blank_xlsx(template, vocabularies, language),
        ),
    )


def mime(
    reply: Reply,
    *,
    config: Config,
    sender: str,
    message_id: str,
    reply_id: str,
    in_reply_to: str | None,
    references: Sequence[str],
    date: datetime,
) -> bytes:
    """The reply as it is sent, byte for byte the same at every try."""
    language = reply.letter.language
    return build(
        reply.composed,
        sender=sender,
        sender_name=config.settings.office.signatures.get(language, ""),
        recipient=reply.recipient,
        message_id=message_id,
        date=date,
        in_reply_to=in_reply_to,
        references=references,
        reply_id=reply_id,
        language=language,
        attachments=reply.attachments,
    )


def _sections(judgement: Judgement, recorded: Recorded) -> tuple[Section, ...]:
    if judgement.forms:
        pairs = zip(judgement.forms, recorded.references, strict=True)
        sections = [form_section(form, reference, recorded) for form, reference in pairs]
        return tuple(section for section in sections if section is not None)
    match judgement.answer:
        case "template" if judgement.review is not None:
            # The form goes out; what else they asked a person answers, and they are told so.
            return (TemplateEnclosed(reason="requested"), Waiting())
        case "template":
            return (TemplateEnclosed(reason="requested"),)
        case "empty":
            return (TemplateEnclosed(reason="empty"),)
        case "format":
            return (FormatAdvice(findings=judgement.format_findings),)
        case "waiting":
            return (Waiting(),)
        case None:
            return ()


def form_section(form: FormJudgement, reference: str | None, recorded: Recorded) -> Section | None:
    """What is said of one form; `None` when its notice went out before."""
    if reference is None:
        # Held without a case of its own: the notice names no reference.
        return Waiting()
    advice = tuple(finding for finding in form.findings if finding.severity == "advice")
    match form.disposition:
        case Accepted():
            return Acknowledgement(
                reference=reference,
                form=form.form,
                advice=advice,
                # Consent is never taken for granted.
                consent=str(form.form.value("consent_publish") or "pending"),
                again=form.same and form.case is not None and form.case.accepted_version is not None,
                late=recorded.deadlines.get(reference),
            )
        case NeedsCorrection():
            errors = tuple(finding for finding in form.findings if finding.severity == "error")
            return Correction(reference=reference, form=form.form, errors=errors, advice=advice)
        case Held():
            if form.case is not None and form.case.noticed:
                return None
            return Waiting(reference=reference)
        case _:
            return None


_KINDS: Mapping[type, str] = {
    Waiting: "waiting",
    Correction: "correction",
    Acknowledgement: "acknowledgement",
    FormatAdvice: "format",
    TemplateEnclosed: "template",
}


def _kind(sections: Sequence[Section]) -> str:
    """The gravest kind: only a letter with a correction request in it waits for quiet."""
    kinds = [_KINDS[type(section)] for section in sections]
    return next(
        kind for kind in ("correction", "acknowledgement", "waiting", "format", "template") if kind in kinds
    )


def _encloses(sections: Sequence[Section]) -> bool:
    return any(isinstance(section, TemplateEnclosed | FormatAdvice) for section in sections)


def _official(reading: Reading) -> str | None:
    found = _OFFICIAL.search(reading.subject)
    return found.group(0).strip(" -.") if found is not None else None
