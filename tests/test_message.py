"""Raw bytes of a mail become values, whatever was sent."""

from __future__ import annotations

import base64
import quopri
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.settings import Limits
from intake.message import Message, parse

LIMITS = Limits()


def mail(head: str, body: str | bytes = "Hola") -> Message:
    """A mail of header lines and body, line ends LF."""
    content = body if isinstance(body, bytes) else body.encode()
    return parse(head.strip().encode("utf-8", "surrogateescape") + b"\n\n" + content, LIMITS)


def mixed(*parts: str, kind: str = "mixed", head: str = "From: ana@example.org") -> Message:
    """A multipart mail of whole parts (their own header lines, blank line, content)."""
    body = "".join(f"--sep\n{part}\n" for part in parts) + "--sep--\n"
    return mail(f'{head}\nContent-Type: multipart/{kind}; boundary="sep"', body)


# --- Headers ---


def test_plain_mail_gives_who_what_when():
    """Every header that the program uses is read from an ordinary mail."""
    message = mail(
        """
Return-Path: <ana@example.org>
Received: from a.example.org by mx.example.net; Fri, 12 Mar 2027 10:41:00 -0500
Received: from b.example.org by a.example.org; Fri, 12 Mar 2027 10:40:00 -0500
From: "Ana Quispe" <Ana@Example.ORG>
Reply-To: Red <red@example.org>
To: Buzón <red@example.net>, otro@example.net
Cc: jefe@example.org
Subject: Práctica de Tacna
Date: Fri, 12 Mar 2027 15:39:00 +0000
Message-ID: <1@example.org>
In-Reply-To: <0@example.net>
References: <00@example.net>
 <0@example.net>
"""
    )

    assert [(entry.name, entry.address) for entry in message.from_] == [("Ana Quispe", "Ana@example.org")]
    assert [entry.address for entry in message.to] == ["red@example.net", "otro@example.net"]
    assert [entry.address for entry in message.cc] == ["jefe@example.org"]
    assert [entry.address for entry in message.reply_to] == ["red@example.org"]
    assert message.return_path == "ana@example.org"
    assert message.subject == "Práctica de Tacna"
    assert message.date == datetime(2027, 3, 12, 15, 39, tzinfo=UTC)
    assert message.received == datetime(2027, 3, 12, 10, 41, tzinfo=timezone(timedelta(hours=-5)))
    assert message.message_id == "<1@example.org>"
    assert message.in_reply_to == ("<0@example.net>",)
    assert message.references == ("<00@example.net>", "<0@example.net>")
    assert message.problems == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?Pr=C3=A1ctica?=", "Práctica"),
        ("=?utf-8?b?UHLDoWN0aWNh?= de =?iso-8859-1?q?Per=FA?=", "Práctica de Perú"),
        # The blank between two encoded words is not part of the text (RFC 2047, 6.2).
        ("=?utf-8?q?Pr=C3=A1c?=\n =?utf-8?q?tica?=", "Práctica"),
        # A character cut in two by a program that counts bytes.
        ("=?utf-8?q?Pr=C3?= =?utf-8?q?=A1ctica?=", "Práctica"),
        ("Práctica de\n\tTacna", "Práctica de Tacna"),
        # An encoded line break would become a header of our reply.
        ("=?utf-8?q?hola=0D=0ABcc:_x@example.com?=", "hola Bcc: x@example.com"),
        ("=?x-unknown?q?hola?=", "hola"),
        ("=?utf-8?b?@@@?= x", "x"),
        ("a\u202eb\u200bc\ufeffd\x07e", "abcde"),
        ("=?utf-8*es?q?ni=C3=B1ez?=", "niñez"),
        ("", ""),
    ],
)
def test_subject_is_one_clean_decoded_line(written: str, read: str):
    """Encoded words, folding, broken encodings and characters that deceive the eye end as one clean line."""
    assert mail(f"From: a@example.org\nSubject: {written}").subject == read


def test_raw_latin1_bytes_in_headers_are_read():
    """Old programs write 8-bit headers without saying in which charset."""
    message = parse("From: José <j@example.org>\nSubject: Práctica\n\nx".encode("latin-1"), LIMITS)

    assert (message.subject, message.from_[0].name) == ("Práctica", "José")


