"""Which mails without a form are about the call; all others are left for people."""

from __future__ import annotations

import pytest

from config import Config, load
from config.settings import Call, Limits
from intake.message import Message, parse
from intake.relevance import Request, language_of, template_request, weak_evidence, withdrawal


@pytest.fixture(name="config", scope="module")
def _config() -> Config:
    return load()


def mail(body: str, subject: str = "Consulta", files: tuple[str, ...] = ()) -> Message:
    """A person's mail with empty files of these names."""
    head = f"From: ana@example.org\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=sep\n\n"
    parts = [f"--sep\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"]
    parts += [f'--sep\nContent-Type: application/x; name="{name}"\n\nx\n' for name in files]
    message = parse((head + "".join(parts) + "--sep--\n").encode(), Limits())

    assert not message.problems
    return message


@pytest.mark.parametrize(
    ("language", "subject", "body"),
    [
        ("es", "Solicitud de formato", "Buen día, podrían remitirnos el formato en Word editable"),
        (
            "es",
            "",
            "Soy de la Municipalidad de Tacna. Quisiera solicitar el formulario para presentar una práctica.",
        ),
        ("es", "Prácticas PMM", "Estimados, agradeceré me envíen la plantilla. Saludos cordiales"),
        # The subject is a sentence too.
        ("es", "Solicito formulario", "Gracias"),
        ("es", "Consulta", "Hola, necesito el formulario"),
        ("es", "Consulta", "¿Dónde encuentro el formulario?"),
        ("es", "Consulta", "Buenas tardes:\nLe pido por favor\nel formulario en Excel.\nAtte. Rosa"),
        # Folded over a line's end, and a noun that needs the subject to be known as ours.
        (
            "es",
            "Repositorio de prácticas",
            "Por encargo de la gerencia, solicitamos nos hagan\nllegar la ficha correspondiente.",
        ),
        # The negation belongs to another clause.
        ("es", "Consulta", "Si no es molestia, solicito el formato de la convocatoria de buenas prácticas."),
        ("es", "CONSULTA", "SOLICITAMOS EL FORMULARIO PARA EL REPOSITORIO DE PRACTICAS"),
        (
            "en",
            "Practice submission",
            "Dear colleagues, could you please send me the template? Many thanks, Jane",
        ),
        ("en", "Question", "Where can I find the submission form for the repository of practices?"),
        ("en", "Question", "Hello, please send us the blank form in Word."),
        ("fr", "Question", "Bonjour, où trouver le formulaire ?"),
        (
            "fr",
            "Demande",
            "Bonjour, pourriez-vous nous transmettre le modèle pour présenter une pratique ? Cordialement",
        ),
        ("fr", "Question", "Madame, Monsieur, merci de m’envoyer le formulaire. Bien à vous"),
    ],
)
def test_unmistakable_request_is_recognised_with_its_language(
    config: Config, language: str, subject: str, body: str
):
    """A request phrase and our noun in one sentence, in three languages."""
    assert template_request(mail(body, subject), config.phrases) == Request(
        language=language, also_question=False
    )


@pytest.mark.parametrize(
    "body",
    [
        "¿Dónde encuentro el formulario? ¿Hasta cuándo es el plazo? ¿Dan certificado o fondos?",
        "¿Me podrían enviar el formulario? ¿Puede participar una asociación de Puno?",
        "Por favor enviarme el formulario e indicarme el plazo.",
        "Solicito el formulario. ¿Se puede presentar más de una?",
        "We would like to request the form for submitting a practice. What is the deadline?",
        "Merci de m’envoyer le formulaire. Quelle est la date limite ?",
    ],
)
def test_a_further_question_is_left_to_a_person(config: Config, body: str):
    """Deadlines, money, certificates, and any second question mark."""
    request = template_request(mail(body), config.phrases)

    assert request is not None
    assert request.also_question


