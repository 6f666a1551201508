"""Letters: what each says to whom, and that what a sender wrote never becomes more than words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import config as configuration
from config import Config
from parsers.form import Answer, Finding, Form, Location, Value
from responses.compose import (
    compose,
    describe_items,
    describe_value,
    finding_label,
    finding_message,
    staff_reason,
)
from responses.letters import (
    Acknowledgement,
    Correction,
    FormatAdvice,
    Letter,
    ReceivedFile,
    Section,
    TemplateEnclosed,
    Waiting,
)

LANGUAGES = ("es", "en", "fr")
CONFIG = configuration.load()
RECEIVED = datetime(2027, 3, 12, 15, 41, tzinfo=UTC)
TOKENS = {"PMM-2027-0042": "PMM-2027-0042-K7QX2M9D", "PMM-2027-0043": "PMM-2027-0043-M2RB8T4A"}


def _form(**values: Value) -> Form:
    filled: dict[str, Value] = {
        "title": "Defensoras al parlante",
        "primary_objectives": [7, 16],
        "secondary_objectives": [17],
        "local": "Lima Metropolitana",
        "countries": ["PE"],
        "start": "2021-04",
        "end": "ongoing",
        "main_implementer": "Municipalidad Metropolitana de Lima",
        "focal_name": "Rosa Quispe",
        "focal_email": ["rquispe@example.org"],
        "focal_phone": "01-315 1300",
        "consent_publish": "yes",
    }
    answers = {key: Answer(field=key, value=value) for key, value in (filled | values).items()}
    return Form(template="practice-1", language="es", answers=answers)


def _error(code: str, field: str, **params: object) -> Finding:
    return Finding(code=code, field=field, severity="error", params=params)


ACKNOWLEDGEMENT = Acknowledgement(reference="PMM-2027-0042", form=_form())
CORRECTION = Correction(
    reference="PMM-2027-0043",
    form=_form(title="Voces organizadas"),
    errors=(
        _error("date.unreadable", "start", read="desde la gestión anterior"),
        _error(
            "number.foreign_list",
            "primary_objectives",
            read="10 – Reducción de las desigualdades",
            number=10,
            title="Trata",
            other="sdgs",
            other_number=10,
            other_title="Reducción de las desigualdades",
        ),
        _error("answer.missing", "consent_publish"),
    ),
)


def _letter(*sections: Section, language: str = "es", **changes: object) -> Letter:
    letter = Letter(
        language=language,
        received=RECEIVED,
        verified=True,
        sections=sections,
        files=(ReceivedFile(name="formulario.docx", kind="docx", size=48_200),),
        subject="Práctica de Lima",
        tokens=TOKENS,
    )
    return replace(letter, **changes)  # type: ignore[arg-type]


def _text(*sections: Section, **changes: object) -> str:
    return compose(_letter(*sections, **changes), CONFIG).text  # type: ignore[arg-type]


def _with_replies(**changes: object) -> Config:
    replies = CONFIG.settings.replies.model_copy(update=changes)
    return CONFIG.model_copy(update={"settings": CONFIG.settings.model_copy(update={"replies": replies})})


def _with_office(**changes: object) -> Config:
    office = CONFIG.settings.office.model_copy(update=changes)
    return CONFIG.model_copy(update={"settings": CONFIG.settings.model_copy(update={"office": office})})


class _Page(HTMLParser):
    """The elements of a page, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(dict(attrs))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_acknowledgement_follows_the_model_letter() -> None:
    """Place and hour in Lima, the reference, what complete means, what was understood, who signs."""
    text = _text(ACKNOWLEDGEMENT)

    assert text.startswith(
        "De nuestra consideración:\n\nRecibimos el 12 de marzo de 2027, a las 10:41 (hora de Lima), el formulario de la práctica «Defensoras al parlante»"
    )
    assert "Su referencia es PMM-2027-0042." in text
    assert "pasa a revisión. Esto no significa que la práctica esté aprobada ni que vaya a publicarse" in text
    assert "- Objetivos del Pacto: 7 – " in text
    assert "; 16 – " in text
    assert "- Lugar: Lima Metropolitana; Perú\n" in text
    assert "- Fechas: abril de 2021 – continúa\n" in text
    assert "- Persona de contacto: Rosa Quispe\n" in text
    assert "- Autorización de publicación: Sí\n" in text
    assert "- Archivos recibidos: formulario.docx (47 KB)\n" in text
    assert text.endswith("Este acuse se envió de forma automática. Las respuestas las lee una persona.\n")
    assert "Secretaría de la Red de las Naciones Unidas sobre la Migración en el Perú" in text


