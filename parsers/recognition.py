"""Raw rows to a form: is it ours, which language, which row answers which question, which boxes are marked.

A document is a form by its identity line, its custom properties, or five of our questions, three of them
mandatory. Two rows that claim one question and differ are told, never decided by their order.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from config import Config
from config.form import Field, FormTemplate
from parsers.docx_form import EMPTY_BOXES, TICKED_BOXES
from parsers.form import Answer, Finding, Form
from parsers.labels import Labels
from parsers.lexicon import NO, NONE, WORD_PLACEHOLDERS, YES
from parsers.package import UnreadableError
from parsers.rows import RawAnswer, RawChoice, RawDocument
from parsers.terms import TermIndex
from parsers.text import clean, fold, quoted
from parsers.values import Mark, Values, Words

_LEAST_QUESTIONS: Final = 5
_LEAST_MANDATORY: Final = 3
# With our own line or properties fewer are enough, but a letter typed over our form is no form.
_LEAST_WITH_IDENTITY: Final = 2
# A form has some eighty rows; what comes after thousands is no form, or somebody's patience.
_MOST_ROWS: Final = 3_000
_MOST_VOTES: Final = 60
_FOREIGN_WORDS: Final = 300
_FOREIGN_ROWS: Final = 5
_IDENTITY: Final = re.compile(
    r"(?P<template>[a-z][a-z0-9-]*-\d+)\s*[·•.|–-]\s*v\s?(?P<version>\d[\w.]*)\s*[·•.|–-]\s*(?P<language>[a-z]{2})\b"
    r"(?:\s*[·•.|–-]\s*(?P<case>[A-Z0-9-]+))?",
    re.IGNORECASE,
)
_CASE: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}-\d{4}-\d{3,9}")
_BRACKETS: Final = re.compile(rf"[{EMPTY_BOXES}\[\]()\s]+")
_LEADING_NUMBER: Final = re.compile(r"(\d{1,2})\s*[.):–—-]?\s+(?=\D)")
_PRIMARY_WORDS: Final = frozenset({"principal", "main", "primary", "principale", "p"})
_SECONDARY_WORDS: Final = frozenset({"otro", "otros", "other", "others", "autre", "autres", "secundario", "secondary", "secondaire"})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Identity:
    template: str | None = None
    language: str | None = None
    case_id: str | None = None


@dataclass(slots=True)
class _Gathered:
    """Rows and marks by field key."""

    rows: dict[str, list[RawAnswer]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, list[tuple[Mark, RawChoice]]] = field(default_factory=lambda: defaultdict(list))
    languages: Counter[str] = field(default_factory=Counter)
    asked: set[str] = field(default_factory=set)


class Recognizer:
    """Reads raw documents by the templates of one configuration; made once, used for every file."""

    def __init__(self, config: Config) -> None:
        self._limit = config.settings.limits.answer_characters
        self._default = config.settings.replies.default_language
        newest = config.settings.template
        order = sorted(config.templates, key=lambda name: name != newest)
        self._templates = {name: _Template(config.templates[name], config) for name in order}

    def recognize(self, raw: RawDocument) -> Form | None:
        """The form in a document, `None` where there is none.

        Raises:
            UnreadableError: An answer is longer than any form's may be.
        """
        identity = self._identity(raw)
        known = self._templates.get(identity.template or "")
        candidates = [known] if known is not None else list(self._templates.values())
        best: tuple[int, _Template, _Gathered] | None = None
        for template in candidates:
            gathered = template.gather(raw)
            if template.is_ours(gathered, named=known is not None):
                score = len(gathered.asked)
                if best is None or score > best[0]:
                    best = (score, template, gathered)
        if best is None:
            return None
        _, template, gathered = best
        votes = gathered.languages.most_common(1)
        language = identity.language or (votes[0][0] if votes else self._default)
        return template.form(gathered, language, identity.case_id, self._limit)

    def _identity(self, raw: RawDocument) -> _Identity:
        """By the visible line, else by the custom properties."""
        for line in raw.lines:
            if "-" not in line or not any(name in line.lower() for name in self._templates):
                continue
            found = _IDENTITY.search(clean(line))
            if found and found["template"].lower() in self._templates:
                template = self._templates[found["template"].lower()]
                language = found["language"].lower()
                return _Identity(
                    template=found["template"].lower(),
                    language=language if language in template.languages else None,
                    case_id=_case(found["case"]) or _case(raw.properties.get("PracticeCase")),
                )
        name = raw.properties.get("PracticeTemplate", "")
        if name not in self._templates:
            return _Identity()
        language = raw.properties.get("PracticeLanguage", "")
        return _Identity(
            template=name,
            language=language if language in self._templates[name].languages else None,
            case_id=_case(raw.properties.get("PracticeCase")),
        )


def is_foreign(raw: RawDocument) -> bool:
    """Whether a document that is no form has content of its own that a person should see."""
    return raw.words > _FOREIGN_WORDS or raw.rows >= _FOREIGN_ROWS


def _case(text: str | None) -> str | None:
    return text if text and _CASE.fullmatch(text) else None


class _Template:
    """One template, with everything prepared that depends on it alone."""

    def __init__(self, template: FormTemplate, config: Config) -> None:
        self._template = template
        self._labels = Labels(template)
        names = {question.vocabulary for question in template.fields if question.vocabulary}
        used = {name: config.vocabularies[name] for name in names if name in config.vocabularies}
        self._values = Values(template, used)
        self.languages = template.languages
        self._mandatory = {field.key for field in template.fields if field.requirement == "mandatory"}
        self._listed = [field for field in template.fields if field.layout == "list" and field.vocabulary]
        texts = template.texts
        self._placeholders = _longest_first(
            [*_words_of(texts, "placeholder"), *_words_of(texts, "choose"), *WORD_PLACEHOLDERS]
        )
        self._empty_words = {fold(words) for words in (*self._placeholders, *_words_of(texts, "or_numbers"))}
        self._own_words = {question.key: self._printed(question) for question in template.fields}
        # With room for punctuation, which folding takes away.
        self._longest_printed = 2 * max(len(text) for words in self._own_words.values() for text in words)
        self._prefills = {
            question.key: {fold(words) for words in question.prefills.values()}
            for question in template.fields
        }
        self._primary = {fold(words) for words in _words_of(texts, "principal")} | _PRIMARY_WORDS
        self._secondary = {fold(words) for words in _words_of(texts, "other")} | _SECONDARY_WORDS
        self._yes = {fold(words) for words in _words_of(texts, "yes")} | YES

    def _printed(self, question: Field) -> set[str]:
        """What the blank form itself prints at a question: its label and its help are no answers."""
        words = set()
        for language in self._template.languages:
            label = question.labels.get(language, "")
            hint = question.hints.get(language, "")
            numbers = self._template.texts.get("or_numbers", {}).get(language, "")
            words |= {
                fold(text) for text in (label, f"{question.number}. {label}", hint, f"{hint} {numbers}")
            }
        return words - {""}

    def is_ours(self, gathered: _Gathered, *, named: bool) -> bool:
        """Whether enough of our questions were asked."""
        if named:
            return len(gathered.asked) >= _LEAST_WITH_IDENTITY
        mandatory = len(gathered.asked & self._mandatory)
        return len(gathered.asked) >= _LEAST_QUESTIONS and mandatory >= _LEAST_MANDATORY

    def gather(self, raw: RawDocument) -> _Gathered:
        """Rows and marks to their questions."""
        gathered = _Gathered()
        bare: list[tuple[str, RawAnswer]] = []
        for row in raw.answers[:_MOST_ROWS]:
            match = self._labels.find(row.number, row.label, row.tag)
            if match is None:
                continue
            if not match.sure:
                bare.append((match.field.key, row))
                continue
            gathered.rows[match.field.key].append(row)
            gathered.languages.update(match.languages)
            gathered.asked.add(match.field.key)
        for key, row in bare:
            if key not in gathered.asked:
                gathered.rows[key].append(row)
        groups: dict[int, list[RawChoice]] = defaultdict(list)
        for choice in raw.choices[:_MOST_ROWS]:
            groups[choice.group].append(choice)
        for choices in groups.values():
            lists = self._lists_of(choices)
            for choice in choices:
                self._mark(choice, lists, gathered)
        return gathered

    def _lists_of(self, choices: Sequence[RawChoice]) -> list[Field]:
        """The questions that choose from the list which most words of a table belong to."""
        votes: Counter[str] = Counter()
        for choice in choices[:_MOST_VOTES]:
            if choice.question is not None or choice.tag is not None:
                continue
            for name in {question.vocabulary or "" for question in self._listed}:
                if _term_of(choice.words, self._values.indexes[name]) is not None:
                    votes[name] += 1
        if not votes:
            return []
        name = votes.most_common(1)[0][0]
        return [question for question in self._listed if question.vocabulary == name]

    def _mark(self, choice: RawChoice, lists: list[Field], gathered: _Gathered) -> None:
        """Adds a mark, if the box is marked and it is known whose it is."""
        marked, said = self._marked(choice.mark)
        # Most boxes are empty; only one beside "other" may still have words of the sender's.
        if not marked and choice.key not in {None, "other"}:
            return
        if not marked and choice.tag is not None and not choice.tag.endswith(".other"):
            return
        question, key = self._owner(choice, lists)
        if question is None or question.vocabulary is None:
            return
        index = self._values.indexes[question.vocabulary]
        if key is None:
            key = _term_of(choice.words, index)
        words = clean(choice.words).replace("\n", " ")
        own = _own_words(words, index) if key in {None, "other"} else ""
        if key is None and own and index.known_key("other"):
            key = "other"
        if question.layout == "list" and choice.tag is None and choice.key is not None:
            # In a workbook one cell says which of two questions the item belongs to.
            sharing = [other for other in self._listed if other.vocabulary == question.vocabulary]
            if said in self._secondary and len(sharing) > 1:
                question = sharing[1]
        if key is None or not (marked or (key == "other" and own)):
            return
        note = clean(choice.mark) if said not in self._yes | self._primary | self._secondary else ""
        beside = " ".join(part for part in (own, _without_boxes(note)) if part)
        gathered.marks[question.key].append((Mark(key=key, words=words, own_words=beside), choice))

    def _owner(self, choice: RawChoice, lists: list[Field]) -> tuple[Field | None, str | None]:
        """The question and, where the document says it, the key of a box."""
        if choice.tag:
            name, _, key = choice.tag.partition(".")
            tagged = self._labels.by_key(name)
            if tagged is not None and tagged.vocabulary is not None:
                return tagged, self._values.indexes[tagged.vocabulary].known_key(key)
        question = self._labels.by_number(choice.question)
        if question is not None and question.vocabulary is not None:
            index = self._values.indexes[question.vocabulary]
            return question, index.known_key(choice.key) if choice.key else None
        if not lists:
            return None, None
        head = fold(choice.heading)
        if len(lists) > 1 and head in self._secondary:
            return lists[1], None
        if len(lists) > 1 and head in self._primary:
            return lists[0], None
        return lists[min(choice.column, len(lists) - 1)], None

    def _marked(self, mark: str) -> tuple[bool, str]:
        """Whether a box is marked, and what words say so."""
        text = mark.strip()
        if not text or text in EMPTY_BOXES:
            return False, ""
        text = clean(text)
        ticked = any(sign in text for sign in TICKED_BOXES)
        said = fold(_without_boxes(text))
        if ticked:
            return True, said
        return bool(said) and said not in NO and said not in NONE, said

    def form(self, gathered: _Gathered, language: str, case_id: str | None, limit: int) -> Form:
        """The typed form.

        Raises:
            UnreadableError: An answer is longer than `limit` characters.
        """
        written: dict[str, Words] = {}
        unclear: dict[str, Finding] = {}
        for question in self._template.fields:
            rows = gathered.rows.get(question.key, [])
            marks = gathered.marks.get(question.key, [])
            if not rows and not marks:
                continue
            texts: dict[str, RawAnswer] = {}
            for row in rows:
                if len(row.text) > limit:
                    raise UnreadableError("unsafe.answer")
                text = self._answered(question, row.text)
                if text:
                    texts.setdefault(text, row)
            place = next(iter(texts.values()), rows[0] if rows else None)
            location = place.location if place is not None else marks[0][1].location
            if location.question != question.number:
                location = replace(location, question=question.number)
            unique = {mark.key: mark for mark, _ in marks}
            written[question.key] = Words(
                text="\n".join(texts), marks=tuple(unique.values()), location=location
            )
            if len(texts) > 1:
                unclear[question.key] = Finding(
                    code="label.ambiguous",
                    field=question.key,
                    location=location,
                    params={"read": quoted(" / ".join(texts))},
                )
        read = self._values.read(
            {key: words for key, words in written.items() if key not in unclear}, language
        )
        answers = {
            question.key: read.answers.get(question.key)
            or Answer(
                field=question.key,
                value=None,
                raw=written[question.key].raw,
                location=written[question.key].location,
            )
            for question in self._template.fields
            if question.key in written or question.key in read.answers
        }
        answers |= {key: answer for key, answer in read.answers.items() if key not in answers}
        return Form(
            template=self._template.id,
            language=language,
            case_id=case_id,
            answers=answers,
            findings=(*unclear.values(), *read.findings),
            empty=not any(self._has_content(key, words) for key, words in written.items()),
        )

    def _answered(self, question: Field, text: str) -> str:
        """The clean answer without what the blank form itself printed there."""
        text = clean(text)
        if not text:
            return ""
        folded = fold(text) if len(text) <= self._longest_printed else ""
        if folded in self._empty_words or folded in self._own_words[question.key]:
            return ""
        for printed in self._placeholders:
            if printed in text:
                text = _without(text, printed)
        return text

    def _has_content(self, key: str, words: Words) -> bool:
        if words.marks:
            return True
        return bool(words.text) and fold(words.text) not in self._prefills.get(key, ())


def _without(text: str, printed: str) -> str:
    """The text without a placeholder at its beginning or end, or in a line of its own."""
    lines = [line for line in text.split("\n") if line.strip() != printed]
    text = "\n".join(lines)
    return clean(text.removeprefix(printed).removesuffix(printed))


def _term_of(words: str, index: TermIndex) -> str | None:
    """The term of printed words, its number in front if it has one."""
    plain = clean(words).replace("\n", " ")
    key = index.find(plain)
    if key is not None:
        return key
    numbered = _LEADING_NUMBER.match(plain)
    if numbered is None:
        return index.find_nearly(plain)
    key = index.find_nearly(plain[numbered.end() :])
    # Number and words in one row must be one item.
    if key is not None and index.term(key).number in {None, int(numbered[1])}:
        return key
    return None


def _own_words(words: str, index: TermIndex) -> str:
    """What was written behind the printed words of "other"."""
    if index.known_key("other") is None or index.find(words) is not None:
        return ""
    term = index.term("other")
    for title in _longest_first([*term.titles.values(), *term.shorts.values()]):
        if words.casefold().startswith(title.casefold()):
            return words[len(title) :].strip(" :.,;–—-()")
    return ""


def _without_boxes(text: str) -> str:
    for sign in TICKED_BOXES:
        text = text.replace(sign, " ")
    return _BRACKETS.sub(" ", text).strip()


def _words_of(texts: Mapping[str, Mapping[str, str]], name: str) -> list[str]:
    return [clean(words) for words in texts.get(name, {}).values()]


def _longest_first(words: Sequence[str]) -> list[str]:
    return sorted({clean(word) for word in words if word}, key=len, reverse=True)