@pytest.mark.parametrize(
    "body",
    [
        # Turned around.
        "Ya no necesito el formulario, gracias.",
        "No necesitamos el formato, ya lo tenemos.",
        "El formulario ya no lo necesito",
        "Por favor no enviarme más el formulario",
        "I no longer need the template.",
        "We do not need the form anymore",
        "Je n'ai plus besoin du formulaire",
        "Nous n’avons pas besoin du modèle",
        # Another body's, another purpose.
        "Podrían enviarme el formulario de visa",
        "Necesito el formulario para pedir asilo",
        "Quiero pedir asilo en el Perú. ¿Me pueden enviar el formulario?",
        "Solicito el formato de licitación para proveedores",
        "¿Podrían enviarme el formulario de voluntariado?",
        "Solicito el formulario de prácticas preprofesionales",
        "Por favor enviarme el formulario de inscripción al taller de buenas prácticas",
        "Solicito el formulario para ser proveedor de la OIM",
        "Necesito el formulario de reclamo",
        "Necesito el formato de declaración jurada",
        "Could you send me the visa application form?",
        "Please send me the registration form for the conference",
        "Can you send the form for family reunification?",
        "Please send the consent form.",
        "Pourriez-vous m'envoyer le formulaire de demande d'asile ?",
        "Bonjour, je souhaite recevoir le formulaire de candidature au stage",
        # About a form that was sent already.
        "Solicito confirmar la recepción del formulario enviado ayer.",
        "Necesitamos saber si recibieron el formulario que enviamos",
        "Solicito prórroga para enviar el formulario",
        "Necesito apoyo para llenar el formulario",
        "¿Dónde está mi formulario? Lo envié hace un mes",
        "Sírvase remitir el formulario debidamente firmado.",
        "Please send us the form back once signed.",
        "Where is the form I sent last week?",
        "We have attached the form. Please send us confirmation of receipt.",
        # No request at all.
        "Les envío el formulario.",
        "Adjunto el formulario con la práctica de Tacna. Agradeceré acusar recibo.",
        "Please find attached the form as requested.",
        "Estimados, los invitamos a la reunión. Adjunto formato de agenda.",
        "Adjunto nuestra cotización según formato solicitado. Necesitamos su orden de compra.",
        "Could you send me the latest figures on Venezuelan arrivals?",
        "El formulario está en la página. Necesito hablar con el coordinador.",
        # People in danger come first.
        "Necesito ayuda, me quieren desalojar mañana. Pueden enviarme el formulario",
        "Me amenazan y estoy en la calle. ¿Dónde encuentro el formulario?",
        "Please send me the form. My husband beats me.",
        "buenas tardes soy venezolano tengo el PTP vencido y me kieren desalojar a donde puedo acudir",
        "",
    ],
)
def test_every_other_mail_is_left_for_people(config: Config, body: str):
    """One sign too few, or one against it, and a person reads the mail."""
    assert template_request(mail(body), config.phrases) is None


@pytest.mark.parametrize(
    "body",
    [
        "Gracias.\n\nEl lun, 3 may 2027 a las 10:12, Ana (<a@example.org>) escribió:\n> podrían enviarme el formulario",
        "Ok\n\nDe: Ana <a@example.org>\nEnviado el: lunes\nPara: Red\nAsunto: x\n\npodrían enviarme el formulario",
        "Saludos\n-- \nPodrían enviarme el formulario",
    ],
)
def test_quoted_words_never_ask(config: Config, body: str):
    """What others wrote, us included, is no request of the sender."""
    assert template_request(mail(body), config.phrases) is None


def test_subject_of_an_answer_is_quoted(config: Config):
    """ "RE: Solicito formulario" with thanks asks for nothing."""
    assert template_request(mail("Gracias, recibido.", "RE: Solicito formulario"), config.phrases) is None


@pytest.mark.parametrize(("words", "found"), [(100, True), (125, False)])
def test_long_mails_are_left_for_people(config: Config, words: int, *, found: bool):
    """From 120 words on a mail has more on its mind."""
    request = template_request(mail("Necesito el formulario. " + "palabra " * (words - 3)), config.phrases)

    assert (request is not None) is found


def test_link_and_address_hold_no_words(config: Config):
    """A form named in an address of a page is not asked for."""
    assert template_request(mail("Solicito cita, vea https://example.org/formulario"), config.phrases) is None


def test_name_of_a_call_makes_the_noun_ours(config: Config):
    """An open call is known by its name, which is settings, not phrases."""
    message = mail("Solicito el formato de Rutas Andinas")

    assert template_request(message, config.phrases) is None
    assert template_request(message, config.phrases, names=("Rutas Andinas",)) is not None