def test_the_acknowledgement_shows_no_address_and_no_telephone() -> None:
    """The contact's name and the consent choice, nothing more of the contact."""
    composed = compose(_letter(ACKNOWLEDGEMENT), CONFIG)

    for part in (composed.subject, composed.text, composed.html):
        assert "rquispe" not in part
        assert "315 1300" not in part


@pytest.mark.parametrize(
    ("consent", "said", "unsaid"),
    [
        ("yes", "pasa a revisión", "condiciones"),
        (
            "conditional",
            "condiciones que indica para la publicación; las leerá una persona",
            "no se publicará",
        ),
        ("no", "no se publicará. No hace falta que haga nada más", "pasa a revisión"),
        ("pending", "La revisión empezará cuando nos confirme la autorización interna", "pasa a revisión"),
    ],
)
def test_the_four_answers_on_consent_are_told_apart(consent: str, said: str, unsaid: str) -> None:
    """No is registered and asked nothing; pending is kept; conditions are noted and read by a person."""
    text = _text(replace(ACKNOWLEDGEMENT, consent=consent))

    assert said in text
    assert unsaid not in text


def test_who_says_no_gets_no_suggestion() -> None:
    """Nothing more is asked of somebody who does not agree to publication."""
    advice = (Finding(code="words.few", field="summary"),)

    assert "sugerencia" in _text(replace(ACKNOWLEDGEMENT, advice=advice))
    assert "sugerencia" not in _text(replace(ACKNOWLEDGEMENT, advice=advice, consent="no"))


def test_a_suggestion_is_gentle_and_several_are_a_list() -> None:
    """One suggestion is a sentence; several stand one below the other; doubles once."""
    one = Finding(code="acronym.unexplained", field="summary", params={"acronyms": ["GMIS"]})
    two = Finding(code="words.many", field="summary", params={"count": 612, "limit": 500})

    assert "Una sugerencia, si lo desea: indicar qué significa «GMIS»." in _text(
        replace(ACKNOWLEDGEMENT, advice=(one, one))
    )
    several = _text(replace(ACKNOWLEDGEMENT, advice=(one, two)))
    assert (
        "Algunas sugerencias, si lo desea:\n\n- indicar qué significa «GMIS»\n- abreviar «Resumen»" in several
    )


def test_the_same_content_again_keeps_its_reference_and_repeats_nothing() -> None:
    """A form that had been received says so, without the table."""
    text = _text(replace(ACKNOWLEDGEMENT, again=True))

    assert "conserva la referencia PMM-2027-0042" in text
    assert "Rosa Quispe" not in text


def test_late_is_said_without_reproach() -> None:
    """The call's last day, and that a person will look."""
    text = _text(replace(ACKNOWLEDGEMENT, late=date(2027, 3, 1)))

    assert "La convocatoria estuvo abierta hasta el 1 de marzo de 2027. Su envío queda registrado" in text


def test_an_office_letter_is_named_with_its_number() -> None:
    """The number under which the office files our answer; never to an unverified sender."""
    assert "su «OFICIO N° 0231-2027» y, con él, el formulario" in _text(
        ACKNOWLEDGEMENT, official_letter="OFICIO N° 0231-2027"
    )
    assert "OFICIO" not in _text(ACKNOWLEDGEMENT, official_letter="OFICIO N° 0231-2027", verified=False)
    assert "con su «OFICIO N° 0231-2027»" in _text(CORRECTION, official_letter="OFICIO N° 0231-2027")


