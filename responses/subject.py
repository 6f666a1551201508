"""The subject of a reply. Nothing of an unverified sender's stands in it, nor of a held form's mail."""

from __future__ import annotations

import re
from functools import lru_cache

from config import Config
from responses.envelope import clean_header
from responses.letters import (
    Acknowledgement,
    Correction,
    FormatAdvice,
    Letter,
    Section,
    TemplateEnclosed,
    Waiting,
)
from responses.telling import by_question
from responses.wording import Wording, languages, wording

_SUBJECT = 120
_REPLY_PREFIX = re.compile(
    r"^\s*(?:(?:re|rv|fw|fwd|aw|wg|tr|sv|vs|res|enc|antw|reenv)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE
)


def subject_line(letter: Letter, config: Config, words: Wording) -> str:
    """The subject of a letter, ready for the header: theirs for verified senders, our own words else; what is missing, and the case's token."""
    tokens = (letter.tokens.get(reference) for reference in _references(letter))
    token = next((f" [{token}]" for token in tokens if token), "")
    # A held form may tell of a person in danger; so may the subject of its mail: it is not repeated.
    held = any(isinstance(section, Waiting) and section.reference for section in letter.sections)
    theirs = _bare_subject(letter.subject or "", config) if letter.verified and not held else ""
    missing = sum(
        len(by_question(section.errors)) for section in letter.sections if isinstance(section, Correction)
    )
    ending = (" – " + words.counted("missing", missing) if missing else "") + token
    if not theirs:
        return clean_header(words.say(_subject_name(letter.sections[0])) + ending)
    room = _SUBJECT - len(ending) - len(words.say("subject_reply", subject=""))
    return clean_header(words.say("subject_reply", subject=_cut(theirs, room)) + ending)


def _references(letter: Letter) -> list[str]:
    sections = letter.sections
    cases = [section for section in sections if isinstance(section, Acknowledgement | Correction | Waiting)]
    return [section.reference for section in cases if section.reference]


def _subject_name(section: Section) -> str:
    match section:
        case Acknowledgement() | Correction() | FormatAdvice():
            return "subject_form"
        case Waiting():
            return "subject_mail"
        case TemplateEnclosed():
            return "subject_template"


def _bare_subject(subject: str, config: Config) -> str:
    """Their subject without reply prefixes, our tokens, and the endings that our own letters gave it."""
    prefix = re.escape(config.settings.reference.prefix)
    bare = clean_header(subject, limit=1000)
    reference = rf"{prefix}-\d{{4}}-\d{{3,9}}"
    bare = re.sub(rf"\[{reference}(?:-[A-Z0-9]{{8}})?\]|\b{reference}-[A-Z0-9]{{8}}\b", " ", bare)
    bare = _REPLY_PREFIX.sub("", bare)
    bare = re.sub(r"\s+", " ", bare).strip()
    for ending in _endings():
        bare = bare.removesuffix(ending)
    return bare.strip(" –-")


@lru_cache(maxsize=1)
def _endings() -> tuple[str, ...]:
    """What our own corrections put behind a subject, in every language."""
    return tuple(
        f" – {wording(language).counted('missing', count)}"
        for language in languages()
        for count in range(1, 60)
    )


def _cut(text: str, room: int) -> str:
    """Text within `room` characters, cut at a word where one ends in the last third."""
    if len(text) <= room:
        return text
    short = text[: max(room - 1, 0)]
    space = short.rfind(" ")
    return (short[:space] if space > room * 2 // 3 else short).rstrip(" ,;:–-") + "…"