@pytest.mark.parametrize(
    ("written", "addresses"),
    [
        ("ana@example.org", ["ana@example.org"]),
        ("ana@EXAMPLE.org.", ["ana@example.org"]),
        ('"Quispe, Ana" <ana@example.org>', ["ana@example.org"]),
        ("=?utf-8?q?Quispe=2C_Ana?= <ana@example.org>", ["ana@example.org"]),
        # The whole header encoded, address included.
        ("=?utf-8?q?Ana_=3Cana@example.org=3E?=", ["ana@example.org"]),
        ('"ana.q"@example.org', ["ana.q@example.org"]),
        ("Ana <ana@perú.example>", ["ana@xn--per-boa.example"]),
        ("ana@example.org, luis@example.org", ["ana@example.org", "luis@example.org"]),
        ("Grupo: ana@example.org, luis@example.org;", ["ana@example.org", "luis@example.org"]),
        # An address in the name is a name.
        ('"jefa@gob.pe" <otro@example.com>', ["otro@example.com"]),
        ("Ana Quispe", []),
        ("ana@localhost", ["ana@localhost"]),
        ("ana@-x.org", []),
        ("<>", []),
        ("", []),
        ("(" * 3000 + "ana@example.org", []),
    ],
)
def test_from_yields_only_addresses_that_mail_can_be_sent_to(written: str, addresses: list[str]):
    """An entry without usable address keeps an empty one and is never answered."""
    message = mail(f"From: {written}")

    assert [entry.address for entry in message.from_ if entry.address] == addresses


def test_line_break_inside_an_address_does_not_survive():
    """A folded or encoded break in an address never reaches the envelope."""
    message = mail("From: =?utf-8?q?x?= <ana@exam\n ple.org>\nTo: a@b.example\r\n\t, c@d.example")

    assert not any("\n" in entry.address or "\r" in entry.address for entry in (*message.from_, *message.to))


@pytest.mark.parametrize(
    ("written", "read"),
    [("<>", ""), ("< >", ""), ("<ana@example.org>", "ana@example.org"), (None, None)],
)
def test_null_return_path_is_told_from_a_missing_one(written: str | None, read: str | None):
    """`""` is the null path of bounces, `None` says that no server wrote any."""
    line = "" if written is None else f"Return-Path: {written}\n"

    assert mail(f"{line}From: a@example.org").return_path == read


@pytest.mark.parametrize(
    "written", ["", "gestern", "Fri, 99 Foo 2027 99:99", "Fri, 12 Mar 99999 10:00 +9999"]
)
def test_unreadable_date_is_none(written: str):
    """No date is invented where none can be read."""
    assert mail(f"From: a@example.org\nDate: {written}").date is None


def test_date_without_zone_is_aware():
    """Naive dates never leave this module."""
    message = mail("From: a@example.org\nDate: Fri, 12 Mar 2027 10:00:00 -0000")

    assert message.date == datetime(2027, 3, 12, 10, tzinfo=UTC)


def test_headers_keep_their_order_and_ignore_case():
    """Which of several headers stands on top decides about trust."""
    message = mail("X-Uno: a\nFrom: a@example.org\nx-uno: b")

    assert message.headers.get_all("X-UNO") == ("a", "b")
    assert message.headers.get("x-uno") == "a"
    assert message.headers.get("nada") is None


def test_message_id_without_brackets_gets_them():
    """Answers will quote it with brackets."""
    assert mail("From: a@example.org\nMessage-ID: 1@example.org").message_id == "<1@example.org>"


# --- Text ---


def test_plain_text_is_preferred_to_its_html_alternative():
    """One of the alternatives is the text, and neither is an attachment."""
    message = mixed(
        "Content-Type: text/plain\n\nHola", "Content-Type: text/html\n\n<p>Otra cosa</p>", kind="alternative"
    )

    assert message.text == "Hola"
    assert message.attachments == ()


def test_html_is_read_where_the_plain_alternative_is_empty():
    """Some programs send an empty plain part."""
    message = mixed(
        "Content-Type: text/plain\n\n \n", "Content-Type: text/html\n\n<p>Hola</p>", kind="alternative"
    )

    assert message.text == "Hola"