def test_files_are_told_by_name_and_size_and_pictures_together() -> None:
    """An office counts what it sent; forty photographs are one line."""
    pictures = tuple(
        ReceivedFile(name=f"WA{number}.jpg", kind="image", size=1_234_567) for number in range(6)
    )
    files = (ReceivedFile(name="Oficio 0231.pdf", kind="pdf", size=230_000), *pictures)

    assert "Archivos recibidos: Oficio 0231.pdf (225 KB); seis imágenes (7.1 MB)" in _text(
        ACKNOWLEDGEMENT, files=files
    )
    unverified = _text(ACKNOWLEDGEMENT, files=files, verified=False)
    assert "Archivos recibidos: un PDF y seis imágenes." in unverified
    assert "Oficio" not in unverified


def test_the_correction_follows_the_model_letter() -> None:
    """What was read, what is wanted, an example, the place; everything at once; how to answer."""
    composed = compose(_letter(CORRECTION), CONFIG)

    assert composed.subject == "RE: Práctica de Lima – faltan tres datos [PMM-2027-0043-M2RB8T4A]"
    assert (
        "Gracias por enviar la práctica «Voces organizadas». La recibimos el 12 de marzo de 2027, a las 10:41 (hora de Lima); su referencia es PMM-2027-0043. Para pasarla a revisión necesitamos tres datos; lo demás está completo y queda guardado."
        in composed.text
    )
    assert (
        "1. ¿Desde cuándo? Leímos: «desde la gestión anterior». Necesitamos al menos el año. Por ejemplo: marzo de 2021. (Pregunta 8.)"
        in composed.text
    )
    assert (
        "Leímos: «10 – Reducción de las desigualdades», que corresponde al ODS 10. Indique de uno a tres de los 23 objetivos del Pacto."
        in composed.text
    )
    assert (
        "3. Autorización de publicación. Está sin marcar. Puede responder «Sí», «No», «Con condiciones» o «Pendiente»; todas las respuestas son válidas."
        in composed.text
    )
    assert "corrija su formulario y envíelo respondiendo a este mensaje" in composed.text
    assert "<strong>¿Desde cuándo?</strong> Leímos: «desde la gestión anterior»." in composed.html


def test_one_missing_answer_is_singular() -> None:
    """The count agrees with its noun, in subject and text."""
    composed = compose(_letter(replace(CORRECTION, errors=CORRECTION.errors[:1])), CONFIG)

    assert "– falta un dato [" in composed.subject
    assert "necesitamos un dato" in composed.text
    assert "respóndanos con el dato que falta" in composed.text


def test_consent_shows_no_example_that_would_steer() -> None:
    """All four answers are valid: none of them is the example."""
    text = _text(replace(CORRECTION, errors=(_error("answer.missing", "consent_publish"),)))

    assert "Por ejemplo" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_names_an_attachment_that_is_absent(language: str) -> None:
    """Only a letter with a marked copy or the blank form speaks of something attached."""
    attached = re.compile(r"adjunt|attach|joign|joint", re.IGNORECASE)

    assert attached.search(_text(replace(CORRECTION, annotated=True), language=language))
    for section in (CORRECTION, ACKNOWLEDGEMENT, Waiting(), Waiting(reference="PMM-2027-0042")):
        assert not attached.search(_text(section, language=language))
    for section in (
        TemplateEnclosed(),
        TemplateEnclosed(reason="empty"),
        FormatAdvice(findings=(Finding(code="format.pdf"),)),
    ):
        assert attached.search(_text(section, language=language))


@pytest.mark.parametrize(
    ("language", "offer"),
    [("es", "le llamamos"), ("en", "we will call you"), ("fr", "nous vous appellerons")],
)
def test_a_call_is_offered_only_when_switched_on(language: str, offer: str) -> None:
    """Nobody promises a call that nobody will make."""
    letter = _letter(CORRECTION, language=language)

    assert offer in compose(letter, _with_replies(offer_call=True)).text
    assert offer not in compose(letter, _with_replies(offer_call=False)).text


