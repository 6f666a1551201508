"""One finding in words: to the sender (what was read, what is wanted, where), or to the secretariat.

What a sender wrote is quoted only where the caller allows it, cut and cleaned; it fills sentences of ours
and is never a sentence itself. A code without words of its own gets the generic ones, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config import Config
from config.form import Field, FormTemplate
from parsers.form import Finding
from responses.envelope import clean_header
from responses.wording import QUOTED, Wording, nearest, wording

# Parameters that are ours (limits, the form's choices); all others tell of what the sender wrote.
_OURS = frozenset({"wanted", "minimum", "maximum", "limit"})
_FILE_CODES = ("format.", "encrypted.", "damaged.", "unsafe.", "resave.", "template_mismatch.", "macro.")
_CELL = re.compile(r"[A-Z]{1,3}[1-9][0-9]{0,6}")
# A choice of so few is told whole; a longer list would hide the question.
_FEW = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A finding in words, for a numbered list.

    Attributes:
        name: The question, ending like a sentence; `""` for the whole form or file.
        words: What was read, what is wanted, an example, the place.
    """

    name: str
    words: str


def by_question(findings: Iterable[Finding]) -> list[tuple[Finding, ...]]:
    """Findings grouped by the question they are about: a sender counts questions, not findings."""
    groups: dict[str | int, list[Finding]] = {}
    for place, finding in enumerate(findings):
        groups.setdefault(finding.field or place, []).append(finding)
    return [tuple(group) for group in groups.values()]


def tell(finding: Finding, template: FormTemplate, config: Config, language: str, *, quote: bool) -> Point:
    """One finding as a point of a correction request; see `tell_together`."""
    return tell_together([finding], template, config, language, quote=quote)


def tell_together(
    findings: Sequence[Finding], template: FormTemplate, config: Config, language: str, *, quote: bool
) -> Point:
    """All findings about one question as a point of a correction request.

    Args:
        findings: What to tell, all of one question (or one of the whole form or file).
        template: Whose labels the words use.
        config: For the vocabularies.
        language: Of the words.
        quote: Whether the sender may be quoted at all; what a field forbids is never quoted.
    """
    words = wording(nearest(language))
    field = _field(findings[0], template)
    each = [(finding, _values(finding, field, config, words, quote=quote)) for finding in findings]
    finding, values = each[0]
    sentences = [_read(one, field, words, its) for one, its in each]
    sentences += [_wanted(one, field, words, its) for one, its in each]
    if example := _example(finding, field, words, values):
        sentences.append(words.say("example", example=example))
    if place := _place(finding, field, words, quote=quote):
        sentences.append(place)
    name = _label(field, words) if field else ""
    return Point(
        name=name if not name or name[-1] in "?.:!…" else f"{name}.",
        # What two findings want alike is asked for once.
        words=" ".join(dict.fromkeys(sentence for sentence in sentences if sentence)),
    )


def suggest(finding: Finding, template: FormTemplate, config: Config, language: str, *, quote: bool) -> str:
    """A finding as a suggestion: a clause that follows "A suggestion, if you wish:", without full stop."""
    words = wording(nearest(language))
    field = _field(finding, template)
    values = _values(finding, field, config, words, quote=quote)
    # Where an answer may be quoted, the parameters are all there; else the plain sentence needs none of them.
    keys = ("advice", "plain") if _quotable(finding, field, quote=quote) else ("plain", "advice")
    return _first(finding, field, words, values, keys)


def finding_message(finding: Finding, config: Config, language: str, *, quote: bool) -> str:
    """A finding on one line, the question first, in the words of its severity.

    Args:
        finding: Any finding; one of severity hold or note is told as the secretariat sees it.
        config: For labels (of the template sent out now) and vocabularies.
        language: Of the words.
        quote: Whether what was read may be quoted; never for contacts and consent.
    """
    words = wording(nearest(language))
    template = config.template
    if finding.severity in {"hold", "note"}:
        field = _field(finding, template)
        values = _values(finding, field, config, words, quote=quote)
        return _staff(finding.code, words, values)
    if finding.severity == "advice":
        return _capital(suggest(finding, template, config, language, quote=quote)) + "."
    point = tell(finding, template, config, language, quote=quote)
    return f"{point.name} {point.words}".strip()


def staff_reason(code: str, language: str, **params: Any) -> str:
    """A sentence for the secretariat: why something waits, or what only it is told of a finding.

    Args:
        code: `"held.question"`, `"format"`, or a finding's code; an unknown one gives its class's sentence or,
            without one, the generic one.
        language: Of the words.
        params: What the sentence may use (`label`, `reference`, `read` ...), cleaned here.
    """
    words = wording(nearest(language))
    return _staff(code, words, _cleaned(params))


def finding_label(key: str, config: Config, language: str) -> str:
    """The question with this key as people read it; the key itself where the template lacks it."""
    field = next((field for field in config.template.fields if field.key == key), None)
    return _label(field, wording(nearest(language))) if field else key


def _staff(code: str, words: Wording, values: Mapping[str, Any]) -> str:
    sentences = words.staff
    # A disposition's reason is told by the table "held"; a finding's code by its own name or its class.
    for known in (code, f"held.{code}", code.partition(".")[0]):
        if known in sentences and (text := words.fill(sentences[known], values)) is not None:
            return clean_header(text, limit=600)
    return words.fill(sentences["generic_field" if values.get("label") else "generic"], values) or code


