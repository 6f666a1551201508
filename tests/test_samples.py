"""The demonstration's practices, filled forms and mails: complete, harmless, the same every time."""

from __future__ import annotations

import email
import email.policy
import io
import re
import zipfile
from datetime import datetime, timedelta, timezone
from email.utils import parseaddr, parsedate_to_datetime
from functools import cache
from itertools import product

import pytest
from docx import Document
from lxml import etree
from openpyxl import load_workbook

import config
from intake.demo.answers import date_words, written
from intake.demo.attachments import old_word, pdf, png
from intake.demo.mails import MAILBOX, bulk, sample_mails
from intake.demo.samples import fill_docx, fill_xlsx, others, practices
from responses.blank_docx import blank_docx
from responses.blank_xlsx import blank_xlsx

LANGUAGES = ("es", "en", "fr")
NAMES = tuple(f"P{number}" for number in range(1, 13))
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
REPLY = (
    b"From: UNNMPeru@redmigracion.example\r\n"
    b"Subject: RE: formulario de la biblioteca =?utf-8?q?=E2=80=93?= faltan cuatro datos"
    b" [PMM-2026-0013-K7QX2M9D]\r\n"
    b"Message-ID: <reply-13@redmigracion.example>\r\n"
    b"References: <biblioteca@correo.example>\r\n\r\nDe nuestra consideraci=C3=B3n\r\n"
)


@pytest.fixture(scope="module", name="settings")
def _settings():
    return config.load()


@pytest.fixture(scope="module", name="mails")
def _mails(settings):
    return {mail.name: mail for mail in sample_mails(settings)}


@pytest.fixture(scope="module", name="blanks")
def _blanks(settings):
    """Format and language to the blank template."""
    rest = (settings.template, settings.vocabularies)
    word = {("docx", language): blank_docx(*rest, language) for language in LANGUAGES}
    return word | {("xlsx", language): blank_xlsx(*rest, language) for language in LANGUAGES}


def build(mail):
    """The raw message; a mail that answers one of ours answers `REPLY`."""
    return mail.build(REPLY if mail.after else None)


@cache
def parsed_bytes(raw):
    return email.message_from_bytes(raw, policy=email.policy.default)


def parsed(mail):
    return parsed_bytes(build(mail))


def document_root(package):
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return etree.fromstring(archive.read("word/document.xml"))


def tag_of(control):
    return control.find(f"{W}sdtPr/{W}tag").get(f"{W}val")


def mandatory(field, fields):
    """Whether the form asks for this answer, as its conditions tell."""
    condition = field.mandatory_when
    if condition is None:
        return field.requirement == "mandatory"
    value = fields.get(condition.field)
    value = {True: "contact", False: "other"}.get(value, value)
    if condition.any_of:
        return value in condition.any_of
    return value not in condition.none_of


def test_there_are_twelve_practices_with_names_of_their_own():
    """P1 to P12, in that order, no title twice."""
    found = practices()

    assert tuple(found) == NAMES
    assert len({practice.fields["title"] for practice in found.values()}) == 12


def test_the_practices_are_told_in_three_languages():
    """Eight in Spanish, three in English, one in French."""
    languages = [practice.language for practice in practices().values()]

    assert [languages.count(language) for language in LANGUAGES] == [8, 3, 1]


@pytest.mark.parametrize("name", NAMES)
def test_every_practice_is_a_complete_submission(name, settings):
    """Each mandatory question has an answer, and each answer has a question."""
    fields = practices()[name].fields
    asked = [field.key for field in settings.template.fields if mandatory(field, fields)]

    assert len(asked) >= 17
    assert [key for key in asked if fields.get(key) in (None, "", [])] == []
    assert set(fields) <= {field.key for field in settings.template.fields}


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_of_a_practice_is_in_its_list(name, settings):
    """Marks and drop-downs name terms of the vocabularies; a wrong key would be filled as nothing."""
    fields = practices()[name].fields
    keys = [
        (field.vocabulary, key)
        for field in settings.template.fields
        if field.vocabulary and field.key in fields
        for key in written_keys(field, fields[field.key], settings)
    ]

    assert len(keys) >= 10
    assert [pair for pair in keys if settings.vocabularies[pair[0]].get(pair[1]) is None] == []


