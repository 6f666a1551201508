"""Words to values: what is filed, what is told, what is kept as written."""

from __future__ import annotations

import pytest

import config
from parsers.dates import read_period
from parsers.form import Location
from parsers.text import clean, fold, quoted
from parsers.values import Mark, Values, Words

TITLED = ("objectives", "sdgs")


@pytest.fixture(name="settings", scope="module")
def _settings():
    return config.load()


@pytest.fixture(name="values", scope="module")
def _values(settings):
    return Values(settings.template, settings.vocabularies)


@pytest.fixture(name="read")
def _read(values):
    def read(language="es", **answers):
        written = {
            key: answer
            if isinstance(answer, Words)
            else Words(text=clean(answer), location=Location(question="1"))
            for key, answer in answers.items()
        }
        return values.read(written, language)

    return read


def codes(read):
    return [finding.code for finding in read.findings]


def value(read, key):
    return read.answers[key].value if key in read.answers else None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a \t b\u00a0c", "a b c"),
        ("uno\r\n\r\n\r\n\r\ndos", "uno\n\ndos"),
        ("a\u200bb\u00adc\ufeff\u202ed", "abcd"),
        ("“hola” – ¡sí! • punto 🙂", "“hola” – ¡sí! • punto 🙂"),
        ("👩\u200d🌾 campo\u200dlibre", "👩\u200d🌾 campolibre"),
        ("n\u0303", "ñ"),
        ("  \n  ", ""),
        ("uno\x0bdos\x00", "uno\ndos"),
        ("=1+1", "=1+1"),
        ("{{7*7}} <script>", "{{7*7}} <script>"),
    ],
)
def test_text_is_kept_as_written_but_for_white_space_and_the_invisible(text, kept):
    """Hostile-looking text is text."""
    assert kept == clean(text)


def test_folding_compares_letters_alone():
    """Case, accents and punctuation do not make another word."""
    assert fold("¿Desde CUÁNDO?") == fold("desde cuando") == "desde cuando"
    assert len(quoted("palabra " * 50)) <= 120


@pytest.mark.parametrize(
    ("text", "language", "first", "last", "doubt"),
    [
        ("2016", "es", "2016", None, None),
        ("marzo de 2021", "es", "2021-03", None, None),
        ("set. 2019", "es", "2019-09", None, None),
        ("mars 2021", "fr", "2021-03", None, None),
        ("1er mars 2021", "fr", "2021-03-01", None, None),
        ("March 15, 2021", "en", "2021-03-15", None, None),
        ("15th of March 2021", "en", "2021-03-15", None, None),
        ("15/03/2021", "es", "2021-03-15", None, None),
        ("04/03/2021", "fr", "2021-03-04", None, None),
        ("04/03/2021", "en", "2021", None, "ambiguous"),
        ("04/04/2021", "en", "2021-04-04", None, None),
        ("03/25/2021", "en", "2021-03-25", None, None),
        ("2021-03-15", "es", "2021-03-15", None, None),
        ("03/2021", "es", "2021-03", None, None),
        ("mar-21", "es", "2021-03", None, None),
        ("II semestre 2021", "es", "2021", None, None),
        ("depuis la rentrée 2021", "fr", "2021", None, None),
        ("Gestión 2019-2022", "es", "2019", "2022", None),
        ("FY22", "en", "2022", None, "assumed"),
        ("31/04/2021", "es", "2021-04", None, "impossible_day"),
        ("44256", "es", "2021-03-01", None, "assumed"),
        ("R.A. 045-2021-MPT, marzo 2022", "es", "2022-03", None, None),
        ("abril 2021 (piloto) – continúa", "es", "2021-04", "ongoing", None),
        ("2016 - Presente", "es", "2016", "ongoing", None),
        ("2016 – à ce jour", "fr", "2016", "ongoing", None),
        ("enero a diciembre de 2021", "es", "2021-01", "2021-12", None),
        ("del 1 de enero al 31 de diciembre de 2022", "es", "2022-01-01", "2022-12-31", None),
        ("2019, 2020 y 2021", "es", "2019", "2021", "assumed"),
        ("2021-22", "en", "2021", "2022", None),
        ("29/02/2023", "es", "2023-02", None, "impossible_day"),
        ("29/02/2024", "es", "2024-02-29", None, None),
    ],
)
def test_the_most_precise_sure_part_of_a_date_is_read(text, language, first, last, doubt):
    """Day first in Spanish and French; what is unsure is told."""
    period = read_period(text, language)
    assert (first, last, doubt) == (period.first, period.last, period.doubt)


