"""Dates as people write them, to what may be filed of them: a year, a month, a day, or "ongoing".

The most precise sure part is filed; what is unsure is told. Reads words only, knows no today.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from parsers.lexicon import DURATION_UNITS, MONTHS, ONGOING
from parsers.text import flat

Doubt = Literal["impossible_day", "ambiguous", "assumed"]

_MONTH: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
_YEAR: Final = r"(?:19[5-9]\d|20\d\d)"
# A year that is part of a document's number ("R.A. 123-2020", "N.º 0231-2027-GDS") is no date.
_FREE: Final = r"(?<![\w/.-])"
_PATTERN: Final = re.compile(
    rf"""
      (?<![\w/.-])(?P<iso_y>{_YEAR})[-/.](?P<iso_m>\d{{1,2}})[-/.](?P<iso_d>\d{{1,2}})(?:t[\d:.]+z?)?(?!\w)
    | (?<![\w/.-])(?P<n1>\d{{1,2}})\s?[-/.]\s?(?P<n2>\d{{1,2}})\s?[-/.]\s?(?P<n_y>\d{{4}}|\d{{2}})(?!\w)
    | (?<![\w/.-])(?P<im_y>{_YEAR})[-/.](?P<im_m>0[1-9]|1[0-2])(?![\w])
    | (?<![\w/.-])(?P<m_n>\d{{1,2}})\s?[-/.]\s?(?P<m_y>{_YEAR})(?![\w])(?!-[a-z])
    | (?<!\w)(?P<w_d>\d{{1,2}})(?:er|st|nd|rd|th|o)?[\s.-]*(?:de\s+|of\s+)?(?P<w_m>{_MONTH})\b\.?,?[\s/-]*(?:de\s+|del\s+|of\s+)?(?P<w_y>{_YEAR}|['’]?\d\d(?!\d))(?!\w)
    | (?<!\w)(?P<u_m>{_MONTH})\.?\s+(?P<u_d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?:de\s+|of\s+)?(?P<u_y>{_YEAR})(?!\w)
    | (?<!\w)(?P<mw_m>{_MONTH})\b\.?,?[\s/-]*(?:de\s+l?\s*|del\s+|of\s+)?(?P<mw_y>{_YEAR}|['’]?\d\d(?!\d))(?!\w)
    | (?<!\w)f\.?y\.?\s?(?:{_YEAR}[-/])?(?P<fy>{_YEAR}|\d\d)(?!\w)
    | {_FREE}(?P<r1>{_YEAR})\s?[-/]\s?(?P<r2>{_YEAR})(?![\w-])
    | {_FREE}(?P<s_y>{_YEAR})(?P<s_to>\s?[-/]\s?)(?P<s_yy>\d\d)(?![\w])
    | (?P<lone>(?<![\w/.])(?<!\d-){_YEAR})(?!\w)(?!-[a-z])(?!-\d\d\d\d\d)
    """,
    re.VERBOSE,
)
_LONE_MONTH: Final = re.compile(
    rf"(?<!\w)(?:(?P<d>\d{{1,2}})(?:er|st|nd|rd|th|o)?\s+(?:de\s+|of\s+)?)?(?P<m>{_MONTH})\b"
)
_DOCUMENT: Final = re.compile(
    r"(?:\bn\.?\s?[°ºo]\.?\s?|\br\.\s?[a-z]{1,2}\.\s?|\b(?:resolucion|oficio|ordenanza|decreto|ley|acta|expediente|convenio)\b[^,;\n]{0,30}?)"
    r"[\w.]*\d+-(?:19|20)\d\d(?:-[\w/.-]+)?"
)
_ONGOING: Final = re.compile(r"\b(?:" + "|".join(sorted(ONGOING, key=len, reverse=True)) + r")\b")
_DURATION: Final = re.compile(r"\b(?:\d+|un|una|dos|tres|cuatro|cinco|seis|one|two|three|four|five|six|deux|trois|quatre|cinq)\b\D{0,12}?\b(?:" + "|".join(DURATION_UNITS) + r")\b")  # fmt: skip
_RANGE: Final = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:[-–—/>]+|\b(?:a|al|hasta|to|until|till|through|au|a|jusqu|jusqu'a|jusqu'en|e|y|and|et)\b)"
    r"(?:\s*(?:el|la|de|del|the|en|a|au|mes|fines|finales|l'|le))*\s*"
)
_SERIAL: Final = re.compile(r"[3-5]\d{4}(?:[.,]\d+)?|60000")
_EPOCH: Final = date(1899, 12, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRead:
    """One date found in words.

    Attributes:
        value: `"2016"`, `"2021-03"` or `"2021-03-15"`.
        start, end: Its place in the words.
        doubt: Why less was filed than was written, or what was assumed.
    """

    value: str
    start: int
    end: int
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What one answer says about time.

    Attributes:
        first: The date, or the first of two.
        last: The end of a range, a date or `"ongoing"`; `None` where only one date was given.
        ongoing: The answer says "ongoing" and no date.
        doubt: The first doubt among the dates.
        duration: Only a duration was given ("18 months").
    """

    first: str | None = None
    last: str | None = None
    ongoing: bool = False
    doubt: Doubt | None = None
    duration: bool = False


def read_period(text: str, language: str) -> Period:
    """Reads one answer.

    Args:
        text: Clean words.
        language: Of the form; `"en"` may write the month first.
    """
    words = flat(text)
    serial = _SERIAL.fullmatch(words)
    if serial and 30_000 <= float(words.replace(",", ".")) <= 60_000:
        day = _EPOCH + timedelta(days=int(float(words.replace(",", "."))))
        return Period(first=day.isoformat(), doubt="assumed")
    words = _DOCUMENT.sub(lambda found: " " * len(found[0]), words)
    dates = list(_dates(words, language))
    going = _ONGOING.search(_loose(words))
    if not dates:
        duration = _DURATION.search(_loose(words)) is not None and going is None
        return Period(ongoing=going is not None, duration=duration)
    doubt = next((found.doubt for found in dates if found.doubt), None)
    if len(dates) == 1:
        last = "ongoing" if going is not None else None
        return Period(first=dates[0].value, last=last, doubt=doubt)
    if going is not None and going.start() >= dates[-1].start:
        return Period(first=dates[0].value, last="ongoing", doubt=doubt)
    return _several(words, dates, doubt)


def _several(words: str, dates: list[DateRead], doubt: Doubt | None) -> Period:
    first, last = dates[0], dates[-1]
    if len(dates) == 2 and _RANGE.fullmatch(words[first.end : last.start]):
        return Period(first=first.value, last=last.value, doubt=doubt)
    values = [found.value for found in dates]
    if len(set(values)) == 1:
        return Period(first=first.value, doubt=doubt)
    # A list of moments: from the earliest to the latest, and told so.
    return Period(first=min(values), last=max(values), doubt=doubt or "assumed")


def _loose(words: str) -> str:
    """The words with every sign as a space, at the same places."""
    return re.sub(r"[^\w]", " ", words)


def _dates(words: str, language: str) -> Iterator[DateRead]:
    found = list(_full_dates(words, language))
    # "marzo a diciembre de 2021": the first month borrows the year that follows.
    if len(found) == 1 and len(found[0].value) > 4:
        before = words[: found[0].start]
        lone = list(_LONE_MONTH.finditer(before))
        if lone and _RANGE.fullmatch(before[lone[-1].end() :]):
            match = lone[-1]
            made = _date(int(found[0].value[:4]), MONTHS[match["m"]], int(match["d"]) if match["d"] else None)
            yield DateRead(value=made[0], start=match.start(), end=match.end(), doubt=made[1])
    yield from found


def _full_dates(words: str, language: str) -> Iterator[DateRead]:
    for match in _PATTERN.finditer(words):
        part = match.groupdict()
        made: tuple[str, Doubt | None]
        if part["iso_y"]:
            made = _date(int(part["iso_y"]), int(part["iso_m"]), int(part["iso_d"]))
        elif part["n1"]:
            made = _numeric(int(part["n1"]), int(part["n2"]), _full_year(part["n_y"]), language)
        elif part["im_y"]:
            made = _date(int(part["im_y"]), int(part["im_m"]), None)
        elif part["m_n"]:
            made = _date(int(part["m_y"]), int(part["m_n"]), None)
            if made[1] and int(part["m_n"]) > 12:
                # "123-2020" and the like: a number before a year is no month.
                continue
        elif part["w_m"]:
            made = _date(_full_year(part["w_y"]), MONTHS[part["w_m"]], int(part["w_d"]))
        elif part["u_m"]:
            made = _date(int(part["u_y"]), MONTHS[part["u_m"]], int(part["u_d"]))
        elif part["mw_m"]:
            made = _date(_full_year(part["mw_y"]), MONTHS[part["mw_m"]], None)
        elif part["fy"]:
            made = str(_full_year(part["fy"])), "assumed"
        elif part["r1"]:
            yield DateRead(value=part["r1"], start=match.start("r1"), end=match.end("r1"))
            yield DateRead(value=part["r2"], start=match.start("r2"), end=match.end("r2"))
            continue
        elif part["s_y"]:
            yield from _short_range(match)
            continue
        else:
            made = part["lone"], None
        if "1950" <= made[0][:4] <= "2099":
            yield DateRead(value=made[0], start=match.start(), end=match.end(), doubt=made[1])


def _short_range(match: re.Match[str]) -> Iterator[DateRead]:
    """`2021-22`: two years; anything else is the first year alone."""
    year = int(match["s_y"])
    other = year // 100 * 100 + int(match["s_yy"])
    yield DateRead(value=str(year), start=match.start("s_y"), end=match.end("s_y"))
    if other > year:
        yield DateRead(value=str(other), start=match.start("s_yy"), end=match.end("s_yy"))


def _full_year(text: str) -> int:
    year = int(text.lstrip("'’"))
    return year if year > 99 else 2000 + year if year < 70 else 1900 + year


def _date(year: int, month: int, day: int | None) -> tuple[str, Doubt | None]:
    if not 1 <= month <= 12:
        return str(year), "impossible_day"
    if day is None:
        return f"{year}-{month:02d}", None
    if not 1 <= day <= monthrange(year, month)[1]:
        return f"{year}-{month:02d}", "impossible_day"
    return f"{year}-{month:02d}-{day:02d}", None


def _numeric(first: int, second: int, year: int, language: str) -> tuple[str, Doubt | None]:
    """Day first, but in English, where both orders are usual."""
    if not 1950 <= year <= 2099:
        return str(year), None
    if first > 12 or first == second:
        return _date(year, second, first)
    if second > 12:
        made = _date(year, first, second)
        return (made[0], made[1] if language == "en" else made[1] or "assumed")
    if language == "en":
        return str(year), "ambiguous"
    return _date(year, second, first)
