"""The configuration: shipped whole, changed by an operator's files, refused with every problem at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import config
from config import Config, ConfigError
from config.form import FormTemplate
from config.phrases import Phrases
from config.problems import block_of, fields_of
from config.settings import Settings
from config.sources import SHIPPED

LANGUAGES = ("es", "en", "fr")
FIELD_KEYS = [
    "title",
    "short",
    "primary_objectives",
    "secondary_objectives",
    "guiding_principles",
    "sdgs",
    "status",
    "start",
    "end",
    "type",
    "scope",
    "countries",
    "local",
    "main_implementer",
    "implementer_type",
    "other_orgs",
    "partners",
    "summary",
    "impact",
    "people",
    "lessons",
    "recommendations",
    "innovation",
    "resources",
    "acronyms",
    "focal_name",
    "focal_role",
    "focal_email",
    "focal_phone",
    "sent_by_contact",
    "submitter_name",
    "submitter_org",
    "update_of",
    "authority",
    "consent_publish",
    "consent_images",
]
MAILBOX = """
[[mailboxes]]
address = "practicas@example.org"
host = "imap.example.org"
"""


@pytest.fixture(name="shipped", scope="module")
def _shipped() -> Config:
    return config.load()


@pytest.fixture(name="home")
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty operator's folder, and an environment that says nothing."""
    import os

    for name in [name for name in os.environ if name.startswith("PRACTICE_INTAKE_")]:
        monkeypatch.delenv(name)
    return tmp_path


