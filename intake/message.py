"""Raw bytes of a mail -> `Message`: who, what, which files. Pure, and never raises on what was sent.

It opens no attachment (that is `intake.reading`) and judges nothing (`intake.screening`). The standard
`email` parser splits the parts; there is no splitter of our own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email._policybase import Compat32
from email.message import Message as Part
from email.parser import BytesHeaderParser

from config.settings import Limits
from intake.headers import (
    LONGEST,
    MOST_HEADERS,
    Address,
    Headers,
    addresses,
    clean,
    decode,
    decode_bytes,
    eight_bit,
    message_ids,
    moment,
)
from intake.own_words import own_words, text_of_html

LONGEST_TEXT = 200_000
LONGEST_NAME = 120
# The standard parser compares each line with every open boundary: about ten million a second.
MOST_COMPARISONS = 40_000_000
SMALL_IMAGE = 40_000

_DOCUMENT_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-")
_BOUNDARY = re.compile(rb"boundary\s*=", re.IGNORECASE)
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_WRAPPED = frozenset({"message/rfc822", "message/global"})


class _TolerantPolicy(Compat32):
    """compat32, whose headers come as text even where they hold raw 8-bit bytes.

    They are cut: the standard parser takes ten seconds for a megabyte of parameters.
    """

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002
        return eight_bit(value[:LONGEST])


_POLICY = _TolerantPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A leaf part that is not the sender's text.

    Attributes:
        name: Last component of the file name, cleaned, at most 120 characters; `""` if it has none.
            Never a path.
        content_type: As declared, lower case; what the file is, its bytes tell.
        data: Decoded content; empty where it is over the limit (`Message.problems` says so).
        part: Number of the part, counted as in IMAP, e.g. `"1.2"`.
        inline: A small picture shown in the text (a logo), no file that somebody sends.
        forwarded: It lies inside a forwarded message.
    """

    name: str
    content_type: str
    data: bytes = field(repr=False)
    part: str
    inline: bool = False
    forwarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A message attached to the message; its files are among the attachments.

    Attributes:
        part: Number of the part.
        from_, subject, text: As in `Message`.
    """

    part: str
    from_: tuple[Address, ...]
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail as values.

    Attributes:
        message_id: With its angle brackets, or `None`.
        digest: SHA-256 (hex) over From, Date, Subject and the decoded contents of the parts; never trace
            headers; the same after a server has changed transfer encodings.
        from_, reply_to, to, cc: Addresses; entries may lack a usable address.
        return_path: Envelope sender; `""` for the null path `<>`, `None` where none is written.
        subject: One decoded clean line.
        date: Of the Date header, aware.
        received: Of the topmost Received header, aware.
        in_reply_to, references: Message-IDs with angle brackets.
        headers: All of the message's own headers.
        text: The sender's text, `text/plain` or else HTML made text; at most 200,000 characters.
        own_text: The text without quotations and signature.
        attachments: In the order of the parts, those of forwarded messages included.
        forwarded: Messages attached to this one.
        content_type: Of the root.
        report_type: Of a `multipart/report` root (RFC 6522), else `""`.
        has_calendar: A part is a calendar request or answer (iMIP, RFC 6047).
        problems: `too_large`, `too_many_parts`, `too_deep`, `too_many_headers`, `attachment_too_large`,
            `unreadable`.
    """

    message_id: str | None
    digest: str
    from_: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    return_path: str | None
    subject: str
    date: datetime | None
    received: datetime | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    headers: Headers
    text: str
    own_text: str
    attachments: tuple[Attachment, ...] = ()
    forwarded: tuple[Forwarded, ...] = ()
    content_type: str = "text/plain"
    report_type: str = ""
    has_calendar: bool = False
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    part: Part
    number: str
    # Number of the nearest multipart/alternative above, or "".
    choice: str
    # Number of the message/rfc822 part above, or "" for the mail itself.
    home: str
    root: bool


