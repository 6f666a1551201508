"""The register: the .xlsx that the secretariat lives in.

Made once by `create`, then brought up to date in place by `update`, part by part of the package, so that
whatever people add to it survives. `RegisterFile` is its place on disk. It is no source of truth: the
ledger is, and the register is read only for what people wrote in it.
"""

from __future__ import annotations

from intake.register.creation import create
from intake.register.errors import RegisterUnreadable
from intake.register.file import RegisterFile
from intake.register.layout import SHEETS, Column, Sheet, Words, words
from intake.register.reading import read
from intake.register.updating import update
from intake.register.wanted import (
    CellValue,
    Conflict,
    Link,
    Problem,
    Row,
    Update,
    Wanted,
    Written,
)

__all__ = [
    "SHEETS",
    "CellValue",
    "Column",
    "Conflict",
    "Link",
    "Problem",
    "RegisterFile",
    "RegisterUnreadable",
    "Row",
    "Sheet",
    "Update",
    "Wanted",
    "Words",
    "Written",
    "create",
    "read",
    "update",
    "words",
]