def test_the_data_notice_stands_only_where_it_is_set() -> None:
    """An operator without such a page gets no empty promise."""
    notice = "https://example.org/datos"

    assert f"Sus datos: {notice}." in compose(_letter(ACKNOWLEDGEMENT), _with_office(data_notice=notice)).text
    assert "Sus datos" not in compose(_letter(ACKNOWLEDGEMENT), _with_office(data_notice="")).text


def test_the_hour_is_the_offices() -> None:
    """One o'clock is singular in Spanish; the day is the office's day, not that of UTC."""
    late = datetime(2027, 3, 13, 4, 58, tzinfo=UTC)

    assert "12 de marzo de 2027, a las 23:58 (hora de Lima)" in _text(Waiting(), received=late)
    assert "a la 1:05 (hora de Lima)" in _text(Waiting(), received=datetime(2027, 3, 12, 6, 5, tzinfo=UTC))
    assert "1er avril 2027 à 10 h 41 (heure de Lima)".replace(" h ", " h ") in _text(
        Waiting(), language="fr", received=datetime(2027, 4, 1, 15, 41, tzinfo=UTC)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_held_mail_is_told_once_and_plainly(language: str) -> None:
    """A person reads it; the reference is kept; nothing of the mail is repeated, not even its subject."""
    composed = compose(_letter(Waiting(reference="PMM-2027-0042"), language=language), CONFIG)

    assert "PMM-2027-0042" in composed.text
    assert composed.subject.endswith("[PMM-2027-0042-K7QX2M9D]")
    for part in (composed.subject, composed.text, composed.html):
        assert "Práctica de Lima" not in part
        assert "formulario.docx" not in part


@pytest.mark.parametrize("language", LANGUAGES)
def test_several_things_in_one_mail_have_each_their_heading(language: str) -> None:
    """One reply with one subject; each part begins with its reference and title; hour and files once."""
    letter = _letter(ACKNOWLEDGEMENT, CORRECTION, language=language)
    composed = compose(replace(letter, files=letter.files * 2), CONFIG)

    headings = [line for line in composed.text.splitlines() if line.startswith("== ")]
    assert ["PMM-2027-0042" in headings[0], "PMM-2027-0043" in headings[1]] == [True, True]
    assert "Voces organizadas" in headings[1]
    assert composed.subject.endswith("[PMM-2027-0042-K7QX2M9D]")
    assert composed.text.count("10:41") + composed.text.count("10 h 41") == 1
    assert composed.text.count("formulario.docx (") == 2
    assert _Page(composed.html).tags.count("h2") == 2


def test_a_template_with_a_question_needs_no_headings() -> None:
    """The form goes at once, and a person answers the rest."""
    text = _text(TemplateEnclosed(), Waiting())

    assert "==" not in text
    assert "Adjuntamos el formulario" in text
    assert "Lo demás que contiene su correo lo leerá una persona" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_an_unverified_sender_is_repeated(language: str) -> None:
    """No value, title, subject, file or sheet name: the address may be somebody else's."""
    theirs = "Zxq9"
    form = _form(
        **{key: f"{theirs} {key}" for key in ("title", "local", "main_implementer", "focal_name")},
        countries_other=[theirs],
    )
    place = Location(question="8", sheet=theirs, cell="C14")
    findings = tuple(
        Finding(
            code=code,
            field=field,
            location=place,
            params={
                "read": theirs,
                "chosen": [theirs],
                "acronyms": [theirs],
                "title": theirs,
                "number": 7,
                "other": "sdgs",
                "other_number": 7,
                "filed": theirs,
                "names": [theirs],
                "file": theirs,
            },
        )
        for code in (
            "date.unreadable",
            "label.ambiguous",
            "choice.several",
            "acronym.unexplained",
            "number.foreign_list",
            "list.partly",
            "format.pdf",
            "nobody.knows",
        )
        for field in ("start", "summary", None)
    )
    sections: tuple[Section, ...] = (
        Acknowledgement(reference="PMM-2027-0042", form=form, advice=findings),
        Correction(reference="PMM-2027-0043", form=form, errors=findings, advice=findings),
        FormatAdvice(findings=findings),
        Waiting(reference="PMM-2027-0044"),
        TemplateEnclosed(),
    )
    files = (ReceivedFile(name=theirs, kind="pdf", size=5), ReceivedFile(name=theirs, kind=theirs, size=5))
    for chosen in (*((section,) for section in sections), sections):
        letter = _letter(
            *chosen, language=language, verified=False, files=files, subject=theirs, official_letter=theirs
        )
        composed = compose(letter, CONFIG)
        assert theirs not in composed.subject + composed.text + composed.html


def test_contacts_and_consent_are_never_quoted_even_to_verified_senders() -> None:
    """What was read in those questions stays out of the mail."""
    errors = tuple(
        _error(code, field, read="Zxq9")
        for code in ("email.malformed", "answer.filler")
        for field in ("focal_email", "focal_name", "consent_publish")
    )
    composed = compose(_letter(replace(CORRECTION, errors=errors, advice=errors)), CONFIG)

    assert "Zxq9" not in composed.text + composed.html


def test_a_quotation_is_cut_at_120_characters() -> None:
    """A correction request repeats a line, not a page."""
    text = _text(replace(CORRECTION, errors=(_error("date.unreadable", "start", read="x" * 500),)))

    quoted = re.search(r"«(x+…)»", text)
    assert quoted is not None
    assert len(quoted.group(1)) == 120


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Práctica de Lima", "RE: Práctica de Lima [PMM-2027-0042-K7QX2M9D]"),
        ("RV: RV: RE: Práctica Tacna", "RE: Práctica Tacna [PMM-2027-0042-K7QX2M9D]"),
        ("Fwd: re[2]: Práctica", "RE: Práctica [PMM-2027-0042-K7QX2M9D]"),
        (
            "RE: Práctica – faltan tres datos [PMM-2027-0042-AAAAAAAA]",
            "RE: Práctica [PMM-2027-0042-K7QX2M9D]",
        ),
        (
            "[PMM-2026-0001-AAAAAAAA] RE: Práctica – one detail needed",
            "RE: Práctica [PMM-2027-0042-K7QX2M9D]",
        ),
        ("Consulta sobre PMM-2026-0001", "RE: Consulta sobre PMM-2026-0001 [PMM-2027-0042-K7QX2M9D]"),
        ("Hola\r\nBcc: x@example.org", "RE: Hola Bcc: x@example.org [PMM-2027-0042-K7QX2M9D]"),
        ("RE:", "Su envío a la Red de las Naciones Unidas sobre la Migración [PMM-2027-0042-K7QX2M9D]"),
        (None, "Su envío a la Red de las Naciones Unidas sobre la Migración [PMM-2027-0042-K7QX2M9D]"),
    ],
)
def test_a_subject_keeps_their_words_and_one_token(subject: str | None, expected: str) -> None:
    """Prefixes, old tokens and our own endings go; their words stay; the token is the case's."""
    assert compose(_letter(ACKNOWLEDGEMENT, subject=subject), CONFIG).subject == expected


