"""The whole way on real IMAP and SMTP: from a mail in the box to a row in the register and a reply."""

from __future__ import annotations

import re

import pytest
from offices import fields, form, mail, make_office

from config import load

SHIPPED = load()


@pytest.fixture(name="office")
def _office(tmp_path, imap_server, smtp_sink):
    """An office that has looked once into its empty box, so that its start line is drawn."""
    office = make_office(tmp_path / "oficina", imap_server, smtp_sink)
    office.tick()
    return office


@pytest.fixture(name="quick")
def _quick(tmp_path, pymap_server, smtp_sink):
    """The same on pymap alone, for what does not depend on the server."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick()
    return office


INCOMPLETE = {"start": None, "summary": None, "consent_publish": None}


def test_a_complete_form_becomes_a_row_and_an_acknowledgement(office):
    """The practice is in the register, the sender has a reference, the mail is filed under Recibidas."""
    office.deliver(mail("ana@muni.example", "Práctica", files=[("p.docx", form(fields(), SHIPPED))]))

    office.tick()

    [row] = office.rows()
    [reply] = office.replies()
    assert row["title"] == fields()["title"]
    assert row["situation"] == "Completa"
    assert row["state"] == "Por asignar"
    assert row["reference"] in reply.get_body(("plain",)).get_content()
    assert reply["Auto-Submitted"] == "auto-replied"
    assert reply["To"] == "ana@muni.example"
    assert re.search(r"\[PMM-\d{4}-0001-[A-Z2-9]{8}\]", reply["Subject"])
    assert office.imap.snapshot() == []
    assert len(office.imap.snapshot(office.folder("Recibidas"))) == 1


def test_an_incomplete_form_gets_one_list_and_its_corrected_version_ends_the_case(office):
    """The list names what is missing; the corrected form in the thread continues the same case."""
    first = mail(
        "luz@ong.example", "Envío", files=[("f.xlsx", form(fields("P2", **INCOMPLETE), SHIPPED, kind="xlsx"))]
    )
    office.deliver(first)
    office.tick()
    [request] = office.replies()
    assert office.rows()[0]["situation"] == "En corrección (1.ª)"
    text = request.get_body(("plain",)).get_content()
    assert all(label in text for label in ("¿Desde cuándo?", "Resumen", "Autorización de publicación"))

    office.deliver(
        mail(
            "luz@ong.example",
            f"RE: {request['Subject']}",
            files=[("f2.docx", form(fields("P2"), SHIPPED))],
            In_Reply_To=request["Message-ID"],
        )
    )
    office.tick()

    [row] = office.rows()
    assert row["situation"] == "Completa"
    assert row["version"] == "2"
    assert office.count_of("cases") == 1
    assert len(office.replies()) == 2
    assert office.replies()[1]["In-Reply-To"] is not None


def test_mail_that_is_not_about_the_call_stays_bit_for_bit_as_it_was(office):
    """Bytes, flags, place; also for another client that is signed in meanwhile, and what it marked deleted."""
    other = office.imap.client()
    office.imap.append(
        mail("jefa@ministerio.example", "Reunión del grupo de trabajo", "Nos vemos el martes.")
    )
    office.imap.append(
        mail("yo@correo.example", "ayuda", "me quieren desalojar, a donde puedo acudir"), flags=("\\Seen",)
    )
    office.imap.append(mail("x@y.example", "borrado", "ya no"), flags=("\\Deleted",))
    office.imap.append(
        mail(
            "ausente@muni.example",
            "Fuera de la oficina",
            "Estoy de vacaciones",
            Auto_Submitted="auto-replied",
        )
    )
    other.select("INBOX")
    before = office.imap.snapshot()
    marked = other.uid("SEARCH", "DELETED")[1]
    office.deliver(mail("ana@muni.example", "Práctica", files=[("p.docx", form(fields(), SHIPPED))]))

    office.tick(2)

    assert office.imap.snapshot() == before
    assert marked != [b""]
    assert other.uid("SEARCH", "DELETED")[1] == marked
    assert len(office.replies()) == 1
    assert office.dispositions() == ["accepted", "ignored", "ignored", "ignored", "ignored"]


def test_of_mail_left_for_people_nothing_is_kept(quick):
    """No original, no address, no subject: the mail is still in its box."""
    quick.imap.append(mail("yo@correo.example", "secreto", "me quieren desalojar"))

    quick.tick()

    kept = [path for path in (quick.home / "datos" / "originals").rglob("*") if path.is_file()]
    ledger = b"".join(path.read_bytes() for path in (quick.home / "datos").glob("ledger*"))
    assert quick.count_of("messages") == 1
    assert kept == []
    assert b"secreto" not in ledger
    assert b"correo.example" not in ledger


def test_an_unverified_sender_is_quoted_nothing(quick):
    """Neither title nor subject nor file name of theirs is in the reply."""
    answers = fields("P3", title="Palabras que no deben volver", summary=None)
    quick.deliver(
        mail("q@z.example", "Asunto ajeno", files=[("ajeno.docx", form(answers, SHIPPED))]), passes=False
    )

    quick.tick()

    [reply] = quick.replies()
    said = (
        reply["Subject"] + reply.get_body(("plain",)).get_content() + reply.get_body(("html",)).get_content()
    )
    assert "Resumen" in said
    for theirs in ("Palabras que no deben volver", "Asunto ajeno", "ajeno.docx"):
        assert theirs not in said


def test_the_template_is_sent_on_request(quick):
    """Both blank forms go along, in the language of the request."""
    quick.deliver(
        mail("bo@univ.example", "Form", "Good morning, could you please send me the practice form in Word?")
    )

    quick.tick()

    [reply] = quick.replies()
    assert reply["Content-Language"] == "en"
    assert sorted(part.get_filename().rpartition(".")[2] for part in reply.iter_attachments()) == [
        "docx",
        "xlsx",
    ]


def test_a_form_without_consent_is_registered_and_nothing_more_is_asked(quick):
    """Consent "no" is an answer: the case is there, marked as not authorised."""
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(consent_publish="no"), SHIPPED))]))

    quick.tick()

    [row] = quick.rows()
    assert row["situation"] == "Sin autorización"
    assert "state" not in row
    assert quick.dispositions() == ["accepted"]


def test_the_same_mail_delivered_twice_is_answered_once(quick):
    """A second copy is filed like the first; no second case, no second reply."""
    raw = mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))])
    quick.deliver(raw)
    quick.tick()
    quick.deliver(raw)
    quick.tick()

    assert len(quick.replies()) == 1
    assert quick.count_of("cases") == 1
    assert len(quick.imap.snapshot(quick.folder("Recibidas"))) == 2


def test_a_mail_put_back_into_the_inbox_is_looked_at_again_and_answered_only_if_the_outcome_differs(quick):
    """A person moves a filed mail back: judged anew, filed again, no second reply for the same outcome."""
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))]))
    quick.tick()
    assert quick.put_back("Recibidas") == 1
    assert len(quick.imap.snapshot()) == 1

    quick.tick()

    assert "looked_again" in quick.column("events.action")
    assert len(quick.replies()) == 1
    assert quick.count_of("cases") == 1
    assert quick.imap.snapshot() == []
    assert len(quick.imap.snapshot(quick.folder("Recibidas"))) == 1


def test_words_in_a_case_thread_are_never_answered(quick):
    """A person reads them: the row says so, and a line of Por revisar holds the words."""
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(summary=None), SHIPPED))]))
    quick.tick()
    [request] = quick.replies()
    quick.deliver(
        mail(
            "a@b.example",
            "RE: P",
            "la fecha es marzo 2021 y el objetivo el 16",
            In_Reply_To=request["Message-ID"],
        )
    )

    quick.tick()

    assert len(quick.replies()) == 1
    assert quick.rows()[0]["situation"] == "Respondió, por leer"
    [line] = quick.rows("review")
    assert "marzo 2021" in line["reason"]
    assert line["proposal"].startswith("Leerlo")


def test_mail_from_before_the_first_start_is_not_touched(tmp_path, imap_server, smtp_sink):
    """The start line: what lay in the box when the program was set up stays as it is."""
    office = make_office(tmp_path / "oficina", imap_server, smtp_sink)
    office.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))]))
    before = imap_server.snapshot()

    office.tick(2)

    assert imap_server.snapshot() == before
    assert office.count_of("messages") == 0


def test_a_reply_that_the_server_puts_off_goes_later_and_the_mail_waits(quick):
    """A temporary refusal owes the reply still; nothing is lost and nothing is sent twice."""
    quick.smtp.rcpt.append("451 4.7.1 greylisted")
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))]))

    quick.tick()

    assert quick.replies() == []
    assert quick.rows()[0]["situation"] == "Completa"


def test_a_permanent_refusal_is_told_to_the_secretariat(quick):
    """The case stands; a line of Por revisar says that the reply could not be delivered."""
    quick.smtp.rcpt.append("550 5.1.1 no such user")
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))]))

    quick.tick(2)

    assert quick.replies() == []
    assert len(quick.rows("review")) == 1
    assert quick.imap.snapshot() == []


def test_a_register_left_open_is_waited_for(quick):
    """LibreOffice's lock file beside it: nothing is written until it is closed; mail goes on."""
    lock = quick.home / ".~lock.Registro.xlsx#"
    lock.write_text(",maria,portatil,20.11.2026 10:00,file:///home/maria;")
    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(), SHIPPED))]))

    report = quick.tick()
    assert report.waiting == ("register_open",)
    assert quick.rows() == []
    assert len(quick.replies()) == 1

    lock.unlink()
    quick.tick()
    assert len(quick.rows()) == 1


def test_staffs_word_stands_in_the_register(quick):
    """A title that staff changed is kept when the submitter sends a new version."""
    from openpyxl import load_workbook

    quick.deliver(mail("a@b.example", "P", files=[("p.docx", form(fields(summary=None), SHIPPED))]))
    quick.tick()
    book = load_workbook(quick.register)
    sheet = book["Prácticas"]
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == fields()["title"])
    cell.value = "Título de la Secretaría"
    book.save(quick.register)
    [request] = quick.replies()
    quick.deliver(
        mail(
            "a@b.example",
            "RE: P",
            files=[("p.docx", form(fields(title="Otro título del remitente"), SHIPPED))],
            In_Reply_To=request["Message-ID"],
        )
    )
    quick.tick()

    [row] = quick.rows()
    assert row["title"] == "Título de la Secretaría"
    assert row["situation"] == "Completa"
    assert len(quick.rows("history")) == 1
