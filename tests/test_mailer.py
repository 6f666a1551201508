"""Sending on a real SMTP server: taken, refused and unknown are told apart, and nothing goes twice."""

from __future__ import annotations

import socket
import threading

import pytest
from servers import SmtpSink

from intake.errors import SendingUnavailable, SignInRefused
from intake.mailer import Refused, Sent, SmtpMailer, Uncertain

SENDER = "practicas@example.org"
MAIL = b"From: practicas@example.org\r\nSubject: x\r\n\r\nHola\r\n"


@pytest.fixture(name="mailer")
def _mailer(smtp_sink):
    mailer = SmtpMailer(smtp_sink.settings())
    yield mailer
    mailer.close()


def test_a_mail_goes_out_as_it_is(smtp_sink, mailer):
    """The envelope is what was given, the bytes arrive unchanged, and the server's note is told."""
    outcome = mailer.send(SENDER, "ana@example.net", MAIL)

    assert Sent(text="queued as 42") == outcome
    [received] = smtp_sink.received
    assert (received.sender, received.recipients, received.data) == (SENDER, ("ana@example.net",), MAIL)


def test_lines_that_begin_with_a_dot_and_bare_line_ends_arrive_safely(smtp_sink, mailer):
    """A line of one dot would end the mail, and bare line feeds smuggle a second one: neither gets through."""
    mailer.send(SENDER, "ana@example.net", b"Subject: x\n\n.\r\n..two\n.\nMAIL FROM:<evil@example.net>\rend")

    [received] = smtp_sink.received
    assert received.data == b"Subject: x\r\n\r\n.\r\n..two\r\n.\r\nMAIL FROM:<evil@example.net>\r\nend\r\n"


def test_an_empty_sender_is_the_null_path(smtp_sink, mailer):
    """For mails that must not bounce."""
    mailer.send("", "ana@example.net", MAIL)

    assert [each.sender for each in smtp_sink.received] == [""]


def test_one_connection_serves_many_mails(smtp_sink, mailer):
    """Signing in anew for each mail would cost time and the server's patience."""
    for number in range(5):
        assert isinstance(mailer.send(SENDER, f"p{number}@example.net", MAIL), Sent)

    assert [each.connection for each in smtp_sink.received] == [1] * 5


@pytest.mark.parametrize(
    ("stage", "answer", "expected"),
    [
        # The mailbox does not exist.
        ("rcpt", "550 5.1.1 no such user", Refused(code=550, text="5.1.1 no such user", permanent=True)),
        # Greylisting.
        ("rcpt", "450 4.2.0 try later", Refused(code=450, text="4.2.0 try later", permanent=False)),
        # Too large, told at MAIL by its SIZE.
        ("mail", "552 5.3.4 too big", Refused(code=552, text="5.3.4 too big", permanent=True)),
        # Throttled.
        ("mail", "451 4.7.0 slow down", Refused(code=451, text="4.7.0 slow down", permanent=False)),
        # A filter that reads the content.
        ("data", "554 5.7.1 spam", Refused(code=554, text="5.7.1 spam", permanent=True)),
        ("data", "452 4.3.1 disk full", Refused(code=452, text="4.3.1 disk full", permanent=False)),
    ],
)
def test_refusals_are_told_by_code(smtp_sink, mailer, stage, answer, expected):
    """4xx is temporary, 5xx permanent; the next mail goes over the same connection."""
    getattr(smtp_sink, stage).append(answer)

    assert expected == mailer.send(SENDER, "ana@example.net", MAIL)
    assert smtp_sink.received == []
    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Sent)
    assert [each.connection for each in smtp_sink.received] == [1]


def test_a_refused_sender_is_no_matter_of_the_mail(smtp_sink, mailer):
    """Our own address is not allowed to send: every mail would fail, so none is counted as refused."""
    smtp_sink.mail.append("550 5.7.60 you cannot send as this sender")

    with pytest.raises(SendingUnavailable):
        mailer.send(SENDER, "ana@example.net", MAIL)


def test_an_idle_connection_that_was_dropped_is_opened_again(smtp_sink, mailer):
    """Servers hang up after minutes of quiet: before DATA, once more is safe."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    smtp_sink.hang_up()

    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Sent)
    assert [each.connection for each in smtp_sink.received] == [1, 2]


def test_a_server_that_says_421_is_tried_once_more(smtp_sink, mailer):
    """421 closes the connection, it does not refuse the mail."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    smtp_sink.rcpt.append("421 4.4.2 closing")

    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Sent)
    assert len(smtp_sink.received) == 2


def test_a_server_that_keeps_hanging_up_is_unavailable(smtp_sink, mailer):
    """Twice dropped before DATA: the mail was not sent, and nothing counts against it."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    smtp_sink.mail += ["hang up", "hang up"]

    with pytest.raises(SendingUnavailable):
        mailer.send(SENDER, "eva@example.net", MAIL)
    assert len(smtp_sink.received) == 1
    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Sent)


def test_a_mail_without_an_answer_after_data_is_never_sent_again(smtp_sink, mailer):
    """The server may have taken it: unknown is an outcome of its own."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    before = smtp_sink.transactions
    smtp_sink.data.append("hang up")

    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Uncertain)
    assert before + 1 == smtp_sink.transactions
    assert isinstance(mailer.send(SENDER, "eva@example.net", MAIL), Sent)