class _Reading:
    """What one pass over the parts gathers; used once."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.digest = hashlib.sha256()
        self.problems: dict[str, None] = {}
        self.attachments: list[Attachment] = []
        self.bodies: dict[str, list[tuple[str, str, str]]] = {}
        self.forwarded: dict[str, Part] = {}
        self.has_calendar = False

    def leaves(self, root: Part) -> Iterator[_Leaf]:
        """The leaf parts in order, forwarded messages opened; iterative, for depth is the sender's choice."""
        stack = [(root, "", "", "", 0)]
        seen = 0
        while stack:
            part, number, choice, home, depth = stack.pop()
            seen += 1
            if seen > self.limits.parts:
                self.problems["too_many_parts"] = None
                return
            inner = _inner(part)
            if not inner:
                if part.is_multipart() and not _parts(part):
                    continue
                yield _Leaf(part=part, number=number or "1", choice=choice, home=home, root=part is root)
                continue
            if depth >= self.limits.depth:
                self.problems["too_deep"] = None
                continue
            kind = part.get_content_type()
            if kind in _WRAPPED:
                home, choice = number or "1", ""
                self.forwarded[home] = inner[0]
                # The parts of a forwarded multipart are counted below the number of the message itself.
                below = home if inner[0].get_content_maintype() == "multipart" else f"{home}.1"
                stack.append((inner[0], below, "", home, depth + 1))
                continue
            if kind == "multipart/alternative":
                choice = number or "0"
            prefix = f"{number}." if number else ""
            stack.extend(
                (child, f"{prefix}{index}", choice, home, depth + 1)
                for index, child in reversed(list(enumerate(inner, 1)))
            )

    def take(self, leaf: _Leaf) -> None:
        part = leaf.part
        kind = part.get_content_type()
        if kind.startswith("multipart/"):
            # Parts that cannot be told apart (no boundary, none closed): what stands there is text.
            kind = "text/plain"
        name = _file_name(part)
        data = self._content(part)
        if kind == "text/calendar" and _is_invitation(part, data):
            self.has_calendar = True
        if kind.startswith("text/"):
            text = decode_bytes(data, _parameter(part, "charset")).replace("\r\n", "\n")
            self._add(text.rstrip("\n").encode("utf-8", "surrogatepass"))
            if self._is_body(leaf, kind, name, data):
                if kind in {"text/plain", "text/html"}:
                    self.bodies.setdefault(leaf.home, []).append((leaf.choice, kind, text))
                return
        else:
            self._add(data)
        self.attachments.append(
            Attachment(
                name=name,
                content_type=kind,
                data=data,
                part=leaf.number,
                inline=kind.startswith("image/") and len(data) < SMALL_IMAGE and "content-id" in part,
                forwarded=bool(leaf.home),
            )
        )

    def text(self, home: str) -> str:
        """The text of the mail (`""`) or of a forwarded message, one of each set of alternatives."""
        bodies = self.bodies.get(home, [])
        with_plain = {
            choice for choice, kind, text in bodies if choice and kind == "text/plain" and text.strip()
        }
        texts = []
        for choice, kind, text in bodies:
            if kind == "text/plain":
                texts.append(text)
            elif choice not in with_plain:
                texts.append(text_of_html(text))
        joined = "\n\n".join(text.strip("\n") for text in texts if text.strip())
        return joined.replace("\x00", "")[:LONGEST_TEXT]

    def _is_body(self, leaf: _Leaf, kind: str, name: str, data: bytes) -> bool:
        if kind == "text/calendar" or data.startswith(_DOCUMENT_STARTS):
            return False
        if leaf.root:
            return _disposition(leaf.part) != "attachment" and kind in {"text/plain", "text/html"}
        if name or _disposition(leaf.part) == "attachment":
            return False
        # Other kinds of text beside plain and HTML (AMP, enriched) say the same once more.
        return kind in {"text/plain", "text/html"} or bool(leaf.choice)

    def _content(self, part: Part) -> bytes:
        if part.is_multipart():
            return _flat(part)
        data = _decoded(part)
        # The encoded form is no longer needed; large mails would stay in memory twice.
        part.set_payload("")
        if len(data) > self.limits.attachment_bytes:
            self.problems["attachment_too_large"] = None
            return b""
        return data

    def _add(self, data: bytes) -> None:
        self.digest.update(b"%d:" % len(data))
        self.digest.update(data)


def parse(raw: bytes, limits: Limits) -> Message:
    """Reads one mail.

    Args:
        raw: The bytes as the server gave them.
        limits: `message_bytes`, `parts`, `depth`, `attachment_bytes` hold here.

    Returns:
        A `Message`, whatever the bytes; with `problems`, and perhaps without parts, where they break a
        limit or cannot be read.
    """
    raw = raw.lstrip(b"\r\n\xef\xbb\xbf") if raw[:1] in {b"\r", b"\n", b"\xef"} else raw
    reading = _Reading(limits)
    if len(raw) > limits.message_bytes:
        reading.problems["too_large"] = None
        return _headers_only(raw, reading)
    if len(_BOUNDARY.findall(raw)) * raw.count(b"\n") > MOST_COMPARISONS:
        reading.problems["too_deep"] = None
        return _headers_only(raw, reading)
    try:
        root = message_from_bytes(raw, policy=_POLICY)
        return _message(root, raw, reading)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - RecursionError of deep nesting, and whatever the parser meets.
        reading = _Reading(limits)
        reading.problems["unreadable"] = None
        return _headers_only(raw, reading)


def _headers_only(raw: bytes, reading: _Reading) -> Message:
    root = BytesHeaderParser(policy=_POLICY).parsebytes(_head(raw)[:1_000_000])
    # The type stays known (a bounce too large to read is still a bounce), the parts do not.
    root.set_payload([])
    return _message(root, raw, reading)


def _head(raw: bytes) -> bytes:
    end = _HEADER_END.search(raw)
    return raw[: end.end()] if end else raw


