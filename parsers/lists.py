"""Answers that choose several terms of a list: numbers, titles, both, and marks, to the terms meant.

Number and words must agree. A number whose words belong to another number or another list is told, never
filed: "Objetivo 10: Reducción de las desigualdades" is a goal of another list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from config.vocabulary import Term
from parsers.form import Finding
from parsers.lexicon import ALL, LIST_WORDS, NUMBER_WORDS
from parsers.terms import TermIndex, split_known, without_parenthesis
from parsers.text import fold, quoted

_SEGMENT: Final = re.compile(r"[\n;•▪●◦‣∙]+")
_TOKEN: Final = re.compile(
    r"""
    (?<![\w.])(?P<target>\d{1,2})\.(?:\d{1,2}|[a-d])(?![\w]|\.\d)
    | (?<![\w.])(?P<first>\d{1,2})\s*(?:[-–—]|\b(?:a|al|to|à|au|hasta)\b)\s*(?P<last>\d{1,2})(?![\w]|\.\d|\s*[-–—]\s*\d)
    | (?<![\w.])(?P<number>\d{1,2})(?:[.\s]?\(?[a-l]\)|\s?[a-l](?=\s*(?:[,;.]|$)))?(?!\w)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_EDGES: Final = " \t:.,;–—-()[]{}«»\"'“”‘’/|*°º#&+=>→"
_JOINED: Final = re.compile(r"[\s,;]+(?:y|e|o|and|or|et|ou)\s*$", re.IGNORECASE)
_AGREE: Final = 80.0
_FOREIGN: Final = 85.0


@dataclass(slots=True)
class ListRead:
    """What was understood of a list answer.

    Attributes:
        keys: Keys of the terms, in the order read.
        findings: About items that are not filed; location and field are added by the caller.
        rest: Words that belong to no item.
    """

    keys: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    number: int
    words: str
    written: str
    lists: frozenset[str]
    target: bool = False


