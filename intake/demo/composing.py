"""Makes a mail as a mail program would send it, with fixed bytes for fixed content.

The standard library chooses boundaries at random and dates by the clock; here both are given.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

TYPES: Final[Mapping[str, str]] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "doc": "application/msword",
    "pdf": "application/pdf",
    "png": "image/png",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What one mail says.

    Attributes:
        key: Unique name, of which Message-ID and boundaries are made.
        sender, to, copy: `Name <address>` or an address; `copy` may be empty.
        subject, body: As people write them; the body with LF line ends.
        date: Aware.
        rich: Whether the program also sends the body as HTML, as Outlook does.
        files: Name and content of each attachment.
        headers: Further headers.
    """

    key: str
    sender: str
    to: str
    copy: str = ""
    subject: str
    body: str
    date: datetime
    rich: bool = False
    files: Iterable[tuple[str, bytes]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


def compose(draft: Draft) -> bytes:
    """The mail as it goes over the wire (CR LF)."""
    message = begin(draft)
    message.set_content(draft.body + "\n")
    if draft.rich:
        message.add_alternative(_page(draft.body), subtype="html")
    for name, content in draft.files:
        main, _, sub = TYPES[name.rpartition(".")[2].lower()].partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return finish(message, draft.key)


def begin(draft: Draft) -> EmailMessage:
    """A message with the draft's headers and no content yet."""
    message = EmailMessage(policy=SMTP)
    message["From"] = address(draft.sender)
    message["To"] = address(draft.to)
    if draft.copy:
        message["Cc"] = address(draft.copy)
    message["Subject"] = draft.subject
    message["Date"] = format_datetime(draft.date)
    message["Message-ID"] = f"<{draft.key}@{parseaddr(draft.sender)[1].rpartition('@')[2]}>"
    for name, value in draft.headers.items():
        message[name] = value
    return message


def finish(message: EmailMessage, key: str) -> bytes:
    """The bytes of a message, with boundaries made of `key`."""
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"=_{key}_{number}")
    return message.as_bytes()


def address(text: str) -> Address:
    """`Name <address>` as a value for a header."""
    name, spec = parseaddr(text)
    return Address(display_name=name, addr_spec=spec)


def _page(body: str) -> str:
    paragraphs = "".join(
        f"<p>{html.escape(piece).replace(chr(10), '<br>')}</p>" for piece in body.split("\n\n")
    )
    return f'<html><head><meta charset="utf-8"></head><body>{paragraphs}</body></html>\n'
