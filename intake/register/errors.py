"""Why a register cannot be read, in one wording. Staff's doings in its sheets are problems, not errors."""

from __future__ import annotations

from typing import Literal

from intake.errors import RegisterUnreadable

__all__ = ["RegisterUnreadable", "unreadable"]

Kind = Literal["damaged", "encrypted", "unsafe", "strict", "foreign"]

_SAID: dict[Kind, str] = {
    "damaged": "The workbook is damaged",
    "encrypted": "The workbook is encrypted",
    "unsafe": "The workbook is put together in an unusual way",
    "strict": "The workbook was saved in another kind of .xlsx",
    "foreign": "The workbook is not our register",
}


def unreadable(kind: Kind, what: str) -> RegisterUnreadable:
    """The error to raise, for an operator to read.

    Args:
        kind: What sort of trouble.
        what: The particular, a clause.
    """
    return RegisterUnreadable(f"{_SAID[kind]}: {what}")
