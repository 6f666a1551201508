"""What is written into our own templates is read back equal: every format, language and way of filling."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest
from fillers import fill_docx, fill_docx_outside, fill_xlsx, needs_libreoffice

import config
from intake.demo.samples import practices
from parsers import parse
from parsers.text import clean
from responses.blank_docx import blank_docx
from responses.blank_xlsx import blank_xlsx

LANGUAGES = ("es", "en", "fr")
WAYS = {
    "word": (blank_docx, fill_docx, "docx"),
    "word-outside": (blank_docx, fill_docx_outside, "docx"),
    "excel": (blank_xlsx, fill_xlsx, "xlsx"),
}
# Own texts for what no sample practice holds: other kinds, marks written as numbers, other marks.
OWN = {
    "title": "Feria “Sin fronteras” – 2.ª edición",
    "primary_objectives": [16, 23],
    "secondary_objectives": [7, 10],
    "guiding_principles": ["human_rights", "whole_of_society"],
    "sdgs": [5, 16],
    "status": "completed",
    "start": "2021-03-15",
    "end": "2022-11",
    "type": "other",
    "type_other": "Feria itinerante",
    "scope": "regional",
    "countries": ["PE", "BO", "TT"],
    "main_implementer": "Asociación Uno\nAsociación Dos",
    "summary": "Primer párrafo.\n\nSegundo párrafo con «comillas», 3 < 4 & 5 > 2, =1+1.",
    "impact": "+51 personas",
    "lessons": "- uno\n- dos",
    "recommendations": "{{ nada }}",
    "innovation": "@todo",
    "focal_name": "Ana Pérez",
    "focal_email": ["ana@example.org", "otra.ana@example.org"],
    "sent_by_contact": False,
    "submitter_name": "Luis Díaz",
    "submitter_org": "Consultora",
    "consent_publish": "pending",
    "consent_images": "none",
}


@pytest.fixture(name="settings", scope="module")
def _settings():
    return config.load()


@cache
def contents():
    return {"own": OWN, **{name: dict(practice.fields) for name, practice in practices().items()}}


def filled(settings, way, language, practice):
    blank, fill, _ = WAYS[way]
    template, vocabularies = settings.template, settings.vocabularies
    return fill(blank(template, vocabularies, language), practice, template, vocabularies, language)


def canonical(key, value):
    """A value as the form can hold it: lists are ticked, so they have no order of their own."""
    if value in (None, "", []):
        return None
    if isinstance(value, str):
        return clean(value)
    return sorted(value) if isinstance(value, list) and key != "focal_email" else value


def assert_equal(form, practice, template, *, beside_prefill=False):
    assert form is not None
    keys = [field.key for field in template.fields] + ["type_other", "countries_other"]
    wanted = {key: canonical(key, practice.get(key)) for key in keys}
    if wanted["countries"] is None or (beside_prefill and "PE" in form.value("countries")):
        wanted["countries"] = sorted({*(wanted["countries"] or []), "PE"})
    assert wanted == {key: canonical(key, form.value(key)) for key in keys}
    assert form.findings == ()
    assert not form.empty


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", WAYS)
def test_every_practice_is_read_back_equal(way, language, settings):
    """Field by field, without a finding, in the language of the form whatever that of the texts."""
    assert len(contents()) >= 13
    for practice in contents().values():
        form = parse(filled(settings, way, language, practice), settings).form
        # Some fill beside the prefilled country; both stand there then.
        assert_equal(form, practice, settings.template, beside_prefill=way == "word-outside")
        assert (language, "practice-1", None) == (form.language, form.template, form.case_id)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("way", ["word", "excel"])
def test_a_blank_form_is_empty_and_complete(way, language, settings):
    """Every question is found, none is answered, nothing is said; the prefilled country is no answer."""
    blank = WAYS[way][0](settings.template, settings.vocabularies, language, case_id="PMM-2026-0042")
    form = parse(blank, settings).form
    assert form.empty
    assert ((), language, "PMM-2026-0042") == (form.findings, form.language, form.case_id)
    assert {field.key for field in settings.template.fields} == set(form.answers)
    assert {key: value for key, value in form.values().items() if value is not None} == {"countries": ["PE"]}
    assert all(answer.location and answer.location.question for answer in form.answers.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_and_excel_of_one_content_say_the_same(language, settings):
    """Values and findings are equal; only places differ."""
    odd = {
        **OWN,
        "primary_objectives": "7, 10 – Reducción de las desigualdades",
        "sdgs": "10.7, 45",
        "start": "31/04/2021",
        "end": "2019",
        "summary": "Ver anexo",
        "innovation": "N/A",
        "countries": ["PE"],
    }
    forms = [parse(filled(settings, way, language, odd), settings).form for way in ("word", "excel")]
    word, excel = forms
    assert word.values() == excel.values()
    assert word.findings
    assert sorted(told(word)) == sorted(told(excel))
    assert {
        "number.foreign_list",
        "number.unknown",
        "date.impossible_day",
        "date.end_before_start",
        "answer.refers_to_attachment",
        "answer.none",
    } == {code for code, _, _ in told(word)}


def told(form):
    return [(finding.code, finding.field, repr(sorted(finding.params.items()))) for finding in form.findings]


@needs_libreoffice
@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("own", "P9", "P11"), id="three"),
        pytest.param(("own", *practices()), id="all", marks=pytest.mark.long),
    ],
)
def test_forms_saved_by_libreoffice_are_read_back_equal(names, settings):
    """Controls and tags get lost on the way; words, labels and the order of rows do not."""
    chosen = {name: contents()[name] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        jobs = {}
        for way, (blank, _, suffix) in WAYS.items():
            for language in LANGUAGES:
                for name, practice in chosen.items():
                    file = f"{way}.{language}.{name}.{suffix}"
                    Path(folder, file).write_bytes(filled(settings, way, language, practice))
                    jobs[file] = (way, practice)
                file = f"{way}.{language}.blank.{suffix}"
                Path(folder, file).write_bytes(blank(settings.template, settings.vocabularies, language))
                jobs[file] = (way, None)
        for suffix, form in (("docx", "docx:MS Word 2007 XML"), ("xlsx", "xlsx:Calc MS Excel 2007 XML")):
            convert(folder, suffix, form)
        for file, (way, practice) in jobs.items():
            found = parse(Path(folder, "saved", file).read_bytes(), settings).form
            assert found is not None, file
            assert file.split(".")[1] == found.language
            if practice is None:
                assert found.empty, file
                assert found.findings == ()
                continue
            assert_equal(found, practice, settings.template, beside_prefill=way == "word-outside")


def convert(folder, suffix, form):
    """All files of a kind in one run: starting the office is what takes the time."""
    files = sorted(str(path) for path in Path(folder).glob(f"*.{suffix}"))
    assert files
    command = [
        shutil.which("soffice"),
        f"-env:UserInstallation={Path(folder, 'profile').as_uri()}",
        "--headless",
    ]
    subprocess.run(
        [*command, "--convert-to", form, "--outdir", str(Path(folder, "saved")), *files],
        capture_output=True,
        timeout=240,
        check=True,
    )
