"""A composed letter as the bytes of a mail. Decides nothing, sends nothing.

The bytes depend on the arguments alone, so that a reply sent again after a crash is the same reply. Every
header value passes `clean_header`, and the header lines are written here, plainly: the standard library's
header objects decode encoded words found inside a value, and so can bring back a line break.
"""

from __future__ import annotations

import base64
import hashlib
import quopri
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from responses.letters import Composed

MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>")
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,80}/[a-z0-9][a-z0-9.+-]{0,100}")
_UNSAFE_NAME = re.compile(r'[\\/:*?"<>|;%]')
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,120}")
# Characters that show nothing but can turn a line around or hide words: bidirectional controls,
# zero-width space, word joiner, soft hyphen, byte order mark, tags. Joiners that scripts need are kept.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPACES = re.compile(r"\s+")
# RFC 2047, section 2: an encoded word has at most 75 characters; 45 bytes give 60 of base64 in 72.
_WORD_BYTES = 45
# RFC 5322 allows 998 characters a line; all ids of a long thread are not needed.
_MAX_REFERENCES = 20
_MAX_ID = 250
_MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of ours that goes with a reply.

    Attributes:
        name: File name as people see it.
        content_type: `type/subtype`.
        data: Its bytes.
    """

    name: str
    content_type: str
    data: bytes


def clean_header(value: str, limit: int = 400) -> str:
    """One safe line of text: the only cleaning function for anything that goes into a header or a quotation.

    Control characters, line breaks and separators of every kind become one space, invisible and bidirectional
    controls and lone surrogates go, white space is collapsed, and what is longer than `limit` characters ends
    with an ellipsis (within the limit).
    """
    visible = _UNSEEN.sub("", value)
    plain = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} else char for char in visible
    )
    line = _SPACES.sub(" ", plain).strip()
    return line if len(line) <= limit else line[: max(limit - 1, 0)].rstrip() + "…"


def is_message_id(value: str) -> bool:
    """Whether a mail's message id may be written into our headers (RFC 5322, section 3.6.4, and stricter)."""
    return len(value) <= _MAX_ID and MESSAGE_ID.fullmatch(value) is not None


def build(
    composed: Composed,
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    message_id: str,
    date: datetime,
    in_reply_to: str | None,
    references: Sequence[str],
    reply_id: str,
    language: str,
    attachments: Sequence[Attachment] = (),
) -> bytes:
    """The reply as it goes over SMTP: CRLF line ends, ASCII only, no line over 998 characters.

    Args:
        composed: Subject, text and HTML.
        sender: Our address.
        sender_name: Our name, any language.
        recipient: The one address it goes to.
        message_id: Ours; the boundary is derived from it.
        date: Aware.
        in_reply_to: The mail's message id; dropped when it is not of a strict form.
        references: Message ids of the thread, oldest first; those not of a strict form are dropped.
        reply_id: Our id of the reply, for `X-Practice-Intake-Reply`.
        language: For `Content-Language`.
        attachments: Files of ours.

    Raises:
        ValueError: An address, our message id, our reply id, the language or the date cannot be used.
    """
    if date.tzinfo is None:
        raise ValueError("the date of a reply needs a time zone")
    if not is_message_id(message_id):
        raise ValueError("our message id is of no usable form")
    if _TOKEN.fullmatch(reply_id) is None or _TOKEN.fullmatch(language) is None:
        raise ValueError("the reply's id or language is of no usable form")
    headers = [
        f"From: {_mailbox(sender_name, sender)}",
        f"To: {_address(recipient)}",
        f"Subject: {_encoded(clean_header(composed.subject))}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: {message_id}",
        *_thread(in_reply_to, references),
        # RFC 3834, section 5: other machines must not answer this.
        "Auto-Submitted: auto-replied",
        "X-Auto-Response-Suppress: All",
        f"Content-Language: {language}",
        f"X-Practice-Intake-Reply: {reply_id}",
        "MIME-Version: 1.0",
    ]
    seed = hashlib.sha256(message_id.encode("ascii")).hexdigest()[:24]
    body = _multipart(
        "alternative", f"=_{seed}.a", [_text("plain", composed.text), _text("html", composed.html)]
    )
    if attachments:
        body = _multipart("mixed", f"=_{seed}.m", [body, *(_file(attachment) for attachment in attachments)])
    return "\r\n".join(headers).encode("ascii") + b"\r\n" + body


