"""The criteria on one form: which finding, of which severity, on which field."""

from __future__ import annotations

from datetime import date

import pytest
from forms_in_words import CONFIG, form_of

from intake.checks import form_findings, mandatory_fields, reviewer_questions

TODAY = date(2026, 11, 20)


def findings(*, other_files: bool = False, images: bool = False, today: date = TODAY, **words):
    """`(severity, code, field)` of all findings of a form in words."""
    _filed, found = form_findings(form_of(**words), CONFIG, today, other_files=other_files, images=images)
    return [(finding.severity, finding.code, finding.field) for finding in found]


def errors(**words):
    return [(code, field) for severity, code, field in findings(**words) if severity == "error"]


def test_a_complete_form_has_no_findings():
    """Nothing is said of answers that are as wanted, nor of optional ones left blank."""
    assert findings() == []


MANDATORY = [
    "title", "primary_objectives", "guiding_principles", "status", "start", "type", "scope", "countries",
    "main_implementer", "summary", "impact", "lessons", "recommendations", "innovation", "focal_name",
    "focal_email", "sent_by_contact", "consent_publish",
]  # fmt: skip


def test_these_questions_need_an_answer():
    """The mandatory ones of the form, conditions applied to a national practice under way."""
    assert list(mandatory_fields(form_of(), CONFIG)) == MANDATORY


@pytest.mark.parametrize("key", MANDATORY)
def test_a_blank_mandatory_answer_is_one_error_with_its_place(key):
    """Criteria that look at the same field (`complete`, `consent`) report it once."""
    form = form_of(**{key: None})

    _filed, found = form_findings(form, CONFIG, TODAY)

    assert [(finding.severity, finding.code, finding.field) for finding in found] == [
        ("error", "answer.missing", key)
    ]
    assert found[0].location == form.answers[key].location
    assert found[0].location.question is not None


@pytest.mark.parametrize(
    ("key", "words", "code"),
    [
        # Evasive, unreadable, impossible, number against words, of another list, no address, two boxes.
        ("summary", "por definir", "answer.filler"),
        ("lessons", "N/A", "answer.none"),
        ("title", "—", "answer.none"),
        ("summary", "ver anexo", "answer.refers_to_attachment"),
        ("start", "desde la gestión anterior", "date.unreadable"),
        ("start", "18 meses", "date.duration"),
        ("primary_objectives", "8 – Trata de personas", "number.words_disagree"),
        ("primary_objectives", "10 – Reducción de las desigualdades", "number.foreign_list"),
        ("primary_objectives", "24", "number.unknown"),
        ("guiding_principles", "la solidaridad", "term.unknown"),
        ("countries", "Guayana", None),
        ("focal_email", "ana en muni", "email.malformed"),
        ("consent_publish", "quizás", "term.unknown"),
        ("consent_publish", "Sí / No", "choice.several"),
    ],
)
def test_a_mandatory_answer_without_a_usable_value_is_one_error(key, words, code):
    """What was found about the words becomes the error; "missing" is not said besides."""
    found = errors(**{key: words})

    assert [field for _code, field in found] == [key]
    if code is not None:
        assert found == [(code, key)]


@pytest.mark.parametrize(
    ("key", "words", "code"),
    [
        # The same in a field that needs no answer, and what is usable in part.
        ("people", "por definir", "answer.filler"),
        ("partners", "ver anexo", "answer.refers_to_attachment"),
        ("sdgs", "8 – Trata de personas", "number.foreign_list"),
        ("end", "18 meses", "date.duration"),
        ("primary_objectives", "7 y 10 – Reducción de las desigualdades", "number.foreign_list"),
        ("countries", "Perú y la luna", "list.partly"),
        ("start", "31/04/2021", "date.impossible_day"),
        ("focal_email", "ana arroba muni.example", "email.repaired"),
        ("implementer_type", "una nube", "term.unknown"),
    ],
)
def test_anything_else_about_a_value_is_advice(key, words, code):
    """It asks for nothing; the usable part is filed."""
    found = findings(**{key: words})

    assert ("advice", key) in [(severity, field) for severity, _code, field in found]
    assert code in [found_code for _severity, found_code, _field in found]
    assert errors(**{key: words}) == []


