"""A letter in words: subject, plain text and HTML, from the templates of its language.

Decides nothing: what is said was decided before, and stands in the letter. Nothing of an unverified sender's
is repeated, and what a verified one wrote is data: cleaned, cut, escaped, never a template.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from config import Config
from config.form import FormTemplate
from parsers.form import Finding, Form
from responses.describing import describe_items, describe_period, describe_value
from responses.envelope import clean_header
from responses.letters import (
    Acknowledgement,
    Composed,
    Correction,
    FormatAdvice,
    Letter,
    ReceivedFile,
    Section,
    TemplateEnclosed,
    Waiting,
)
from responses.subject import subject_line
from responses.telling import (
    Point,
    by_question,
    finding_label,
    finding_message,
    staff_reason,
    suggest,
    tell_together,
)
from responses.wording import Wording, environment, languages, nearest, wording

__all__ = [
    "compose",
    "describe_items",
    "describe_value",
    "finding_label",
    "finding_message",
    "languages",
    "staff_reason",
]

_TITLE = 200
_VALUE = 300
# Rows of the table in the acknowledgement, in order; place, dates and files are made of several answers.
_ROWS = (
    "primary_objectives",
    "secondary_objectives",
    "place",
    "dates",
    "main_implementer",
    "focal_name",
    "consent_publish",
)


def compose(letter: Letter, config: Config) -> Composed:
    """A letter in words.

    Args:
        letter: What is to be said; a language without a folder gives the operator's default one.
        config: Settings (office, reference, replies), form templates and vocabularies.

    Raises:
        ValueError: The letter has no section.
    """
    if not letter.sections:
        raise ValueError("a letter needs a section")
    language = nearest(letter.language, config.settings.replies.default_language)
    words = wording(language)
    subject = subject_line(letter, config, words)
    values = _letter_values(letter, config, words)
    text = environment(language, html=False).get_template("letter.j2").render(values)
    html = environment(language, html=True)
    body = html.get_template("letter.j2").render(values)
    page = html.get_template("layouts/page.j2").render(
        language=language, subject=subject, letter=html.filters["safe"](body)
    )
    return Composed(subject=subject, text=_tidy(text), html=page + "\n")


def _tidy(text: str) -> str:
    lines = "\n".join(line.strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _letter_values(letter: Letter, config: Config, words: Wording) -> dict[str, Any]:
    office = config.settings.office
    received = _moment(letter.received, config, words)
    single = letter.sections[0] if len(letter.sections) == 1 else None
    # An acknowledgement lists the files in its table; a notice that a person reads names none.
    tabled = isinstance(single, Acknowledgement) and letter.verified and not single.again
    listed = not tabled and not isinstance(single, (Waiting, TemplateEnclosed))
    parts = [_part(section, letter, config, words) for section in letter.sections]
    return {
        "parts": parts,
        "alone": single is not None,
        "headed": single is None and any(part["reference"] for part in parts),
        "verified": letter.verified,
        "official": clean_header(letter.official_letter or "", limit=80) if letter.verified else "",
        "received": received,
        "files": _files(letter, words) if listed and (len(letter.files) > 1 or _acknowledges(letter)) else [],
        "acknowledgement": all(isinstance(section, Acknowledgement) for section in letter.sections),
        "offer_call": config.settings.replies.offer_call,
        "signature": office.signatures.get(words.language) or next(iter(office.signatures.values())),
        "data_notice": office.data_notice,
    }


def _acknowledges(letter: Letter) -> bool:
    return any(isinstance(section, Acknowledgement) for section in letter.sections)


def _moment(received: datetime, config: Config, words: Wording) -> str:
    office = config.settings.office
    local = office.local(received)
    return words.moment(local, office.places.get(words.language) or office.timezone)


def _part(section: Section, letter: Letter, config: Config, words: Wording) -> dict[str, Any]:
    """What one section's template needs; `kind` names the template."""
    part = _section(section, letter, config, words)
    return part | {"heading": _heading(part["reference"], part["title"], words)}


def _section(section: Section, letter: Letter, config: Config, words: Wording) -> dict[str, Any]:
    match section:
        case Acknowledgement():
            return _acknowledgement(section, letter, config, words)
        case Correction():
            return _correction(section, letter, config, words)
        case Waiting():
            return {"kind": "waiting", "reference": section.reference, "title": ""}
        case TemplateEnclosed():
            return {"kind": "template", "reason": section.reason, "reference": None, "title": ""}
        case FormatAdvice():
            points = _points(section.findings, letter, config, words)
            unique = list(dict.fromkeys(point.words for point in points))
            return {"kind": "format", "points": unique, "reference": None, "title": ""}


