"""What must fit together across files: settings with languages, forms with lists, criteria with questions.

Each check adds lines to the problems and changes nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from config.configuration import Config
from config.criteria import Criterion
from config.form import Condition, Field, FormTemplate
from config.problems import fold, near
from config.settings import Settings
from config.sources import Sources

_NEEDS_LIST = frozenset({"choice", "choices", "countries", "sender"})
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_NUMBER = re.compile(r"[0-9]{1,3}[a-z]?")
_DATE = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")


def check(config: Config, templates: Sources, vocabularies: Sources, problems: list[str]) -> None:
    """Adds a problem for everything that does not fit together.

    Args:
        config: All that could be read; what could not has its problems already.
        templates: Files of `templates/`: a form that could not be read exists all the same.
        vocabularies: Files of `vocabularies/`, likewise, and to tell the operator's own lists.
        problems: Receives one line for each thing wrong.
    """
    problems.extend(f"settings.toml: {text}" for text in _settings(config.settings, templates.stems()))
    lists = vocabularies.stems()
    for template in config.templates.values():
        shown = f"templates/{template.id}.toml"
        problems.extend(f"{shown}: {text}" for text in _template(template, config, lists))
    keys = {field.key: field for template in config.templates.values() for field in template.fields}
    if not keys:
        return
    repeated = _repeated(criterion.key for criterion in config.criteria)
    problems.extend(f"criteria.toml: {key}: stands there twice" for key in repeated)
    for criterion in config.criteria:
        lines = _criterion(criterion, keys, config)
        problems.extend(f"criteria.toml: {criterion.key}.{text}" for text in lines)
    used = {field.vocabulary for field in keys.values() if field.vocabulary}
    problems.extend(
        f"vocabularies/{name}.toml: no question uses this list{near(name, used)}"
        for name in lists
        if name not in used and f"{name}.toml" in vocabularies.own
    )


def _repeated(items: Iterable[str]) -> list[str]:
    return [item for item, count in Counter(items).items() if count > 1]


def _settings(settings: Settings, templates: list[str]) -> Iterable[str]:
    if settings.template not in templates:
        yield f"template: there is no template {settings.template!r}{near(settings.template, templates)}"
    languages = settings.languages
    if not languages:
        yield "languages: at least one language is needed"
    for language in languages:
        if not _LANGUAGE.fullmatch(language):
            yield f"languages: {language!r} is no language code (expected one like es)"
    for language in _repeated(languages):
        yield f"languages: {language!r} stands there twice"
    default = settings.replies.default_language
    if languages and default not in languages:
        yield f"replies.default_language: must be one of the languages{near(default, languages)}"
    for name in ("signatures", "places"):
        texts: dict[str, str] = getattr(settings.office, name)
        yield from (
            f"office.{name}.{language}: is missing"
            for language in languages
            if not texts.get(language, "").strip()
        )
    yield from _mailboxes(settings)
    yield from _calls(settings)


def _mailboxes(settings: Settings) -> Iterable[str]:
    for name in _repeated(box.name for box in settings.mailboxes):
        yield f"mailboxes: the name {name!r} is given to two mailboxes; each needs its own"
    places = Counter((box.host.casefold(), box.username.casefold(), box.inbox) for box in settings.mailboxes)
    for index, box in enumerate(settings.mailboxes):
        if places[box.host.casefold(), box.username.casefold(), box.inbox] > 1:
            yield f"mailboxes.{index}: the same folder of the same mailbox is named twice; it would be read twice"


def _calls(settings: Settings) -> Iterable[str]:
    for name in _repeated(call.id for call in settings.calls):
        yield f"calls: the id {name!r} is given to two calls"
    for index, call in enumerate(settings.calls):
        if call.opens and call.deadline and call.deadline < call.opens:
            yield f"calls.{index}.deadline: lies before the day on which the call opens"
        if any(not phrase.strip() for phrase in call.phrases):
            yield f"calls.{index}.phrases: an empty phrase would be found in every mail"
        if call.names:
            yield from (
                f"calls.{index}.names.{language}: is missing"
                for language in settings.languages
                if not call.names.get(language, "").strip()
            )


def _template(template: FormTemplate, config: Config, lists: list[str]) -> Iterable[str]:
    fields = {field.key: field for field in template.fields}
    for key in _repeated(field.key for field in template.fields):
        yield f"{key}: this key is given to two questions"
    for number in _repeated(field.number for field in template.fields):
        yield f"number: {number} is given to two questions"
    for key in _repeated(section.key for section in template.sections):
        yield f"{key}: this key is given to two sections"
    for field in template.fields:
        if not _NUMBER.fullmatch(field.number):
            yield f"{field.key}.number: {field.number!r} is no question number (expected one like 8 or 30a)"
        yield from (f"{field.key}.{text}" for text in _list_of(field, lists))
        if field.mandatory_when:
            yield from (
                f"{field.key}.mandatory_when.{text}"
                for text in _condition(field.mandatory_when, fields, config)
            )
    yield from _labels(template)


def _list_of(field: Field, lists: list[str]) -> Iterable[str]:
    if field.vocabulary is None:
        if field.kind in _NEEDS_LIST:
            yield f"vocabulary: is missing; kind {field.kind!r} needs a list"
        elif field.layout != "cell":
            yield f"layout: {field.layout!r} needs a vocabulary"
    elif field.vocabulary not in lists:
        yield f"vocabulary: there is no list {field.vocabulary!r}{near(field.vocabulary, lists)}"


def _condition(condition: Condition, fields: dict[str, Field], config: Config) -> Iterable[str]:
    deciding = fields.get(condition.field)
    if deciding is None:
        yield f"field: there is no question {condition.field!r}{near(condition.field, fields)}"
        return
    if not condition.any_of and not condition.none_of:
        yield "any_of: is missing (or none_of)"
    yield from (f"any_of: {text}" for text in _terms(condition.any_of, deciding, config))
    yield from (f"none_of: {text}" for text in _terms(condition.none_of, deciding, config))


def _terms(values: Iterable[str], field: Field, config: Config) -> Iterable[str]:
    vocabulary = config.vocabularies.get(field.vocabulary or "")
    if vocabulary is None:
        return
    keys = [term.key for term in vocabulary.terms]
    for value in values:
        if value not in keys:
            yield f"{value!r} is no term of the list {vocabulary.name!r}{near(value, keys)}"


def _labels(template: FormTemplate) -> Iterable[str]:
    """A label that two questions share would file one's answer under the other."""
    for language in template.languages:
        taken: dict[str, str] = {}
        for field in template.fields:
            for text in (field.labels.get(language, ""), *field.aliases.get(language, ())):
                other = taken.setdefault(fold(text), field.key) if text.strip() else field.key
                if other != field.key:
                    yield f"{field.key}: its {language!r} label or alias {text!r} is also that of {other}"


