"""Words to the term of a list, in any of its languages; and how near two wordings are.

Knows the lists only as configuration. Never proposes a nearest term where nearness is not sameness.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from rapidfuzz import fuzz

from config.vocabulary import Term, Vocabulary
from parsers.lexicon import LIGHT
from parsers.text import fold

_PARENTHESIS: Final = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")
_SEPARATOR: Final = re.compile(r"\s*[,;/|•·\n+&]\s*|\s+(?:y|e|o|and|or|et|ou)\s+", re.IGNORECASE)
# A misspelling is taken for the word only where it is long and nearly the same.
_SAME: Final = 93
_LEAST_LENGTH: Final = 8
_WIDEST_JOIN: Final = 8
_EDGES: Final = " .,;:-–—*\"'«»“”"
_MOST_PARTS: Final = 200


class TermIndex:
    """One vocabulary, ready to be asked."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._order = {term.key: place for place, term in enumerate(vocabulary.terms)}
        self._terms = {term.key: term for term in vocabulary.terms}
        self._wordings: dict[str, list[str]] = {term.key: [] for term in vocabulary.terms}
        self._by_words: dict[str, str] = {}
        self._unclear: set[str] = set()
        levels: tuple[Callable[[Term], Iterable[str]], ...] = (
            lambda term: term.titles.values(),
            lambda term: term.shorts.values(),
            # "Local (distrito, provincia o departamento)" is also known as "Local".
            lambda term: [_PARENTHESIS.sub("", title) for title in term.titles.values()],
            lambda term: [words for group in term.synonyms.values() for words in group],
        )
        for level in levels:
            self._add(level)
        self._unlisted = {fold(name) for name in vocabulary.unlisted}
        self._light = {
            key: [" ".join(_weighty(words)) for words in wordings] for key, wordings in self._wordings.items()
        }

    def _add(self, level: Callable[[Term], Iterable[str]]) -> None:
        """One kind of wording; an earlier kind decides over it, two terms of one kind make it unclear."""
        claims: dict[str, set[str]] = {}
        for term in self.vocabulary.terms:
            for words in {fold(words) for words in level(term)} - {""}:
                claims.setdefault(words, set()).add(term.key)
                self._wordings[term.key].append(words)
        for words, keys in claims.items():
            if words in self._by_words:
                continue
            if len(keys) == 1:
                self._by_words[words] = next(iter(keys))
                self._unclear.discard(words)
            else:
                self._unclear.add(words)

    @property
    def name(self) -> str:
        """The vocabulary's name."""
        return self.vocabulary.name

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys in official order."""
        return tuple(self._order)

    def term(self, key: str) -> Term:
        """The term of a key.

        Raises:
            KeyError: The list has no such key.
        """
        return self._terms[key]

    def known_key(self, key: str) -> str | None:
        """The key as the list writes it, whatever its capitals; `None` for none of its keys."""
        if key in self._terms:
            return key
        return next((own for own in self._terms if own.casefold() == key.casefold()), None)

    def numbered(self, number: int) -> str | None:
        """The key of an official number."""
        term = self.vocabulary.by_number(number) if self.vocabulary.numbered else None
        return term.key if term else None

    def find(self, words: str) -> str | None:
        """The term with exactly these words, case, accents and punctuation aside."""
        return self._by_words.get(fold(words))

    def find_nearly(self, words: str) -> str | None:
        """The term with these words, a slip of the pen allowed in long ones."""
        folded = fold(words)
        exact = self._by_words.get(folded)
        if exact or len(folded) < _LEAST_LENGTH or folded in self._unclear:
            return exact
        key, score = self.nearest(folded, fuzz.ratio)
        return key if score >= _SAME else None

    def nearest(self, folded: str, scorer: Callable[[str, str], float]) -> tuple[str | None, float]:
        """The term nearest to folded words and how near (0 to 100)."""
        best: tuple[str | None, float] = (None, 0.0)
        for key, wordings in self._wordings.items():
            for words in wordings:
                score = scorer(folded, words)
                if score > best[1]:
                    best = (key, score)
        return best

    def likeness(self, words: str, key: str) -> float:
        """How much of the words' weight is in a term's wordings (0 to 100)."""
        light = " ".join(_weighty(fold(words)))
        if not light:
            return 0.0
        return max((fuzz.token_set_ratio(light, own) for own in self._light[key] if own), default=0.0)

    def most_alike(self, words: str) -> tuple[str | None, float]:
        """The term most alike and how alike."""
        scored = [(self.likeness(words, key), key) for key in self._order]
        score, key = max(scored, default=(0.0, ""))
        return (key or None, score)

    def is_unclear(self, words: str) -> bool:
        """Whether several terms could be meant: one word of two titles, or a wording that two share."""
        folded = fold(words)
        if folded in self._unclear:
            return True
        tokens = set(folded.split())
        holders = {
            key
            for key in self._order
            if tokens and any(tokens < set(fold(title).split()) for title in self._terms[key].titles.values())
        }
        return len(holders) > 1 and len(folded) > 3

    def is_unlisted(self, words: str) -> bool:
        """Whether this is a name that belongs to no term, however near."""
        return fold(words) in self._unlisted

    def in_order(self, keys: Iterable[str]) -> list[str]:
        """Each key once, in official order."""
        return sorted(set(keys), key=lambda key: self._order[key])


def _weighty(folded: str) -> list[str]:
    return [word for word in folded.split() if word not in LIGHT]


def without_parenthesis(words: str) -> str:
    """The words without what stands in brackets."""
    return _PARENTHESIS.sub("", words).strip()


def split_known(text: str, find: Callable[[str], str | None]) -> tuple[list[str], list[str]]:
    """Cuts a line of several names into those that are known and the rest.

    The longest known piece wins: "Trinidad y Tobago" is one name, "Perú y Chile" are two.

    Returns:
        What `find` gave for each known piece, and the unknown pieces as written.
    """
    marks = [
        (0, 0),
        *[found.span() for found in _SEPARATOR.finditer(text)][:_MOST_PARTS],
        (len(text), len(text)),
    ]
    known: list[str] = []
    unknown: list[str] = []
    place, last = 0, len(marks) - 1
    while place < last:
        reach = place + 1
        for far in range(min(last, place + _WIDEST_JOIN), place, -1):
            found = find(text[marks[place][1] : marks[far][0]].strip(_EDGES))
            if found is not None:
                known.append(found)
                reach = far
                break
        else:
            piece = text[marks[place][1] : marks[reach][0]].strip()
            if piece.strip(_EDGES):
                unknown.append(piece)
        place = reach
    return known, unknown