def test_html_becomes_lines_cells_and_quotations():
    """Blocks are lines, cells are apart, quotations are marked, what is hidden is left out."""
    message = mail(
        "From: a@example.org\nContent-Type: text/html; charset=utf-8",
        "<html><head><title>t</title><style>p{}</style></head><body><p>Uno<br>dos&nbsp;y <b>tres</b></p>"
        "<div style='display: none'>nada</div><table><tr><td>1. Título</td><td>Tacna</td></tr></table>"
        "<blockquote type=cite><p>viejo</p></blockquote><blockquote>sangría</blockquote></body></html>",
    )

    assert message.text == "Uno\ndos y tres\n\n1. Título\tTacna\n\n> viejo\n\nsangría"
    assert "viejo" not in message.own_text
    assert "sangría" in message.own_text


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("utf-8", "niñez"),
        ("iso-8859-1", "niñez"),
        ("no-such-charset", "niñez"),
        ("rot13", "niñez"),
        ("punycode", "niñez"),
    ],
)
def test_text_is_decoded_whatever_is_declared(charset: str, data: str):
    """Unknown and unfit charsets do not cost the text."""
    encoding = charset if charset in {"utf-8", "iso-8859-1"} else "utf-8"
    message = mail(f"From: a@example.org\nContent-Type: text/plain; charset={charset}", data.encode(encoding))

    assert message.text == data


def test_utf8_declared_as_latin1_is_read_as_utf8():
    """The commonest wrong label."""
    message = mail(
        "From: a@example.org\nContent-Type: text/plain; charset=iso-8859-1", "Perú – niñez".encode()
    )

    assert message.text == "Perú – niñez"


def test_text_between_attachments_is_all_text():
    """Apple Mail puts files between the paragraphs."""
    message = mixed(
        "Content-Type: text/plain\n\nUno",
        "Content-Type: image/png; name=a.png\nContent-Disposition: inline; filename=a.png\n\nx",
        "Content-Type: text/plain\n\nDos",
    )

    assert message.text == "Uno\n\nDos"
    assert [attachment.name for attachment in message.attachments] == ["a.png"]


def test_text_is_bounded():
    """A long body is cut, not refused."""
    assert len(mail("From: a@example.org", "a" * 300_000).text) == 200_000


@pytest.mark.parametrize(
    "quotation",
    [
        "> viejo\n> viejo",
        "El lun, 3 may 2027 a las 10:12, Red (<red@example.org>) escribió:\n\n> viejo",
        "El lunes, 3 de mayo de 2027, 10:12:11 a. m. GMT-5, una persona de nombre largo\n<persona@example.org> escribió:\n\nviejo",
        "On Mon, May 3, 2027 at 10:12 AM Red <red@example.org> wrote:\n> viejo",
        "Le lun. 3 mai 2027 à 10:12, Réseau <red@example.org> a écrit :\n> viejo",
        "-----Mensaje original-----\nviejo",
        "-----Original Message-----\nviejo",
        "-------- Message d'origine --------\nviejo",
        "---------- Forwarded message ---------\nviejo",
        "________________________________\nDe: Red <red@example.org>\nEnviado el: lunes\nPara: Ana\nAsunto: viejo\n\nviejo",
        "*From:* Red <red@example.org>\n*Sent:* Monday\n*To:* Ana\n*Subject:* viejo\n\nviejo",
        "De : Réseau <red@example.org>\nEnvoyé : lundi\nÀ : Ana\nObjet : viejo\n\nviejo",
        "-- \nAna Quispe\nviejo",
        "Enviado desde mi iPhone",
    ],
)
def test_own_text_ends_where_the_quotation_begins(quotation: str):
    """Quotations of Outlook, Gmail, Thunderbird and signatures are cut in three languages."""
    message = mail(
        "From: a@example.org\nContent-Type: text/plain; charset=utf-8", f"Gracias, enviado.\n\n{quotation}\n"
    )

    assert message.own_text == "Gracias, enviado."
    assert message.text.startswith("Gracias, enviado.\n\n")


def test_answer_below_the_quotation_is_own_text():
    """People who answer below what they quote are read too."""
    message = mail(
        "From: a@example.org", "On Monday, Red <r@example.org> wrote:\n> vieja\n> pregunta\n\nMi respuesta"
    )

    assert message.own_text == "Mi respuesta"


@pytest.mark.parametrize(
    "text",
    [
        "El formulario que nos pidieron dice lo siguiente:\nse escribió a mano",
        "De: la Municipalidad\nPresentamos la práctica",
        "El proyecto empezó en 2021.\nOn the other hand we continue",
        "- uno\n- dos",
    ],
)
def test_words_like_a_quotation_are_kept(text: str):
    """What only resembles a quotation stays: losing a sentence is worse than keeping one."""
    assert mail("From: a@example.org\nContent-Type: text/plain; charset=utf-8", text).own_text == text