def write(home: Path, name: str, text: str) -> None:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def problems_of(home: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(home)
    return caught.value.problems


def edited(name: str, *changes: tuple[str, str]) -> str:
    """A shipped file with some of its text changed; each old text must be there."""
    text = (SHIPPED / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# The shipped configuration


def test_the_shipped_form_asks_the_questions_of_the_contract_in_order(shipped: Config) -> None:
    """Field keys are those of the command contract, numbered as on paper."""
    assert [field.key for field in shipped.template.fields] == FIELD_KEYS

    numbers = [field.number for field in shipped.template.fields]

    assert [*map(str, range(1, 31)), "30a", "30b", *map(str, range(31, 35))] == numbers


def test_every_text_of_the_form_exists_in_every_language(shipped: Config) -> None:
    """Label, section title, hint, example and prefill: what one language has, all have."""
    template = shipped.template

    assert shipped.languages == LANGUAGES
    assert set(LANGUAGES) == set(template.titles) == set(template.intros)
    for section in template.sections:
        assert set(LANGUAGES) == set(section.titles)
        assert set(section.notes) in (set(), set(LANGUAGES))
    for field in template.fields:
        assert set(LANGUAGES) == set(field.labels)
        assert set(LANGUAGES) == set(field.aliases)
        for texts in (field.hints, field.examples, field.prefills):
            assert set(texts) in (set(), set(LANGUAGES)), field.key
    assert template.texts
    for name, texts in template.texts.items():
        assert set(LANGUAGES) == set(texts), name


@pytest.mark.parametrize(
    ("key", "label", "hint"),
    [
        ("title", "Título de la práctica", "Un nombre corto que se entienda sin conocer el proyecto."),
        ("start", "¿Desde cuándo?", "Basta el año; si lo sabe, mes y año."),
        (
            "innovation",
            "¿Qué tiene de nuevo?",
            "Frente a lo que se hacía antes en su lugar; no tiene que ser inédito.",
        ),
        (
            "scope",
            "¿Dónde se aplica?",
            "Local (distrito, provincia o departamento) · Nacional · Regional (varios países) · Mundial.",
        ),
    ],
)
def test_the_spanish_questions_are_worded_as_agreed(shipped: Config, key: str, label: str, hint: str) -> None:
    """The secretariat's own words, to the letter."""
    field = shipped.template.field(key)

    assert label == field.label("es")
    assert hint == field.hints["es"]


def test_what_is_mandatory_is_what_the_secretariat_asks_for(shipped: Config) -> None:
    """Seventeen answers are always needed; five more depend on another answer."""
    fields = shipped.template.fields
    mandatory = [field.key for field in fields if field.requirement == "mandatory"]
    conditional = {
        field.key: (field.mandatory_when.field, field.mandatory_when.any_of, field.mandatory_when.none_of)
        for field in fields
        if field.mandatory_when
    }

    assert [
        *("title", "primary_objectives", "guiding_principles", "status", "start", "type", "scope"),
        *("main_implementer", "summary", "impact", "lessons", "recommendations", "innovation"),
        *("focal_name", "focal_email", "sent_by_contact", "consent_publish"),
    ] == mandatory
    assert conditional == {
        "end": ("status", ("completed",), ()),
        "countries": ("scope", (), ("global",)),
        "local": ("scope", ("local",), ()),
        "submitter_name": ("sent_by_contact", ("other",), ()),
        "submitter_org": ("sent_by_contact", ("other",), ()),
    }


def test_contacts_and_consent_are_neither_published_nor_quoted(shipped: Config) -> None:
    """What identifies people stays out of mails and out of the repository."""
    private = {field.key for field in shipped.template.fields if not field.public}

    assert {
        *("focal_name", "focal_role", "focal_email", "focal_phone", "sent_by_contact"),
        *("submitter_name", "submitter_org", "authority", "consent_publish", "consent_images"),
    } == private
    assert private == {field.key for field in shipped.template.fields if not field.quotable}


def test_nothing_personal_is_filled_beforehand(shipped: Config) -> None:
    """Only the country is: no box of consent may come ticked."""
    assert {field.key: field.prefills for field in shipped.template.fields if field.prefills} == {
        "countries": {"es": "Perú", "en": "Peru", "fr": "Pérou"}
    }


def test_the_consent_wording_shows_what_is_still_to_be_filled(shipped: Config) -> None:
    """The draft keeps its gaps visible until the organisation's focal points have cleared it."""
    notes = next(section.notes for section in shipped.template.sections if section.key == "authorisation")

    assert {language: re.findall(r"\{[^}]*\}", text) for language, text in notes.items()} == {
        "es": ["{OIM}", "{plazo}"],
        "en": ["{IOM}", "{period}"],
        "fr": ["{OIM}", "{durée}"],
    }


def test_every_language_has_phrases_and_reviewers_questions(shipped: Config) -> None:
    """A mail in any of the languages is understood, and reviewers are asked in theirs."""
    assert set(LANGUAGES) == set(shipped.phrases)
    for language, phrases in shipped.phrases.items():
        for name in Phrases.model_fields:
            words = getattr(phrases, name)
            # Only some languages put the object before the noun.
            assert words or name == "bare", (language, name)
            assert len(words) == len(set(words)), (language, name)
    questions = [criterion for criterion in shipped.criteria if criterion.kind == "question"]
    assert [c.key for c in questions] == ["coherent", "innovative", "replicable", "cross_cutting", "eligible"]
    for criterion in questions:
        assert set(LANGUAGES) == set(criterion.questions)


def test_buenas_practicas_alone_names_no_call(shipped: Config) -> None:
    """Weak evidence needs the call or the repository by name."""
    every = {phrase.casefold() for phrases in shipped.phrases.values() for phrase in phrases.call}

    assert "repositorio de prácticas" in every
    assert every.isdisjoint(
        {"buenas prácticas", "prácticas", "pacto mundial", "good practices", "bonnes pratiques"}
    )


def test_only_mandatory_answers_are_errors(shipped: Config) -> None:
    """Lengths, counts and an early start are advice; not started brings a person."""
    severities = {criterion.code: criterion.severity for criterion in shipped.criteria if criterion.code}

    assert severities == {
        "answer.missing": "error",
        "status.not_started": "hold",
        "date.in_future": "advice",
        "date.end_before_start": "advice",
        "count.many": "advice",
        "date.before_adoption": "advice",
        "characters.many": "advice",
        "words.many": "advice",
        "words.few": "advice",
    }


@pytest.mark.parametrize(
    ("field", "code", "limit"),
    [
        ("title", "characters.many", 150),
        ("short", "words.many", 40),
        ("primary_objectives", "count.many", 5),
        ("summary", "words.few", 50),
        ("summary", "words.many", 500),
        ("impact", "words.few", 30),
        ("lessons", "words.many", 400),
        ("recommendations", "words.few", 30),
        ("innovation", "words.few", 15),
    ],
)
def test_lengths_are_those_of_the_secretariat(shipped: Config, field: str, code: str, limit: int) -> None:
    """One limit each, found under its code."""
    found = [
        criterion.minimum if code.endswith("few") else criterion.maximum
        for criterion in shipped.criteria
        if field in criterion.fields and criterion.code == code
    ]

    assert [limit] == found


def test_loading_is_quick_and_leaves_heavy_libraries_alone() -> None:
    """Importing the package brings no Babel: commands that need no countries stay prompt."""
    code = "import sys, config; print('babel' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "False\n"

    config.load()
    started = time.process_time()
    config.load()

    assert time.process_time() - started < 0.5


def test_a_dump_of_the_configuration_holds_no_secret(home: Path) -> None:
    """Passwords never reach a log."""
    write(home, "settings.toml", MAILBOX + 'password = "s3cret-word"\n')
    loaded = config.load(home)

    assert loaded.settings.mailboxes[0].password.get_secret_value() == "s3cret-word"
    assert "s3cret-word" not in loaded.model_dump_json()
    assert "s3cret-word" not in repr(loaded)


# The operator's folder


def test_an_empty_folder_is_the_shipped_configuration(home: Path, shipped: Config) -> None:
    """Nothing has to be written to look at the defaults."""
    loaded = config.load(home)

    assert home == loaded.home
    assert shipped.templates == loaded.templates
    assert shipped.vocabularies == loaded.vocabularies
    assert shipped.criteria == loaded.criteria
    assert shipped.phrases == loaded.phrases


def test_relative_paths_are_below_the_folder(home: Path) -> None:
    """The program can be started from anywhere; absolute paths stay."""
    write(home, "settings.toml", '[paths]\ndata = "state"\nregister = "/srv/Registro.xlsx"\n')
    paths = config.load(home).settings.paths

    assert home / "state" == paths.data
    assert Path("/srv/Registro.xlsx") == paths.register_file


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the command that makes one."""
    assert [f"{tmp_path / 'nothing'}: is no folder (practice-intake init writes one)"] == problems_of(
        tmp_path / "nothing"
    )


def test_a_file_of_the_operator_replaces_the_shipped_one(home: Path) -> None:
    """The blanks of the consent wording are filled by a copy of one file."""
    write(
        home, "templates/practice-1.es.toml", edited("templates/practice-1.es.toml", ("{plazo}", "dos años"))
    )
    notes = config.load(home).template.sections[-1].notes

    assert "Los conservamos dos años." in notes["es"]
    assert "{period}" in notes["en"]


def test_a_new_version_of_the_form_is_files_alone(home: Path) -> None:
    """Two forms are known then: the new one is sent, the old one is still read."""
    old, new = ('id = "practice-1"', 'id = "practice-2"'), ('version = "1"', 'version = "2"')
    write(home, "templates/practice-2.toml", edited("templates/practice-1.toml", old, new))
    for language in LANGUAGES:
        write(home, f"templates/practice-2.{language}.toml", edited(f"templates/practice-1.{language}.toml"))
    write(home, "settings.toml", 'template = "practice-2"\n')
    loaded = config.load(home)

    assert {"practice-1", "practice-2"} == set(loaded.templates)
    assert loaded.template.version == "2"


def test_files_saved_by_notepad_are_read(home: Path) -> None:
    """A byte order mark and Windows line ends do no harm."""
    (home / "settings.toml").write_bytes(b'\xef\xbb\xbf[reference]\r\nprefix = "RED"\r\n')

    assert config.load(home).settings.reference.prefix == "RED"


def portuguese(home: Path) -> list[str]:
    """Every file of words once more, as if in Portuguese; gives the names written."""
    names = [
        path.relative_to(SHIPPED).as_posix() for path in sorted(SHIPPED.rglob("*.es.toml")) if path.is_file()
    ]
    assert len(names) > 10
    written = [name.replace(".es.toml", ".pt.toml") for name in names]
    for old, new in zip(names, written, strict=True):
        (home / new).parent.mkdir(exist_ok=True)
        shutil.copyfile(SHIPPED / old, home / new)
    write(
        home,
        "settings.toml",
        'languages = ["es", "en", "fr", "pt"]\n'
        '[office.signatures]\nes = "S"\nen = "S"\nfr = "S"\npt = "Secretaria da Rede"\n'
        '[office.places]\nes = "h"\nen = "h"\nfr = "h"\npt = "hora de Lima"\n',
    )
    return written


def test_a_new_language_is_files_alone(home: Path) -> None:
    """Beside the settings stand its words; no code knows of it."""
    portuguese(home)
    text = edited(
        "templates/practice-1.es.toml", ('label = "Título de la práctica"', 'label = "Título da prática"')
    )
    write(home, "templates/practice-1.pt.toml", text)
    loaded = config.load(home)

    assert loaded.languages == ("es", "en", "fr", "pt")
    assert "pt" in loaded.template.languages
    assert loaded.template.field("title").label("pt") == "Título da prática"
    assert "pt" in loaded.phrases
    assert all(
        "pt" in term.titles for vocabulary in loaded.vocabularies.values() for term in vocabulary.terms
    )
    # Names of the CLDR come with the language.
    germany = loaded.vocabularies["countries"].get("DE")
    assert germany is not None
    assert "Alemanha" in germany.synonyms["pt"]


def test_each_missing_file_of_a_new_language_is_told(home: Path) -> None:
    """One line a file, all at once."""
    names = portuguese(home)
    for name in names:
        (home / name).unlink()
    found = problems_of(home)

    assert sorted(names) == sorted(problem.split(": ")[0] for problem in found)
    assert all(": is missing; " in problem for problem in found)


def test_each_missing_text_of_a_new_language_is_told(home: Path) -> None:
    """A label, a hint, a title of a term, a question: by file and key."""
    portuguese(home)
    changes = (
        ('hint = "Un nombre corto que se entienda sin conocer el proyecto."\n', ""),
        ('choose = "Elija…"\n', ""),
        ('[sections.contact]\ntitle = "Contacto"\n', ""),
    )
    write(home, "templates/practice-1.pt.toml", edited("templates/practice-1.es.toml", *changes))
    write(
        home,
        "vocabularies/sdgs.pt.toml",
        edited("vocabularies/sdgs.es.toml", ('5 = "Igualdad de género"\n', "")),
    )
    write(home, "criteria.pt.toml", "[questions]\n")
    write(home, "settings.toml", 'languages = ["es", "en", "fr", "pt"]\n')

    assert {
        "templates/practice-1.pt.toml: fields.title.hint: is missing",
        "templates/practice-1.pt.toml: texts.choose: is missing",
        "templates/practice-1.pt.toml: sections.contact.title: is missing",
        "vocabularies/sdgs.pt.toml: titles.5: is missing",
        "criteria.pt.toml: questions.coherent: is missing",
        "criteria.pt.toml: questions.innovative: is missing",
        "criteria.pt.toml: questions.replicable: is missing",
        "criteria.pt.toml: questions.cross_cutting: is missing",
        "criteria.pt.toml: questions.eligible: is missing",
        "settings.toml: office.signatures.pt: is missing",
        "settings.toml: office.places.pt: is missing",
    } == set(problems_of(home))


# Problems


def test_every_problem_of_every_file_is_told_at_once(home: Path) -> None:
    """An operator mends all of them in one round."""
    write(
        home,
        "settings.toml",
        '[smtp]\nhots = "smtp.example.org"\nport = 0\nsecurity = "tsl"\n'
        '[office]\ntimezone = "Lima"\ncontact = "UNNMPeru"\n[[mailboxes]]\nhost = "imap.example.org"\n',
    )
    write(home, "phrases.es.toml", "requests = [\n")
    write(
        home,
        "templates/practice-1.toml",
        edited("templates/practice-1.toml", ('kind = "line"', 'kind = "lin"')),
    )
    write(
        home,
        "vocabularies/scopes.es.toml",
        edited("vocabularies/scopes.es.toml", ("[shorts]\nlocal", "[shorts]\nlocale")),
    )
    found = problems_of(home)

    assert {
        "settings.toml: smtp.hots: unknown key (did you mean host?)",
        "settings.toml: smtp.host: is missing",
        "settings.toml: smtp.port: Input should be greater than or equal to 1",
        "settings.toml: smtp.security: must be one of tls, starttls, plain (did you mean tls?)",
        "settings.toml: office.timezone: is no time zone (expected one like America/Lima)",
        "settings.toml: office.contact: is no e-mail address (expected name@example.org)",
        "settings.toml: mailboxes.0.address: is missing",
        "phrases.es.toml: is no valid TOML: Invalid value (at end of document)",
        (
            "templates/practice-1.toml: sections.practice.fields.title.kind: must be one of line, text, lines, choice, "
            "choices, date, countries, emails, sender (did you mean line?)"
        ),
        "vocabularies/scopes.es.toml: shorts.locale: is no term of this list (did you mean local?)",
    } == set(found)
    assert "\n".join(found) == str(ConfigError(found))


def test_invalid_toml_is_told_with_its_line(home: Path) -> None:
    """And settings that cannot be read yield no second list of what is missing."""
    write(home, "settings.toml", '[smtp]\nhost = "smtp.example.org"\nport 587\n')

    (problem,) = problems_of(home)

    assert problem.startswith("settings.toml: is no valid TOML: ")
    assert "line 3" in problem


def test_a_file_that_is_not_utf8_is_told(home: Path) -> None:
    """An old editor's Latin-1 would turn every accent into something else."""
    (home / "settings.toml").write_bytes('[paths]\nregister = "Prácticas.xlsx"\n'.encode("latin-1"))

    assert problems_of(home) == ["settings.toml: is not UTF-8 text; save it as UTF-8"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('template = "practice1"\n', "template: there is no template 'practice1' (did you mean practice-1?)"),
        (
            'languages = []\n[replies]\ndefault_language = "es"\n',
            "languages: at least one language is needed",
        ),
        ('languages = ["es", "es"]\n', "languages: 'es' stands there twice"),
        ('[replies]\ndefault_language = "pt"\n', "replies.default_language: must be one of the languages"),
        (
            MAILBOX + MAILBOX.replace("imap.", "imap2."),
            "mailboxes: the name 'main' is given to two mailboxes",
        ),
        # Two names for one folder: each mail would come twice.
        (
            MAILBOX + MAILBOX + 'name = "other"\n',
            "mailboxes.0: the same folder of the same mailbox is named twice",
        ),
        (
            '[[calls]]\nid = "a"\nopens = 2027-06-30\ndeadline = 2027-03-01\n',
            "calls.0.deadline: lies before the day on which the call opens",
        ),
        ('[[calls]]\nid = "a"\n[[calls]]\nid = "a"\n', "calls: the id 'a' is given to two calls"),
        (
            '[[calls]]\nid = "a"\nphrases = [" "]\n',
            "calls.0.phrases: an empty phrase would be found in every mail",
        ),
        ('[[calls]]\nid = "a"\nnames = { es = "A", en = "A" }\n', "calls.0.names.fr: is missing"),
        ('[office.signatures]\nes = "S"\nfr = "S"\n', "office.signatures.en: is missing"),
        (
            '[smtp]\nhost = "mail.example.org"\nsecurity = "plain"\n',
            'smtp: security "plain" is allowed on this machine',
        ),
        ('[paths]\nregistro = "x.xlsx"\n', "paths.registro: unknown key (did you mean register?)"),
        ('mailboxes = "one"\n', "mailboxes: Input should be a valid tuple"),
    ],
)
def test_settings_that_do_not_fit_together_are_told(home: Path, text: str, problem: str) -> None:
    """File, key, what is wrong, and the near match where there is one."""
    write(home, "settings.toml", text)

    assert any(found.startswith(f"settings.toml: {problem}") for found in problems_of(home)), problems_of(
        home
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('id = "practice-1"', 'id = "practice-9"', "id: must be the file's name, practice-1"),
        ('number = "2"', 'number = "1"', "number: 1 is given to two questions"),
        (
            'number = "2"',
            'number = "2.1"',
            "short.number: '2.1' is no question number (expected one like 8 or 30a)",
        ),
        (
            'vocabulary = "statuses"',
            'vocabulary = "status"',
            "status.vocabulary: there is no list 'status' (did you mean statuses?)",
        ),
        ('vocabulary = "statuses"\n', "", "status.vocabulary: is missing; kind 'choice' needs a list"),
        (
            '{ field = "status", any_of',
            '{ field = "stauts", any_of',
            "end.mandatory_when.field: there is no question 'stauts' (did you mean status?)",
        ),
        (
            'any_of = ["completed"]',
            'any_of = ["complete"]',
            "end.mandatory_when.any_of: 'complete' is no term of the list 'statuses' (did you mean completed?)",
        ),
        ('any_of = ["completed"]', "any_of = []", "end.mandatory_when.any_of: is missing (or none_of)"),
        ('key = "short"\n', 'key = "title"\n', "title: this key is given to two questions"),
        ('key = "contact"\n', 'key = "results"\n', "results: this key is given to two sections"),
        (
            'key = "title"\n',
            'key = "title"\nlabels = { es = "Nombre" }\n',
            "sections.practice.fields.title.labels: words stand in the language files beside it",
        ),
        (
            'kind = "line"\nrequirement = "mandatory"',
            'kind = "line"\nlayout = "checks"\nrequirement = "mandatory"',
            "title.layout: 'checks' needs a vocabulary",
        ),
        ('version = "1"', 'versoin = "1"', "versoin: unknown key (did you mean version?)"),
    ],
)
def test_a_form_that_does_not_hold_together_is_told(home: Path, old: str, new: str, problem: str) -> None:
    """A broken template stops the start instead of being left out."""
    write(home, "templates/practice-1.toml", edited("templates/practice-1.toml", (old, new)))

    assert f"templates/practice-1.toml: {problem}" in problems_of(home)