@pytest.mark.parametrize("text", ["a la fecha", "permanente", "Continúa", "Presente", "ongoing", "en cours"])
def test_words_for_going_on_are_ongoing(text, read):
    """An end that has not come is an answer, a start is not."""
    assert value(read(end=text), "end") == "ongoing"
    assert codes(read(start=text)) == ["date.unreadable"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("18 meses", "date.duration"),
        ("desde la R.A. 123-2020", "date.unreadable"),
        ("OFICIO N° 0231-2027-GDS", "date.unreadable"),
        ("desde la gestión anterior", "date.unreadable"),
        ("mayo", "date.unreadable"),
    ],
)
def test_words_without_a_date_file_nothing(text, code, read):
    """A duration, a document's number, a month without a year."""
    found = read(start=text)
    assert (None, [code], text) == (value(found, "start"), codes(found), found.answers["start"].raw)


def test_a_range_in_one_answer_fills_the_other_if_that_is_empty(read):
    """Given twice and different, the end's own answer is filed and the disagreement told."""
    found = read(start="2019-2022", end="")
    assert (value(found, "start"), value(found, "end"), codes(found)) == ("2019", "2022", [])
    found = read(start="2019-2022", end="2023")
    assert (value(found, "end"), codes(found)) == ("2023", ["date.range_disagree"])
    found = read(start="2019-2022", end="diciembre de 2022")
    assert (value(found, "end"), codes(found)) == ("2022-12", [])
    found = read(start="", end="2019-2022")
    assert (value(found, "start"), value(found, "end")) == ("2019", "2022")


def test_an_end_before_the_start_is_not_filed(read):
    """As precise as both are: the same year is no contradiction."""
    found = read(start="marzo 2021", end="2020")
    assert (
        value(found, "end"),
        codes(found),
        found.findings[0].field,
    ) == (None, ["date.end_before_start"], "end")
    assert codes(read(start="marzo 2021", end="2021")) == []


def test_what_has_not_begun_has_no_dates_to_discuss(read):
    """One hold is enough; the judge gives it."""
    assert codes(read(status="Aún no empieza", start="por ver", end="18 meses")) == []


@pytest.mark.parametrize("own", TITLED)
def test_titles_of_one_list_are_never_numbers_of_the_other(own, settings, read):
    """All goals in the objectives' answer and all objectives in the goals', in every language and shape."""
    other = TITLED[1 - TITLED.index(own)]
    key = "primary_objectives" if own == "objectives" else "sdgs"
    seen = 0
    for term in settings.vocabularies[other].terms:
        for title in {*term.titles.values(), *term.shorts.values()}:
            for text in (
                f"{term.number}. {title}",
                f"{term.number} – {title}",
                f"Objetivo {term.number}: {title}",
                f"{title} ({term.number})",
                title,
            ):
                found = read(**{key: text})
                assert None is value(found, key), text
                assert found.findings, text
                seen += 1
    assert seen > 200


@pytest.mark.parametrize("own", TITLED)
def test_titles_of_the_list_are_its_numbers(own, settings, read):
    """Number alone, title alone, both, in every language and case."""
    key = "primary_objectives" if own == "objectives" else "sdgs"
    seen = 0
    for term in settings.vocabularies[own].terms:
        for title in {*term.titles.values(), *term.shorts.values()}:
            for text in (
                str(term.number),
                f"{term.number}. {title}",
                f"Objetivo {term.number} – {title}",
                title.upper(),
                f"{title} ({term.number})",
            ):
                found = read(**{key: text})
                assert ([term.number], []) == (value(found, key), codes(found)), text
                seen += 1
    assert seen > 200


