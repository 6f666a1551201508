"""Reads the shipped configuration and the operator's folder over it, and reports all problems at once.

The steps only: what a file looks like stands in `form_files`, `vocabulary_files` and `overrides`, what must
fit together in `checking`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from config.checking import check
from config.configuration import Config, ConfigError
from config.criteria import Criterion
from config.form_files import read_templates
from config.overrides import apply_environment, expand_files
from config.phrases import Phrases
from config.problems import near, validated
from config.settings import Settings
from config.sources import SHIPPED, Sources, gather, read_toml
from config.vocabulary_files import read_vocabularies
from config.words import CriteriaWords

SETTINGS_FILE = "settings.toml"
# Texts fall back to Spanish everywhere, so its words must be whole whatever the office's languages are.
FALLBACK_LANGUAGE = "es"


class _Criteria(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    criteria: tuple[Criterion, ...]


def load(directory: Path | None = None) -> Config:
    """Reads the shipped configuration and, over it, the operator's folder and the environment.

    Args:
        directory: Folder with `settings.toml` and, if wanted, own `templates/`, `vocabularies/`,
            `criteria.toml`, `criteria.<language>.toml`, `phrases.<language>.toml`: each file replaces the
            shipped one of the same name or adds to them. `None` gives the shipped configuration alone,
            whatever the environment says.

    Raises:
        ConfigError: With every problem found.
    """
    problems: list[str] = []
    if directory is not None and not directory.is_dir():
        raise ConfigError([f"{directory}: is no folder (practice-intake init writes one)"])
    home = Path.cwd() if directory is None else directory.absolute()
    settings = Settings() if directory is None else _read_settings(home, problems)
    # With settings that cannot be used, the rest is still checked, by the languages shipped.
    read = settings or Settings()
    own = None if directory is None else home
    languages = dict.fromkeys((*read.languages, FALLBACK_LANGUAGE))
    top = gather("", own)
    template_files, vocabulary_files = gather("templates", own), gather("vocabularies", own)
    templates = read_templates(template_files, languages, problems)
    vocabularies = read_vocabularies(vocabulary_files, languages, problems)
    criteria = _read_criteria(top, languages, problems)
    phrases = _read_phrases(top, read.languages, problems)
    _refuse_strangers(top, problems)
    config = Config(
        settings=_resolved(read, home),
        home=home,
        templates={name: form.addressed(read.office.contact) for name, form in templates.items()},
        vocabularies=vocabularies,
        criteria=criteria,
        phrases=phrases,
    )
    check(config, template_files, vocabulary_files, problems)
    if problems:
        raise ConfigError(problems)
    return config


def example_settings() -> str:
    """The commented settings file that `practice-intake init` writes."""
    return (SHIPPED / "settings.example.toml").read_text(encoding="utf-8")


def _read_settings(home: Path, problems: list[str]) -> Settings | None:
    raw: dict[str, Any] | None = {}
    if (home / SETTINGS_FILE).exists():
        raw = read_toml(home / SETTINGS_FILE, SETTINGS_FILE, problems)
    if raw is None:
        # What it would have said is unknown: missing keys would be told for nothing.
        return None
    expand_files(raw, home, SETTINGS_FILE, problems)
    origins = apply_environment(raw, os.environ, home, problems)
    return validated(Settings, raw, SETTINGS_FILE, problems, origins)


def _resolved(settings: Settings, home: Path) -> Settings:
    """The settings with every relative path below the folder of the settings file."""
    paths = settings.paths.model_copy(
        update={"data": home / settings.paths.data, "register_file": home / settings.paths.register_file}
    )
    mailboxes = tuple(
        box.model_copy(update={"ca_file": home / box.ca_file}) if box.ca_file else box
        for box in settings.mailboxes
    )
    smtp = settings.smtp
    if smtp and smtp.ca_file:
        smtp = smtp.model_copy(update={"ca_file": home / smtp.ca_file})
    return settings.model_copy(update={"paths": paths, "mailboxes": mailboxes, "smtp": smtp})


def _read_criteria(top: Sources, languages: Iterable[str], problems: list[str]) -> tuple[Criterion, ...]:
    raw = top.read("criteria.toml", problems)
    shape = None if raw is None else validated(_Criteria, raw, "criteria.toml", problems)
    words: dict[str, CriteriaWords] = {}
    for language in dict.fromkeys((*languages, *top.languages("criteria"))):
        name = f"criteria.{language}.toml"
        if name not in top.paths:
            problems.append(f"{name}: is missing; it holds the reviewers' questions in {language!r}")
            continue
        text = top.read(name, problems)
        read = None if text is None else validated(CriteriaWords, text, name, problems)
        if read:
            words[language] = read
    if shape is None:
        return ()
    _check_questions(shape.criteria, words, tuple(languages), problems)
    return tuple(_with_questions(criterion, words) for criterion in shape.criteria)


def _with_questions(criterion: Criterion, words: Mapping[str, CriteriaWords]) -> Criterion:
    questions = {
        k: read.questions[criterion.key] for k, read in words.items() if criterion.key in read.questions
    }
    return criterion.model_copy(update={"questions": criterion.questions | questions})


def _check_questions(
    criteria: tuple[Criterion, ...],
    words: Mapping[str, CriteriaWords],
    languages: tuple[str, ...],
    problems: list[str],
) -> None:
    keys = [criterion.key for criterion in criteria if criterion.kind == "question"]
    for language, read in words.items():
        file = f"criteria.{language}.toml"
        problems.extend(
            f"{file}: questions.{key}: is no question of criteria.toml{near(key, keys)}"
            for key in read.questions
            if key not in keys
        )
        if language in languages:
            problems.extend(
                f"{file}: questions.{key}: is missing"
                for key in keys
                if not read.questions.get(key, "").strip()
            )


def _read_phrases(top: Sources, languages: Iterable[str], problems: list[str]) -> dict[str, Phrases]:
    phrases: dict[str, Phrases] = {}
    for language in dict.fromkeys((*languages, *top.languages("phrases"))):
        name = f"phrases.{language}.toml"
        if name not in top.paths:
            problems.append(f"{name}: is missing; it tells what a mail in {language!r} is about")
            continue
        raw = top.read(name, problems)
        read = None if raw is None else validated(Phrases, raw, name, problems)
        if read is None:
            continue
        phrases[language] = read
        problems.extend(
            f"{name}: {key}: an empty phrase would be found in every mail"
            for key in Phrases.model_fields
            if any(not phrase.strip() for phrase in getattr(read, key))
        )
    return phrases


def _refuse_strangers(top: Sources, problems: list[str]) -> None:
    """A file of the operator's that nearly has a name of ours would otherwise be passed over in silence."""
    known = [
        SETTINGS_FILE,
        *(name for name in top.paths if name not in top.own or name.split(".")[0] in _TOP),
    ]
    for name in sorted(top.own):
        if name != SETTINGS_FILE and name.split(".")[0] not in _TOP:
            hint = near(name, known)
            if hint:
                problems.append(f"{name}: is no file of the configuration{hint}")


_TOP = frozenset({"criteria", "phrases"})