# --- Attachments ---


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('Content-Disposition: attachment; filename="Formato final.docx"', "Formato final.docx"),
        ("Content-Disposition: attachment; filename*=utf-8''Pr%C3%A1ctica.docx", "Práctica.docx"),
        (
            "Content-Disposition: attachment; filename*0*=utf-8''Pr%C3%A1c; filename*1=tica; filename*2=.docx",
            "Práctica.docx",
        ),
        ('Content-Type: application/x; name="=?utf-8?b?UHLDoWN0aWNhLmRvY3g=?="', "Práctica.docx"),
        ('Content-Disposition: attachment; filename="Práctica.docx"', "Práctica.docx"),
        ('Content-Disposition: attachment; filename="../../etc/passwd"', "passwd"),
        ('Content-Disposition: attachment; filename="C:\\\\Users\\\\ana\\\\f.docx"', "f.docx"),
        ('Content-Disposition: attachment; filename=".."', ""),
        ("Content-Disposition: attachment; filename*=utf-8''a%E2%80%AExcod.exe", "axcod.exe"),
        ("Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab%00c.docx", "a bc.docx"),
        ("Content-Disposition: attachment", ""),
        ("Content-Disposition: attachment; filename*=nada''%FF%zz.docx", "�%zz.docx"),
    ],
)
def test_attachment_name_is_decoded_and_never_a_path(header: str, name: str):
    """Names in every encoding end as one harmless component."""
    message = mixed("Content-Type: text/plain\n\nHola", f"{header}\n\nx")

    assert [attachment.name for attachment in message.attachments] in ([name], [name.replace("�", "ÿ")])


def test_long_attachment_name_keeps_its_extension():
    """120 characters at most, and people still see what it is."""
    message = mixed(
        "Content-Type: text/plain\n\nHola", f"Content-Disposition: attachment; filename={'a' * 300}.docx\n\nx"
    )

    assert message.attachments[0].name == "a" * 115 + ".docx"


def test_attachment_content_is_decoded():
    """Base64 and quoted-printable end as the same bytes."""
    data = b"PK\x03\x04\x00\xff"
    message = mixed(
        "Content-Type: text/plain\n\nHola",
        f"Content-Type: application/x; name=a\nContent-Transfer-Encoding: base64\n\n{base64.b64encode(data).decode()}",
        f"Content-Type: application/x; name=b\nContent-Transfer-Encoding: quoted-printable\n\n{quopri.encodestring(data).decode()}",
    )

    assert [(part.name, part.data, part.part) for part in message.attachments] == [
        ("a", data, "2"),
        ("b", data, "3"),
    ]


def test_mail_that_is_nothing_but_a_file_has_an_attachment():
    """Some programs send a document without any multipart."""
    message = mail(
        "From: a@example.org\nContent-Type: application/octet-stream; name=f.docx\nContent-Transfer-Encoding: base64",
        base64.b64encode(b"PK\x03\x04").decode(),
    )

    assert (message.text, message.attachments[0].data, message.attachments[0].part) == (
        "",
        b"PK\x03\x04",
        "1",
    )


def test_document_declared_as_text_is_an_attachment():
    """Word files come as text/plain without a name; their bytes tell."""
    message = mixed(
        "Content-Type: text/plain\n\nHola",
        f"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{base64.b64encode(b'PK' + bytes((3, 4))).decode()}",
    )

    assert message.text == "Hola"
    assert [attachment.part for attachment in message.attachments] == ["2"]


def test_only_small_pictures_of_the_text_are_inline():
    """A logo is no file that somebody sends; a photograph is, even shown in the text."""
    small, large = ("x" * 100, "x" * 60_000)
    message = mixed(
        "Content-Type: text/html\n\n<p>Hola<img src='cid:a'></p>",
        f"Content-Type: image/png\nContent-ID: <a>\n\n{small}",
        f"Content-Type: image/png\nContent-ID: <b>\n\n{large}",
        f"Content-Type: image/png; name=c.png\n\n{small}",
        kind="related",
    )

    assert [attachment.inline for attachment in message.attachments] == [True, False, False]


