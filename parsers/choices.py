"""Answers that choose one term: a mark, the term's words, or own words beside "other".

A condition in words beside a consent is a conditional consent; two exclusive marks are told, not decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parsers.form import Finding
from parsers.lexicon import ASSENT, CONDITION, NO
from parsers.terms import TermIndex, split_known, without_parenthesis
from parsers.text import fold, quoted

_OWN_WORDS: Final = re.compile(r"\s*[:(\[,;–—-]\s*|\s+")
_EDGES: Final = " \t\n:.,;–—-()[]«»\"'“”¿?"
_SAYS_YES: Final = frozenset(
    {"si", "yes", "oui", "autorizo", "autorizamos", "authorize", "agree", "autorisons", "autorise"}
)
_FIRST_PART: Final = re.compile(r"\s*[:(,;–—\n]\s*|\s+-\s+")


@dataclass(slots=True)
class ChoiceRead:
    """What was understood: one key or none, own words beside "other", findings."""

    key: str | None = None
    own_words: str = ""
    findings: list[Finding] = field(default_factory=list)


class ChoiceReader:
    """Reads answers to a list of which one term is chosen."""

    def __init__(self, index: TermIndex, language: str) -> None:
        self._index = index
        self._language = language
        self._is_consent = {"yes", "no", "conditional"} <= set(index.keys)

    def read(self, text: str, marked: Sequence[str], own_words: str) -> ChoiceRead:
        """Reads one answer.

        Args:
            text: Clean words of the answer's own cell.
            marked: Keys of the choices that are marked.
            own_words: What was written beside a marked choice, after its words.
        """
        keys = self._index.in_order(marked)
        if len(keys) > 1:
            return self._several(keys, " / ".join(self._title(key) for key in keys))
        if not keys:
            return self._words(text)
        key = keys[0]
        if self._is_consent:
            return ChoiceRead(key=self._consent(key, f"{own_words} {text}".strip()))
        told = self._words(text) if text else ChoiceRead()
        if told.key is not None and told.key != key:
            return self._several([key, told.key], f"{self._title(key)} / {text}")
        words = own_words or told.own_words or (text if key == "other" and told.key is None else "")
        return ChoiceRead(key=key, own_words=words if key == "other" else "")

    def _words(self, text: str) -> ChoiceRead:
        if self._is_consent:
            return self._consent_words(text)
        index = self._index
        bare = without_parenthesis(text)
        for words in (text, bare):
            key = index.find_nearly(words)
            if key is not None:
                return ChoiceRead(key=key, own_words="")
        own = self._other_words(text)
        if own is not None:
            return ChoiceRead(key="other", own_words=own)
        known, unknown = split_known(text, index.find)
        keys = index.in_order(known)
        if len(keys) > 1:
            return self._several(keys, text)
        if keys and not unknown:
            return ChoiceRead(key=keys[0])
        first = _FIRST_PART.split(text, maxsplit=1)[0]
        key = index.find_nearly(first) if first != text else None
        if key is not None and key != "other":
            return ChoiceRead(key=key)
        wanted = [index.term(own).short(self._language) for own in index.keys[:17]]
        return ChoiceRead(findings=[_told("term.unknown", text, wanted=wanted)])

    def _other_words(self, text: str) -> str | None:
        """The own words of `Otro: feria laboral`; `None` where the answer does not begin with "other"."""
        if self._index.known_key("other") is None:
            return None
        first, *rest = _OWN_WORDS.split(text, maxsplit=1)
        if not rest or self._index.find(first) != "other":
            return None
        term = self._index.term("other")
        own = rest[0]
        # "Otro (especificar): feria" repeats the printed words.
        for title in term.titles.values():
            printed = title.partition("(")[2].rstrip(")")
            if printed and fold(own).startswith(fold(printed)):
                own = own[len(printed) :]
        return own.strip(_EDGES)

    def _consent_words(self, text: str) -> ChoiceRead:
        index = self._index
        key = index.find_nearly(text) or index.find_nearly(without_parenthesis(text))
        if key is not None:
            return ChoiceRead(key=self._consent(key, "" if index.find(text) else text))
        words = fold(text).split()
        known, unknown = split_known(text, index.find)
        keys = index.in_order(known)
        if len(keys) > 1 and not unknown and "conditional" not in keys:
            return self._several(keys, text)
        if any(word.startswith(("pendient", "pending", "attente")) for word in words) or "pending" in keys:
            return ChoiceRead(key="pending")
        for length in range(min(4, len(words)), 0, -1):
            start = index.find(" ".join(words[:length]))
            if start is not None:
                return ChoiceRead(key=self._consent(start, " ".join(words[length:])))
        if "conditional" in keys or set(words) & CONDITION:
            return ChoiceRead(key="conditional")
        if set(words) <= ASSENT and set(words) & _SAYS_YES:
            return ChoiceRead(key="no" if set(words) & (NO | {"not", "pas"}) else "yes")
        wanted = [index.term(own).short(self._language) for own in index.keys]
        return ChoiceRead(findings=[_told("term.unknown", text, wanted=wanted)])

    def _consent(self, key: str, words: str) -> str:
        """A consent with words beside it: any condition makes it conditional."""
        folded = fold(words).split()
        if not folded or key not in {"yes", "no"}:
            return key
        if key == "no":
            return "conditional" if set(folded) & (CONDITION - {"si", "solo", "sin", "pero"}) else "no"
        own = self._index.find(words)
        if own is not None:
            return own if own in {"conditional", "pending", "yes"} else "conditional"
        return "yes" if set(folded) <= ASSENT - {"no", "not", "non", "pas"} else "conditional"

    def _several(self, keys: Sequence[str], text: str) -> ChoiceRead:
        chosen = [self._title(key) for key in keys]
        return ChoiceRead(findings=[_told("choice.several", text, chosen=chosen)])

    def _title(self, key: str) -> str:
        return self._index.term(key).short(self._language)


def _told(code: str, written: str, **params: Any) -> Finding:
    made: Mapping[str, Any] = {"read": quoted(written), **params}
    return Finding(code=code, params=made)
