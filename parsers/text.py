"""Text as written, made comparable: cleaning what is kept, folding what is compared.

Cleaning follows the rules for filed text (line breaks stay, invisible characters go); folding is for
comparison alone and never filed. Knows no field and no language.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Zero-width and bidirectional controls, soft hyphen, byte order mark; the joiner has a rule of its own.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc"
    "\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff]"
)
# A joiner between pictographs holds one emoji together; anywhere else it is invisible.
_JOINER: Final = re.compile(
    "(?<![\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d|\u200d(?![\u2600-\u27bf\U0001f000-\U0001faff])"
)
_BREAKS: Final = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES: Final = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000 ]+")
_MANY_BREAKS: Final = re.compile("\n{3,}")
_NO_WORD: Final = re.compile(r"[^\w]+|_+")
_ACCENTS: Final = dict.fromkeys((*range(0x300, 0x370), *range(0x1AB0, 0x1B00), *range(0x20D0, 0x2100)))
READ_CHARACTERS: Final = 120


def clean(text: str) -> str:
    """White space normalised, invisible characters removed; quotes, dashes, bullets, emoji as typed."""
    if not text:
        return ""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = _BREAKS.sub("\n", text)
    text = _JOINER.sub("", _INVISIBLE.sub("", text))
    text = _SPACES.sub(" ", text)
    if "\n" not in text:
        return text.strip()
    text = "\n".join([line.strip() for line in text.split("\n")])
    return _MANY_BREAKS.sub("\n\n", text).strip()


def fold(text: str) -> str:
    """Lower case without accents; everything that is no letter or digit becomes one space."""
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_ACCENTS)
    return _NO_WORD.sub(" ", text).strip()


def flat(text: str) -> str:
    """Lower case without accents, punctuation kept, one line: for reading dates and marks."""
    return " ".join(unicodedata.normalize("NFKD", text.casefold()).translate(_ACCENTS).split())


def quoted(text: str) -> str:
    """What a finding may quote: one line, at most 120 characters."""
    line = " ".join(text.split())
    return line if len(line) <= READ_CHARACTERS else line[: READ_CHARACTERS - 1].rstrip() + "…"