def test_forwarded_message_is_opened():
    """Files inside a forwarded mail are found; its text is not the sender's."""
    inner = (
        "From: luis@example.org\nSubject: =?utf-8?q?Pr=C3=A1ctica?=\nContent-Type: multipart/mixed; boundary=in\n\n"
        "--in\nContent-Type: text/plain\n\nTexto de Luis\n--in\nContent-Type: application/x; name=f.docx\n\nx\n--in--\n"
    )
    message = mixed("Content-Type: text/plain\n\nReenvío", f"Content-Type: message/rfc822\n\n{inner}")

    assert message.text == "Reenvío"
    assert [(part.name, part.part, part.forwarded) for part in message.attachments] == [
        ("f.docx", "2.2", True)
    ]
    assert [(entry.part, entry.subject, entry.text) for entry in message.forwarded] == [
        ("2", "Práctica", "Texto de Luis")
    ]
    assert message.forwarded[0].from_[0].address == "luis@example.org"


def test_forwarded_message_in_base64_is_opened():
    """RFC 2046 forbids it, and it arrives."""
    inner = b"From: luis@example.org\nContent-Type: application/x; name=f.docx\n\nx"
    message = mixed(
        "Content-Type: text/plain\n\nReenvío",
        f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{base64.b64encode(inner).decode()}",
    )

    assert [attachment.name for attachment in message.attachments] == ["f.docx"]


def test_report_tells_its_type_and_keeps_its_parts():
    """What a bounce says is not opened as a mail."""
    message = mixed(
        "Content-Type: text/plain\n\nNo se pudo entregar",
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; x@y.example",
        kind='report; report-type="delivery-status"',
    )

    assert (message.content_type, message.report_type) == ("multipart/report", "delivery-status")
    assert b"Final-Recipient: rfc822; x@y.example" in message.attachments[0].data


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR", True),
        ("Content-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY", True),
        # A calendar file that somebody attaches asks for no answer.
        ("Content-Type: text/calendar; name=fechas.ics\n\nBEGIN:VCALENDAR\nVERSION:2.0", False),
    ],
)
def test_calendar_request_is_told_from_a_calendar_file(part: str, found: bool):
    """iMIP (RFC 6047) demands a method; a mere file has none. Both stay attachments."""
    message = mixed("Content-Type: text/plain\n\nHola", part)

    assert message.has_calendar is found
    assert len(message.attachments) == 1


def test_multipart_without_boundary_is_text():
    """What cannot be taken apart is shown as it stands."""
    assert mail("From: a@example.org\nContent-Type: multipart/mixed", "Hola").text == "Hola"


# --- Identity ---


def encoded(name: str) -> Message:
    """One content, sent in one of several transfer encodings and by another route."""
    text = "Práctica de Tacna\nsegunda línea\n"
    data = bytes(range(256))
    bodies = {
        "8bit": text.encode(),
        "base64": base64.encodebytes(text.replace("\n", "\r\n").encode()),
        "quoted-printable": quopri.encodestring(text.encode()),
    }
    raw = (
        f"Received: by {name}.example; Fri, 12 Mar 2027 10:41:00 -0500\n"
        "From: =?utf-8?q?Jos=C3=A9?= <j@example.org>\nSubject: Pr=?utf-8?q?x?=\nDate: Fri, 12 Mar 2027 15:39:00 +0000\n"
        f"Message-ID: <1@example.org>\nContent-Type: multipart/mixed; boundary={name}x\n\n--{name}x\n"
        f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {name}\n\n"
    ).encode() + bodies[name]
    raw += f"\n--{name}x\nContent-Type: application/x\nContent-Transfer-Encoding: base64\n\n".encode()
    raw += base64.encodebytes(data) + f"\n--{name}x--\n".encode()
    return parse(raw.replace(b"\n", b"\r\n") if name == "8bit" else raw, LIMITS)


def test_digest_survives_another_route_and_transfer_encoding():
    """The same message, delivered again in other clothes, is known again."""
    digests = {encoded(name).digest for name in ("8bit", "base64", "quoted-printable")}

    assert len(digests) == 1


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("From: a@example.org\nSubject: uno", "otro"),
        ("From: a@example.org\nSubject: dos", "Hola"),
        ("From: b@example.org\nSubject: uno", "Hola"),
        ("From: a@example.org\nSubject: uno\nDate: Fri, 12 Mar 2027 15:39:00 +0000", "Hola"),
    ],
)
def test_digest_tells_contents_apart(head: str, body: str):
    """The same Message-ID with other content is another message."""
    assert mail(head, body).digest != mail("From: a@example.org\nSubject: uno", "Hola").digest


# --- Limits ---


def nested(depth: int) -> bytes:
    opened = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(depth)
    )
    return b"From: a@example.org\nSubject: hondo\n" + opened + b"Content-Type: text/plain\n\nHola"