def _message(root: Part, raw: bytes, reading: _Reading) -> Message:
    items = list(root.raw_items())
    if len(items) > MOST_HEADERS:
        reading.problems["too_many_headers"] = None
        items = items[:MOST_HEADERS]
    values: dict[str, list[str]] = {}
    for name, value in items:
        values.setdefault(name.lower(), []).append(str(value))
    headers = Headers(items=tuple((clean(name.lower()), decode(str(value))) for name, value in items))
    subject = headers.get("subject") or ""
    date = headers.get("date")
    for value in (" ".join(headers.get_all("from")), date or "", subject):
        reading._add(value.encode("utf-8", "surrogatepass"))  # noqa: SLF001 - one pass in two steps.
    for leaf in reading.leaves(root):
        reading.take(leaf)
    if reading.problems:
        # Where not every part was read, the whole body tells messages apart.
        reading._add(raw[len(_head(raw)) :])  # noqa: SLF001
    text = reading.text("")
    kind = root.get_content_type()
    return Message(
        message_id=_message_id(headers.get("message-id")),
        digest=reading.digest.hexdigest(),
        from_=addresses(values.get("from", [])),
        reply_to=addresses(values.get("reply-to", [])),
        to=addresses(values.get("to", [])),
        cc=addresses(values.get("cc", [])),
        return_path=_return_path(headers.get("return-path")),
        subject=subject,
        date=moment(date),
        received=moment((headers.get("received") or "").rpartition(";")[2].strip()),
        in_reply_to=message_ids(" ".join(headers.get_all("in-reply-to"))),
        references=message_ids(" ".join(headers.get_all("references"))),
        headers=headers,
        text=text,
        own_text=own_words(text),
        attachments=tuple(reading.attachments),
        forwarded=tuple(_forwarded(number, part, reading) for number, part in reading.forwarded.items()),
        content_type=kind,
        report_type=clean(_parameter(root, "report-type")).lower() if kind == "multipart/report" else "",
        has_calendar=reading.has_calendar,
        problems=tuple(reading.problems),
    )


def _inner(part: Part) -> list[Part]:
    """The parts within a part; of the `message/*` kinds only forwarded messages are opened."""
    parts = _parts(part)
    if not parts or part.get_content_maintype() == "multipart":
        return parts
    if part.get_content_type() not in _WRAPPED:
        return []
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if encoding in {"base64", "quoted-printable"}:
        # RFC 2046 forbids it, Exchange does it: the parser then takes the encoded text for the message.
        shell = Part(policy=_POLICY)
        shell["Content-Transfer-Encoding"] = encoding
        shell.set_payload(_decoded(parts[0]).decode("ascii", "ignore"))
        return [message_from_bytes(_decoded(shell), policy=_POLICY)]
    return parts[:1]


def _parts(part: Part) -> list[Part]:
    # A payload of text is not asked for undecoded: that would try whatever charset the sender names.
    payload = part.get_payload() if part.is_multipart() else None
    return [entry for entry in payload if isinstance(entry, Part)] if isinstance(payload, list) else []


def _decoded(part: Part) -> bytes:
    """The content of a leaf part; as it stands where its transfer encoding cannot be undone."""
    try:
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - broken encodings end in several exception types.
        del part["content-transfer-encoding"]
        data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _flat(part: Part) -> bytes:
    """The content of a `message/*` part that is not opened (delivery-status and its like)."""
    pieces: list[bytes] = []
    for block in _parts(part):
        pieces.extend(f"{name}: {value}".encode("utf-8", "replace") for name, value in block.items())
        pieces.append(b"" if block.is_multipart() else _decoded(block))
    return b"\n".join(pieces)


def _forwarded(number: str, part: Part, reading: _Reading) -> Forwarded:
    return Forwarded(
        part=number,
        from_=addresses([str(value)[:LONGEST] for value in part.get_all("from", [])]),
        subject=decode(str(part.get("subject", ""))),
        text=reading.text(number),
    )


def _parameter(part: Part, name: str) -> str:
    try:
        value = part.get_param(name, "")
    except Exception:  # noqa: BLE001 - malformed RFC 2231 parameters raise several types.
        return ""
    return str(value[2] if isinstance(value, tuple) else value or "")


def _disposition(part: Part) -> str:
    return str(part.get("content-disposition", "")).partition(";")[0].strip().lower()


def _is_invitation(part: Part, data: bytes) -> bool:
    return bool(_parameter(part, "method")) or b"\nMETHOD:" in data[:4_000].upper()


def _file_name(part: Part) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001 - the same.
        name = ""
    name = clean(decode(name).replace("\\", "/").rpartition("/")[2]).strip(". ") if name else ""
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(extension) - 1]}.{extension}"


def _message_id(value: str | None) -> str | None:
    if not value:
        return None
    found = message_ids(value)
    if found:
        return found[0]
    # Some programs write no brackets; without them the id would not be found in answers.
    return f"<{value[:900]}>" if re.fullmatch(r"[^\s<>]+", value) else None


def _return_path(value: str | None) -> str | None:
    if value is None:
        return None
    return value.strip("<> ")