def _field(finding: Finding, template: FormTemplate) -> Field | None:
    return next((field for field in template.fields if field.key == finding.field), None)


def _label(field: Field, words: Wording) -> str:
    return field.label(words.language)


def _cleaned(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as sentences may use them: text on one line and cut, the rest as it is."""
    cleaned: dict[str, Any] = {}
    for name, value in params.items():
        if isinstance(value, str):
            cleaned[name] = clean_header(value, limit=QUOTED)
        elif isinstance(value, (list, tuple)):
            cleaned[name] = [clean_header(str(item), limit=QUOTED) for item in value]
        else:
            cleaned[name] = value
    return cleaned


def _values(
    finding: Finding, field: Field | None, config: Config, words: Wording, *, quote: bool
) -> dict[str, Any]:
    """What a sentence may use; without leave to quote, only what is ours."""
    allowed = _quotable(finding, field, quote=quote)
    params = (
        finding.params if allowed else {key: value for key, value in finding.params.items() if key in _OURS}
    )
    values = {"options": _options(field, config, words)} | _cleaned(params)
    if not values.get("read"):
        # A sentence that quotes finds nothing to quote, and gives way to the one that does not.
        values.pop("read", None)
    if field:
        values["label"] = _label(field, words)
    file = values.get("file")
    values["what"] = words.say("file_named", file=file) if file else words.say("file_unnamed")
    return values


def _quotable(finding: Finding, field: Field | None, *, quote: bool) -> bool:
    """Whether what was written may be repeated; never what may tell of a person in danger."""
    return quote and (field is None or field.quotable) and not finding.code.startswith("sensitive")


def _options(field: Field | None, config: Config, words: Wording) -> str:
    vocabulary = config.vocabularies.get(field.vocabulary or "") if field and field.kind == "choice" else None
    if vocabulary is None or len(vocabulary.terms) > _FEW:
        return ""
    return words.listed((words.quoted(term.short(words.language)) for term in vocabulary.terms), style="or")


def _texts(finding: Finding, field: Field | None, words: Wording) -> Iterator[Mapping[str, Any]]:
    """The tables in which a sentence for this finding may stand, the most particular first."""
    own: Mapping[str, Any] = words.findings.get(finding.code, {})
    if field:
        yield own.get("fields", {}).get(field.key, {})
        yield own.get("kinds", {}).get(field.kind, {})
    yield own
    if finding.code.startswith(_FILE_CODES):
        yield words.findings["generic_file"]
    yield words.findings["generic" if field else "generic_form"]


def _first(
    finding: Finding, field: Field | None, words: Wording, values: Mapping[str, Any], keys: tuple[str, ...]
) -> str:
    """The first sentence under one of `keys` for which all values are there."""
    for table in _texts(finding, field, words):
        for key in keys:
            if key in table and (text := words.fill(table[key], values)) is not None:
                return text
    return ""


def _read(finding: Finding, field: Field | None, words: Wording, values: Mapping[str, Any]) -> str:
    """What was read, quoted where that is allowed, else told."""
    if "read" not in values:
        return _first(finding, field, words, values, ("told",))
    for table in _texts(finding, field, words):
        if "read" in table and (text := words.fill(table["read"], values)) is not None:
            return text
    return words.say("read", read=values["read"])


def _wanted(finding: Finding, field: Field | None, words: Wording, values: Mapping[str, Any]) -> str:
    """What is wanted: by the code, else by the question, else by its kind."""
    own: Mapping[str, Any] = words.findings.get(finding.code, {})
    candidates: list[str | None] = []
    if field:
        candidates += [
            own.get("fields", {}).get(field.key, {}).get("wanted"),
            own.get("kinds", {}).get(field.kind, {}).get("wanted"),
        ]
    candidates.append(own.get("wanted"))
    if field:
        candidates += [words.words["wanted_of"].get(field.key), words.words["wanted"].get(field.kind)]
    for sentence in candidates:
        if sentence and (text := words.fill(sentence, values)) is not None:
            return text
    return _first(finding, field, words, values, ("wanted",))


def _example(finding: Finding, field: Field | None, words: Wording, values: Mapping[str, Any]) -> str:
    """The question's example, where one helps: not where the choices are told, nor for texts or consent."""
    if field is None or values["options"] or field.kind in {"text", "sender"}:
        return ""
    if not all(table.get("example", True) for table in _texts(finding, field, words)):
        return ""
    return field.examples.get(words.language, "").rstrip(".")


def _place(finding: Finding, field: Field | None, words: Wording, *, quote: bool) -> str:
    """Where in their document: the question's number and, in a workbook, sheet and cell."""
    if field is None:
        return ""
    location = finding.location
    cell = location.cell if location and location.cell and _CELL.fullmatch(location.cell) else None
    sheet = clean_header(location.sheet, limit=40) if quote and location and location.sheet else None
    if cell and sheet:
        return words.say("place_sheet", question=field.number, sheet=sheet, cell=cell)
    if cell:
        return words.say("place_cell", question=field.number, cell=cell)
    return words.say("place_question", question=field.number)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