def test_a_long_subject_is_cut_at_a_word() -> None:
    """Office subjects run over four lines; ours fit, with what is missing and the token whole."""
    subject = compose(_letter(CORRECTION, subject="REMITE BUENA PRÁCTICA " * 20), CONFIG).subject

    assert len(subject) <= 120
    assert re.search(r"\w… – faltan tres datos \[PMM-2027-0043-M2RB8T4A\]$", subject)


def test_without_a_case_there_is_no_token() -> None:
    """Tokens belong to cases; a request for the template has none."""
    for section in (TemplateEnclosed(), FormatAdvice(findings=(Finding(code="format.pdf"),)), Waiting()):
        assert "[" not in compose(_letter(section), CONFIG).subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_can_be_read_aloud(language: str) -> None:
    """Language, title, a table with row headings, every element closed; the same words as the text."""
    composed = compose(_letter(ACKNOWLEDGEMENT, language=language), CONFIG)
    page = _Page(composed.html)

    assert page.open == []
    assert page.attributes["html"] == [{"lang": language}]
    assert all(heading["scope"] == "row" for heading in page.attributes["th"])
    assert page.attributes["table"][0]["aria-label"]
    assert "img" not in page.tags
    assert "<strong>PMM-2027-0042</strong>" in composed.html
    words = " ".join(" ".join(page.words).split())
    for line in composed.text.splitlines():
        if line and not line.startswith("- "):
            assert " ".join(line.replace("PMM-2027-0042", " PMM-2027-0042 ").split()).replace(
                " .", "."
            ) in words.replace(" .", ".")


