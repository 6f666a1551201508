"""Mail headers as plain clean text: decoding, addresses, dates, Message-IDs.

Every header value of the program passes `clean()` here, because a decoded encoded word may hold line
breaks that would become headers of our reply. Nothing here raises on what a sender wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime

# Longer values cost time and tell nothing more.
LONGEST = 50_000
MOST_HEADERS = 2_000
MOST_ADDRESSES = 500

# C0 and C1 controls, soft hyphen, zero-width characters, directional marks, embeddings, overrides and
# isolates, BOM, and lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_BLANKS = re.compile(r"\s+")
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?")
_ANGLE_ID = re.compile(r"<([^<>]{1,900})>")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# One label is enough: names inside a house (`localhost`) are addresses too, though never verified.
_DOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_COMMENT = re.compile(r"\(.*?(?:\)|$)")
_BARE_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]+@[^\s<>()\[\],;:\"\\@]+")

# Codecs of Python that are no charsets of mail: some are quadratic, some interpret escapes.
_NO_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
# What is declared so is often something else; UTF-8 is tried before it is believed.
_DOUBTFUL = frozenset(
    {"", "ascii", "us-ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252", "unknown-8bit"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of a header.

    Attributes:
        name: Display name, one clean line, or `""`.
        address: `local@domain`, the domain in lower case and ASCII (IDNA); `""` where the header holds
            nothing that mail could be sent to.
    """

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The part behind the `@`, or `""`."""
        return self.address.rpartition("@")[2]

    @property
    def local(self) -> str:
        """The part before the `@`, or `""`."""
        return self.address.rpartition("@")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """The headers of a message, decoded and clean, in their order from the top.

    Attributes:
        items: Name in lower case and value.
    """

    items: tuple[tuple[str, str], ...]

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a header, topmost first; the name in any case."""
        wanted = name.lower()
        return tuple(value for key, value in self.items if key == wanted)

    def get(self, name: str) -> str | None:
        """The topmost value of a header."""
        return next(iter(self.get_all(name)), None)


def clean(text: str) -> str:
    """One line without control, invisible or direction-changing characters, blanks made single."""
    return _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()


def decode_bytes(data: bytes, charset: str = "") -> str:
    """Bytes to text, whatever is declared: never raises, never loses a byte silently to an exception.

    Args:
        data: The bytes.
        charset: As declared; an unknown, unfit or wrong one is passed over for UTF-8, then Windows-1252
            (which is what mail programs mean by ISO-8859-1, WHATWG Encoding, section 4.2).
    """
    name = charset.strip("\"' ").split("*")[0].lower()
    plain = name.replace("_", "-")
    order = ("utf-8", "cp1252") if plain in _DOUBTFUL or plain in _NO_CHARSETS else (name, "utf-8", "cp1252")
    for candidate in order:
        try:
            return data.decode(candidate)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


def eight_bit(value: str) -> str:
    """A header as the parser gives it, its raw 8-bit bytes (kept as surrogates) made text."""
    if value.isascii():
        return value
    return decode_bytes(value.encode("utf-8", "surrogateescape"))


def decode(value: str) -> str:
    """A raw header value as one clean line: unfolded, 8-bit and RFC 2047 words decoded, tolerantly."""
    text = eight_bit(value[:LONGEST])
    if "=?" in text and _ENCODED_WORD.search(text):
        text = _encoded_words(_BLANKS.sub(" ", text))
    return clean(text)


def _encoded_words(text: str) -> str:
    try:
        chunks = decode_header(text)
    except Exception:  # noqa: BLE001 - decode_header raises several types on broken base64.
        return text
    return "".join(chunk if isinstance(chunk, str) else _chunk(chunk, charset) for chunk, charset in chunks)


def _chunk(chunk: bytes, charset: str | None) -> str:
    # Without a charset the chunk is text that decode_header wrote as raw-unicode-escape.
    return chunk.decode("raw-unicode-escape", "replace") if charset is None else decode_bytes(chunk, charset)


def addresses(values: list[str]) -> tuple[Address, ...]:
    """The addresses of raw header values, groups opened; entries without usable address keep their name.

    The address is taken before encoded words are decoded: a decoded name may hold commas and brackets.
    """
    raw = [_BLANKS.sub(" ", eight_bit(value[:LONGEST])) for value in values]
    try:
        pairs = getaddresses(raw)[:MOST_ADDRESSES]
    except Exception:  # noqa: BLE001 - nested comments exhaust the recursion of the standard parser.
        pairs = []
    found = tuple(
        Address(name=decode(name), address=usable(address)) for name, address in pairs if name or address
    )
    if any(entry.address for entry in found):
        return found
    # Some programs encode the whole header, address included, and some write no brackets.
    bare = [usable(hit) for value in raw for hit in _BARE_ADDRESS.findall(_COMMENT.sub(" ", decode(value)))]
    return tuple(Address(name="", address=address) for address in dict.fromkeys(bare) if address) or found


def usable(address: str) -> str:
    """The address as mail can be sent to it (ASCII local part, IDNA domain), or `""`.

    Quoted local parts are taken where the quotes are needless. Non-ASCII local parts (RFC 6531) are not
    usable: few servers take them.
    """
    local, at, domain = address.strip().rpartition("@")
    if not at:
        return ""
    if len(local) > 2 and local[0] == local[-1] == '"':
        local = local[1:-1]
    domain = domain.strip().rstrip(".").lower()
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return ""
    if not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return ""
    return f"{local}@{domain}"


def message_ids(value: str) -> tuple[str, ...]:
    """All ids `<...>` of a decoded header, inner blanks of a broken folding removed."""
    return tuple(f"<{_BLANKS.sub('', found)}>" for found in _ANGLE_ID.findall(value))


def moment(value: str | None) -> datetime | None:
    """A header's date, always aware (UTC where it names no zone), or `None` where it cannot be read."""
    if not value:
        return None
    try:
        when = parsedate_to_datetime(value[:200])
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(when.tzinfo)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None