def written_keys(field, value, settings):
    answer = written(field, value, settings.vocabularies, "es")
    if answer.marks:
        return answer.marks
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_have_the_length_that_the_form_asks_for(name):
    """No text of the samples earns advice on its length."""
    fields = practices()[name].fields

    assert 80 <= len(fields["summary"].split()) <= 250
    for key in ("impact", "lessons", "recommendations"):
        assert 40 <= len(fields[key].split()) <= 150
    assert 20 <= len(fields["innovation"].split()) <= 150
    assert len(fields["short"].split()) <= 40
    assert len(fields["title"]) <= 150


def test_the_practices_hold_clean_text():
    """White space is as a reader files it, or a form read back could not equal what was written."""
    texts = [
        value
        for practice in (practices() | others()).values()
        for value in practice.fields.values()
        if isinstance(value, str)
    ]

    assert len(texts) > 200
    assert [
        text for text in texts if text != text.strip() or re.search(r"[ \t]{2}|\n{3}| \n|\u00a0|\u202f", text)
    ] == []


def test_what_was_made_up_is_marked_in_the_file():
    """A practice names its source, and every contact is invented."""
    for practice in practices().values():
        assert practice.source
        assert set(practice.invented) <= set(practice.fields)
        assert {"focal_name", "focal_email", "consent_publish"} <= set(practice.invented)


def test_every_address_is_reserved_for_examples(mails):
    """Nothing in forms or mails could reach a real person."""
    found = set()
    for practice in (practices() | others()).values():
        found |= set(re.findall(r"[\w.+-]+@[\w.-]+\w", repr(dict(practice.fields))))
    for mail in mails.values():
        found |= {
            mail.sender,
            *re.findall(r"[\w.+-]+@[\w.-]+\w", f"{parsed(mail)['To']} {parsed(mail)['Cc']}"),
        }

    assert len(found) > 20
    assert [address for address in sorted(found) if not address.endswith(".example")] == []


def test_the_four_answers_on_publication_all_occur():
    """Yes, no, with conditions, pending: all are valid."""
    answers = {practice.fields["consent_publish"] for practice in practices().values()}

    assert answers == {"yes", "no", "conditional", "pending"}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        # The year alone, a month, a day, no end.
        ("2016", ("2016", "2016", "2016")),
        ("2021-04", ("abril de 2021", "April 2021", "avril 2021")),
        ("2021-03-15", ("15 de marzo de 2021", "15 March 2021", "15 mars 2021")),
        ("ongoing", ("Continúa", "Ongoing", "En cours")),
    ],
)
def test_dates_are_written_in_words_as_precise_as_they_are(value, words):
    """People do not write 2021-04 in a form."""
    assert tuple(date_words(value, language) for language in LANGUAGES) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_form_is_filled_as_word_does(language, settings, blanks):
    """The answer stands in the row of its number, the boxes of the chosen terms are ticked, no other."""
    practice = practices()["P2"]
    blank = blanks["docx", language]

    filled = fill_docx(blank, practice.fields, settings.template, settings.vocabularies, language)

    document = Document(io.BytesIO(filled))
    answers = {
        match[1]: "\n".join(paragraph.text for paragraph in row.cells[1].paragraphs)
        for table in document.tables
        for row in table.rows
        if (match := re.match(r"(\d+[ab]?)\. ", row.cells[0].text))
    }
    ticked = {
        tag_of(control)
        for control in document_root(filled).iter(f"{W}sdt")
        if (state := control.find(f"{W}sdtPr/{W14}checkbox/{W14}checked")) is not None
        and state.get(f"{W14}val") == "1"
    }
    assert answers["18"] == practice.fields["summary"]
    assert answers["14"] == practice.fields["main_implementer"]
    assert {tag for tag in ticked if "objectives" in tag} == {
        "primary_objectives.7",
        "primary_objectives.16",
        "primary_objectives.17",
        "secondary_objectives.15",
    }
    assert {"sdgs.5", "consent_publish.yes", "consent_images.yes", "sent_by_contact.contact"} < ticked
    assert len(ticked) == 4 + 4 + 4 + 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_excel_form_is_filled_as_excel_does(language, settings, blanks):
    """The answer stands beside its number, and one list tells main objectives from other ones."""
    practice = practices()["P1"]
    template = settings.template
    blank = blanks["xlsx", language]

    filled = fill_xlsx(blank, practice.fields, template, settings.vocabularies, language)

    sheet = load_workbook(io.BytesIO(filled))[template.text("sheet_form", language)]
    answers = {str(row[0].value): row[2].value for row in sheet.iter_rows() if row[0].value}
    assert answers["1"] == practice.fields["title"]
    assert answers["18"] == practice.fields["summary"]
    assert answers["8"] == "2016"
    assert answers["3-7"] == template.text("principal", language)
    assert answers["3-22"] == template.text("other", language)
    assert answers["3-1"] is None
    assert answers["6-5"] == answers["33-yes"] == template.text("yes", language)
    assert sheet.protection.sheet