OPTIONAL = [
    "short", "secondary_objectives", "sdgs", "end", "local", "implementer_type", "other_orgs", "partners",
    "people", "resources", "acronyms", "focal_role", "focal_phone", "submitter_name", "submitter_org",
    "update_of", "authority", "consent_images",
]  # fmt: skip


def test_every_question_is_in_one_of_the_two_lists():
    """A new question must be placed here too."""
    assert sorted([*MANDATORY, *OPTIONAL]) == sorted(field.key for field in CONFIG.template.fields)


@pytest.mark.parametrize("key", OPTIONAL)
@pytest.mark.parametrize("words", ["N/A", "no aplica", "néant", "—", "Ninguno"])
def test_an_explicit_none_where_no_answer_is_needed_is_no_finding(key, words):
    """It is an answer: filed as none, and nothing is said."""
    filed, found = form_findings(form_of(**{key: words}), CONFIG, TODAY)

    assert found == ()
    assert filed.value(key) in (None, "none")


@pytest.mark.parametrize(
    ("key", "condition"),
    [
        ("end", {"status": "Concluida"}),
        ("local", {"scope": "Local"}),
        ("submitter_name", {"sent_by_contact": "Otra persona", "submitter_org": "ONG"}),
        ("submitter_org", {"sent_by_contact": "Otra persona", "submitter_name": "Luz"}),
    ],
)
def test_a_question_that_another_answer_makes_mandatory_needs_one(key, condition):
    """Blank or "no aplica" is then an error, and without the condition nothing."""
    assert errors(**condition) == [("answer.missing", key)]
    assert errors(**condition, **{key: "no aplica"}) == [("answer.none", key)]
    assert findings(**{key: "no aplica"}) == []


def test_a_global_practice_names_no_country():
    """The country is asked unless the scope is global, also when the scope itself is missing."""
    assert findings(scope="Mundial", countries=None) == []
    assert errors(scope=None, countries=None) == [
        ("answer.missing", "scope"),
        ("answer.missing", "countries"),
    ]


def test_a_name_outside_the_list_of_countries_satisfies_the_question():
    """It is kept as written, with a note for staff alone."""
    found = findings(countries="Kosovo")

    assert form_of(countries="Kosovo").value("countries") is None
    assert form_of(countries="Kosovo").value("countries_other") == ["Kosovo"]
    assert {severity for severity, _code, _field in found} == {"note"}


def test_see_annex_is_held_when_something_else_came_along_and_an_error_without():
    """A person opens the other file; without one there is nothing to open. In an optional field it is advice."""
    assert findings(summary="Ver anexo", other_files=True) == [
        ("hold", "answer.refers_to_attachment", "summary")
    ]
    assert findings(summary="Ver anexo") == [("error", "answer.refers_to_attachment", "summary")]
    assert findings(partners="Ver anexo", other_files=True) == [
        ("advice", "answer.refers_to_attachment", "partners")
    ]


@pytest.mark.parametrize("start", [None, "2030", "cuando haya fondos", "no aplica"])
@pytest.mark.parametrize("end", [None, "2020", "18 meses"])
def test_a_practice_not_started_gives_one_hold_and_nothing_about_dates(start, end):
    """A person invites them back; dates are not discussed, missing, odd or reversed."""
    assert findings(status="Aún no empieza", start=start, end=end) == [
        ("hold", "status.not_started", "status")
    ]


@pytest.mark.parametrize(
    ("status", "severity"), [("Concluida", "error"), ("En marcha, con resultados", "advice")]
)
def test_an_end_before_the_start_is_found_on_the_end_and_not_filed(status, severity):
    """One finding; an error only where the end is mandatory."""
    form = form_of(status=status, start="2022", end="2021")

    filed, found = form_findings(form, CONFIG, TODAY)

    assert [(each.severity, each.code, each.field) for each in found] == [
        (severity, "date.end_before_start", "end")
    ]
    assert filed.value("end") is None
    assert filed.value("start") == "2022"