class ListReader:
    """Reads answers to one list, beside the lists with which people confuse it."""

    def __init__(self, own: TermIndex, others: Sequence[TermIndex], language: str) -> None:
        self._own = own
        self._others = others
        self._language = language

    def read(self, text: str) -> ListRead:
        """Reads clean words."""
        read = ListRead()
        if fold(text) in ALL:
            read.keys.extend(self._own.keys)
            return read
        for segment in _SEGMENT.split(text):
            if fold(segment):
                self._segment(segment.strip(), read)
        return read

    def _segment(self, segment: str, read: ListRead) -> None:
        key = self._own.find(segment)
        if key is not None:
            read.keys.append(key)
            return
        tokens = list(_TOKEN.finditer(segment))
        if not tokens or not self._own.vocabulary.numbered:
            self._words(segment, read)
            return
        for item in self._items(segment, tokens, read):
            self._judge(item, read)

    def _items(self, segment: str, tokens: list[re.Match[str]], read: ListRead) -> Iterator[_Item]:
        """Each number with its words: those behind it, or before it where the line is written that way."""
        edges = [0, *[token.end() for token in tokens]]
        starts = [*[token.start() for token in tokens], len(segment)]
        chunks = [segment[end:start] for end, start in zip(edges, starts, strict=True)]
        lead, lists = self._lead(chunks[0])
        before = bool(lead) and not self._lead(chunks[-1])[0]
        if lead and not before:
            self._words(lead, read)
        for place, token in enumerate(tokens):
            following, next_lists = self._lead(chunks[place + 1])
            words = self._lead(chunks[place])[0] if before else following
            if before:
                lists = self._lead(chunks[place])[1]
            start = 0 if place == 0 and not lead else token.start()
            written = _JOINED.sub("", segment[start : starts[place + 1]]).strip(" ,;")
            if before:
                written = f"{chunks[place].strip(' ,;')} {token[0]}".strip()
            trailing = frozenset() if before else _trailing(chunks[place + 1])
            mine = lists | (next_lists - trailing)
            for number, target in _numbers(token):
                yield _Item(number=number, words=words, written=written, lists=mine, target=target)
            lists = (lists if not words else frozenset()) | trailing

    def _lead(self, chunk: str) -> tuple[str, frozenset[str]]:
        """The words of a chunk without those that only introduce a number, and the lists it names."""
        words, lists = _split_words(chunk)
        title = chunk.strip(_EDGES)
        # "No poverty" begins with a word that otherwise introduces a number.
        if any(index.find(title) for index in (self._own, *self._others)):
            return title, lists
        if all(word in NUMBER_WORDS or word in _NO_TITLE for word in words):
            return "", lists
        pieces = title.split()
        while pieces and _is_lead(pieces[0]):
            pieces.pop(0)
        while pieces and _is_lead(pieces[-1]):
            pieces.pop()
        return " ".join(pieces).strip(_EDGES), lists

    def _words(self, text: str, read: ListRead) -> None:
        """Titles without numbers."""
        whole = without_parenthesis(text)
        for words in (text, whole):
            key = self._own.find_nearly(self._lead(words)[0]) or self._own.find_nearly(words)
            if key is not None:
                read.keys.append(key)
                return
        # A whole line that is a title of another list is not cut into pieces of this one.
        foreign = self._foreign(text, exact=True)
        if foreign is not None:
            read.findings.append(self._told("number.foreign_list", text, **foreign))
            return
        known, unknown = split_known(text, self._own.find)
        read.keys.extend(known)
        if not known and not any(self._foreign(piece, exact=True) for piece in unknown):
            unknown = [text]
        for piece in unknown:
            if fold(piece) in ALL:
                read.keys.extend(self._own.keys)
                continue
            foreign = self._foreign(piece, exact=True)
            if foreign is not None:
                read.findings.append(self._told("number.foreign_list", piece, **foreign))
            elif set(fold(piece).split()) - NUMBER_WORDS:
                read.rest.append(piece)

    def _judge(self, item: _Item, read: ListRead) -> None:
        own = self._own
        if item.target and own.name != "sdgs":
            read.findings.append(self._foreign_number(item, "sdgs"))
            return
        named = item.lists - {own.name}
        if named and own.name not in item.lists:
            read.findings.append(self._foreign_number(item, next(iter(named))))
            return
        key = own.numbered(item.number)
        if key is None:
            wanted = f"1–{len(own.keys)}"
            read.findings.append(
                self._told("number.unknown", item.written, number=item.number, wanted=wanted)
            )
            return
        if not item.words or item.target or self._agrees(item.words, key):
            read.keys.append(key)
            return
        title = {"number": item.number, "title": own.term(key).short(self._language)}
        foreign = self._foreign(item.words, exact=False)
        meant = own.find_nearly(item.words)
        if foreign is not None and meant is None:
            read.findings.append(self._told("number.foreign_list", item.written, **title, **foreign))
            return
        if meant is None:
            alike, score = own.most_alike(item.words)
            meant = alike if score >= _FOREIGN else None
        words: dict[str, Any] = {}
        if meant is not None and meant != key:
            term = own.term(meant)
            words = {"words_number": term.number, "words_title": term.short(self._language)}
        read.findings.append(self._told("number.words_disagree", item.written, **title, **words))

    def _agrees(self, words: str, key: str) -> bool:
        """Whether the words are the term's own, or nearer to it than to anything else."""
        exact = self._own.find(words) or self._own.find(without_parenthesis(words))
        if exact is not None:
            return exact == key
        if any(other.find(words) or other.find(without_parenthesis(words)) for other in self._others):
            return False
        likeness = self._own.likeness(words, key)
        if likeness < _AGREE:
            return False
        rivals = [self._own.most_alike(words), *(other.most_alike(words) for other in self._others)]
        return all(score <= likeness for _, score in rivals)

    def _foreign(self, words: str, *, exact: bool) -> dict[str, Any] | None:
        """The other list to which words belong."""
        for other in self._others:
            key = other.find_nearly(self._lead(words)[0]) or other.find_nearly(words)
            if key is None and not exact:
                alike, score = other.most_alike(words)
                key = alike if score >= _FOREIGN else None
            if key is not None:
                return self._other(other, other.term(key))
        return None

    def _foreign_number(self, item: _Item, name: str) -> Finding:
        params: dict[str, Any] = {"number": item.number, "other": name}
        key = self._own.numbered(item.number)
        if key is not None:
            params["title"] = self._own.term(key).short(self._language)
        other = next((index for index in self._others if index.name == name), None)
        there = other.numbered(item.number) if other else None
        if other is not None and there is not None:
            params |= self._other(other, other.term(there))
        return self._told("number.foreign_list", item.written, **params)

    def _other(self, other: TermIndex, term: Term) -> dict[str, Any]:
        number = {} if term.number is None else {"other_number": term.number}
        return {"other": other.name, "other_title": term.short(self._language), **number}

    def _told(self, code: str, written: str, **params: Any) -> Finding:
        return Finding(code=code, params={"read": quoted(written), **params})


def _numbers(token: re.Match[str]) -> list[tuple[int, bool]]:
    if token["target"]:
        return [(int(token["target"]), True)]
    if token["first"]:
        first, last = int(token["first"]), int(token["last"])
        if first < last:
            return [(number, False) for number in range(first, last + 1)]
        return [(first, False), (last, False)]
    return [(int(token["number"]), False)]


def _split_words(chunk: str) -> tuple[list[str], frozenset[str]]:
    """Words of a chunk, and the lists that it names."""
    lists = set()
    folded = f" {fold(chunk)} "
    for name, names in LIST_WORDS.items():
        if any(f" {word} " in folded for word in names):
            lists.add(name)
    return folded.split(), frozenset(lists)


_NAMES: Final[Mapping[str, str]] = {word: name for name, words in LIST_WORDS.items() for word in words}


_NO_TITLE: Final = frozenset(
    {word for words in LIST_WORDS.values() for name in words for word in name.split()}
    | {
        "para",
        "for",
        "pour",
        "migracion",
        "migration",
        "migrations",
        "segura",
        "ordenada",
        "regular",
        "safe",
        "orderly",
    }
)


def _is_lead(word: str) -> bool:
    folded = fold(word)
    return not folded or folded in NUMBER_WORDS or folded in _NAMES


def _trailing(chunk: str) -> frozenset[str]:
    """The lists named at the very end of a chunk: they speak of the number that follows."""
    words = fold(chunk).split()
    while words and words[-1] in NUMBER_WORDS and words[-1] not in _NAMES:
        words.pop()
    named = {_NAMES[words[-1]]} if words and words[-1] in _NAMES else set()
    named |= {_NAMES[pair] for pair in (" ".join(words[-2:]),) if pair in _NAMES}
    return frozenset(named)