def test_an_empty_answer_takes_a_prefilled_one_away(settings, blanks):
    """Somebody deletes the country that the form proposes."""
    template, vocabularies = settings.template, settings.vocabularies
    rest = (template, vocabularies, "es")

    word = fill_docx(blanks["docx", "es"], {"countries": []}, *rest)
    excel = fill_xlsx(blanks["xlsx", "es"], {"countries": []}, *rest)

    form = load_workbook(io.BytesIO(excel))["Formulario"]
    assert [row[2].value for row in form.iter_rows() if row[0].value == "12"] == [None]
    text = "".join(document_root(word).itertext())
    assert "Perú" not in text.partition("12. ")[2].partition("13. ")[0].partition("solo es en el Perú.")[2]


@pytest.mark.parametrize(("name", "language"), list(product(NAMES, LANGUAGES)))
def test_every_practice_fits_into_every_form(name, language, settings, blanks):
    """Both formats take the texts of any language; the same content gives the same file."""
    rest = (practices()[name].fields, settings.template, settings.vocabularies, language)

    word, excel = blanks["docx", language], blanks["xlsx", language]

    assert fill_docx(word, *rest) == fill_docx(word, *rest)
    assert fill_xlsx(excel, *rest) == fill_xlsx(excel, *rest)


def test_the_mails_are_many_in_three_languages_with_every_outcome(mails):
    """At least eighteen; the six practices of Peru and P7 to P12 among them, in both formats."""
    files = [
        part.get_filename() for mail in mails.values() for part in parsed(mail).walk() if part.get_filename()
    ]

    assert len(mails) >= 18
    assert {mail.language for mail in mails.values()} == set(LANGUAGES)
    assert {mail.expected for mail in mails.values()} >= {
        "accepted",
        "needs_correction",
        "answered",
        "ignored",
    }
    assert sum(name.endswith(".docx") for name in files) >= 5
    assert sum(name.endswith(".xlsx") for name in files) >= 5
    assert {"OFICIO 0231-2026.pdf", "practica comedor.doc"} < set(files)


def test_every_mail_is_a_mail(mails):
    """Headers parse without defects, each Message-ID occurs once, the mailbox is the recipient."""
    found = {name: parsed(mail) for name, mail in mails.items()}

    assert [name for name, message in found.items() if any(part.defects for part in message.walk())] == []
    assert len({message["Message-ID"] for message in found.values()}) == len(mails)
    assert {parseaddr(str(message["To"]))[1] for message in found.values()} == {MAILBOX}
    for name, message in found.items():
        assert parseaddr(str(message["From"]))[1] == mails[name].sender
        assert not re.search(rb"(?<!\r)\n", build(mails[name]))


def test_the_mails_come_one_after_the_other_just_before_now(settings):
    """Dates rise and lie within a morning."""
    now = datetime(2027, 3, 12, 9, 0, tzinfo=timezone(timedelta(hours=-5)))

    mails = sample_mails(settings, to="buzon@oficina.example", now=now)

    messages = [parsed(mail) for mail in mails]
    dates = [parsedate_to_datetime(message["Date"]) for message in messages]
    assert dates == sorted(set(dates))
    assert now - timedelta(hours=4) < dates[0] < dates[-1] < now
    assert {str(message["To"]) for message in messages} == {"buzon@oficina.example"}


def test_the_same_mail_has_the_same_bytes(settings):
    """Nothing in them hangs on the clock or on chance."""
    again = sample_mails(settings)

    assert [build(mail) for mail in sample_mails(settings)] == [build(mail) for mail in again]


def test_every_mail_is_described_in_three_languages(mails):
    """One line a language, for the table that the demonstration prints."""
    for mail in mails.values():
        assert set(mail.description) == set(LANGUAGES)
        assert all(0 < len(line) <= 62 and "\n" not in line for line in mail.description.values())