def test_a_label_that_two_questions_share_is_told(home: Path) -> None:
    """One's answer would be filed under the other."""
    change = ('aliases = ["Cargo de la persona de contacto"', 'aliases = ["TELEFONO"')
    write(home, "templates/practice-1.es.toml", edited("templates/practice-1.es.toml", change))

    assert problems_of(home) == [
        "templates/practice-1.toml: focal_phone: its 'es' label or alias 'Teléfono' is also that of focal_role"
    ]


def test_words_for_a_question_that_is_not_there_are_told(home: Path) -> None:
    """A misspelt key would leave the question without its words."""
    change = ("[fields.summary]", "[fields.sumary]")
    write(home, "templates/practice-1.en.toml", edited("templates/practice-1.en.toml", change))
    found = problems_of(home)

    assert (
        "templates/practice-1.en.toml: fields.sumary: is nothing of this form (did you mean summary?)"
        in found
    )
    assert "templates/practice-1.en.toml: fields.summary.label: is missing" in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'fields = ["summary"]',
            'fields = ["resumen"]',
            "summary_brief.fields: there is no question 'resumen'",
        ),
        (
            'values = ["not_started"]',
            'values = ["notstarted"]',
            "applied_status.values: 'notstarted' is no term of the list 'statuses' (did you mean not_started?)",
        ),
        ('values = ["not_started"]\n', "", "applied_status.values: is missing; kind 'choice' needs it"),
        ('date = "2018-12"', 'date = "12/2018"', "timely.date: is no date (expected one like 2018-12)"),
        (
            'other = "start"',
            'other = "star"',
            "end_after_start.other: there is no question 'star' (did you mean start?)",
        ),
        ("maximum = 150\n", "", "title_length.maximum: is missing; kind 'characters' needs it"),
        ('code = "count.many"\n', "", "relevant.code: is missing; kind 'count' needs it"),
        ('key = "sentence_length"', 'key = "title_length"', "title_length: stands there twice"),
        (
            'kind = "not_in_future"',
            'kind = "future"',
            (
                "criteria.applied_start.kind: must be one of answered, choice, count, words, characters, date_order, "
                "not_in_future, not_before, question"
            ),
        ),
    ],
)
def test_a_criterion_that_cannot_be_checked_is_told(home: Path, old: str, new: str, problem: str) -> None:
    """Each kind has what it needs, and looks at questions that exist."""
    write(home, "criteria.toml", edited("criteria.toml", (old, new)))

    assert any(found.startswith(f"criteria.toml: {problem}") for found in problems_of(home)), problems_of(
        home
    )


