"""Raw words and marks of one question to its typed value, and findings about it.

Dispatch by the kind of the field; what needs two answers (start and end) is settled at the end. Never
guesses: what cannot be filed surely is kept in `raw` and told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from config.form import Field, FormTemplate
from config.vocabulary import Vocabulary
from parsers.choices import ChoiceReader
from parsers.contacts import read_emails
from parsers.countries import CountryReader
from parsers.dates import Period, read_period
from parsers.form import Answer, Finding, Location, Value
from parsers.lexicon import (
    ATTACHMENT_STARTS,
    FILLER,
    FILLER_STARTS,
    LONGEST_REFERENCE,
    NO,
    NONE,
)
from parsers.lists import ListReader
from parsers.terms import TermIndex
from parsers.text import fold, quoted

_SHEET_ERROR: Final = re.compile(r"#(?:NAME|REF|VALUE|DIV/0|NUM|NULL|N/A|SPILL|CALC)[?!]?", re.IGNORECASE)
# Lists with which people confuse each other.
_CONFUSED: Final[Mapping[str, tuple[str, ...]]] = {
    "objectives": ("sdgs", "principles"),
    "sdgs": ("objectives", "principles"),
    "principles": ("objectives", "sdgs"),
}
_LONGEST_LIST: Final = 3000
_MOST_FINDINGS: Final = 12
_LONGEST_EVASION: Final = 200
_SILENT: Final = frozenset("-–—_./\\*·•…?¿!¡\"'«»“”()[] \n,;:~")
_TEXTS: Final = frozenset({"line", "text", "lines"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A choice that is marked: its key, its words as printed, own words beside it."""

    key: str
    words: str
    own_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """All that was read for one question, cleaned: the cell's words, the marks, the place."""

    text: str
    marks: tuple[Mark, ...] = ()
    location: Location | None = None

    @property
    def raw(self) -> str:
        """Everything as written, one item a line."""
        marked = [mark.words for mark in self.marks]
        return "\n".join([*marked, self.text] if self.text else marked)