def _address(value: str) -> str:
    """An ASCII address as it may stand in a header; a domain in another script in its IDNA form."""
    local, _, domain = value.rpartition("@")
    try:
        ascii_value = value if value.isascii() else f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise ValueError("the address cannot be written in a header") from error
    if _ADDRESS.fullmatch(ascii_value) is None:
        raise ValueError("the address cannot be written in a header")
    return ascii_value


def _mailbox(name: str, address: str) -> str:
    """A display name and an address; the name always encoded or quoted (RFC 5322, section 3.4)."""
    clean = clean_header(name, limit=120)
    if not clean:
        return _address(address)
    if _plain(clean):
        escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{_address(address)}>'
    return f"{_encoded(clean)}\r\n <{_address(address)}>"


def _plain(text: str) -> bool:
    return len(text) <= 70 and text.isascii() and text.isprintable() and "=?" not in text


def _encoded(text: str) -> str:
    """Header text as it is, or as folded RFC 2047 encoded words that never split a character."""
    if _plain(text):
        return text
    words: list[bytes] = [b""]
    for char in text:
        encoded = char.encode("utf-8")
        if len(words[-1]) + len(encoded) > _WORD_BYTES:
            words.append(b"")
        words[-1] += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(word).decode('ascii')}?=" for word in words)


def _thread(in_reply_to: str | None, references: Sequence[str]) -> list[str]:
    known = [reference for reference in references if is_message_id(reference)]
    answered = in_reply_to if in_reply_to and is_message_id(in_reply_to) else None
    if answered:
        known = [reference for reference in known if reference != answered] + [answered]
    # The first id names the thread, the last ones its end: the middle may go (RFC 5322, section 3.6.4).
    kept = known if len(known) <= _MAX_REFERENCES else [known[0], *known[-_MAX_REFERENCES + 1 :]]
    headers = [f"In-Reply-To: {answered}"] if answered else []
    return [*headers, "References: " + "\r\n ".join(kept)] if kept else headers


def _part(headers: Sequence[str], payload: bytes) -> bytes:
    return "\r\n".join(headers).encode("ascii") + b"\r\n\r\n" + payload


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    # "=_" occurs neither in quoted-printable nor in base64, so that no content can end a part (RFC 2045, 6.7).
    edge = b"--" + boundary.encode("ascii")
    body = b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"
    return _part([f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"'], body)


def _text(kind: str, text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    encoded = quopri.encodestring(lines).replace(b"\n", b"\r\n")
    return _part(
        [f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"], encoded
    )


def _file(attachment: Attachment) -> bytes:
    content_type = attachment.content_type.lower()
    if _CONTENT_TYPE.fullmatch(content_type) is None or content_type.startswith(("multipart/", "message/")):
        content_type = "application/octet-stream"
    name = _file_name(attachment.name)
    # Compatibility forms can turn into quotation marks and slashes: unsafe characters go once more.
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    fallback = _UNSAFE_NAME.sub("_", folded) or "file"
    disposition = f'Content-Disposition: attachment;\r\n filename="{fallback}"'
    if fallback != name:
        # RFC 2231, section 4; programs that do not know it take the plain name before it.
        disposition += f";\r\n filename*=utf-8''{quote(name, safe='')}"
    payload = base64.encodebytes(attachment.data).replace(b"\n", b"\r\n")
    return _part([f"Content-Type: {content_type}", "Content-Transfer-Encoding: base64", disposition], payload)


def _file_name(name: str) -> str:
    bare = _UNSAFE_NAME.sub("_", clean_header(name)).strip(". ") or "file"
    stem, dot, ending = bare.rpartition(".")
    if len(bare) <= _MAX_NAME:
        return bare
    return f"{stem[: _MAX_NAME - 1 - len(ending)]}.{ending}" if dot and len(ending) <= 8 else bare[:_MAX_NAME]
