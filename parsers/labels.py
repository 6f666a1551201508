"""Label to field, in any of the template's languages: the visible number first, if the label agrees.

Labels and aliases come from the template; nothing is known here of answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from config.form import Field, FormTemplate
from parsers.text import fold

# Number and label agree where they are at all alike; without a number the label must be nearly the same.
_ROUGHLY: Final = 60.0
_NEARLY: Final = 88.0
_LEAST_LENGTH: Final = 8
_LONGEST_LABEL: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The question of a row.

    Attributes:
        field: The question.
        languages: Languages whose wording the label is; none where only number or tag spoke.
        sure: False where a number stands alone: in another document it may count anything.
    """

    field: Field
    languages: frozenset[str] = frozenset()
    sure: bool = True


class Labels:
    """The labels of one template, ready to be asked."""

    def __init__(self, template: FormTemplate) -> None:
        self._by_number = {field.number.lower(): field for field in template.fields}
        self._by_key = {field.key: field for field in template.fields}
        self._exact: dict[str, dict[str, set[str]]] = {}
        self._wordings: dict[str, list[str]] = {}
        for field in template.fields:
            own: dict[str, None] = {}
            for language, words in _wordings(field):
                folded = fold(words)
                if folded:
                    own[folded] = None
                    self._exact.setdefault(folded, {}).setdefault(field.key, set()).add(language)
            self._wordings[field.key] = list(own)
        # A label that two questions share names neither.
        self._single = {words: keys for words, keys in self._exact.items() if len(keys) == 1}
        self._long = [words for words in self._single if len(words) >= _LEAST_LENGTH]

    def by_number(self, number: str | None) -> Field | None:
        """The question with this visible number."""
        return self._by_number.get(number.lower()) if number else None

    def by_key(self, key: str) -> Field | None:
        """The question with this field key."""
        return self._by_key.get(key)

    def find(self, number: str | None, label: str, tag: str | None) -> Match | None:
        """The question of a row.

        Args:
            number: Visible number, if there is one.
            label: Words of the label cell, its first line the question, the others help.
            tag: A field key from a control or name; asked last, since copies keep wrong ones.
        """
        lines = [fold(line) for line in label[: 4 * _LONGEST_LABEL].split("\n") if line.strip()]
        first = lines[0][:_LONGEST_LABEL] if lines else ""
        numbered = self.by_number(number)
        if numbered is not None and not first:
            return Match(field=numbered, sure=False)
        if numbered is not None and self._likeness(numbered, first) >= _ROUGHLY:
            return Match(field=numbered, languages=self._languages(numbered, first))
        found = self._by_label(first)
        if found is None and len(lines) > 1:
            found = self._by_label(" ".join(lines)[:_LONGEST_LABEL])
        if found is not None:
            return Match(field=found, languages=self._languages(found, first))
        tagged = self._by_key.get((tag or "").lower())
        return Match(field=tagged) if tagged is not None else None

    def _by_label(self, folded: str) -> Field | None:
        if not folded:
            return None
        keys = self._single.get(folded)
        if keys is None and len(folded) >= _LEAST_LENGTH:
            near = process.extract(folded, self._long, scorer=fuzz.ratio, score_cutoff=_NEARLY, limit=4)
            owners = {next(iter(self._single[words])) for words, _, _ in near}
            if len(owners) == 1:
                return self._by_key[owners.pop()]
        return self._by_key[next(iter(keys))] if keys else None

    def _likeness(self, field: Field, folded: str) -> float:
        wordings = self._wordings[field.key]
        # Help may stand on the label's own line.
        if any(folded.startswith(f"{words} ") for words in wordings):
            return 100.0
        return max((fuzz.ratio(folded, words) for words in wordings), default=0.0)

    def _languages(self, field: Field, folded: str) -> frozenset[str]:
        return frozenset(self._exact.get(folded, {}).get(field.key, ()))


def _wordings(field: Field) -> Iterable[tuple[str, str]]:
    yield from field.labels.items()
    for language, aliases in field.aliases.items():
        for alias in aliases:
            yield language, alias
