"""Form templates from their files: the structure in `ID.toml`, each language's words in `ID.LANGUAGE.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from config.form import FormTemplate
from config.problems import near, validated
from config.sources import Sources
from config.words import FieldWords, SectionWords, TemplateWords

# What the language files say; in the structure they would be a second place for the same thing.
_WORDS = frozenset(
    {"titles", "intros", "texts", "notes", "labels", "hints", "examples", "aliases", "prefills"}
)


def read_templates(
    sources: Sources, languages: Iterable[str], problems: list[str]
) -> dict[str, FormTemplate]:
    """All templates by id; problems are added for what is wrong.

    Args:
        sources: Files of `templates/`.
        languages: Languages that must be complete.
        problems: Receives one line for each thing wrong.
    """
    templates: dict[str, FormTemplate] = {}
    required = tuple(languages)
    for stem in sources.stems():
        template = _read_template(sources, stem, required, problems)
        if template:
            templates[stem] = template
    return templates


def _read_template(
    sources: Sources, stem: str, languages: tuple[str, ...], problems: list[str]
) -> FormTemplate | None:
    name = f"{stem}.toml"
    shown = sources.folder + name
    raw = sources.read(name, problems)
    words: dict[str, TemplateWords] = {}
    for language in dict.fromkeys((*languages, *sources.languages(stem))):
        read = _read_words(sources, stem, language, problems)
        if read:
            words[language] = read
    if raw is None:
        return None
    _refuse_words(raw, shown, "", problems)
    if raw.get("id", stem) != stem:
        problems.append(f"{shown}: id: must be the file's name, {stem}")
    template = validated(FormTemplate, _merged(raw, words), shown, problems)
    if template:
        _check_words(template, words, languages, sources.folder, problems)
    return template


def _read_words(sources: Sources, stem: str, language: str, problems: list[str]) -> TemplateWords | None:
    name = f"{stem}.{language}.toml"
    if name not in sources.paths:
        problems.append(f"{sources.folder}{name}: is missing; it holds the form's words in {language!r}")
        return None
    raw = sources.read(name, problems)
    return None if raw is None else validated(TemplateWords, raw, sources.folder + name, problems)


def _refuse_words(raw: Any, shown: str, trail: str, problems: list[str]) -> None:
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            own = item.get("key", index) if isinstance(item, Mapping) else index
            _refuse_words(item, shown, f"{trail}{own}.", problems)
    elif isinstance(raw, dict):
        for key in list(raw):
            if key in _WORDS:
                del raw[key]
                problems.append(f"{shown}: {trail}{key}: words stand in the language files beside it")
            elif key in ("sections", "fields"):
                _refuse_words(raw[key], shown, f"{trail}{key}.", problems)


def _merged(raw: dict[str, Any], words: Mapping[str, TemplateWords]) -> dict[str, Any]:
    """The structure with every language's words in their places, for validation."""
    sections = raw.get("sections", [])
    return raw | {
        "titles": {language: read.title for language, read in words.items()},
        "intros": {language: read.intro for language, read in words.items()},
        "texts": _turned({language: read.texts for language, read in words.items()}),
        "sections": [_section(item, words) for item in sections] if isinstance(sections, list) else sections,
    }


def _turned(by_language: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Language to name to text, as name to language to text."""
    turned: dict[str, dict[str, str]] = {}
    for language, texts in by_language.items():
        for name, text in texts.items():
            turned.setdefault(name, {})[language] = text
    return turned


def _section(raw: Any, words: Mapping[str, TemplateWords]) -> Any:
    if not isinstance(raw, dict):
        return raw
    found = {k: read.sections[raw["key"]] for k, read in words.items() if raw.get("key") in read.sections}
    fields = raw.get("fields", [])
    return raw | {
        "titles": {language: section.title for language, section in found.items()},
        "notes": {language: section.note for language, section in found.items() if section.note},
        "fields": [_field(item, words) for item in fields] if isinstance(fields, list) else fields,
    }


def _field(raw: Any, words: Mapping[str, TemplateWords]) -> Any:
    if not isinstance(raw, dict):
        return raw
    found = {k: read.fields[raw["key"]] for k, read in words.items() if raw.get("key") in read.fields}
    return raw | {
        "labels": {language: field.label for language, field in found.items()},
        "hints": {language: field.hint for language, field in found.items() if field.hint},
        "examples": {language: field.example for language, field in found.items() if field.example},
        "aliases": {language: field.aliases for language, field in found.items() if field.aliases},
        "prefills": {language: field.prefill for language, field in found.items() if field.prefill},
    }


def _check_words(
    template: FormTemplate,
    words: Mapping[str, TemplateWords],
    languages: tuple[str, ...],
    folder: str,
    problems: list[str],
) -> None:
    """Every language says the same things: what one has and a required one lacks is a problem."""
    keys = [field.key for field in template.fields]
    sections = [section.key for section in template.sections]
    for language, read in words.items():
        shown = f"{folder}{template.id}.{language}.toml"
        _stray(read.fields, keys, f"{shown}: fields", problems)
        _stray(read.sections, sections, f"{shown}: sections", problems)
        if language not in languages:
            continue
        gaps = [f"texts.{name}" for name in template.texts if not read.texts.get(name, "").strip()]
        gaps += [name for name in ("title", "intro") if not getattr(read, name).strip()]
        for section in template.sections:
            own = read.sections.get(section.key)
            gaps += _gaps(
                f"sections.{section.key}", own, {"title": section.titles, "note": section.notes}, "title"
            )
        for field in template.fields:
            known = {"hint": field.hints, "example": field.examples, "prefill": field.prefills}
            gaps += _gaps(
                f"fields.{field.key}", read.fields.get(field.key), {"label": field.labels} | known, "label"
            )
        problems.extend(f"{shown}: {gap}: is missing" for gap in gaps)


def _gaps(
    place: str, words: SectionWords | FieldWords | None, known: Mapping[str, Mapping[str, str]], always: str
) -> list[str]:
    """Names of texts that are always needed, or that another language has."""
    return [
        f"{place}.{name}"
        for name, texts in known.items()
        if (name == always or texts) and not (words and getattr(words, name).strip())
    ]


def _stray(found: Iterable[str], known: list[str], place: str, problems: list[str]) -> None:
    problems.extend(
        f"{place}.{key}: is nothing of this form{near(key, known)}" for key in found if key not in known
    )
