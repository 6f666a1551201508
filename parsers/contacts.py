"""E-mail addresses in an answer, several of them, with the slips that people make in writing one.

Only well-formed addresses are filed; what was repaired by changing letters is told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from parsers.form import Finding
from parsers.text import quoted

# RFC 5321 limits; quoted local parts and address literals are not written in forms.
_ADDRESS: Final = re.compile(
    r"(?<![\w.+%-])[A-Za-z0-9_+&%'’\-](?:[\w+&%'’.-]{0,62}[\w+&%-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,24}(?![\w@-])"
)
_AT: Final = re.compile(r"\s*(?:\(\s*(?:at|arroba|arobase|a)\s*\)|\[\s*(?:at|arroba|arobase|a)\s*\]|\b(?:arroba|arobase)\b)\s*", re.IGNORECASE)  # fmt: skip
_DOT: Final = re.compile(r"\s*(?:\(\s*(?:dot|punto|point)\s*\)|\[\s*(?:dot|punto|point)\s*\]|\s(?:punto|dot|point)\s)\s*", re.IGNORECASE)  # fmt: skip
_SPACED: Final = re.compile(r"(?<=[\w.])[ ]*@[ ]*(?=\w)")
_COMMA: Final = re.compile(r"(?<=[a-z]),(?=(?:com|org|net|gob|gov|edu|pe|int)\b)", re.IGNORECASE)
_DOUBLE: Final = re.compile(r"@{2,}|\.{2,}")
_PIECE: Final = re.compile(r"[^\s,;/<>()|]+")


@dataclass(slots=True)
class EmailsRead:
    """Addresses in the order written, and findings."""

    addresses: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_emails(text: str) -> EmailsRead:
    """Reads clean words."""
    plain = text.replace("mailto:", " ").replace("＠", "@")
    found = _addresses(plain)
    repaired = _repair(plain)
    more = _addresses(repaired)
    read = EmailsRead(addresses=found)
    if len(more) > len(found) or (more and not set(found) & set(more)):
        read.addresses = more
        filed = [address for address in more if address not in found]
        read.findings.append(Finding(code="email.repaired", params={"read": quoted(text), "filed": filed}))
    if not read.addresses:
        return EmailsRead(findings=[Finding(code="email.malformed", params={"read": quoted(text)})])
    known = " ".join(read.addresses)
    broken = [
        piece for piece in _PIECE.findall(repaired) if "@" in piece and piece.strip(".,:'\"") not in known
    ]
    if broken:
        read.findings.append(Finding(code="list.partly", params={"read": quoted(", ".join(broken))}))
    return read


def _addresses(text: str) -> list[str]:
    """Well-formed addresses, each once, capitals aside."""
    found: dict[str, str] = {}
    for match in _ADDRESS.finditer(text):
        address = match[0]
        if ".." not in address and len(address) <= 254:
            found.setdefault(address.casefold(), address)
    return list(found.values())


def _repair(text: str) -> str:
    """The words with "arroba", "punto", blanks around the sign and doubled signs put right."""
    text = _AT.sub("@", text)
    if "@" in text:
        text = _DOT.sub(".", text)
    text = _SPACED.sub("@", text)
    text = _COMMA.sub(".", text)
    return _DOUBLE.sub(lambda found: found[0][0], text)
