"""`check`: the verdict on files on disk, by the same reading and judging as mail."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from config import Config
from intake.bounded import BoundedReader, ReadingFailed
from intake.dispositions import name_of
from intake.form_judging import judge_form
from intake.reporting import form_json, unreadable_json
from parsers.form import Document, Finding

FINE, CORRECTION, UNUSABLE, UNREADABLE = 0, 1, 2, 3


def check_files(files: Sequence[Path], config: Config, today: date, *, as_json: bool) -> int:
    """Prints the verdict on each file.

    Returns:
        The exit code: 3 when one cannot be read, else 1 when one is not complete, else 0.
    """
    code = FINE
    with BoundedReader(config) as reader:
        for file in files:
            verdict = check_file(file, config, today, reader)
            if as_json:
                sys.stdout.write(json.dumps(verdict, ensure_ascii=False) + "\n")
            else:
                _tell(verdict)
            code = max(code, _exit_code(verdict["verdict"]))
    return code


def check_file(file: Path, config: Config, today: date, reader: BoundedReader) -> dict[str, Any]:
    """The verdict on one file as the command contract's object."""
    limits = config.settings.limits
    try:
        if file.stat().st_size > limits.attachment_bytes:
            return unreadable_json(str(file), (Finding(code="unsafe.size", severity="hold"),), config)
        data = file.read_bytes()
    except OSError as error:
        found = Finding(code="damaged.file", params={"read": error.strerror or ""})
        return unreadable_json(str(file), (found,), config)
    try:
        document = reader.read_document(data)
    except ReadingFailed:
        return unreadable_json(str(file), (Finding(code="unsafe.reading", severity="hold"),), config)
    return verdict_on(document, str(file), config, today)


def verdict_on(document: Document, name: str, config: Config, today: date) -> dict[str, Any]:
    """The verdict on a read document."""
    if document.form is None:
        return unreadable_json(name, document.findings, config)
    filed, findings, disposition = judge_form(document.form, config, today)
    return form_json(name, filed, (*document.findings, *findings), name_of(disposition), config)


def _exit_code(verdict: str) -> int:
    return {"accepted": FINE, "unreadable": UNREADABLE}.get(verdict, CORRECTION)


def _tell(verdict: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from intake.terminal import command_words, terminal_language

    words = command_words(terminal_language())
    console = Console()
    colour = {"accepted": "green", "needs_correction": "yellow"}.get(verdict["verdict"], "red")
    shown = words["dispositions"].get(verdict["verdict"], verdict["verdict"])
    console.print(f"[bold]{escape(verdict['file'])}[/bold]: [{colour}]{escape(shown)}[/{colour}]")
    for finding in verdict["findings"]:
        console.print(f"  {finding['severity']:7} {escape(finding['message'])}")