def test_a_question_for_reviewers_without_a_criterion_is_told(home: Path) -> None:
    """It would be asked of nobody."""
    write(home, "criteria.es.toml", edited("criteria.es.toml", ("innovative =", "inovative =")))

    assert {
        "criteria.es.toml: questions.inovative: is no question of criteria.toml (did you mean innovative?)",
        "criteria.es.toml: questions.innovative: is missing",
    } == set(problems_of(home))


def test_an_empty_phrase_is_told(home: Path) -> None:
    """It would be found in every mail."""
    write(home, "phrases.en.toml", edited("phrases.en.toml", ('nouns = ["form"', 'nouns = ["", "form"')))

    assert problems_of(home) == ["phrases.en.toml: nouns: an empty phrase would be found in every mail"]


def test_a_misspelt_file_is_told_and_a_strange_one_left_alone(home: Path) -> None:
    """What nearly has our name would otherwise be passed over in silence."""
    write(home, "setings.toml", "")
    write(home, "pyproject.toml", "")
    write(home, "vocabularies/objetives.toml", 'keys = ["1"]\n')
    for language in LANGUAGES:
        write(home, f"vocabularies/objetives.{language}.toml", '[titles]\n1 = "Uno"\n')

    assert {
        "setings.toml: is no file of the configuration (did you mean settings.toml?)",
        "vocabularies/objetives.toml: no question uses this list (did you mean objectives?)",
    } == set(problems_of(home))