def _points(findings: Iterable[Finding], letter: Letter, config: Config, words: Wording) -> list[Point]:
    template = _template(letter, config)
    return [
        tell_together(group, template, config, words.language, quote=letter.verified)
        for group in by_question(findings)
    ]


def _heading(reference: str | None, title: str, words: Wording) -> str:
    if not reference:
        return ""
    return words.say("heading_titled", reference=reference, title=title) if title else reference


def _template(letter: Letter, config: Config) -> FormTemplate:
    return config.templates.get(letter.template_id) or config.template


def _title(form: Form, letter: Letter) -> str:
    title = form.value("title")
    return clean_header(title, limit=_TITLE) if letter.verified and isinstance(title, str) else ""


def _acknowledgement(
    section: Acknowledgement, letter: Letter, config: Config, words: Wording
) -> dict[str, Any]:
    organisation = section.form.value("main_implementer") if letter.verified else None
    first = organisation.split("\n")[0] if isinstance(organisation, str) else ""
    return {
        "kind": "acknowledgement",
        "reference": section.reference,
        "title": _title(section.form, letter),
        "organisation": clean_header(first, limit=_TITLE),
        "consent": section.consent,
        "again": section.again,
        "late": words.day(section.late) if section.late else "",
        "rows": _rows(section, letter, config, words) if letter.verified else [],
        # Who says no is asked nothing more.
        "suggestions": [] if section.consent == "no" else _suggestions(section.advice, letter, config, words),
    }


def _correction(section: Correction, letter: Letter, config: Config, words: Wording) -> dict[str, Any]:
    return {
        "kind": "correction",
        "reference": section.reference,
        "title": _title(section.form, letter),
        "points": _points(section.errors, letter, config, words),
        "annotated": section.annotated,
        "suggestions": _suggestions(section.advice, letter, config, words),
    }


def _suggestions(advice: Iterable[Finding], letter: Letter, config: Config, words: Wording) -> list[str]:
    template = _template(letter, config)
    clauses = (
        suggest(finding, template, config, words.language, quote=letter.verified) for finding in advice
    )
    return list(dict.fromkeys(clause for clause in clauses if clause))


def _rows(section: Acknowledgement, letter: Letter, config: Config, words: Wording) -> list[dict[str, Any]]:
    """The table of what was understood; a row without anything in it is left out."""
    rows = [{"name": words.say("row_title"), "items": [_title(section.form, letter)]}]
    template = _template(letter, config)
    rows += [
        {"name": words.say(f"row_{key}"), "items": _row_items(key, section.form, template, config, words)}
        for key in _ROWS
    ]
    if len(letter.sections) == 1:
        rows.append({"name": words.say("row_files"), "items": _files(letter, words)})
    filled = ({"name": row["name"], "items": [item for item in row["items"] if item]} for row in rows)
    return [row for row in filled if row["items"]]


def _row_items(key: str, form: Form, template: FormTemplate, config: Config, words: Wording) -> list[str]:
    if key == "dates":
        return [describe_period(form, words.language)]
    if key == "place":
        local = form.value("local")
        countries = describe_items(
            template.field("countries"), form.value("countries"), config, words.language
        )
        others = form.value("countries_other")
        names = countries + ([str(name) for name in others] if isinstance(others, list) else [])
        return _clean([local if isinstance(local, str) else "", words.listed(names) if names else ""])
    field = template.field(key)
    value = form.value(key)
    if field.kind == "lines" and isinstance(value, str):
        return _clean(value.split("\n"))
    return _clean(describe_items(field, value, config, words.language))


def _clean(items: Iterable[str]) -> list[str]:
    return [clean_header(item, limit=_VALUE) for item in items]


def _files(letter: Letter, words: Wording) -> list[str]:
    """The files received: by name and size, pictures counted together; to unverified senders kinds alone."""
    held = any(isinstance(section, Waiting) and section.reference for section in letter.sections)
    if not letter.verified or held:
        kinds = Counter(_kind(file, words) for file in letter.files)
        counted = [words.counted(f"kind_{kind}", count) for kind, count in kinds.items()]
        return [words.listed(counted)] if counted else []
    images = [file for file in letter.files if file.kind == "image"]
    single = images if len(images) == 1 else []
    named = [file for file in letter.files if file.kind != "image" or file in single]
    lines = [_named(file.name, file.size, words) for file in named]
    if len(images) > 1:
        together = words.counted("kind_image", len(images))
        size = words.size(sum(file.size for file in images))
        lines.append(words.say("files_together", count=together, size=size))
    return lines


def _kind(file: ReceivedFile, words: Wording) -> str:
    return file.kind if f"kind_{file.kind}" in words.words["counted"] else "other"


def _named(name: str, size: int, words: Wording) -> str:
    return words.say("file", name=clean_header(name, limit=80), size=words.size(size))
