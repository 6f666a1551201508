"""Replies as bytes: the same for the same arguments, ASCII and CRLF, and nothing a sender wrote gets out of its place."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responses.envelope import Attachment, build, clean_header, is_message_id
from responses.letters import Composed

COMPOSED = Composed(
    subject="RE: Práctica de Lima – faltan tres datos [PMM-2027-0042-K7QX2M9D]",
    text="De nuestra consideración:\n\nGracias por enviar la práctica «Voces».\n.\nFrom here on\n"
    + "Línea larga. " * 200
    + "\n",
    html='<!doctype html>\n<html lang="es"><body><p style="a">Práctica</p></body></html>\n',
)
HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "X-Practice-Intake-Reply",
    "MIME-Version",
    "Content-Type",
)


def _bytes(composed: Composed = COMPOSED, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "sender": "UNNMPeru@iom.int",
        "sender_name": "Secretaría de la Red de las Naciones Unidas sobre la Migración en el Perú",
        "recipient": "rquispe@muni.example",
        "message_id": "<reply-1@practice-intake.example>",
        "date": datetime(2027, 3, 12, 10, 52, tzinfo=timezone(timedelta(hours=-5))),
        "in_reply_to": "<theirs@muni.example>",
        "references": ["<first@muni.example>"],
        "reply_id": "PMM-2027-0042-1",
        "language": "es",
    }
    return build(composed, **(arguments | changes))  # type: ignore[arg-type]


def _parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def _whole(raw: bytes) -> None:
    """What holds of every reply: its line ends, its characters, the length of its lines, its headers."""
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert b"\x00" not in raw
    assert max(map(len, raw.split(b"\r\n"))) < 998
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [line.split(b":", 1)[0].decode() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert set(names) <= set(HEADERS)
    assert len(names) == len(set(names))


def test_a_reply_reads_back_as_it_was_written() -> None:
    """Both bodies, the thread, the signs of an automatic answer."""
    raw = _bytes()
    message = _parsed(raw)

    _whole(raw)
    assert message["Subject"] == COMPOSED.subject
    assert message["To"] == "rquispe@muni.example"
    assert message["From"].addresses[0].addr_spec == "UNNMPeru@iom.int"
    assert message["From"].addresses[0].display_name.startswith("Secretaría de la Red")
    assert message["Message-ID"] == "<reply-1@practice-intake.example>"
    assert message["In-Reply-To"] == "<theirs@muni.example>"
    assert message["References"].split() == ["<first@muni.example>", "<theirs@muni.example>"]
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Content-Language"] == "es"
    assert message["X-Practice-Intake-Reply"] == "PMM-2027-0042-1"
    assert message["Date"].datetime == datetime(2027, 3, 12, 15, 52, tzinfo=UTC)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    plain, html = (part.get_payload(decode=True).decode("utf-8") for part in message.iter_parts())
    assert plain.replace("\r\n", "\n") == COMPOSED.text
    assert html.replace("\r\n", "\n") == COMPOSED.html


def test_the_same_arguments_give_the_same_bytes() -> None:
    """A reply sent again after a crash is the same reply; another message id has another boundary."""
    assert _bytes() == _bytes()
    first = _parsed(_bytes()).get_boundary()
    assert first != _parsed(_bytes(message_id="<reply-2@practice-intake.example>")).get_boundary()


def test_attachments_travel_whole_with_their_names() -> None:
    """The two bodies stay together; each file keeps its bytes and its name."""
    files = [
        Attachment(
            name="Formulario de práctica.docx",
            content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            data=bytes(range(256)) * 40,
        ),
        Attachment(name="form.xlsx", content_type="text/html; evil", data=b""),
    ]
    raw = _bytes(attachments=files)
    message = _parsed(raw)

    _whole(raw)
    assert message.get_content_type() == "multipart/mixed"
    parts = list(message.iter_parts())
    assert parts[0].get_content_type() == "multipart/alternative"
    # The plain name for old programs first, the full one by RFC 2231 behind it.
    assert [part.get_filename() for part in parts[1:]] == ["Formulario de practica.docx", "form.xlsx"]
    assert b"filename*=utf-8''Formulario%20de%20pr%C3%A1ctica.docx\r\n" in raw
    assert parts[1].get_payload(decode=True) == files[0].data
    assert parts[2].get_content_type() == "application/octet-stream"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"; filename="b.exe', None),
        ("a\r\nX-Evil: 1.docx", None),
        ("＂／fullwidth＼.docx", None),
        ("", "file"),
        ("é" * 300 + ".docx", None),
        ("😀" * 80, None),
    ],
)
def test_a_file_name_cannot_leave_its_place(name: str, shown: str | None) -> None:
    """No path, no second parameter, no header; long names are shortened before their ending."""
    raw = _bytes(attachments=[Attachment(name=name, content_type="application/pdf", data=b"x")])
    part = list(_parsed(raw).iter_parts())[1]

    _whole(raw)
    assert len(part["Content-Disposition"].params) <= 1 or set(part["Content-Disposition"].params) == {
        "filename"
    }
    assert not re.search(r'[\\/"\r\n]', part.get_filename())
    assert shown is None or part.get_filename() == shown
    if name.endswith(".docx") and len(name) > 60:
        assert part.get_filename().endswith(".docx")


@pytest.mark.parametrize(
    "value",
    [
        "<a b@c>",
        "a@b",
        "<a@b>\r\nBcc: x@y",
        "<a@b@c>",
        "<>",
        "<á@b>",
        "<a@b> <c@d>",
        "<" + "a" * 249 + "@b>",
        "",
    ],
)
def test_a_message_id_of_no_strict_form_is_dropped(value: str) -> None:
    """What a mail calls its id goes into our headers only if it can be nothing else."""
    assert not is_message_id(value)
    message = _parsed(_bytes(in_reply_to=value, references=[value, "<good@example.org>"]))
    assert message["In-Reply-To"] is None
    assert message["References"] == "<good@example.org>"


def test_without_a_thread_there_are_no_thread_headers() -> None:
    """A mail without a usable id is answered without."""
    message = _parsed(_bytes(in_reply_to=None, references=[]))

    assert message["In-Reply-To"] is None
    assert message["References"] is None


def test_a_long_thread_keeps_its_beginning_and_its_end() -> None:
    """The first id names the thread; the middle may go; no line is too long."""
    ids = [f"<{number:03d}{'x' * 180}@example.org>" for number in range(300)]
    raw = _bytes(references=ids)
    kept = _parsed(raw)["References"].split()

    _whole(raw)
    assert len(kept) == 20
    assert kept[0] == ids[0]
    assert kept[-2:] == [ids[-1], "<theirs@muni.example>"]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "a@b>\r\nBcc: <x@y"},
        {"recipient": "not an address"},
        {"recipient": "a@b, c@d"},
        {"recipient": "ñandú@example.org"},
        {"sender": ""},
        {"message_id": "reply-1"},
        {"reply_id": "1\r\nX: 2"},
        {"language": "es\n"},
        {"date": datetime(2027, 3, 12, 10, 52)},  # noqa: DTZ001
    ],
)
def test_what_cannot_stand_in_a_header_is_refused(changes: dict[str, object]) -> None:
    """An unusable argument is an error, never a broken mail."""
    with pytest.raises(ValueError, match=r"\w"):
        _bytes(**changes)


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    """The address people know, in the form that mail servers know."""
    assert _parsed(_bytes(recipient="a@señal.example"))["To"] == "a@xn--seal-hqa.example"


def test_an_encoded_word_in_a_subject_brings_no_line_break() -> None:
    """Words that look encoded are encoded themselves, so that they are shown and never decoded into headers."""
    hostile = "=?utf-8?q?hello=0D=0ABcc:_x=40example.org?="
    raw = _bytes(Composed(subject=hostile, text="a", html="b"))

    _whole(raw)
    assert b"=0D=0A" not in raw
    subject = next(line for line in raw.split(b"\r\n") if line.startswith(b"Subject: "))
    assert subject.startswith(b"Subject: =?utf-8?b?")


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("a\r\nBcc: x", "a Bcc: x"),
        ("a\u2028b\u2029c\x85d\x0be\x00f", "a b c d e f"),
        ("\u202eabc\u2066\u200b\ufeff", "abc"),
        ("a\ud800b", "a b"),
        ("  a \t\u00a0 b  ", "a b"),
        ("", ""),
    ],
)
def test_the_cleaning_function_leaves_one_line(value: str, clean: str) -> None:
    """Breaks of every kind, controls, turned and invisible characters, lone surrogates."""
    assert clean_header(value) == clean


def test_the_cleaning_function_keeps_to_its_limit() -> None:
    """An ellipsis tells that something was cut, within the limit."""
    assert clean_header("x" * 50, limit=10) == "x" * 9 + "…"
    assert clean_header("x" * 10, limit=10) == "x" * 10


TEXT = st.text(max_size=200) | st.text(alphabet='\r\n\t :;=?<>@"\\\x00\u2028\u202eaB', max_size=80)


@settings(max_examples=60, deadline=None)
@given(subject=TEXT, name=TEXT, text=TEXT, file=TEXT, thread=st.lists(TEXT, max_size=4))
def test_no_input_injects_a_header(subject: str, name: str, text: str, file: str, thread: list[str]) -> None:
    """Whatever stands in subject, name, bodies, file name or ids: our headers, our parts, nothing else."""
    raw = _bytes(
        Composed(subject=subject, text=text, html=text),
        sender_name=name,
        in_reply_to=subject,
        references=thread,
        attachments=[Attachment(name=file, content_type=name, data=text.encode("utf-8", "replace"))],
    )
    message = email.message_from_bytes(raw, policy=email.policy.compat32)

    _whole(raw)
    parts = list(message.walk())
    assert [part.get_content_maintype() for part in parts] == [
        "multipart",
        "multipart",
        "text",
        "text",
        parts[4].get_content_maintype(),
    ]
    assert len(parts) == 5
    assert parts[4].get_payload(decode=True) == text.encode("utf-8", "replace")
    shown = str(email.header.make_header(email.header.decode_header(message["Subject"])))
    assert shown == clean_header(subject)


@settings(max_examples=60, deadline=None)
@given(value=TEXT, limit=st.integers(min_value=1, max_value=100))
def test_cleaned_text_is_one_safe_line(value: str, limit: int) -> None:
    """No control, no line break, no more than the limit; cleaning again changes nothing."""
    clean = clean_header(value, limit=limit)

    assert len(clean) <= limit
    assert len(clean.splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", clean)
    assert clean_header(clean, limit=limit) == clean