# The environment and secrets in files


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("SMTP__HOST", "smtp.example.org", lambda s: s.smtp.host == "smtp.example.org"),
        ("SMTP__PORT", "2525", lambda s: s.smtp.port == 2525),
        ("MAILBOXES__0__PASSWORD", "word", lambda s: s.mailboxes[0].password.get_secret_value() == "word"),
        ("MAILBOXES__0__DEDICATED", "true", lambda s: s.mailboxes[0].dedicated is True),
        ("MAILBOXES__0__FOLDERS__ROOT", "Red", lambda s: s.mailboxes[0].folders.root == "Red"),
        ("MAILBOXES__0__START", "2027-03-01", lambda s: s.mailboxes[0].start.isoformat() == "2027-03-01"),
        # Lists of plain values: with commas, or as a TOML array.
        ("MAILBOXES__0__OWN_ADDRESSES", "a@b.org, c@d.org", lambda s: len(s.mailboxes[0].own_addresses) == 2),
        ("AUTH__OWN_HOSTS", '["a.org", "b.org"]', lambda s: s.auth.own_hosts == ("a.org", "b.org")),
        ("LANGUAGES", "es,en", lambda s: s.languages == ("es", "en")),
        ("OFFICE__SIGNATURES__ES", "Oficina", lambda s: s.office.signatures["es"] == "Oficina"),
        ("PATHS__DATA", "/var/lib/practices", lambda s: s.paths.data == Path("/var/lib/practices")),
        ("PATHS__REGISTER", "R.xlsx", lambda s: s.paths.register_file.name == "R.xlsx"),
    ],
)
def test_the_environment_stands_above_the_file(home: Path, monkeypatch, name: str, value: str, read) -> None:
    """Section, two underscores, key; an item of a list by its place."""
    write(
        home,
        "settings.toml",
        '[smtp]\nhost = "localhost"\n[paths]\ndata = "d"\nregister = "r.xlsx"\n'
        '[office.signatures]\nes = "S"\nen = "S"\nfr = "S"\n' + MAILBOX,
    )
    monkeypatch.setenv(f"PRACTICE_INTAKE_{name}", value)

    assert read(config.load(home).settings)