def _criterion(criterion: Criterion, fields: dict[str, Field], config: Config) -> Iterable[str]:
    for key in criterion.fields:
        if key not in fields:
            yield f"fields: there is no question {key!r}{near(key, fields)}"
    if criterion.other is not None and criterion.other not in fields:
        yield f"other: there is no question {criterion.other!r}{near(criterion.other, fields)}"
    if criterion.date is not None and not _DATE.fullmatch(criterion.date):
        yield "date: is no date (expected one like 2018-12)"
    if (
        criterion.minimum is not None
        and criterion.maximum is not None
        and criterion.minimum > criterion.maximum
    ):
        yield "minimum: is above the maximum"
    if criterion.kind == "choice":
        for key in criterion.fields:
            if key in fields:
                yield from (f"values: {text}" for text in _terms(criterion.values, fields[key], config))
    yield from (f"{name}: is missing; kind {criterion.kind!r} needs it" for name in _needs(criterion))


def _needs(criterion: Criterion) -> Iterable[str]:
    """Names of what a criterion of this kind lacks."""
    if criterion.kind != "question" and not criterion.code:
        yield "code"
    if criterion.kind != "answered" and not criterion.fields:
        yield "fields"
    if criterion.kind == "choice" and not criterion.values:
        yield "values"
    if criterion.kind == "date_order" and not criterion.other:
        yield "other"
    if criterion.kind == "not_before" and not criterion.date:
        yield "date"
    if (
        criterion.kind in ("count", "words", "characters")
        and criterion.minimum is None
        and criterion.maximum is None
    ):
        yield "maximum"
