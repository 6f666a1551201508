"""What a document says before anybody knows which question is which: rows of label and answer, marks.

`docx_form` and `xlsx_form` make these; `recognition` finds the fields. Values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from parsers.form import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """A row that may be a question.

    Attributes:
        number: Visible question number, `"8"` or `"30a"`; `None` where there is none.
        label: All words of the label cell, lines kept, without the number.
        tag: Tag of a content control or defined name in the answer, for what it is worth.
        text: Words of the answer cell, not cleaned.
        location: Where the answer stands.
    """

    number: str | None
    label: str
    tag: str | None
    text: str
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class RawChoice:
    """One box, or marked cell, beside one choice.

    Attributes:
        tag: `field.TERM` from a content control.
        question: Number of the question the row belongs to, where the document says so.
        key: Term key, where the document says so (spreadsheets: `33-yes`).
        words: The choice's words, its number in front if it has one.
        mark: What stands in the box's cell: a glyph, an x, `Sí`, nothing.
        group: Rows of one table share a number.
        column: Position of the box among the row's boxes, from 0.
        heading: Words at the head of the box's column.
        location: Where the mark stands.
    """

    tag: str | None = None
    question: str | None = None
    key: str | None = None
    words: str
    mark: str
    group: int = 0
    column: int = 0
    heading: str = ""
    location: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDocument:
    """All that was read of one document.

    Attributes:
        answers, choices: In document order.
        lines: Short lines in which the identity line may stand.
        properties: Custom document properties.
        words: Number of words in the whole document (approximate).
        rows: Number of table rows with text in two cells or more.
    """

    answers: tuple[RawAnswer, ...] = ()
    choices: tuple[RawChoice, ...] = ()
    lines: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    words: int = 0
    rows: int = 0