def test_a_mailbox_may_come_from_the_environment_alone(home: Path, monkeypatch) -> None:
    """A container needs no settings file."""
    monkeypatch.setenv("PRACTICE_INTAKE_MAILBOXES__0__HOST", "imap.example.org")
    monkeypatch.setenv("PRACTICE_INTAKE_MAILBOXES__0__ADDRESS", "practicas@example.org")

    assert [box.address for box in config.load(home).settings.mailboxes] == ["practicas@example.org"]


def test_the_shipped_configuration_does_not_heed_the_environment(monkeypatch, shipped: Config) -> None:
    """`check` without settings says the same everywhere."""
    monkeypatch.setenv("PRACTICE_INTAKE_SMTP__HOST", "smtp.example.org")

    assert config.load().settings == shipped.settings


def test_a_secret_is_read_from_a_file_named_in_the_settings(home: Path) -> None:
    """Below the folder when relative; the final line end is no part of it, a blank is."""
    write(home, "secrets/mailbox", " two words \n")
    write(home, "settings.toml", MAILBOX + 'password_file = "secrets/mailbox"\n')

    assert config.load(home).settings.mailboxes[0].password.get_secret_value() == " two words "


def test_a_secret_is_read_from_a_file_named_in_the_environment(home: Path, monkeypatch) -> None:
    """As container platforms hand them over."""
    write(home, "settings.toml", MAILBOX)
    write(home, "secret", "word\r\n")
    monkeypatch.setenv("PRACTICE_INTAKE_MAILBOXES__0__PASSWORD_FILE", str(home / "secret"))

    assert config.load(home).settings.mailboxes[0].password.get_secret_value() == "word"


