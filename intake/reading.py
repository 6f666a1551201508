"""From raw bytes to everything that can be known of a mail by itself: message, screening, files, forms.

Pure: no clock, no disk, no network. All opening of hostile bytes happens here, and so runs in the bounded
child (`intake.bounded`); what comes back is JSON, so a `Reading` holds no bytes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from config import Config
from intake.message import Attachment, Message, parse
from intake.relevance import Request, language_of, template_request, weak_evidence, withdrawal
from intake.screening import Screening, screen
from parsers import identify
from parsers import parse as parse_document
from parsers.form import Document, Finding, Form

# How much of the sender's own words is kept for staff, in characters.
WORDS_KEPT = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One attachment as read.

    Attributes:
        name: As the sender named it, cleaned; `""` when it has none.
        size: In bytes.
        digest: SHA-256 of its bytes, hex.
        part: Place in the mail, e.g. `"1.2"`.
        inline: A picture of the body (signature), not a file that was sent.
        kind: By its bytes, see `parsers.form.Document.kind`.
        form: The form in it.
        findings: Why no form could be read from it.
    """

    name: str
    size: int
    digest: str
    part: str
    inline: bool
    kind: str
    form: Form | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A case reference found in the subject, with the eight characters behind it if they are there."""

    reference: str
    check: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A mail as read; no bytes, nothing decided.

    Attributes:
        digest: Identity of the content (design, Identity).
        message_id: Message-ID header, if it is a sound one.
        sender: The single From address, `None` when there is none or several.
        sender_name: Its display name.
        recipients: Addresses in To and Cc.
        reply_to: Reply-To address, if single.
        subject: One clean line.
        received: Topmost Received date, else Date, aware; `None` when neither can be read.
        in_reply_to, references: Message-IDs named by the mail.
        tokens: Case references in the subject.
        own_text: The sender's own words (quotes and signature cut), shortened.
        language: Language of the own words when long enough to tell.
        screening: Kind of mail, may we reply, trust.
        files: All attachments in order.
        request: The blank template is asked for.
        weak: Language of weak evidence that the mail is about the call.
        withdrawal: Words of withdrawal or erasure stand in the own text.
        problems: Limits met while opening it.
    """

    digest: str
    message_id: str | None
    sender: str | None
    sender_name: str = ""
    recipients: tuple[str, ...] = ()
    reply_to: str | None = None
    subject: str = ""
    received: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    own_text: str = ""
    language: str | None = None
    screening: Screening
    files: tuple[File, ...] = ()
    request: Request | None = None
    weak: str | None = None
    withdrawal: bool = False
    problems: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[tuple[File, Form], ...]:
        """Recognised forms that hold answers, with their files."""
        return tuple(
            (file, file.form) for file in self.files if file.form is not None and not file.form.empty
        )

    @property
    def empty_forms(self) -> tuple[File, ...]:
        """Blank templates that came back."""
        return tuple(file for file in self.files if file.form is not None and file.form.empty)


def read(raw: bytes, config: Config) -> Reading:
    """Reads one mail.

    Args:
        raw: The message as fetched.
        config: Templates, vocabularies, phrases, limits, own addresses.

    Returns:
        The reading; files of machine mail are listed but not opened.
    """
    message = parse(raw, config.settings.limits)
    screening = screen(message, config)
    files = tuple(_file(attachment, config, opened=screening.process) for attachment in message.attachments)
    person = screening.kind == "person" and screening.process
    kinds = {file.kind for file in files if not file.inline}
    senders = message.from_
    return Reading(
        digest=message.digest,
        message_id=message.message_id,
        sender=senders[0].address if len(senders) == 1 and senders[0].address else None,
        sender_name=senders[0].name if len(senders) == 1 else "",
        recipients=tuple(address.address for address in (*message.to, *message.cc) if address.address),
        reply_to=message.reply_to[0].address if len(message.reply_to) == 1 else None,
        subject=message.subject,
        received=message.received or message.date,
        in_reply_to=message.in_reply_to,
        references=message.references,
        tokens=_tokens(message, config),
        own_text=message.own_text[:WORDS_KEPT],
        language=language_of(message.own_text, config),
        screening=screening,
        files=files,
        request=template_request(message, config.phrases, _call_names(config)) if person else None,
        # A sharing notice is a machine's, but what it shares may be a practice: then a person sees to it.
        weak=weak_evidence(message, config, kinds) if person or screening.kind == "sharing" else None,
        withdrawal=withdrawal(message.own_text, config.phrases),
        problems=message.problems,
    )


def read_document(data: bytes, config: Config, *, name: str = "") -> Document:
    """Reads one file as `check` does; the same parser as for mail."""
    return parse_document(data, config, name=name)


def _file(attachment: Attachment, config: Config, *, opened: bool) -> File:
    # An inline picture is never a form; everything else is looked into by its bytes, whatever its name says.
    kind = identify(attachment.data, config.settings.limits) if attachment.inline or not opened else ""
    if opened and kind != "image":
        document = parse_document(attachment.data, config, name=attachment.name)
    else:
        document = Document(kind=kind)
    return File(
        name=attachment.name,
        size=len(attachment.data),
        digest=hashlib.sha256(attachment.data).hexdigest(),
        part=attachment.part,
        inline=attachment.inline,
        kind=document.kind,
        form=document.form,
        findings=document.findings,
    )


def _call_names(config: Config) -> tuple[str, ...]:
    """How people name the calls; beside the noun of a form they mean ours."""
    calls = config.settings.calls
    return tuple(name for call in calls for name in (*call.names.values(), *call.phrases))


def _tokens(message: Message, config: Config) -> tuple[Token, ...]:
    # Offices number their letters much like this (CARTA-2026-0123-GERENCIA): only our own prefix is ours. And
    # ASCII only: other scripts have digits too, which no reference of ours has.
    prefix = re.escape(config.settings.reference.prefix)
    pattern = rf"\b({prefix}-\d{{4}}-\d{{3,9}})(?:-([A-Z2-9]{{8}}))?\b"
    found = dict.fromkeys(re.findall(pattern, message.subject, re.ASCII))
    return tuple(Token(reference=reference, check=check or None) for reference, check in found)
