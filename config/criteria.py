"""The criteria as data: what is checked of a form, for which criterion of the Network, how gravely.

The kinds are a closed set; each is one pure function in `intake.judging`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Severity = Literal["error", "advice", "hold", "note"]
Purpose = Literal[
    "applied",
    "relevant",
    "coherent",
    "innovative",
    "replicable",
    "cross_cutting",
    "timely",
    "eligible",
    "complete",
    "consent",
]


class Criterion(BaseModel):
    """One check.

    Attributes:
        key: Its name, unique.
        kind: `answered` (a usable value where the field is mandatory), `choice` (value among or outside
            `values`), `count` (how many items), `words`, `characters` (how long), `date_order` (`field` not
            before `other`), `not_in_future`, `not_before` (`date`), `question` (for reviewers, never a
            finding: machines do not judge it).
        serves: The Network's criterion it stands for.
        fields: Field keys it looks at; empty for `answered` means every question of the form.
        severity: Of the finding it yields. For `answered` it is always `error`.
        code: Code of the finding; its words are in `responses/locales/<language>`.
        minimum, maximum: For `count`, `words`, `characters`.
        values: For `choice`: values that yield the finding.
        other: For `date_order`: the earlier field.
        date: For `not_before`: `"2018-12"`.
        questions: For `question`: language to the reviewers' question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: Literal[
        "answered",
        "choice",
        "count",
        "words",
        "characters",
        "date_order",
        "not_in_future",
        "not_before",
        "question",
    ]
    serves: Purpose
    fields: tuple[str, ...] = ()
    severity: Severity = "advice"
    code: str | None = None
    minimum: int | None = None
    maximum: int | None = None
    values: tuple[str, ...] = ()
    other: str | None = None
    date: str | None = None
    questions: dict[str, str] = {}
