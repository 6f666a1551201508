"""What reading a document yields: a form of answers, each with its place, and findings about them.

Values only; nothing here opens a file or decides anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "advice", "hold", "note"]
Value = str | int | bool | list[int] | list[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where in the sender's document something stands.

    Attributes:
        question: Visible question number, e.g. `"8"` or `"30a"`; `None` for the document as a whole.
        sheet: Sheet name (XLSX).
        cell: Cell address (XLSX), e.g. `"D14"`.
        table, row: Position in the body (DOCX), counted from 1.
    """

    question: str | None = None
    sheet: str | None = None
    cell: str | None = None
    table: int | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to tell about an answer or the document.

    Attributes:
        code: Stable code, e.g. `"answer.missing"`; its words are in `responses/locales`.
        field: Field key, or `None` for the whole form or file.
        severity: `error` asks for a correction, `advice` is a line in the acknowledgement, `hold` brings a
            person, `note` is for staff alone. Parsers never give `error`: whether an answer was needed is
            judged later, and then the advice about its value becomes the error.
        location: Where it stands.
        params: What the words need: `read` (what was read, as written), `wanted`, `number`, `title`, ...
            Strings, integers, or lists of them.
    """

    code: str
    field: str | None = None
    severity: Severity = "advice"
    location: Location | None = None
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as read.

    Attributes:
        field: Field key.
        value: Typed value (command contract, "Field keys"); `None` when there is none that can be filed.
        raw: The words as written, white space normalised; `""` when nothing was written.
        location: Where it stands.
    """

    field: str
    value: Value
    raw: str = ""
    location: Location | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A recognised form.

    Attributes:
        template: Template id whose questions were recognised.
        language: Language of the form's labels.
        case_id: Case reference printed in a copy that we sent back, else `None`.
        answers: Field key to answer; a question not found in the document has no entry.
        findings: About values and the document, none of severity `error`.
        empty: True when every question is unanswered (a blank template came back).
    """

    template: str
    language: str
    case_id: str | None = None
    answers: Mapping[str, Answer] = dataclasses.field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    empty: bool = False

    def value(self, key: str) -> Value:
        """The typed value of a field, `None` when there is none."""
        answer = self.answers.get(key)
        return answer.value if answer else None

    def values(self) -> dict[str, Value]:
        """All typed values by field key, as `check --json` prints them."""
        return {key: answer.value for key, answer in self.answers.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What became of one file.

    Attributes:
        kind: What the file is by its bytes: `docx`, `xlsx`, `doc`, `xls`, `odt`, `ods`, `rtf`, `pdf`, `image`,
            `html`, `csv`, `zip`, `text`, `empty`, `ole`, `unknown` ...
        form: The form in it, if it is one.
        findings: About the file when it is no form that can be read (`format.pdf`, `damaged.zip`,
            `encrypted.password`, `unsafe.size`, `template_mismatch.foreign|other` ...).
    """

    kind: str
    form: Form | None = None
    findings: tuple[Finding, ...] = ()
