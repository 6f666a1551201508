"""Label to question: the number first where the label agrees, in any language, never by force."""

from __future__ import annotations

import pytest

import config
from parsers.labels import Labels


@pytest.fixture(name="template", scope="module")
def _template():
    return config.load().template


@pytest.fixture(name="labels", scope="module")
def _labels(template):
    return Labels(template)


def test_every_label_and_alias_is_found_with_and_without_its_number(labels, template):
    """The words of the form itself are never in doubt, in any of its languages."""
    seen = 0
    for field in template.fields:
        for language, label in field.labels.items():
            for words in (label, f"{label} *", label.upper(), f"{label}\n{field.hints.get(language, '')}"):
                match = labels.find(field.number, words, None)
                assert (field.key, True) == (match.field.key, language in match.languages)
                assert field.key == labels.find(None, words, None).field.key
                seen += 1
    assert seen > 300


@pytest.mark.parametrize(
    ("number", "label", "tag", "key"),
    [
        ("8", "¿Desde cuando empezó?", None, "start"),
        ("8", "Desde cuándo", None, "start"),
        ("1", "Resumen", None, "summary"),
        ("2", "Beneficio e impacto", None, "impact"),
        ("99", "Título de la práctica", None, "title"),
        (None, "Titulo de la practica", None, "title"),
        (None, "Lecciones aprendidass", None, "lessons"),
        (None, "Main implementing organization", None, "main_implementer"),
        (None, "otra cosa", "summary", "summary"),
        ("18", "Resumen Qué problema había, qué se hizo", None, "summary"),
        ("30A", "Nombre de quien envía", None, "submitter_name"),
    ],
)
def test_number_and_label_must_agree_roughly_else_the_label_decides(number, label, tag, key, labels):
    """A foreign numbering does not move answers; a tag is asked last."""
    assert key == labels.find(number, label, tag).field.key


@pytest.mark.parametrize(
    ("number", "label"),
    [
        ("1", "Datos del vehículo"),
        (None, "Presupuesto"),
        ("5", "Fecha y firma del representante"),
        (None, ""),
    ],
)
def test_a_label_that_is_none_of_ours_is_no_question(number, label, labels):
    """A number alone does not make a foreign label ours."""
    assert labels.find(number, label, None) is None


def test_a_number_without_a_label_is_weak(labels):
    """It fills a gap in our form, but makes no form of another table."""
    match = labels.find("8", "", None)
    assert (match.field.key, match.sure) == ("start", False)