@pytest.mark.parametrize(
    ("key", "text", "numbers", "told"),
    [
        ("primary_objectives", "7, 16 y 17", [7, 16, 17], []),
        ("primary_objectives", "7-9", [7, 8, 9], []),
        ("primary_objectives", "7 - 16 - 17", [7, 16, 17], []),
        ("primary_objectives", "7/16/17", [7, 16, 17], []),
        ("primary_objectives", "Objetivos 7, 16 y 17 del Pacto Mundial", [7, 16, 17], []),
        ("primary_objectives", "23 l)", [23], []),
        ("primary_objectives", "Todos", list(range(1, 24)), []),
        ("primary_objectives", "Cooperación internacional", [23], []),
        ("primary_objectives", "10.7", None, ["number.foreign_list"]),
        ("primary_objectives", "16.3", None, ["number.foreign_list"]),
        ("primary_objectives", "ODS 10", None, ["number.foreign_list"]),
        ("primary_objectives", "8 Trabajo decente", None, ["number.foreign_list"]),
        ("primary_objectives", "7 – Salvar vidas", None, ["number.words_disagree"]),
        ("primary_objectives", "45", None, ["number.unknown"]),
        ("primary_objectives", "Migración y desarrollo", None, ["term.unknown"]),
        ("primary_objectives", "7 and 10 – Reducción de las desigualdades", [7], ["number.foreign_list"]),
        ("sdgs", "Meta 10.7", [10], []),
        ("sdgs", "ODS 5, ODS 10", [5, 10], []),
        ("sdgs", "Igualdad de género, Paz, justicia e instituciones sólidas y Hambre cero", [2, 5, 16], []),
        ("sdgs", "1. No poverty", [1], []),
    ],
)
def test_numbers_and_words_of_a_list_must_agree(key, text, numbers, told, read):
    """The usable items are filed, the rest is told."""
    found = read(**{key: text})
    assert (numbers, told) == (value(found, key), codes(found))


def test_a_number_against_its_words_says_both(read):
    """The finding names the number's own title and where the words belong."""
    (finding,) = read(primary_objectives="Objetivo 10: Reducción de las desigualdades").findings
    assert dict(finding.params) == {
        "read": "Objetivo 10: Reducción de las desigualdades",
        "number": 10,
        "title": "Erradicar la trata de personas",
        "other": "sdgs",
        "other_number": 10,
        "other_title": "Reducción de las desigualdades",
    }


def test_marks_and_written_numbers_are_united(read):
    """People tick in the list and write in the answer as well."""
    words = Words(
        text="7, 16", marks=(Mark(key="17", words="17 – Eliminar"), Mark(key="7", words="7 – Abordar"))
    )
    found = read(primary_objectives=words)
    assert value(found, "primary_objectives") == [7, 16, 17]
    assert found.answers["primary_objectives"].raw == "17 – Eliminar\n7 – Abordar\n7, 16"


def test_principles_are_filed_by_their_keys_and_the_unknown_is_quoted(read):
    """What is no principle is kept for staff."""
    found = read(guiding_principles="DDHH, interculturalidad, Enfoque de género")
    assert (
        value(found, "guiding_principles"),
        codes(found),
    ) == (["human_rights", "gender_responsive"], ["list.partly"])
    assert found.findings[0].params["read"] == "interculturalidad"


