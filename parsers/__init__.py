"""Files to forms: what a file is by its bytes, and the typed answers of a form in it.

Pure: no clock, no disk, no network. Never raises for any bytes; what cannot be read is a finding. Decides
nothing: whether an answer was needed, and what is done about it, is judged elsewhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from config import Config
from parsers.docx_form import read_docx
from parsers.form import Answer, Document, Finding, Form, Location, Severity, Value
from parsers.package import UnreadableError, examine, file_finding, identify
from parsers.recognition import Recognizer, is_foreign
from parsers.text import clean
from parsers.values import Values, Words
from parsers.xlsx_form import read_xlsx

__all__ = [
    "Answer",
    "Document",
    "Finding",
    "Form",
    "Location",
    "Severity",
    "Value",
    "identify",
    "parse",
    "read_answer",
]

_MOST_KEPT: Final = 4
# What is prepared from a configuration, kept beside it so that its identity stays its own.
_prepared: Final[dict[int, tuple[Config, Recognizer]]] = {}


def parse(data: bytes, config: Config, *, name: str = "") -> Document:
    """Reads one file.

    Args:
        data: The file as it came.
        config: Templates, lists and limits.
        name: The file's name; used only to know a lock file (`~$name.docx`).

    Returns:
        The kind, and the form in it, or findings that say why there is none. No finding is an error.
    """
    examined = examine(data, config.settings.limits, name)
    package = examined.package
    macros = (file_finding("macro.present"),) if package is not None and package.has_macros else ()
    if examined.finding is not None or package is None:
        refused = (examined.finding,) if examined.finding is not None else ()
        return Document(kind=examined.kind, findings=(*refused, *macros))
    try:
        raw = read_docx(package) if examined.kind == "docx" else read_xlsx(package)
        form = recognizer(config).recognize(raw)
    except UnreadableError as error:
        return Document(kind=examined.kind, findings=(error.finding, *macros))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # A file that no rule foresaw must not stop the others.
        finding = file_finding("damaged.unforeseen", part=type(error).__name__)
        return Document(kind=examined.kind, findings=(finding, *macros))
    if form is None:
        foreign = is_foreign(raw)
        finding = file_finding(
            "template_mismatch.foreign" if foreign else "template_mismatch.other",
            "hold" if foreign else "advice",
            words=raw.words,
        )
        return Document(kind=examined.kind, findings=(finding, *macros))
    return Document(kind=examined.kind, form=replace(form, findings=(*form.findings, *macros)))


def recognizer(config: Config) -> Recognizer:
    """What is prepared once for a configuration: labels and words folded and indexed."""
    kept = _prepared.get(id(config))
    if kept is None:
        kept = (config, Recognizer(config))
        while len(_prepared) >= _MOST_KEPT:
            _prepared.pop(next(iter(_prepared)))
        _prepared[id(config)] = kept
    return kept[1]


def read_answer(
    key: str, text: str, config: Config, template: str, language: str, *, location: Location | None = None
) -> tuple[tuple[Answer, ...], tuple[Finding, ...]]:
    """Reads the words of one answer by themselves, as a person of the secretariat typed them.

    Args:
        key: Field key.
        text: The words.
        config: Templates and lists.
        template: Template id.
        language: Language whose day and month order and words come first.
        location: Where the answer stands in the sender's document.

    Returns:
        The typed answer (two for questions such as `type`, where own words are filed apart), and findings.
    """
    read = Values(config.templates[template], config.vocabularies).read(
        {key: Words(text=clean(text), location=location)}, language
    )
    return tuple(read.answers.values()), tuple(read.findings)