def test_the_order_of_dates_is_compared_as_far_as_both_are_precise():
    """An end in the year of the start is no contradiction; ongoing never is."""
    assert findings(start="noviembre de 2021", end="2021") == []
    assert findings(start="2021", end="Continúa") == []


@pytest.mark.parametrize("words", ["Sí", "No", "Con condiciones", "Pendiente de autorización interna"])
def test_all_four_answers_about_consent_are_valid(words):
    """None of them is asked about."""
    assert errors(consent_publish=words) == []


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("Sí", "yes"),
        ("No", "no"),
        ("Sí, sin fotos", "conditional"),
        ("siempre que lo apruebe la Alta Dirección", "conditional"),
        ("Pendiente", "pending"),
    ],
)
def test_consent_is_read_as_one_of_four(words, value):
    """Any condition in words makes it conditional."""
    form = form_of(consent_publish=words)

    assert form.value("consent_publish") == value
    assert form.answers["consent_publish"].raw == words


def test_images_need_their_own_authorisation():
    """Asked only when photographs came along; all answers are valid then too."""
    assert errors(images=True) == [("answer.missing", "consent_images")]
    assert errors(images=True, consent_images="No") == []
    assert findings(consent_images=None) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # Length, ticks, early or future start: suggestions, never a request.
        ({"summary": "Muy corto."}, ("advice", "words.few", "summary")),
        ({"summary": "palabra " * 501}, ("advice", "words.many", "summary")),
        ({"short": "palabra " * 41}, ("advice", "words.many", "short")),
        ({"innovation": "Es nuevo."}, ("advice", "words.few", "innovation")),
        ({"title": "T" + "í" * 150}, ("advice", "characters.many", "title")),
        ({"primary_objectives": "1, 2, 3, 4, 5, 6"}, ("advice", "count.many", "primary_objectives")),
        ({"primary_objectives": "Todos"}, ("advice", "count.many", "primary_objectives")),
        ({"start": "2016"}, ("advice", "date.before_adoption", "start")),
        ({"start": "2018-11"}, ("advice", "date.before_adoption", "start")),
        ({"start": "diciembre de 2026"}, ("advice", "date.in_future", "start")),
    ],
)
def test_limits_are_advice(words, expected):
    """The answer is filed all the same."""
    assert findings(**words) == [expected]
    assert form_findings(form_of(**words), CONFIG, TODAY)[0].value(expected[2]) is not None


@pytest.mark.parametrize(
    "words",
    [
        # At the limit there is nothing to say.
        {"summary": "palabra " * 50},
        {"summary": "palabra " * 500},
        {"title": "T" * 150},
        {"primary_objectives": "1, 2, 3, 4, 5"},
        {"start": "2018"},
        {"start": "diciembre de 2018"},
        {"start": "20 de noviembre de 2026"},
        {"start": "2026"},
    ],
)
def test_at_a_limit_nothing_is_said(words):
    """Both ends of each range."""
    assert findings(**words) == []


def test_findings_stand_in_the_order_of_the_form():
    """A sender reads them from top to bottom."""
    found = findings(consent_publish=None, title=None, summary="corto", people="por definir")

    assert [field for _severity, _code, field in found] == ["title", "summary", "people", "consent_publish"]


def test_what_a_machine_cannot_judge_is_a_question_for_reviewers():
    """Coherent, innovative, replicable, cross-cutting, eligible: asked of people in each language."""
    for language in CONFIG.languages:
        questions = dict(reviewer_questions(CONFIG, language))
        assert set(questions) == {"coherent", "innovative", "replicable", "cross_cutting", "eligible"}
        assert all(questions.values())


@pytest.mark.parametrize(
    "text", ["=1+1", "+51 999 888 777", "@cuenta", "{{7*7}}", "<script>alert(1)</script>"]
)
def test_hostile_looking_text_is_filed_as_text(text):
    """No finding, and not a character changed."""
    filed, found = form_findings(form_of(people=text, focal_phone=text), CONFIG, TODAY)

    assert found == ()
    assert filed.value("people") == text