@pytest.mark.parametrize(
    ("key", "text", "chosen", "told"),
    [
        ("type", "Proyecto/Programa", "project", []),
        ("type", "policy (including law, public measure)", "policy", []),
        ("type", "Otro: feria laboral", "other", []),
        ("type", "proyecto piloto", None, ["term.unknown"]),
        ("type", "Proyecto y campaña", None, ["choice.several"]),
        ("scope", "Local", "local", []),
        ("scope", "Regional (Piura)", "regional", []),
        ("scope", "MUNDIAL", "global", []),
        ("status", "En marcha, con resultados", "ongoing", []),
        ("status", "terminado", "completed", []),
        ("implementer_type", "ONG", "civil_society", []),
        ("implementer_type", "Municipalidad", "local_authority", []),
        ("consent_images", "No aplica", "none", []),
        ("consent_publish", "Sí", "yes", []),
        ("consent_publish", "Oui", "yes", []),
        ("consent_publish", "No autorizamos", "no", []),
        ("consent_publish", "Sí, sin fotos", "conditional", []),
        ("consent_publish", "Sí, siempre que lo apruebe Alta Dirección", "conditional", []),
        ("consent_publish", "Sí, autorizamos, gracias", "yes", []),
        ("consent_publish", "Pendiente", "pending", []),
        ("consent_publish", "en trámite", "pending", []),
        ("consent_publish", "Sí / No", None, ["choice.several"]),
        ("consent_publish", "tal vez", None, ["term.unknown"]),
        ("sent_by_contact", "La persona de contacto", True, []),
        ("sent_by_contact", "Otra persona", False, []),
    ],
)
def test_one_term_is_chosen_by_its_words(key, text, chosen, told, read):
    """Titles, short titles and synonyms of every language; what is unknown is kept."""
    found = read(**{key: text})
    assert (chosen, told, text) == (value(found, key), codes(found), found.answers[key].raw)


def test_own_words_beside_other_are_an_answer_of_their_own(read):
    """Written in the cell or beside the mark."""
    assert value(read(type="Otro (especificar): feria laboral"), "type_other") == "feria laboral"
    marked = Words(text="", marks=(Mark(key="other", words="Otro", own_words="feria"),))
    assert (value(read(type=marked), "type"), value(read(type=marked), "type_other")) == ("other", "feria")


def test_two_exclusive_boxes_decide_nothing(read):
    """Both boxes of the consent: a finding."""
    both = Words(text="", marks=(Mark(key="yes", words="Sí"), Mark(key="no", words="No")))
    found = read(consent_publish=both)
    assert (value(found, "consent_publish"), codes(found)) == (None, ["choice.several"])
    assert found.findings[0].params["chosen"] == ["Sí", "No"]


def test_a_condition_beside_a_ticked_consent_is_conditional(read):
    """The words are kept."""
    words = Words(text="previa revisión del texto", marks=(Mark(key="yes", words="Sí"),))
    found = read(consent_publish=words)
    assert (
        value(found, "consent_publish"),
        found.answers["consent_publish"].raw,
    ) == ("conditional", "Sí\nprevia revisión del texto")


@pytest.mark.parametrize(
    ("text", "found", "others", "told"),
    [
        ("Perú", ["PE"], None, []),
        ("Perú, Chile y Colombia", ["PE", "CL", "CO"], None, []),
        ("Trinidad y Tobago; Bolivia (Estado Plurinacional de)", ["TT", "BO"], None, []),
        ("le Pérou et l’Équateur", ["PE", "EC"], None, []),
        ("Perú (Tacna y Tumbes)", ["PE"], None, []),
        ("todo el Perú", ["PE"], None, []),
        ("peruano", ["PE"], None, []),
        ("Peru Chile", ["PE", "CL"], None, []),
        ("Congo", ["CG"], None, []),
        ("Guinea", ["GN"], None, []),
        ("Dominica", ["DM"], None, []),
        ("Palestina", ["PS"], None, []),
        ("Corea", None, None, ["country.ambiguous"]),
        ("Guayana", None, None, ["country.unknown"]),
        ("Kosovo", None, ["Kosovo"], ["country.not_listed"]),
        ("Taiwán y Perú", ["PE"], ["Taiwán"], ["country.not_listed"]),
        ("Kenya and the moon", ["KE"], None, ["list.partly"]),
    ],
)
def test_countries_are_read_by_name_and_never_guessed(text, found, others, told, read):
    """UN names and their variants in three languages; the rest is kept as written."""
    answers = read(countries=text)
    assert (found, others, told) == (
        value(answers, "countries"),
        value(answers, "countries_other"),
        codes(answers),
    )


