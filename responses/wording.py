"""One language's words: sentences, numbers, dates, lists and quotation marks, read from `locales/<language>`.

A language is a folder; nothing here knows which there are. A sentence is a small Jinja template in a TOML
file of ours: what a sender wrote only ever fills it, and is never a template itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import babel
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_decimal
from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateNotFound, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from responses.envelope import clean_header

LOCALES = Path(__file__).parent / "locales"
LAYOUTS = Path(__file__).parent / "layouts"
QUOTED = 120
_FORM_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The languages that have a folder, in alphabetical order."""
    return tuple(sorted(path.parent.name for path in LOCALES.glob("*/words.toml")))


def nearest(language: str, *fallbacks: str) -> str:
    """The first of these that has a folder (`"es-PE"` counts as `"es"`), else any language there is."""
    for wish in (language, *fallbacks):
        for known in (wish, wish.partition("-")[0]):
            if known in languages():
                return known
    return languages()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of one language.

    Attributes:
        language: Its folder's name.
        words: `words.toml`: locale, quotation marks, numbers, `sentences`.
        findings: `findings.toml`: finding code to its sentences.
        staff: `staff.toml`: reason or finding code to a sentence for the secretariat.
        never: `never.toml`: what no letter of ours may say.
    """

    language: str
    words: Mapping[str, Any]
    findings: Mapping[str, Any]
    staff: Mapping[str, Any]
    never: Mapping[str, Any]

    def fill(self, sentence: str, values: Mapping[str, Any]) -> str | None:
        """The sentence with its values, as plain text; `None` where a value that it needs is missing."""
        try:
            return _compiled(self.language, sentence).render(values).strip()
        except UndefinedError:
            return None

    def say(self, name: str, /, **values: Any) -> str:
        """A named sentence of `words.toml`.

        Raises:
            jinja2.UndefinedError: A value that the sentence needs is missing.
        """
        return _compiled(self.language, self.words["sentences"][name]).render(values).strip()

    def counted(self, name: str, count: int, /, **values: Any) -> str:
        """A named sentence in its form for this count (`one`, `other` ...); the number in words as `number`."""
        forms = self.words["counted"][name]
        form = forms.get(self._plural(count)) or forms["other"]
        return _compiled(self.language, form).render(values | {"number": self.number(count)}).strip()

    def _plural(self, count: int) -> str:
        return babel.Locale.parse(self.locale).plural_form(count)

    @property
    def locale(self) -> str:
        """Babel's name of the locale whose dates and numbers are used."""
        return str(self.words["locale"])

    def number(self, count: int) -> str:
        """A count in words as far as the language's list goes, then in figures."""
        names = self.words["numbers"]
        return str(names[count]) if 0 <= count < len(names) else str(count)

    def quoted(self, text: str, limit: int = QUOTED) -> str:
        """What somebody wrote, on one line, cut to `limit` characters, between quotation marks."""
        opening, closing, inner_opening, inner_closing = self.words["quotes"]
        bare = clean_header(str(text), limit=limit).strip(f"{opening}{closing} ")
        inner = bare.replace(opening.strip(), inner_opening).replace(closing.strip(), inner_closing)
        return f"{opening}{inner}{closing}"

    def listed(self, items: Iterable[Any], style: str = "standard") -> str:
        """Items as people list them: "a, b y c" (`style="or"`: "a, b o c")."""
        chosen: Any = style
        text = format_list([str(item) for item in items], style=chosen, locale=self.locale)
        for pattern, replacement in self.words.get("joins", ()):
            text = re.sub(pattern, replacement, text)
        return text

    def together(self, items: Iterable[Any]) -> str:
        """Items one after the other, none of them last: "7 – Reducir vulnerabilidades; 16 – Inclusión"."""
        separator: str = self.words["separator"]
        return separator.join(str(item) for item in items)

    def day(self, value: date) -> str:
        """A day in words: "12 de marzo de 2027"."""
        patterns = self.words["dates"]
        pattern = patterns.get("first", patterns["day"]) if value.day == 1 else patterns["day"]
        return format_date(value, pattern, locale=self.locale)

    def moment(self, value: datetime, place: str) -> str:
        """Day and hour in words, with the place whose time it is; `value` is already in that time."""
        time = format_time(value.time(), self.words["dates"]["time"], locale=self.locale)
        return self.say("moment", day=self.day(value.date()), hour=value.hour, time=time, place=place)

    def form_date(self, value: str) -> str:
        """A date of the form as precise as it was written; `"ongoing"` in words; anything else unchanged."""
        if value == "ongoing":
            return self.say("ongoing")
        match = _FORM_DATE.fullmatch(value)
        if match is None or match[2] is None:
            return value
        try:
            day = date(int(match[1]), int(match[2]), int(match[3] or 1))
        except ValueError:
            return value
        return (
            self.day(day) if match[3] else format_date(day, self.words["dates"]["month"], locale=self.locale)
        )

    def size(self, count: int) -> str:
        """A file's size in words: "48 KB", "1.2 MB"."""
        if count < 1024:
            return self.say("size_small")
        if count < 1024 * 1024:
            return self.say("size_kilobytes", count=round(count / 1024))
        return self.say("size_megabytes", count=format_decimal(round(count / 1024**2, 1), locale=self.locale))