HOSTILE = (
    "<script>alert(1)</script>",
    "{{ 7*7 }} {% raw %}",
    "«»”“\"'",
    "a\r\n\r\nDe nuestra consideración:",
    "\u202eevil\u2066",
    "x" * 5000,
    "=1+1",
    "&lt;b&gt;",
)


@pytest.mark.parametrize("value", HOSTILE)
def test_what_they_wrote_stays_words(value: str) -> None:
    """Markup, templates, line breaks and turned text in every place that shows theirs."""
    form = _form(title=value, local=value, main_implementer=value, focal_name=value, countries_other=[value])
    errors = (_error("date.unreadable", "start", read=value), _error("list.partly", "sdgs", read=value))
    files = (ReceivedFile(name=value, kind="pdf", size=5),)
    for section in (
        replace(ACKNOWLEDGEMENT, form=form, advice=errors),
        replace(CORRECTION, form=form, errors=errors),
    ):
        composed = compose(_letter(section, subject=value, files=files, official_letter=value), CONFIG)
        page = _Page(composed.html)
        plain = _Page(compose(_letter(section, subject="x", files=files), CONFIG).html)
        assert "script" not in page.tags
        assert page.tags.count("p") == plain.tags.count("p")
        assert "49" not in composed.text.replace("2027", "")
        assert len(re.findall(r"(?m)^De nuestra consideración:$", composed.text)) == 1
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069\r]", composed.text + composed.html)
        assert max(map(len, composed.text.splitlines())) < 2500


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=300))
def test_any_text_in_any_place_gives_a_whole_letter(value: str) -> None:
    """Whatever they wrote, the letter has the same parts, one line a paragraph, and a subject of one line."""
    form = _form(title=value or None, local=value, main_implementer=value, focal_name=value)
    section = replace(CORRECTION, form=form, errors=(_error("date.unreadable", "start", read=value),))
    for chosen in (section, replace(ACKNOWLEDGEMENT, form=form)):
        composed = compose(_letter(chosen, subject=value), CONFIG)
        page = _Page(composed.html)
        assert page.open == []
        assert set(page.tags) <= {
            "html",
            "head",
            "meta",
            "title",
            "body",
            "div",
            "p",
            "strong",
            "ol",
            "li",
            "table",
            "tbody",
            "tr",
            "th",
            "td",
            "br",
        }
        assert composed.text.startswith("De nuestra consideración:\n\n")
        assert len(composed.subject.splitlines()) == 1
        assert len(composed.subject) <= 130
        assert composed.subject.isprintable() or not value.isprintable()


def test_a_letter_without_sections_is_refused() -> None:
    """There is nothing to say; a letter that says nothing is a slip of the program."""
    with pytest.raises(ValueError, match="section"):
        compose(_letter(), CONFIG)


@pytest.mark.parametrize(
    ("key", "value", "language", "expected"),
    [
        ("primary_objectives", [8, 16], "es", "8 – Salvar vidas; 16 – Inclusión y cohesión social"),
        ("start", "2021-03", "es", "marzo de 2021"),
        ("start", "2021-03-15", "en", "15 March 2021"),
        ("start", "2021-03-01", "fr", "1er mars 2021"),
        ("start", "2016", "fr", "2016"),
        ("end", "ongoing", "en", "ongoing"),
        ("countries", ["PE", "EC"], "es", "Perú y Ecuador"),
        ("countries", ["PE", "IT"], "es", "Perú e Italia"),
        ("focal_email", ["a@example.org", "b@example.org"], "es", "a@example.org, b@example.org"),
        ("sent_by_contact", True, "es", "La persona de contacto"),
        ("sent_by_contact", False, "en", "Someone else"),
        ("consent_publish", "no", "fr", "Non"),
        ("summary", "uno\ndos", "es", "uno\ndos"),
        ("start", "2021-13", "es", "2021-13"),
        ("title", None, "es", ""),
        ("sdgs", [], "es", ""),
    ],
)
def test_values_are_told_in_peoples_words(key: str, value: Value, language: str, expected: str) -> None:
    """Numbers with titles, dates and countries by name; text as filed; no value, no words."""
    assert describe_value(CONFIG.template.field(key), value, CONFIG, language) == expected