def test_a_name_outside_the_list_is_for_staff_alone(read):
    """Nothing is said to the sender about a territory in dispute."""
    assert read(countries="Kosovo").findings[0].severity == "note"


def test_every_united_nations_name_is_its_country(settings, read):
    """All 195, in every language."""
    names = [
        (term.key, name) for term in settings.vocabularies["countries"].terms for name in term.titles.values()
    ]
    assert len(names) > 500
    for key, name in names:
        assert [key] == value(read(countries=name), "countries"), name


@pytest.mark.parametrize(
    ("text", "addresses", "told"),
    [
        ("ana@muni.gob.pe", ["ana@muni.gob.pe"], []),
        ("Ana <ana@muni.gob.pe>.", ["ana@muni.gob.pe"], []),
        ("rq@muni.gob.pe / rq_2001@hotmail.com", ["rq@muni.gob.pe", "rq_2001@hotmail.com"], []),
        ("ana arroba muni.gob.pe", ["ana@muni.gob.pe"], ["email.repaired"]),
        ("ana (at) muni (dot) gob.pe", ["ana@muni.gob.pe"], ["email.repaired"]),
        ("ana@muni,gob.pe", ["ana@muni.gob.pe"], ["email.repaired"]),
        ("ana@muni", None, ["email.malformed"]),
        ("no tengo correo", None, ["email.malformed"]),
        ("ana@muni.gob.pe, pedro@muni", ["ana@muni.gob.pe"], ["list.partly"]),
    ],
)
def test_addresses_are_read_and_slips_repaired(text, addresses, told, read):
    """Several in one answer are all filed."""
    found = read(focal_email=text)
    assert (addresses, told) == (value(found, "focal_email"), codes(found))


@pytest.mark.parametrize(
    ("key", "text", "told"),
    [
        ("summary", "N/A", ["answer.none"]),
        ("summary", "—", ["answer.none"]),
        ("innovation", "Néant", ["answer.none"]),
        ("other_orgs", "No aplica", []),
        ("sdgs", "ninguno", []),
        ("update_of", "No", []),
        ("summary", "Por definir con gerencia", ["answer.filler"]),
        ("lessons", "Ídem", ["answer.filler"]),
        ("summary", "Ver anexo", ["answer.refers_to_attachment"]),
        ("summary", "voir pièce jointe", ["answer.refers_to_attachment"]),
        ("summary", "See attached report p. 12", ["answer.refers_to_attachment"]),
        ("summary", "#NAME?", ["answer.unreadable"]),
    ],
)
def test_evasive_answers_have_no_value_and_a_finding_each(key, text, told, read):
    """None, filler and a reference are told apart; in optional questions "none" is an answer."""
    found = read(**{key: text})
    assert (None, told, text) == (value(found, key), codes(found), found.answers[key].raw)


def test_a_place_or_an_extension_is_no_reference(read):
    """ "Anexo" names a settlement or a telephone extension as well."""
    assert value(read(local="Anexo 22, Jicamarca"), "local") == "Anexo 22, Jicamarca"
    assert value(read(focal_phone="anexo 1245"), "focal_phone") == "anexo 1245"


@pytest.mark.parametrize(
    "text", ["=1+1", "+51 999", "@cuenta", "Ver para creer", "No hay comunidad sin escucha.", "🙂"]
)
def test_ordinary_and_odd_words_are_answers(text, read):
    """What looks like a formula or begins like an evasion is text."""
    found = read(summary=text)
    assert (text, []) == (value(found, "summary"), codes(found))


@pytest.mark.parametrize(
    "key", ["primary_objectives", "countries", "focal_email", "start", "type", "consent_publish"]
)
@pytest.mark.parametrize("piece", ["7, ", "99 y ", "a@", "2021-", "Perú ", "(", "é,", "mayo de ", "x. "])
def test_pages_pasted_into_a_short_answer_cost_little(key, piece, read):
    """What stands beyond a list's length is told, not read; nothing grows with the square of it."""
    found = read(**{key: piece * 20_000})
    assert len(found.findings) <= 12
    assert len(found.answers[key].raw) > 3000
