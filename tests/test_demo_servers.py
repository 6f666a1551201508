"""The demonstration's own servers: what they do to incoming mail, and that replies can be watched."""

from __future__ import annotations

import builtins
import email
import sys
import threading

import pytest

from config.settings import Mailbox, Smtp
from intake.demo.servers import DemoMail, without_results_of
from intake.errors import DemoMissing
from intake.mailbox import ImapMailbox
from intake.mailer import Refused, Sent, SmtpMailer

MAIL = b"From: Ana <ana@Ministerio.example>\nTo: practicas@demo.example\nSubject: x\n\nHola\n.\n"


@pytest.fixture(name="demo")
def _demo():
    with DemoMail() as demo:
        yield demo


def inbox(demo):
    settings = Mailbox(
        host="127.0.0.1",
        port=demo.imap_port,
        security="plain",
        username=demo.user,
        password=demo.password,
        address=demo.address,
    )
    box = ImapMailbox(settings, max_bytes=1_000_000)
    box.connect()
    try:
        return [each.raw for each in box.fetch(box.new_uids(0))]
    finally:
        box.close()


def mailer(demo, **changes):
    values = {
        "host": "127.0.0.1",
        "port": demo.smtp_port,
        "security": "plain",
        "username": demo.user,
        "password": demo.password,
    }
    return SmtpMailer(Smtp.model_validate({**values, **changes}))


def test_a_delivered_mail_carries_the_servers_own_finding_on_top(demo):
    """What stands below the trace fields is what the sender sent."""
    demo.deliver(MAIL)

    [raw] = inbox(demo)
    lines = raw.split(b"\r\n")
    assert lines[0] == b"Return-Path: <ana@Ministerio.example>"
    assert lines[1] == b"Authentication-Results: mx.demo.example; dmarc=pass header.from=ministerio.example"
    assert raw.endswith(MAIL.replace(b"\n", b"\r\n"))


def test_a_pretended_finding_is_taken_away(demo):
    """Only those that bear this server's name; another server's stays as it came."""
    pretended = (
        b"Authentication-Results:\n\tMX.demo.example 1;\n\tdmarc=pass header.from=ministerio.example\n"
        b"Authentication-Results: mx.other.example; dmarc=fail\n"
    )
    demo.deliver(pretended + MAIL, passes=False)

    [raw] = inbox(demo)
    assert email.message_from_bytes(raw).get_all("Authentication-Results") == [
        "mx.demo.example; dmarc=none header.from=ministerio.example",
        "mx.other.example; dmarc=fail",
    ]


def test_a_finding_in_the_body_is_left_alone():
    """Only the header is looked at; everything else stays byte for byte."""
    raw = b"Subject: x\n\nAuthentication-Results: mx.demo.example; dmarc=pass\n"

    assert raw == without_results_of(raw, "mx.demo.example")


def test_a_bounce_comes_on_the_null_path(demo):
    """Screening must be able to see it."""
    demo.deliver(MAIL, sender="")

    assert inbox(demo)[0].startswith(b"Return-Path: <>\r\n")


def test_a_from_that_is_no_address_gets_no_pass_and_breaks_no_header(demo):
    """Nothing of the mail goes into the trace unchecked."""
    demo.deliver(b'From: "x@evil.example\n Bcc: y" <a@b\x00;c d>\n\nx\n', sender="a@sender.example")

    message = email.message_from_bytes(inbox(demo)[0])
    assert message["Bcc"] is None
    assert len(message.get_all("Authentication-Results")) == 1


def test_replies_are_kept_and_told(demo):
    """What the worker sends is in `sent`; `on_sent` may deliver a mail in its turn."""
    told = threading.Event()

    def on_sent(mail):
        demo.deliver(b"In-Reply-To: <1@demo.example>\n" + MAIL)
        told.set()

    demo.on_sent = on_sent

    outcome = mailer(demo).send(demo.address, "ana@ministerio.example", MAIL)

    assert isinstance(outcome, Sent)
    assert told.wait(10)
    [sent] = demo.sent
    assert (demo.address, ("ana@ministerio.example",)) == (sent.sender, sent.recipients)
    assert MAIL.replace(b"\n", b"\r\n") == sent.data
    assert len(inbox(demo)) == 1


def test_strangers_cannot_send_to_others(demo):
    """Without signing in only the mailbox itself can be written to."""
    outcome = mailer(demo, username="").send("eva@example.org", "ana@ministerio.example", MAIL)

    assert isinstance(outcome, Refused)
    assert demo.sent == []


def test_another_mail_program_sees_the_sent_folder(demo):
    """The secretariat's own answers can be put there."""
    client = demo.client()
    typ, _ = client.append(f'"{demo.sent_folder}"', None, None, MAIL)
    client.logout()

    assert typ == "OK"


@pytest.mark.parametrize("missing", ["pymap", "aiosmtpd"])
def test_without_the_extra_the_remedy_is_told(monkeypatch, missing):
    """Not a traceback: the command that installs what is missing."""
    for name in [each for each in sys.modules if each.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    usual = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return usual(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(DemoMissing) as caught, DemoMail():
        pass
    assert "pip install practice-intake[demo]" in str(caught.value)