def test_principles_are_told_by_their_names() -> None:
    """A key of a list is never shown to people."""
    terms = CONFIG.vocabularies[CONFIG.template.field("guiding_principles").vocabulary or ""].terms[:2]
    names = describe_items(
        CONFIG.template.field("guiding_principles"), [term.key for term in terms], CONFIG, "es"
    )

    assert names == [term.titles["es"] for term in terms]


def test_messages_stand_on_one_line() -> None:
    """For `check --json` and the register: the question, what was read, what is wanted."""
    error = finding_message(CORRECTION.errors[0], CONFIG, "es", quote=True)
    advice = finding_message(Finding(code="words.few", field="summary"), CONFIG, "en", quote=True)
    note = finding_message(
        Finding(
            code="country.not_listed",
            field="countries",
            severity="note",
            params={"read": "Kosovo", "names": ["Kosovo"]},
        ),
        CONFIG,
        "es",
        quote=True,
    )

    assert error.startswith("¿Desde cuándo? Leímos: «desde la gestión anterior».")
    assert advice.startswith("Add a little to “Summary”")
    assert "Kosovo" in note
    assert "\n" not in error + advice + note


def test_data_of_a_person_in_danger_are_never_repeated() -> None:
    """A finding that tells of sensitive data quotes nothing, whoever asks."""
    finding = Finding(
        code="sensitive.document", field="summary", severity="hold", params={"read": "CE 001234567"}
    )

    assert "001234567" not in finding_message(finding, CONFIG, "es", quote=True)


def test_reasons_and_labels_for_the_register() -> None:
    """A bare reason and the same with its table's name say the same; labels are the form's."""
    assert staff_reason("question", "es") == staff_reason("held.question", "es")
    assert finding_label("start", CONFIG, "es") == "¿Desde cuándo?"
    assert finding_label("nothing", CONFIG, "es") == "nothing"


def test_composing_is_quick() -> None:
    """Templates are compiled once a language: a hundred letters take well under two seconds."""
    compose(_letter(CORRECTION), CONFIG)
    before = datetime.now(UTC)
    for _ in range(100):
        compose(_letter(CORRECTION), CONFIG)

    assert (datetime.now(UTC) - before).total_seconds() < 2


def test_two_findings_on_one_question_are_one_point_and_count_once():
    """Two SDGs among the objectives are one question to mend: «falta un dato», both quoted, asked once."""
    from config import load
    from parsers.form import Finding, Form
    from responses.letters import Correction, Letter

    errors = tuple(
        Finding(
            code="number.foreign_list",
            field="primary_objectives",
            severity="error",
            params={"read": read, "other": "sdgs", "other_number": number, "other_title": title},
        )
        for read, number, title in (
            ("10 – Reducción de las desigualdades", 10, "Reducción de las desigualdades"),
            ("8 Trabajo decente", 8, "Trabajo decente y crecimiento económico"),
        )
    )
    section = Correction(
        reference="PMM-2026-0001", form=Form(template="practice-1", language="es"), errors=errors
    )
    letter = Letter(
        language="es",
        received=datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        verified=True,
        sections=(section,),
        subject="Práctica",
        tokens={},
    )

    composed = compose(letter, load())

    assert "falta un dato" in composed.subject
    assert composed.text.count("Indique de uno a tres") == 1
    assert "10 – Reducción de las desigualdades" in composed.text
    assert "8 Trabajo decente" in composed.text
