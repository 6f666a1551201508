"""Sheets and columns of the register as data: keys, widths, owners, kinds.

The words over the columns are data too (`responses/locales/<language>/register.toml`). Nothing here opens
a workbook; the sheets still to come (mail to be sent, reviews, one-page view, summary) are added here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Owner = Literal[
    "fixed",  # the program alone writes
    "machine",  # the program writes, staff may correct
    "staff",  # staff's own
    "formula",  # calculates itself
]
Kind = Literal["text", "long", "date", "time", "number", "link", "key"]

KEY = "key"
KEY_AGAIN = "key_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        key: Its name in the program; form answers bear their field key.
        width: In characters.
        owner: Who writes in it.
        kind: How its cells are shown. `text` cells are text-formatted, so that "2021-03" stays what it is
            after somebody presses F2 and Enter in it.
        formula: Formula of a new row; `{other}` stands for that row's cell in column `other`.
        level: Outline level; columns of level 1 can be folded away.
    """

    key: str
    width: float
    owner: Owner
    kind: Kind = "text"
    formula: str | None = None
    level: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table.

    Attributes:
        key: Its name in the program.
        table: Name of its table in the workbook (letters only: it stands in people's formulas).
        columns: From left to right.
        frozen: Key of the last column that stays in sight.
        tab: Colour of its tab, RGB.
    """

    key: str
    table: str
    columns: tuple[Column, ...]
    frozen: str
    tab: str

    def column(self, key: str) -> Column:
        """The column with this key.

        Raises:
            KeyError: There is none.
        """
        for column in self.columns:
            if column.key == key:
                return column
        raise KeyError(f"{self.key}.{key}")


def _key(name: str) -> Column:
    return Column(key=name, width=2, owner="fixed", kind="key")


def _fixed(key: str, width: float, kind: Kind = "text", level: int = 0) -> Column:
    return Column(key=key, width=width, owner="fixed", kind=kind, level=level)


def _machine(key: str, width: float, kind: Kind = "text", level: int = 0) -> Column:
    return Column(key=key, width=width, owner="machine", kind=kind, level=level)


def _staff(key: str, width: float, kind: Kind = "text", level: int = 0) -> Column:
    return Column(key=key, width=width, owner="staff", kind=kind, level=level)


PRACTICES = Sheet(
    key="practices",
    table="tblPracticas",
    frozen="main_implementer",
    tab="1F4E79",
    columns=(
        _key(KEY),
        _fixed("reference", 16),
        _machine("title", 48),
        _machine("main_implementer", 30),
        _fixed("situation", 20),
        _staff("state", 20),
        _staff("assignee", 12),
        _staff("next_step", 30),
        _staff("due", 12, "date"),
        _staff("tags", 16),
        _staff("message", 42),
        _staff("notify", 9),
        _fixed("last_notice", 26),
        _staff("notes", 42),
        _key(KEY_AGAIN),
        _machine("primary_objectives", 18),
        _machine("secondary_objectives", 16, level=1),
        _machine("type", 22, level=1),
        _machine("implementer_type", 24, level=1),
        _machine("scope", 11, level=1),
        _machine("countries", 14, level=1),
        _machine("local", 26, level=1),
        _machine("start", 10, level=1),
        _machine("end", 10, level=1),
        _machine("status", 18, level=1),
        _machine("language", 8, level=1),
        _machine("call", 14),
        _fixed("received", 12, "date"),
        _fixed("complete_since", 12, "date", 1),
        Column(
            key="days_idle",
            width=9,
            owner="formula",
            kind="number",
            formula='IF({row_updated}="","",TODAY()-INT({row_updated}))',
            level=1,
        ),
        _fixed("version", 8, "number", 1),
        _fixed("pending", 38),
        _staff("waiver", 30, level=1),
        _machine("consent_publish", 18, level=1),
        _machine("images", 18, level=1),
        _machine("personal_data", 14, level=1),
        _fixed("duplicate_of", 16, level=1),
        _staff("joined_to", 16, level=1),
        Column(key="reviews", width=10, owner="formula"),
        _staff("review_result", 22, level=1),
        _staff("validated_on", 12, "date", 1),
        _staff("uploaded_on", 12, "date", 1),
        _staff("hub_user", 16, level=1),
        _staff("hub_link", 34, level=1),
        _fixed("row_updated", 16, "time"),
    ),
)

TEXTS = Sheet(
    key="texts",
    table="tblTextos",
    frozen="reference",
    tab="2E75B6",
    columns=(
        _key(KEY),
        _fixed("reference", 16),
        _machine("short", 40, "long"),
        *(
            _machine(key, 60, "long")
            for key in ("summary", "impact", "lessons", "recommendations", "innovation")
        ),
        _machine("guiding_principles", 40, "long"),
        _machine("sdgs", 20),
        *(_machine(key, 34, "long") for key in ("other_orgs", "partners", "people", "acronyms", "resources")),
        _staff("edited_title", 40, "long"),
        _staff("edited_short", 40, "long"),
        _staff("edited_summary", 60, "long"),
        _key(KEY_AGAIN),
    ),
)

CONTACTS = Sheet(
    key="contacts",
    table="tblContactos",
    frozen="reference",
    tab="2E75B6",
    columns=(
        _key(KEY),
        _fixed("reference", 16),
        _machine("focal_name", 30),
        _machine("focal_role", 26),
        _machine("organization", 34),
        _machine("focal_email", 34),
        _machine("focal_phone", 24),
        _machine("submitter_name", 30),
        _machine("submitter_email", 34),
        _staff("copy_to", 34),
        _key(KEY_AGAIN),
    ),
)

REVIEW = Sheet(
    key="review",
    table="tblPorRevisar",
    frozen="sender",
    tab="C55A11",
    columns=(
        _key(KEY),
        _fixed("received", 17, "time"),
        _fixed("sender", 30),
        _fixed("subject", 40),
        _fixed("reason", 44),
        _fixed("proposal", 34),
        _staff("action", 28),
        _staff("reference", 16),
        _staff("note", 34),
        _fixed("result", 30),
        _fixed("mail", 16, "link"),
        _key(KEY_AGAIN),
    ),
)

HISTORY = Sheet(
    key="history",
    table="tblHistorial",
    frozen="reference",
    tab="7F7F7F",
    columns=(
        _fixed("at", 17, "time"),
        _fixed("reference", 16),
        _fixed("sheet", 14),
        _fixed("column", 26),
        _fixed("written", 44),
        _fixed("staff", 44),
        _fixed("new", 44),
        _fixed("note", 36),
    ),
)

SHEETS: Mapping[str, Sheet] = {sheet.key: sheet for sheet in (PRACTICES, TEXTS, CONTACTS, REVIEW, HISTORY)}
LANGUAGES = ("es", "en", "fr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The register's words in one language; `tables` holds the file as read."""

    language: str
    tables: Mapping[str, Any] = field(repr=False)

    def sheet(self, key: str) -> str:
        """Name of a sheet, e.g. `"Prácticas"`."""
        return str(self.tables["sheets"][key])

    def heading(self, sheet: str, column: str) -> str:
        """Heading of a column, e.g. `"Situación del formulario"`."""
        return str(self.tables[sheet][column])

    def situation(self, key: str, **values: object) -> str:
        """Value of *Situación*, e.g. `situation("correction", n=1)` is `"En corrección (1.ª)"`."""
        return str(self.tables["situations"][key]).format(**values)

    def state(self, key: str) -> str:
        """Value of *Estado*, e.g. `state("unassigned")` is `"Por asignar"`."""
        return str(self.tables["states"][key])


@cache
def words(language: str) -> Words:
    """The register's words in a language; Spanish where the language has no file.

    Raises:
        KeyError: A heading is missing in the file.
    """
    folder = files("responses") / "locales"
    source = folder / language / "register.toml"
    if not source.is_file():
        language, source = "es", folder / "es" / "register.toml"
    tables = tomllib.loads(source.read_text(encoding="utf-8"))
    for sheet in SHEETS.values():
        missing = [column.key for column in sheet.columns if column.key not in tables[sheet.key]]
        if missing:
            raise KeyError(f"{source}: [{sheet.key}] lacks {', '.join(missing)}")
    return Words(language=language, tables=tables)