def test_a_key_that_ends_in_file_itself_is_no_secret(home: Path) -> None:
    """`ca_file` is a path, and stays one."""
    write(home, "settings.toml", MAILBOX + 'ca_file = "ca.pem"\n')

    assert home / "ca.pem" == config.load(home).settings.mailboxes[0].ca_file


def test_secret_files_that_cannot_be_read_are_told_without_their_content(home: Path) -> None:
    """Missing, not text, too large, named twice: each by its key."""
    (home / "binary").write_bytes(b"\xff\xfes3cret")
    (home / "large").write_bytes(b"s3cret" * 20_000)
    write(
        home,
        "settings.toml",
        '[smtp]\nhost = "localhost"\npassword = "s3cret"\npassword_file = "binary"\n'
        + MAILBOX
        + 'name = "a"\nusername = "a"\npassword_file = "nothing"\n'
        + MAILBOX
        + 'name = "b"\nusername = "b"\npassword_file = "binary"\n'
        + MAILBOX
        + 'name = "c"\nusername = "c"\npassword_file = "large"\n',
    )
    found = problems_of(home)

    assert {
        "settings.toml: smtp.password_file: password is given too; keep one of them",
        "settings.toml: mailboxes.0.password_file: the file cannot be read: No such file or directory",
        "settings.toml: mailboxes.1.password_file: the file cannot be read: it is not UTF-8 text",
        "settings.toml: mailboxes.2.password_file: the file is too large for a setting",
    } == set(found)
    assert "s3cret" not in "\n".join(found)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SMPT__HOST", "x", "PRACTICE_INTAKE_SMPT__HOST: unknown setting 'smpt' (did you mean smtp?)"),
        ("SMTP__HOTS", "x", "PRACTICE_INTAKE_SMTP__HOTS: unknown setting 'hots' (did you mean host?)"),
        (
            "SMTP_HOST",
            "x",
            "PRACTICE_INTAKE_SMTP_HOST: unknown setting (did you mean PRACTICE_INTAKE_SMTP__HOST?)",
        ),
        ("MAILBOXES__7__HOST", "x", "PRACTICE_INTAKE_MAILBOXES__7__HOST: item 7 without an item 0 before it"),
        (
            "SMTP",
            "x",
            "PRACTICE_INTAKE_SMTP: names a section; behind it stand two underscores and a key",
        ),
        ("MAILBOXES__ONE__HOST", "x", "PRACTICE_INTAKE_MAILBOXES__ONE__HOST: unknown setting 'one'"),
        (
            "SCHEDULE__POLL_SECONDS",
            "often",
            "PRACTICE_INTAKE_SCHEDULE__POLL_SECONDS: Input should be a valid number, unable to parse string as a number",
        ),
        (
            "REFERENCE__PREFIX_FILE",
            "missing",
            "PRACTICE_INTAKE_REFERENCE__PREFIX_FILE: the file cannot be read: No such file or directory",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_told_by_its_variable(
    home: Path, monkeypatch, name: str, value: str, problem: str
) -> None:
    """Nobody looks for it in the file then."""
    monkeypatch.setenv(f"PRACTICE_INTAKE_{name}", value)

    assert [f"environment: {problem}"] == problems_of(home)


def test_variables_of_other_purposes_are_left_alone(home: Path, monkeypatch) -> None:
    """The command line has some of its own under the same prefix."""
    monkeypatch.setenv("PRACTICE_INTAKE_CONFIG", str(home))
    monkeypatch.setenv("PRACTICE_INTAKE_LANGUAGE", "es")

    assert config.load(home).settings == config.load(home).settings


def test_a_setting_and_its_file_in_the_environment_are_told(home: Path, monkeypatch) -> None:
    """One of them would win by chance."""
    write(home, "settings.toml", '[smtp]\nhost = "localhost"\n')
    write(home, "secret", "word")
    monkeypatch.setenv("PRACTICE_INTAKE_SMTP__PASSWORD", "word")
    monkeypatch.setenv("PRACTICE_INTAKE_SMTP__PASSWORD_FILE", "secret")

    assert problems_of(home) == [
        (
            "environment: PRACTICE_INTAKE_SMTP__PASSWORD_FILE: "
            "PRACTICE_INTAKE_SMTP__PASSWORD is given too; keep one of them"
        )
    ]


# The example


def test_the_example_is_a_configuration_that_loads(home: Path) -> None:
    """What `init` writes needs a password and nothing else."""
    write(home, "settings.toml", config.example_settings())
    settings = config.load(home).settings

    assert [box.host for box in settings.mailboxes] == ["outlook.office365.com"]
    assert settings.smtp is not None
    assert (
        settings.smtp.host,
        settings.smtp.port,
        settings.smtp.security,
    ) == ("smtp.office365.com", 587, "starttls")


def test_the_example_names_every_setting_with_its_default(home: Path) -> None:
    """Lines behind # are real settings: with the # taken off, everything still fits together."""
    lines = [
        re.sub(r"^# (?=(\[|[a-z_]+ = ))", "", line)
        if "_file" not in line and "own_addresses" not in line
        else line
        for line in config.example_settings().splitlines()
    ]
    text = "\n".join(lines)
    write(home, "settings.toml", text)
    settings = config.load(home).settings

    assert settings.limits == config.load().settings.limits
    assert settings.office == config.load().settings.office
    assert settings.mailboxes[0].folders.root == "Prácticas"
    assert settings.calls[0].id == "2027"
    for section, annotation in fields_of(Settings).items():
        block = block_of(annotation)
        for key in fields_of(block) if block else [section]:
            assert re.search(rf"^(# )?(\[.*)?{key}(_file)?\b", config.example_settings(), re.MULTILINE), (
                section,
                key,
            )


def test_a_template_keeps_spanish_where_a_language_lacks_words() -> None:
    """A language being translated shows Spanish instead of nothing."""
    template = FormTemplate(
        id="x", version="1", titles={"es": "T"}, intros={"es": "I"}, texts={"yes": {"es": "Sí"}}, sections=()
    )

    assert template.text("yes", "pt") == "Sí"


def test_the_blank_forms_print_the_offices_own_address(tmp_path):
    """Another office's forms name its own address, not the first one's."""
    (tmp_path / "settings.toml").write_text('[office]\ncontact = "red@otro-pais.example"\n', encoding="utf-8")

    template = config.load(tmp_path).template

    notes = [text for section in template.sections for text in section.notes.values()]
    assert any("red@otro-pais.example" in text for text in notes)
    assert not any("{contact}" in text or "iom.int" in text for text in notes)
    assert all("red@otro-pais.example" in text for text in template.texts["instructions"].values())
