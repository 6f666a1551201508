"""Imports point one way: intake, responses, parsers, config."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("config", "parsers", "responses", "intake")
REFUSED = {"utils", "helpers", "base", "manager", "models", "common"}


def _modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imported(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_imports_point_one_way():
    """No package imports one that is above it."""
    wrong = []
    seen = 0
    for place, package in enumerate(ORDER):
        for module in _modules(package):
            seen += 1
            wrong += [(str(module), above) for above in ORDER[place + 1 :] if above in _imported(module)]

    assert seen > 30
    assert wrong == []


def test_no_module_is_named_for_nothing():
    """The listing reads as the story: no utils, helpers, base, manager, models."""
    names = {module.stem for package in ORDER for module in _modules(package)}

    assert len(names) > 30
    assert names & REFUSED == set()


def test_the_pure_rooms_touch_neither_clock_nor_disk_nor_network():
    """Reading and judging take bytes and values and give values."""
    pure = [*_modules("parsers"), *(ROOT / "intake" / f"{name}.py" for name in
            ("message", "screening", "relevance", "reading", "judging", "form_judging", "dispositions", "checks", "history", "trust"))]  # fmt: skip
    refused = {
        "time",
        "socket",
        "subprocess",
        "requests",
        "sqlalchemy",
        "imap_tools",
        "smtplib",
        "imaplib",
        "random",
    }

    assert len(pure) > 10
    assert [
        (str(module), _imported(module) & refused) for module in pure if _imported(module) & refused
    ] == []