def test_the_corrected_form_answers_our_letter(mails):
    """It names our Message-ID and keeps our token in the subject, as a mail program's Reply does."""
    corrected = mails["biblioteca-corregida"]

    message = parsed(corrected)

    assert corrected.after == "biblioteca"
    assert message["In-Reply-To"] == "<reply-13@redmigracion.example>"
    assert message["References"] == "<biblioteca@correo.example> <reply-13@redmigracion.example>"
    assert "[PMM-2026-0013-K7QX2M9D]" in message["Subject"]
    assert message["Subject"].upper().count("RE:") == 1


def test_the_corrected_form_cannot_be_sent_before_our_letter(mails):
    """A demonstration in the wrong order is told so."""
    with pytest.raises(ValueError, match="biblioteca"):
        _ = mails["biblioteca-corregida"].raw


def test_two_mails_come_without_a_pass(mails):
    """One complete, one not: their letters quote nothing."""
    unproved = {mail.expected for mail in mails.values() if not mail.passes}

    assert unproved == {"accepted", "needs_correction"}
    assert sum(not mail.passes for mail in mails.values()) == 2


def test_machines_are_known_for_what_they_are(mails):
    """An out-of-office reply, a bounce and an invitation bear the marks of their kind."""
    absent, bounce, invitation = (
        parsed(mails[name]) for name in ("fuera-de-oficina", "rebote", "invitacion")
    )

    assert absent["Auto-Submitted"] == "auto-replied"
    assert bounce.get_content_type() == "multipart/report"
    assert bounce["Return-Path"] == "<>"
    assert mails["rebote"].envelope == mails["fuera-de-oficina"].envelope == ""
    assert [part.get_content_type() for part in bounce.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert "text/calendar" in [part.get_content_type() for part in invitation.walk()]


def test_the_small_files_are_what_their_names_say():
    """Each begins, and where it has one ends, as its format demands."""
    document, old, picture = pdf(["Oficio (1)"]), old_word(), png(8, 4)

    assert document.startswith(b"%PDF-1.4")
    assert document.endswith(b"%%EOF\n")
    assert b"(Oficio \\(1\\)) Tj" in document
    assert old.startswith(bytes.fromhex("d0cf11e0a1b11ae1"))
    assert "WordDocument".encode("utf-16-le") in old
    assert len(old) % 512 == 0
    assert picture.startswith(b"\x89PNG")
    assert picture.endswith(b"IEND\xaeB`\x82")


def test_mails_for_measuring_have_their_shares_and_differ(settings):
    """Of ten mails six are complete, three incomplete, one other; sender, title and Message-ID differ."""
    raw = list(bulk(40, settings, seed=7))

    messages = [email.message_from_bytes(mail, policy=email.policy.default) for mail in raw]
    forms = [
        part.get_content()
        for message in messages
        for part in message.walk()
        if str(part.get_filename()).endswith(("docx", "xlsx"))
    ]
    assert len(forms) == 36
    assert len({message["Message-ID"] for message in messages}) == 40
    assert len({str(message["From"]) for message in messages}) == 40
    assert len({str(message["Subject"]) for message in messages}) >= 37
    assert len(set(forms)) == 36
    assert all(40_000 < len(form) < 60_000 for form in forms)
    assert list(bulk(40, settings, seed=7)) == raw


def test_mails_for_measuring_can_come_with_a_receiving_servers_word(settings):
    """A mailbox that trusts that server takes every sender for verified, as in daily use."""
    raw = next(bulk(1, settings, authserv_id="mx.office.example"))

    message = email.message_from_bytes(raw, policy=email.policy.default)
    domain = parseaddr(str(message["From"]))[1].partition("@")[2]
    assert message["Authentication-Results"] == f"mx.office.example; dmarc=pass header.from={domain}"
    assert raw.startswith(b"Authentication-Results:")


def test_a_form_for_measuring_opens_and_bears_its_own_title(settings):
    """The changed copies are sound files, not only bytes of a size."""
    titles = []
    for raw in bulk(10, settings):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for part in message.walk():
            if str(part.get_filename()).endswith("docx"):
                Document(io.BytesIO(part.get_content()))
                root = document_root(part.get_content())
                control = next(control for control in root.iter(f"{W}sdt") if tag_of(control) == "title")
                titles.append("".join(text.text for text in control.iter(f"{W}t")))
            elif str(part.get_filename()).endswith("xlsx"):
                book = load_workbook(io.BytesIO(part.get_content()))
                titles += [row[2].value for row in book.worksheets[1].iter_rows() if row[0].value == "1"]
        assert not titles or titles[-1] in message["Subject"] or "Práctica" not in message["Subject"]

    assert len(set(titles)) == 9
