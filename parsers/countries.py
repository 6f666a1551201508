"""Country names in any of the languages to ISO codes; never the nearest, never a corrected one.

An exact name of the list is that country; what could be several, or none, is kept as written and told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parsers.form import Finding
from parsers.lexicon import PLACE_WORDS
from parsers.terms import TermIndex, split_known, without_parenthesis
from parsers.text import fold, quoted

_UNLISTED: Final = "\x00"
_LONGEST_NAME: Final = 8


@dataclass(slots=True)
class CountriesRead:
    """Codes in the order written, names outside the list, findings about the rest."""

    codes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


class CountryReader:
    """Reads answers that name countries."""

    def __init__(self, index: TermIndex) -> None:
        self._index = index

    def read(self, text: str) -> CountriesRead:
        """Reads clean words."""
        read = CountriesRead()
        unknown: list[str] = []
        for line in text.replace(";", "\n").split("\n"):
            if fold(line):
                self._line(line.strip(), read, unknown)
        read.codes = list(dict.fromkeys(read.codes))
        unclear = [name for name in unknown if self._index.is_unclear(" ".join(_core(name)))]
        rest = [name for name in unknown if name not in unclear]
        if read.others:
            params = {"read": quoted(", ".join(read.others)), "names": list(read.others)}
            read.findings.append(Finding(code="country.not_listed", severity="note", params=params))
        if unclear:
            read.findings.append(
                Finding(code="country.ambiguous", params={"read": quoted(", ".join(unclear))})
            )
        if rest:
            code = "list.partly" if read.codes or read.others else "country.unknown"
            read.findings.append(Finding(code=code, params={"read": quoted(", ".join(rest))}))
        return read

    def _line(self, line: str, read: CountriesRead, unknown: list[str]) -> None:
        found = self._find(line)
        if found is None:
            # What stands in brackets behind a country is a remark: "Perú (Tacna y Tumbes)".
            bare = without_parenthesis(line)
            known, rest = split_known(line, self._find)
            if rest and bare != line:
                known, rest = split_known(bare, self._find)
        else:
            known, rest = [found], []
        for place, name in reversed(list(enumerate(rest))):
            run_on = self._run_on(name)
            if run_on:
                rest[place : place + 1] = []
                known.extend(run_on)
        for name in known:
            if name.startswith(_UNLISTED):
                read.others.append(name[1:])
            else:
                read.codes.append(name)
        unknown.extend(name for name in rest if set(fold(name).split()) - PLACE_WORDS)

    def _run_on(self, name: str) -> list[str]:
        """Names with nothing but blanks between them, as beside the prefilled one; none unless all are known."""
        words = name.split()
        found: list[str] = []
        place = 0
        while place < len(words):
            for far in range(min(len(words), place + _LONGEST_NAME), place, -1):
                code = self._find(" ".join(words[place:far]))
                if code is not None:
                    found.append(code)
                    place = far
                    break
            else:
                return []
        return found

    def _find(self, name: str) -> str | None:
        if self._index.is_unlisted(name):
            return _UNLISTED + name
        key = self._index.find(name)
        if key is None:
            core = " ".join(_core(name))
            if self._index.is_unlisted(core):
                return _UNLISTED + name
            key = self._index.find(core) if core else None
        if key is None and name.count(",") == 1:
            # Lists for sorting turn names round: "Corea, República de".
            first, last = name.split(",")
            key = self._index.find(f"{last} {first}")
        return key


def _core(name: str) -> list[str]:
    """The name without "en el", "República de", "todo el"."""
    words = fold(name).split()
    while words and words[0] in PLACE_WORDS:
        words.pop(0)
    return words