@lru_cache(maxsize=32)
def wording(language: str) -> Wording:
    """The words of a language that has a folder.

    Raises:
        OSError, tomllib.TOMLDecodeError, KeyError: The folder is broken (a test reads them all).
    """
    files = {name: _read(language, f"{name}.toml") for name in ("words", "findings", "staff", "never")}
    return Wording(language=language, **{name: tomllib.loads(text) for name, text in files.items()})


@lru_cache(maxsize=32)
def _typography(language: str) -> tuple[tuple[str, str], ...]:
    words = tomllib.loads((LOCALES / language / "words.toml").read_text(encoding="utf-8"))
    return tuple((plain, fine) for plain, fine in words.get("typography", ()))


def _read(language: str, name: str) -> str:
    """A file of the language, its plain spaces made fine where its typography wants them.

    No-break spaces cannot be seen in an editor: people write plain ones, and the words get the right ones here.
    Only our own words pass, never a sender's.
    """
    text = (LOCALES / language / name).read_text(encoding="utf-8")
    for plain, fine in _typography(language):
        text = text.replace(plain, fine)
    return text


class _Templates(BaseLoader):
    """The templates of one language, and the layouts that all languages share."""

    def __init__(self, language: str) -> None:
        self._language = language

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, None]:  # noqa: ARG002
        try:
            if template.startswith("layouts/"):
                return (LAYOUTS / Path(template).name).read_text(encoding="utf-8"), None, None
            return _read(self._language, Path(template).name), None, None
        except OSError as error:
            raise TemplateNotFound(template) from error


@lru_cache(maxsize=64)
def environment(language: str, *, html: bool) -> Environment:
    """The sandboxed Jinja environment of a language, with the layout as `say`; made once.

    A section's words are written once, in one template; the layout (`layouts/text.j2` or `layouts/html.j2`)
    makes plain text or HTML of them, so the two can never tell different things.
    """
    env = ImmutableSandboxedEnvironment(
        loader=_Templates(language),
        undefined=StrictUndefined,
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    words = wording(language)
    env.filters["quoted"] = words.quoted
    env.filters["listed"] = words.listed
    env.filters["each_quoted"] = lambda items: [words.quoted(item) for item in items]
    env.filters["together"] = words.together
    env.filters["oneline"] = _one_line
    env.filters["form_date"] = lambda value: words.form_date(str(value))
    env.globals["colon"] = words.words["colon"]
    env.globals["word"] = words.say
    env.globals["counted"] = words.counted
    env.globals["say"] = env.get_template("layouts/html.j2" if html else "layouts/text.j2").module
    return env


def _one_line(text: str) -> str:
    """Runs of plain white space as one space; no-break spaces stay, and so does what is safe in HTML."""
    return type(text)(re.sub(r"[ \t\n]+", " ", text).strip())


@lru_cache(maxsize=4096)
def _compiled(language: str, sentence: str) -> Template:
    return environment(language, html=False).from_string(sentence)
