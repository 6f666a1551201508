"""Is the sender who the From line says? Read from what our own server wrote, never found out here.

Source: RFC 8601 (Authentication-Results), RFC 7489 section 3.1 (alignment); the design's section "Trust".
A header that anybody else can write proves nothing: which one counts, the settings say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from config.settings import Auth
from intake.message import Message

Trust = Literal["verified", "unverified"]

_METHOD = re.compile(r"([a-z0-9][a-z0-9-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z][a-z0-9-]*\.[a-z0-9_-]+)\s*=\s*(\"[^\"]*\"|[^\s;]+)", re.IGNORECASE)
_BY = re.compile(r"\bby\s+([^\s;()]+)", re.IGNORECASE)

# Labels that stand for a kind of holder directly below a country's label: `gob.pe`, `co.uk`, `gouv.fr`.
# A short stand-in for the Public Suffix List: it may take a registered name for a public suffix (which
# only makes fewer senders verified), the other way round only for suffixes that are not of this shape.
_HOLDERS = frozenset(
    {
        "ac",
        "adm",
        "asn",
        "asso",
        "art",
        "co",
        "com",
        "coop",
        "ed",
        "edu",
        "firm",
        "gc",
        "go",
        "gob",
        "gouv",
        "gov",
    }
    | {
        "govt",
        "gub",
        "gv",
        "id",
        "ind",
        "inf",
        "info",
        "int",
        "jus",
        "leg",
        "ltd",
        "me",
        "med",
        "mil",
        "muni",
        "mun",
    }
    | {"name", "ne", "net", "nhs", "nic", "nom", "or", "org", "plc", "police", "sch", "sld", "tm", "web"}
)
_HOSTED = frozenset(
    {"azurewebsites.net", "blogspot.com", "github.io", "herokuapp.com", "onmicrosoft.com", "sharepoint.com"}
    | {"web.app", "wixsite.com", "wordpress.com", "workers.dev", "uk.com", "us.com", "eu.org"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResult:
    """One `method=result` with its properties (`header.from`, `smtp.mailfrom`, ...), all lower case."""

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What our own server says of a message.

    Attributes:
        trust: `"verified"` or `"unverified"`.
        dmarc_failed: Our server says `dmarc=fail`.
        internal: The sender signed in to our own organisation (Exchange, under `topmost` only).
    """

    trust: Trust = "unverified"
    dmarc_failed: bool = False
    internal: bool = False


def judge_trust(message: Message, auth: Auth) -> Proof:
    """What our own server's Authentication-Results say of the From address.

    Args:
        message: The mail; without exactly one usable From address nothing is verified.
        auth: Whose word counts.
    """
    header = _counting_header(message, auth)
    internal = auth.trust == "topmost" and header is not None and _is_internal(message)
    if header is None:
        return Proof(internal=internal)
    results = results_of(header)
    failed = any(entry.method == "dmarc" and entry.result == "fail" for entry in results)
    senders = message.from_
    # Programs differ in which of several From addresses they judge, and in how they read a broken one.
    if failed or len(senders) != 1 or not senders[0].domain or len(message.headers.get_all("from")) != 1:
        return Proof(dmarc_failed=failed, internal=internal)
    proved = any(_proves(entry, senders[0].domain) for entry in results)
    return Proof(trust="verified" if proved else "unverified", internal=internal)


def _proves(entry: MethodResult, domain: str) -> bool:
    if entry.result != "pass":
        return False
    values = entry.properties
    if entry.method == "dmarc":
        # Where the judged From is told it must be the one that we answer.
        return "header.from" not in values or same_organisation(_domain(values["header.from"]), domain)
    if entry.method == "spf":
        return same_organisation(_domain(values.get("smtp.mailfrom", "")), domain)
    if entry.method == "dkim":
        return same_organisation(_domain(values.get("header.d") or values.get("header.i", "")), domain)
    return False


def _counting_header(message: Message, auth: Auth) -> str | None:
    if auth.trust == "none":
        return None
    if auth.trust != "topmost":
        wanted = auth.trust.lower()
        # Only the topmost: a forged one with our id, which our server failed to remove, lies below.
        return next(
            (
                value
                for value in message.headers.get_all("authentication-results")
                if server_of(value) == wanted
            ),
            None,
        )
    for name, value in message.headers.items:
        if name == "authentication-results":
            return value
        if name == "received" and not _is_own_hop(value, auth.own_hosts):
            return None
    return None


def _is_own_hop(received: str, own_hosts: tuple[str, ...]) -> bool:
    found = _BY.search(without_comments(received))
    host = found[1].lower().rstrip(".") if found else ""
    return any(host == own.lower() or host.endswith("." + own.lower().lstrip(".")) for own in own_hosts)


def _is_internal(message: Message) -> bool:
    return (message.headers.get("x-ms-exchange-organization-authas") or "").lower() == "internal"


def server_of(header: str) -> str | None:
    """The authserv-id of an Authentication-Results value, lower case; `None` where it has none (Exchange)."""
    first = _segments(without_comments(header))[0].strip()
    if not first or "=" in first:
        return None
    return first.split()[0].strip('"').lower()


def results_of(header: str) -> tuple[MethodResult, ...]:
    """The results of an Authentication-Results value, with or without authserv-id; what is malformed is passed over."""
    found: list[MethodResult] = []
    for segment in _segments(without_comments(header)):
        method = _METHOD.match(segment.strip())
        if method is None:
            continue
        rest = segment.strip()[method.end() :]
        properties: dict[str, str] = {}
        for name, value in _PROPERTY.findall(rest):
            properties.setdefault(name.lower(), value.strip('"').lower())
        found.append(MethodResult(method=method[1].lower(), result=method[2].lower(), properties=properties))
    return tuple(found)


def _segments(text: str) -> list[str]:
    """The text cut at semicolons that stand outside quotes."""
    segments = [""]
    quoted = False
    for piece in re.split(r'([";])', text):
        if piece == '"':
            quoted = not quoted
        if piece == ";" and not quoted:
            segments.append("")
        else:
            segments[-1] += piece
    return segments


def without_comments(text: str) -> str:
    """A structured header value without its (nested) comments; quoted strings are left alone (RFC 5322, 3.2.2)."""
    kept: list[str] = []
    depth = 0
    quoted = False
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and (quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif char == "(" and not quoted:
            depth += 1
            continue
        elif char == ")" and depth:
            depth -= 1
            # A comment stands where a blank may stand.
            kept.append(" ")
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)


def _domain(value: str) -> str:
    return value.rpartition("@")[2].strip("<> .").lower()


def same_organisation(one: str, other: str) -> bool:
    """Whether two domains are of one holder: equal, or one lies below the other.

    Stricter than RFC 7489, where siblings agree too: without the whole Public Suffix List siblings may be
    strangers. The upper one must not be a public suffix (`gob.pe`, `co.uk`).
    """
    upper, lower = sorted((one.lower(), other.lower()), key=len)
    if not upper or is_public_suffix(upper):
        return False
    return lower == upper or lower.endswith("." + upper)


def is_public_suffix(domain: str) -> bool:
    """Whether different holders register names directly below this domain, as far as its shape tells."""
    labels = domain.split(".")
    if len(labels) == 1 or domain in _HOSTED:
        return True
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _HOLDERS