@pytest.mark.parametrize(
    ("language", "subject", "body", "files", "kinds"),
    [
        ("es", "Repositorio de prácticas", "Adjunto nuestra práctica.", ("carta.pdf",), {"pdf"}),
        (
            "es",
            "OFICIO 0231",
            "Remito la práctica en el marco del Pacto Mundial para la Migración.",
            ("a.pdf",),
            {"pdf"},
        ),
        (
            "es",
            "Buen día",
            "le mando fotito del formato de prácticas del PMM porq no tengo word",
            ("f.jpg",),
            {"image"},
        ),
        # The file's name names the call.
        ("es", "Envío", "Adjunto lo indicado", ("Formulario_Repositorio-de-Practicas.doc",), {"doc"}),
        (
            "es",
            "Repositorio de prácticas",
            "Está pesado, le comparto el Drive: https://drive.google.com/x/1",
            (),
            set(),
        ),
        ("en", "Call for practices", "Please find attached our submission.", ("a.odt",), {"odt"}),
        ("fr", "Appel à pratiques", "Veuillez trouver ci-joint notre pratique.", ("a.pdf",), {"pdf"}),
    ],
)
def test_weak_evidence_needs_call_words_of_sending_and_a_file(
    config: Config, language: str, subject: str, body: str, files: tuple[str, ...], kinds: set[str]
):
    """Together they are worth a letter about formats, or a person's look; never a case."""
    assert weak_evidence(mail(body, subject, files), config, kinds) == language


@pytest.mark.parametrize(
    ("subject", "body", "kinds"),
    [
        # No file, no link.
        ("Repositorio de prácticas", "Adjunto nuestra práctica.", set()),
        # Nothing is sent.
        ("Repositorio de prácticas", "¿Cuándo se publica?", {"pdf"}),
        # "Buenas prácticas" alone names many things.
        ("Buenas prácticas", "Adjunto el informe de buenas prácticas laborales", {"pdf"}),
        # The compact's name stands in most mail of this office.
        ("Nota verbal", "Adjunto la nota sobre el Pacto Mundial para la Migración.", {"pdf"}),
        (
            "Invitación",
            "A la Red de las Naciones Unidas sobre la Migración: remito invitación a la reunión.",
            {"pdf"},
        ),
        ("Cotización proyectores", "Adjunto cotización", {"pdf"}),
        # The address of a site in a signature is no file.
        ("Repositorio de prácticas", "Quisiera presentar una nota de prensa.\n\nwww.diario.example", set()),
        # Quoted.
        ("Hola", "Gracias\n\n> adjunto la práctica para el repositorio de prácticas", {"pdf"}),
        # A logo is left out of the kinds; plain text says nothing.
        ("Repositorio de prácticas", "Adjunto nuestra práctica.", {"text"}),
    ],
)
def test_anything_less_is_left_for_people(config: Config, subject: str, body: str, kinds: set[str]):
    """Each of the three signs is needed."""
    assert weak_evidence(mail(body, subject), config, kinds) is None


def test_phrases_of_an_open_call_are_weak_evidence(config: Config):
    """The settings may add what this year's call is called."""
    call = Call(id="2027", phrases=("rutas andinas",))
    wider = config.model_copy(update={"settings": config.settings.model_copy(update={"calls": (call,)})})
    message = mail("Adjunto lo nuestro para Rutas Andinas", files=("a.pdf",))

    assert weak_evidence(message, config, {"pdf"}) is None
    assert weak_evidence(message, wider, {"pdf"}) == "es"


@pytest.mark.parametrize(
    "text",
    [
        "Solicitamos retirar la práctica por cambio de gestión",
        "Por favor, dar de baja nuestra práctica",
        "Please delete my data",
        "We withdraw our consent.",
        "Nous souhaitons retirer notre consentement",
    ],
)
def test_words_of_withdrawal_are_heard(config: Config, text: str):
    """In three languages."""
    assert withdrawal(text, config.phrases)


@pytest.mark.parametrize(
    "text", ["Gracias, quedamos atentos", "La fecha es marzo 2021", "Thank you", "Merci", ""]
)
def test_other_words_withdraw_nothing(config: Config, text: str):
    """Answers in words do not freeze a case."""
    assert not withdrawal(text, config.phrases)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "es",
            "De mi especial consideración: tengo el agrado de dirigirme a usted para remitir la práctica de la Municipalidad.",
        ),
        ("es", "buenas tardes les envio el formulario de la practica que pidieron saludos"),
        (
            "en",
            "Dear colleagues, please find attached the form with our practice on the integration of migrants.",
        ),
        (
            "fr",
            "Madame, Monsieur, veuillez trouver ci-joint le formulaire de notre pratique sur les migrations.",
        ),
        # Too few words to tell.
        (None, "Adjunto formulario de la práctica. Gracias"),
        (None, ""),
        # No language of ours.
        (None, "これは 日本語 の 文 です よ ね そう 思う でしょう か"),
        (None, "PMM OIM ACNUR GTRM MTIGM PNUD OIT OMS UNICEF FAO"),
    ],
)
def test_language_is_told_by_small_words(config: Config, language: str | None, text: str):
    """Eight words or more, and a clear lead."""
    assert language_of(text, config) == language
