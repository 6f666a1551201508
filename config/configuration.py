"""The whole configuration as one value, and the one error that says why there is none."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from config.criteria import Criterion
from config.form import FormTemplate
from config.phrases import Phrases
from config.settings import Settings
from config.vocabulary import Vocabulary


class Config(BaseModel):
    """The whole configuration; `model_dump_json` holds no secret.

    Attributes:
        settings: The operator's settings.
        home: Folder of the settings file; relative paths are below it.
        templates: Template id to form template.
        vocabularies: Name to vocabulary.
        criteria: In the order in which findings are told.
        phrases: Language to the phrases that tell what a mail without a form is about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: Settings
    home: Path
    templates: dict[str, FormTemplate]
    vocabularies: dict[str, Vocabulary]
    criteria: tuple[Criterion, ...]
    phrases: dict[str, Phrases]

    @property
    def template(self) -> FormTemplate:
        """The template that is sent out now."""
        return self.templates[self.settings.template]

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of texts for people, the first one the default."""
        return self.settings.languages


class ConfigError(Exception):
    """The configuration cannot be used; `problems` names each file, key and remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
