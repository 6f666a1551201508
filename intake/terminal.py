"""In which language a command speaks to the person at the terminal, and its words in it."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


def terminal_language() -> str:
    """Spanish, unless the terminal's locale is English or French."""
    named = (
        os.environ.get("PRACTICE_INTAKE_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    )
    return named[:2] if named[:2] in ("en", "fr") else "es"


@cache
def command_words(language: str) -> dict[str, Any]:
    """The words of the command line."""
    source = files("responses") / "locales" / language / "commands.toml"
    return tomllib.loads(source.read_text(encoding="utf-8"))