@dataclass(slots=True)
class Read:
    """Typed answers by field key (a question may give two, as `type` and `type_other`) and findings."""

    answers: dict[str, Answer] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class Values:
    """Reads the answers of one template."""

    def __init__(self, template: FormTemplate, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._template = template
        self.indexes = {name: TermIndex(vocabulary) for name, vocabulary in vocabularies.items()}

    def read(self, written: Mapping[str, Words], language: str) -> Read:
        """Reads all answers.

        Args:
            written: Field key to what was written; `""` and no marks for an empty answer.
            language: Of the form.
        """
        read = Read()
        periods: dict[str, Period] = {}
        for question in self._template.fields:
            words = written.get(question.key)
            if words is None:
                continue
            read_words, rest = _readable(question, words)
            value, findings, extra = self._value(question, read_words, language, periods)
            if rest:
                findings = [*findings, _told("list.partly", rest)]
            read.answers[question.key] = Answer(
                field=question.key, value=value, raw=words.raw, location=words.location
            )
            for key, more in extra.items():
                read.answers[key] = Answer(field=key, value=more, raw=words.raw, location=words.location)
            read.findings += [
                replace(finding, field=question.key, location=words.location)
                for finding in findings[:_MOST_FINDINGS]
            ]
        _settle_dates(read, periods)
        return read

    def _value(
        self, question: Field, words: Words, language: str, periods: dict[str, Period]
    ) -> tuple[Value, list[Finding], dict[str, Value]]:
        text = words.text
        if not text and not words.marks:
            return None, [], {}
        if text and not words.marks and len(text) <= _LONGEST_EVASION:
            emptied = self._evasion(question, text)
            if emptied is not None:
                return None, emptied, {}
        match question.kind:
            case "line" | "text" | "lines":
                return text or None, [], {}
            case "date":
                return self._date(question, text, language, periods)
            case "emails":
                emails = read_emails(text)
                return emails.addresses or None, emails.findings, {}
            case "countries":
                countries = CountryReader(self._index(question)).read(text)
                others: dict[str, Value] = {"countries_other": countries.others} if countries.others else {}
                return countries.codes or None, countries.findings, others
            case "choices":
                return self._choices(question, words, language)
            case "choice" | "sender":
                return self._choice(question, words, language)

    def _evasion(self, question: Field, text: str) -> list[Finding] | None:
        """Findings of an answer that says "none", "later" or "see annex"; `None` where it says something."""
        if _SHEET_ERROR.fullmatch(text):
            return [_told("answer.unreadable", text)]
        folded = fold(text)
        if question.vocabulary is not None and self._index(question).find(text):
            return None
        needed = question.requirement == "mandatory" or question.mandatory_when is not None
        none = not folded or folded in NONE or (folded in NO and question.kind in _TEXTS)
        if none and _only_signs_that_say_nothing(text):
            return [_told("answer.none", text)] if needed else []
        if folded in FILLER or (
            len(folded.split()) <= LONGEST_REFERENCE and folded.startswith(FILLER_STARTS)
        ):
            if question.key in {"consent_publish", "consent_images"} or question.kind == "date":
                return None
            return [_told("answer.filler", text)]
        short = len(folded.split()) <= LONGEST_REFERENCE
        # In a line "anexo 1245" is an extension, and "Anexo 22" a place.
        starts = _LONG_STARTS if question.kind == "line" else _STARTS
        if short and f"{folded} ".startswith(starts):
            # A link is an answer where links are asked for.
            return (
                None
                if "://" in text or "www" in folded.split()
                else [_told("answer.refers_to_attachment", text)]
            )
        return None

    def _date(
        self, question: Field, text: str, language: str, periods: dict[str, Period]
    ) -> tuple[Value, list[Finding], dict[str, Value]]:
        period = read_period(text, language)
        periods[question.key] = period
        is_end = question.key == "end"
        value = (period.last or period.first) if is_end else period.first
        if period.ongoing and is_end:
            value = "ongoing"
        if value is None:
            return None, [_told("date.duration" if period.duration else "date.unreadable", text)], {}
        if period.doubt:
            return value, [_told(f"date.{period.doubt}", text, filed=value)], {}
        return value, [], {}

    def _choices(
        self, question: Field, words: Words, language: str
    ) -> tuple[Value, list[Finding], dict[str, Value]]:
        index = self._index(question)
        others = [self.indexes[name] for name in _CONFUSED.get(index.name, ()) if name in self.indexes]
        read = ListReader(index, others, language).read(words.text)
        keys = index.in_order([*read.keys, *(mark.key for mark in words.marks)])
        findings = list(read.findings)
        if read.rest:
            rest = ", ".join(read.rest)
            if keys:
                findings.append(_told("list.partly", rest))
            else:
                wanted = [index.term(key).short(language) for key in index.keys[:23]]
                findings.append(_told("term.unknown", rest, wanted=wanted))
        if not keys:
            return None, findings, {}
        numbers = [index.term(key).number for key in keys]
        # Lists whose keys are their numbers are filed as integers.
        if all(number is not None and str(number) == key for number, key in zip(numbers, keys, strict=True)):
            return [int(key) for key in keys], findings, {}
        return keys, findings, {}

    def _choice(
        self, question: Field, words: Words, language: str
    ) -> tuple[Value, list[Finding], dict[str, Value]]:
        own = " ".join(mark.own_words for mark in words.marks if mark.own_words)
        read = ChoiceReader(self._index(question), language).read(
            words.text, [mark.key for mark in words.marks], own
        )
        if question.kind == "sender":
            return (None if read.key is None else read.key == "contact"), read.findings, {}
        extra: dict[str, Value] = {}
        if read.key == "other" and read.own_words:
            extra[f"{question.key}_other"] = read.own_words
        return read.key, read.findings, extra

    def _index(self, question: Field) -> TermIndex:
        return self.indexes[question.vocabulary or ""]


_STARTS: Final = tuple(f"{start} " for start in ATTACHMENT_STARTS)
_LONG_STARTS: Final = tuple(start for start in _STARTS if " " in start.strip())


def _readable(question: Field, words: Words) -> tuple[Words, str]:
    """What of an answer is read, and the rest: pages pasted into a list or a date are no list and no date."""
    if question.kind in _TEXTS or len(words.text) <= _LONGEST_LIST:
        return words, ""
    return replace(words, text=words.text[:_LONGEST_LIST]), words.text[_LONGEST_LIST:]


def _only_signs_that_say_nothing(text: str) -> bool:
    """Emoji, formulas and braces fold to nothing too, but say something."""
    return all(sign.isalnum() or sign in _SILENT for sign in text)


def _settle_dates(read: Read, periods: Mapping[str, Period]) -> None:
    """What start and end say about each other: a range in one answer, disagreement, end before start."""
    status = read.answers.get("status")
    start, end = read.answers.get("start"), read.answers.get("end")
    if status is not None and status.value == "not_started":
        # One question is enough: a practice that has not begun has no dates to discuss.
        read.findings = [finding for finding in read.findings if not finding.code.startswith("date.")]
        return
    given = periods.get("start")
    if given is not None and given.last is not None and start is not None:
        if end is None or not end.raw:
            end = Answer(field="end", value=given.last, raw=start.raw, location=start.location)
            read.answers["end"] = end
        elif end.value is not None and not _same_moment(str(end.value), given.last):
            _tell(read, "date.range_disagree", end, other=given.last)
    ending = periods.get("end")
    if ending is not None and ending.last is not None and ending.first is not None and end is not None:
        if start is None or not start.raw:
            start = Answer(field="start", value=ending.first, raw=end.raw, location=end.location)
            read.answers["start"] = start
        elif start.value is not None and not _same_moment(str(start.value), ending.first):
            _tell(read, "date.range_disagree", end, other=ending.first)
    if start is None or end is None or not isinstance(start.value, str) or not isinstance(end.value, str):
        return
    if "ongoing" in {start.value, end.value}:
        return
    length = min(len(start.value), len(end.value))
    if end.value[:length] < start.value[:length]:
        read.answers["end"] = replace(end, value=None)
        _tell(read, "date.end_before_start", end, start=start.value)


def _same_moment(one: str, other: str) -> bool:
    """Whether two dates agree as far as both are precise."""
    length = min(len(one), len(other))
    return one == other or ("ongoing" not in {one, other} and one[:length] == other[:length])


def _tell(read: Read, code: str, answer: Answer, **params: Any) -> None:
    read.findings.append(
        replace(_told(code, answer.raw, **params), field=answer.field, location=answer.location)
    )


def _told(code: str, written: str, **params: Any) -> Finding:
    return Finding(code=code, params={"read": quoted(written), **params})