@pytest.mark.parametrize(("depth", "problem"), [(30, "too_deep"), (400, "too_deep"), (1500, "unreadable")])
def test_deep_nesting_is_a_problem_and_no_crash(depth: int, problem: str):
    """However deep, sender and subject are still known."""
    message = parse(nested(depth), LIMITS)

    assert message.problems == (problem,)
    assert (message.from_[0].address, message.subject) == ("a@example.org", "hondo")


def test_nesting_with_many_lines_is_refused_before_it_costs_time():
    """The parser compares each line with each open boundary."""
    message = parse(nested(200) + b"\nlinea" * 300_000, LIMITS)

    assert message.problems == ("too_deep",)


def test_nested_forwards_are_opened_to_the_limit():
    """A mail in a mail in a mail, and no further than the limit."""
    raw = b"From: a@example.org\nContent-Type: message/rfc822\n\n" * 400 + b"x"

    assert parse(raw, LIMITS).problems == ("too_deep",)


def test_too_many_parts_stop_the_reading():
    """A mail of thousands of parts costs no more than the limit."""
    raw = (
        b"From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\n\nx\n" * 2000
        + b"--b--\n"
    )
    message = parse(raw, Limits(parts=50))

    assert message.problems == ("too_many_parts",)


def test_too_large_mail_gives_its_headers():
    """The sender can still be told."""
    message = parse(b"From: a@example.org\nSubject: grande\n\n" + b"x" * 2000, Limits(message_bytes=1000))

    assert message.problems == ("too_large",)
    assert (message.subject, message.text, message.attachments) == ("grande", "", ())


def test_too_large_attachment_is_listed_without_content():
    """What is over the limit is named, not kept in memory."""
    raw = b"From: a@example.org\nContent-Type: application/x; name=f.docx\n\n" + b"x" * 5000
    message = parse(raw, Limits(attachment_bytes=1000))

    assert message.problems == ("attachment_too_large",)
    assert [(part.name, part.data) for part in message.attachments] == [("f.docx", b"")]


def test_messages_beyond_a_limit_are_still_told_apart():
    """The digest covers what was not read."""
    first, second = (
        parse(b"From: a@example.org\n\n" + bytes([byte]) * 2000, Limits(message_bytes=1000)) for byte in b"ab"
    )

    assert first.digest != second.digest


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b"\x00" * 5000,
        b"From",
        b"\xff\xfe\xfd",
        b"From: a@example.org",
        b"From: a@example.org\nContent-Type: text/plain; charset=\x00\n\nx",
        b"From: a@example.org\nContent-Type: ;;;===\nContent-Transfer-Encoding: \xff\n\nx",
        b'From: a@example.org\nContent-Type: multipart/mixed; boundary=""\n\n--\n\nx',
        b"From: a@example.org\nContent-Type: text/html\n\n<" + b"<div>" * 5000,
        b"From: a@example.org\nContent-Type: text/html\n\n<?xml version='1.0' encoding='no'?><!DOCTYPE a [<!ENTITY b 'c'>]>&b;",
        b"From: a@example.org\nContent-Transfer-Encoding: uuencode\n\nbegin 644 a\nMMMM\n",
        b"From: a@example.org\nContent-Type: text/plain; " + b"a*0*=x;" * 50_000 + b"\n\nx",
        b"From: a@example.org\nDate: " + b"9" * 5000 + b"\nReceived: ;" + b"9" * 5000 + b"\n\nx",
    ],
)
def test_no_bytes_raise(raw: bytes):
    """Whatever arrives is a message with a digest."""
    assert len(parse(raw, LIMITS).digest) == 64


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.sampled_from(
            [
                b"From: ",
                b"Content-Type: multipart/mixed; boundary=b\n",
                b"--b\n",
                b"--b--\n",
                b"message/rfc822",
                b'"',
                b"?=",
            ]
        )
        | st.sampled_from(
            [
                b"\n\n",
                b"Content-Type: text/html\n",
                b"Content-Transfer-Encoding: base64\n",
                b"=?utf-8?b?",
                b"filename*0*=",
            ]
        )
        | st.binary(max_size=12),
        max_size=30,
    )
)
def test_random_mail_never_raises(pieces: list[bytes]):
    """Hypothesis looks for bytes that break the reader."""
    assert parse(b"".join(pieces), LIMITS).headers is not None