def test_a_server_that_never_answers_after_data_leaves_it_unknown():
    """The time-out of the settings ends the waiting."""

    def serve(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line, line.makefile("rb") as told:
            line.sendall(b"220 slow\r\n")
            for command in told:
                if command.upper().startswith(b"DATA"):
                    line.sendall(b"354 go\r\n")
                    while told.readline() != b".\r\n":
                        pass
                    told.readline()
                    return
                line.sendall(b"250 OK\r\n")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        threading.Thread(target=serve, args=[listener], daemon=True).start()
        from config.settings import Smtp

        settings = Smtp(
            host="127.0.0.1", port=listener.getsockname()[1], security="plain", timeout_seconds=0.4
        )

        assert isinstance(SmtpMailer(settings).send(SENDER, "ana@example.net", MAIL), Uncertain)


def test_no_server_is_an_operators_matter():
    """Nothing listens there; it may pass."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    from config.settings import Smtp

    mailer = SmtpMailer(Smtp(host="127.0.0.1", port=port, security="plain", timeout_seconds=2))

    with pytest.raises(SendingUnavailable) as caught:
        mailer.send(SENDER, "ana@example.net", MAIL)
    assert caught.value.passing


def test_sign_in_works_and_its_refusal_is_an_operators_matter():
    """A wrong password does not pass by waiting, and is not repeated in the text."""
    sink = SmtpSink(user="practicas", password="geheim")
    try:
        good = SmtpMailer(sink.settings())
        assert isinstance(good.send(SENDER, "ana@example.net", MAIL), Sent)
        good.close()

        with pytest.raises(SignInRefused) as caught:
            SmtpMailer(sink.settings(password="falsch")).send(SENDER, "ana@example.net", MAIL)
        assert "falsch" not in str(caught.value)
        assert len(sink.received) == 1
    finally:
        sink.close()


def test_starttls_that_the_server_does_not_offer_is_never_left_out(smtp_sink):
    """Sending in the clear instead would show password and mail to everybody between."""
    mailer = SmtpMailer(smtp_sink.settings(security="starttls"))

    with pytest.raises(SendingUnavailable):
        mailer.send(SENDER, "ana@example.net", MAIL)
    assert smtp_sink.received == []


@pytest.mark.parametrize(
    "recipient",
    [
        "ana@example.net>\r\nRCPT TO:<eva@example.net",
        "ana@example.net> SIZE=1",
        "ana example.net",
        "@example.net",
        "ana@",
        "ana\u2028b@example.net",
        "a" * 300 + "@example.net",
        "",
    ],
)
def test_an_address_that_could_end_the_command_never_reaches_the_server(smtp_sink, mailer, recipient):
    """A stranger wrote it; it is refused here, for good."""
    outcome = mailer.send(SENDER, recipient, MAIL)

    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert smtp_sink.transactions == 0


def test_international_addresses_go_only_where_they_are_understood(smtp_sink, mailer):
    """SMTPUTF8 is asked for a local part beyond ASCII alone; a domain has an ASCII form."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    mailer.send(SENDER, "ana@niño.example", MAIL)
    mailer.send(SENDER, "peña@example.net", MAIL)

    assert ["SMTPUTF8" in each.options for each in smtp_sink.received] == [False, False, True]
    assert [each.recipients[0] for each in smtp_sink.received] == [
        "ana@example.net",
        "ana@xn--nio-8ma.example",
        "peña@example.net",
    ]


def test_international_addresses_are_refused_where_they_are_not_understood():
    """No other server would take the mail either: permanent."""
    sink = SmtpSink(smtputf8=False)
    try:
        mailer = SmtpMailer(sink.settings())
        outcome = mailer.send(SENDER, "peña@example.net", MAIL)
        mailer.close()
    finally:
        sink.close()

    assert isinstance(outcome, Refused)
    assert outcome.permanent
    assert sink.received == []


def test_not_more_than_so_many_mails_a_minute(smtp_sink):
    """`wait_seconds` tells when the next may go: when the oldest of the last minute has left the window."""
    now = [1000.0]
    mailer = SmtpMailer(smtp_sink.settings(per_minute=3), clock=lambda: now[0])
    for _ in range(3):
        assert mailer.wait_seconds() == 0.0
        mailer.send(SENDER, "ana@example.net", MAIL)
        now[0] += 10

    assert mailer.wait_seconds() == 30.0
    now[0] += 30
    assert mailer.wait_seconds() == 0.0
    mailer.send(SENDER, "ana@example.net", MAIL)
    assert mailer.wait_seconds() == 10.0
    mailer.close()


def test_sending_in_spite_of_the_limit_waits(smtp_sink):
    """The limit holds whoever forgets to ask."""
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    mailer = SmtpMailer(smtp_sink.settings(per_minute=1), clock=lambda: now[0], sleep=sleep)
    mailer.send(SENDER, "ana@example.net", MAIL)
    mailer.send(SENDER, "ana@example.net", MAIL)
    mailer.close()

    assert slept == [60.0]
    assert len(smtp_sink.received) == 2


def test_closing_twice_is_harmless(mailer):
    """Also before anything was sent."""
    mailer.send(SENDER, "ana@example.net", MAIL)
    mailer.close()
    mailer.close()

    assert isinstance(mailer.send(SENDER, "ana@example.net", MAIL), Sent)
