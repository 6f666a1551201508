"""The demonstration's mails: what a general contact box receives in a morning, in three languages.

What they say stands in `mails.toml`; here it becomes messages. All people and addresses are invented, and
every address is under the reserved domain `.example`, so that nothing could ever reach anybody.
"""

from __future__ import annotations

import email
import email.policy
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import parseaddr
from functools import partial
from importlib import resources
from typing import Any, Final, Literal

from config import Config
from intake.demo.attachments import old_word, pdf, png
from intake.demo.bulk import bulk
from intake.demo.composing import Draft, begin, compose, finish
from intake.demo.samples import fill_docx, fill_xlsx, others, practices
from responses.blank_docx import blank_docx
from responses.blank_xlsx import blank_xlsx

__all__ = ["MAILBOX", "Expected", "SampleMail", "bulk", "sample_mails"]

Expected = Literal["accepted", "needs_correction", "answered", "held", "ignored"]

MAILBOX: Final = "UNNMPeru@redmigracion.example"
_LIMA: Final = timezone(timedelta(hours=-5))
_A_MORNING: Final = datetime(2026, 11, 20, 12, 0, tzinfo=_LIMA)
_BETWEEN: Final = timedelta(minutes=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleMail:
    """One mail of the demonstration.

    Attributes:
        name: Short and unique, ASCII.
        language: Language of its words.
        description: Language to one line that tells what is special about it.
        sender: Address in its From header.
        envelope: Address of its envelope sender; empty for what machines send.
        passes: Whether the receiving server confirms the sender (DMARC pass).
        expected: What must become of it.
        after: Name of the mail whose reply it answers, else `None`.
        build: Makes the raw message (CR LF); takes the reply to `after`, or `None` when there is no `after`.
            The same call gives the same bytes.
    """

    name: str
    language: str
    description: Mapping[str, str]
    sender: str
    envelope: str
    passes: bool
    expected: Expected
    after: str | None
    build: Callable[[bytes | None], bytes]

    @property
    def raw(self) -> bytes:
        """The raw message of a mail that answers nothing.

        Raises:
            ValueError: It answers our reply, so that `build` needs one.
        """
        return self.build(None)


def sample_mails(config: Config, *, to: str | None = None, now: datetime = _A_MORNING) -> list[SampleMail]:
    """The sample mails in the order in which they arrive.

    Args:
        config: Its current template and vocabularies make the forms.
        to: Address of the mailbox; `None` takes that of the first mailbox in the settings, or `MAILBOX`.
        now: Aware; the last mail was written just before, the others every few minutes earlier.
    """
    if to is None:
        to = next((mailbox.address for mailbox in config.settings.mailboxes), MAILBOX)
    entries = tomllib.loads(resources.files(__package__).joinpath("mails.toml").read_text(encoding="utf-8"))[
        "mails"
    ]
    first = now.astimezone(_LIMA).replace(microsecond=0) - _BETWEEN * len(entries)
    forms = _Forms(config)
    return [_sample(entry, forms, to, first + _BETWEEN * place) for place, entry in enumerate(entries)]


class _Forms:
    """Fills the current form; each blank is made once."""

    def __init__(self, config: Config) -> None:
        self._template = config.template
        self._vocabularies = config.vocabularies
        self._blanks: dict[tuple[str, str], bytes] = {}

    def filled(self, file_format: str, language: str, fields: Mapping[str, Any]) -> bytes:
        rest = (self._template, self._vocabularies, language)
        fill, blank = (fill_docx, blank_docx) if file_format == "docx" else (fill_xlsx, blank_xlsx)
        key = (file_format, language)
        if key not in self._blanks:
            self._blanks[key] = blank(*rest)
        return fill(self._blanks[key], fields, *rest)


def _sample(entry: Mapping[str, Any], forms: _Forms, to: str, date: datetime) -> SampleMail:
    sender = parseaddr(entry["sender"])[1]
    return SampleMail(
        name=entry["name"],
        language=entry["language"],
        description=dict(entry["about"]),
        sender=sender,
        envelope="" if entry["kind"] in {"automatic", "bounce"} else sender,
        passes=entry.get("passes", True),
        expected=entry["expected"],
        after=entry.get("after"),
        build=partial(_build, entry, forms, to, date),
    )


def _build(entry: Mapping[str, Any], forms: _Forms, to: str, date: datetime, reply: bytes | None) -> bytes:
    match entry["kind"]:
        case "form":
            return compose(_draft(entry, to, date, files=_form_files(entry, forms)))
        case "thread":
            return _answer(entry, forms, to, date, reply)
        case "attachment":
            return compose(_draft(entry, to, date, files=[(entry["file"], _other_file(entry["file"]))]))
        case "words":
            return compose(_draft(entry, to, date))
        case "automatic":
            return compose(_draft(entry, to, date, headers=_automatic_headers(date)))
        case "bounce":
            return _bounce(entry, to, date)
        case "invitation":
            return _invitation(entry, to, date)
        case kind:
            raise ValueError(f"{entry['name']}: {kind!r} is no kind of sample mail")


def _draft(
    entry: Mapping[str, Any],
    to: str,
    date: datetime,
    *,
    files: list[tuple[str, bytes]] | None = None,
    headers: Mapping[str, str] | None = None,
    subject: str | None = None,
) -> Draft:
    return Draft(
        key=f"{entry['name']}.{date:%Y%m%d%H%M}",
        sender=entry["sender"],
        to=to,
        copy=entry.get("copy", ""),
        subject=entry["subject"] if subject is None else subject,
        body=entry["body"],
        date=date,
        rich=entry.get("html", False),
        files=files or (),
        headers=headers or {},
    )


def _form_files(entry: Mapping[str, Any], forms: _Forms) -> list[tuple[str, bytes]]:
    """The filled form and, where the sender adds them, the official letter before it and a picture behind."""
    practice = (practices() | others())[entry["practice"]]
    fields = {key: value for key, value in practice.fields.items() if key not in entry.get("without", ())}
    fields |= entry.get("changes", {})
    files = [(entry["file"], forms.filled(entry["format"], entry["language"], fields))]
    if "letter" in entry:
        files.insert(0, (entry["letter"], pdf(_LETTER)))
    if "picture" in entry:
        files.append((entry["picture"], png(640, 400)))
    return files


_LETTER: Final = (
    "Lima, 19 de noviembre de 2026",
    "",
    "OFICIO N.° 0231-2026-GDS",
    "",
    "Señores",
    "Secretaría de la Red de las Naciones Unidas sobre la Migración en el Perú",
    "Presente.-",
    "",
    "Asunto: Remite práctica",
    "",
    "De mi especial consideración:",
    "",
    "Me dirijo a ustedes para remitir el formulario de la práctica",
    "«Next Gen, soluciones de recuperación y de movilidad humana».",
    "",
    "Atentamente,",
    "",
    "(firmado)",
    "Gerencia de Desarrollo Social",
)


def _other_file(name: str) -> bytes:
    if name.endswith(".doc"):
        return old_word()
    return pdf(
        ["Escuela de lideresas", "", "Una asociación de vecinas comparte lo que aprendió en tres años."]
    )


def _answer(entry: Mapping[str, Any], forms: _Forms, to: str, date: datetime, reply: bytes | None) -> bytes:
    """The corrected form, sent with the mail program's own Reply button."""
    if reply is None:
        raise ValueError(f"{entry['name']} answers the reply to {entry['after']}; give that reply")
    ours = email.message_from_bytes(reply, policy=email.policy.default)
    identity, subject = str(ours["Message-ID"]).strip(), str(ours["Subject"])
    earlier = " ".join(str(ours["References"] or ours["In-Reply-To"] or "").split())
    headers = {"In-Reply-To": identity, "References": f"{earlier} {identity}".strip()}
    if not subject.upper().startswith("RE:"):
        subject = f"RE: {subject}"
    return compose(_draft(entry, to, date, files=_form_files(entry, forms), headers=headers, subject=subject))


def _automatic_headers(date: datetime) -> dict[str, str]:
    return {
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
        "Precedence": "bulk",
        "In-Reply-To": f"<reunion.{date:%Y%m%d}@redmigracion.example>",
    }


def _bounce(entry: Mapping[str, Any], to: str, date: datetime) -> bytes:
    """A delivery status notification (RFC 3464) on a mail that a person wrote."""
    draft = _draft(entry, to, date, headers={"Return-Path": "<>", "Auto-Submitted": "auto-replied"})
    message = begin(draft)
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = 'multipart/report; report-type="delivery-status"'
    words = EmailMessage(policy=message.policy)
    words.set_content(draft.body + "\n")
    status = (
        "Content-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.munipiura.example\r\n\r\n"
        "Final-Recipient: rfc822; alcaldia@munipiura.example\r\n"
        "Action: failed\r\nStatus: 5.2.2\r\n"
        "Diagnostic-Code: smtp; 552 5.2.2 mailbox is full\r\n"
    )
    returned = (
        "Content-Type: text/rfc822-headers\r\n\r\n"
        f"From: {to}\r\nTo: alcaldia@munipiura.example\r\n"
        f"Subject: Saludo\r\nMessage-ID: <saludo.{date:%Y%m%d}@redmigracion.example>\r\n"
    )
    message.attach(words)
    for part in (status, returned):
        message.attach(email.message_from_string(part, policy=message.policy))
    return finish(message, draft.key)


def _invitation(entry: Mapping[str, Any], to: str, date: datetime) -> bytes:
    """A meeting request of a calendar program (RFC 5546)."""
    draft = _draft(entry, to, date)
    message = begin(draft)
    message.set_content(draft.body + "\n")
    start = (date + timedelta(days=7)).astimezone(UTC)
    calendar = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "PRODID:-//example//calendar//ES",
            "VERSION:2.0",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:{draft.key}@grupodetrabajo.example",
            f"DTSTAMP:{date.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
            f"DTEND:{start + timedelta(hours=2):%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{draft.subject}",
            f"ORGANIZER:mailto:{parseaddr(draft.sender)[1]}",
            f"ATTENDEE;RSVP=TRUE:mailto:{to}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )
    message.add_alternative(calendar, subtype="calendar", params={"method": "REQUEST"})
    return finish(message, draft.key)
