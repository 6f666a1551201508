"""TLS, STARTTLS and folder prefixes, on servers that are set up for them."""

from __future__ import annotations

import ssl
import threading
import uuid

import pytest
from servers import DovecotServer, Imap, SmtpSink

from intake.errors import MailboxUnavailable, SendingUnavailable
from intake.mailbox import ImapMailbox
from intake.mailer import Sent, SmtpMailer

pytestmark = pytest.mark.dovecot
MAIL = b"From: practicas@example.org\r\nSubject: x\r\n\r\nHola\r\n"


@pytest.fixture(name="tls_dovecot", scope="module")
def _tls_dovecot(certificate):
    """Dovecot with TLS on one port and STARTTLS on the other, and folders below `INBOX.` as some servers have it."""
    server = DovecotServer(prefix="INBOX.", certificate=certificate)
    yield server
    server.close()


@pytest.fixture(name="tls_imap")
def _tls_imap(tls_dovecot):
    imap = Imap(kind="dovecot", port=tls_dovecot.port, user=uuid.uuid4().hex, bump=lambda: None)
    yield imap
    imap.close()


def secured(imap, server, security, certificate):
    port = server.tls_port if security == "tls" else server.port
    return imap.settings(host="localhost", port=port, security=security, ca_file=certificate.chain)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_mailbox_works_over_an_encrypted_line(tls_imap, tls_dovecot, certificate, security):
    """Fetching, filing and waiting as in the clear."""
    tls_imap.append(MAIL)
    box = ImapMailbox(secured(tls_imap, tls_dovecot, security, certificate), max_bytes=100_000)
    box.connect()

    assert isinstance(box._link.client.sock, ssl.SSLSocket)
    [fetched] = box.fetch(box.new_uids(0))
    assert fetched.raw == MAIL
    filed = box.file(fetched.delivery.uid, "Recibidas")
    assert box.holds(filed.folder, filed.uidvalidity, filed.uid)
    threading.Timer(0.3, tls_imap.append, [MAIL]).start()
    assert box.wait(20, threading.Event())
    assert not box.wait(0.2, threading.Event())
    box.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_mail_server_that_nobody_vouches_for_is_refused(tls_imap, tls_dovecot, certificate, security):
    """Without `ca_file` a certificate of its own making proves nothing; the password is not sent."""
    settings = secured(tls_imap, tls_dovecot, security, certificate).model_copy(update={"ca_file": None})

    with pytest.raises(MailboxUnavailable) as caught:
        ImapMailbox(settings, max_bytes=1000).connect()
    assert "ca_file" in str(caught.value)


def test_a_ca_file_that_is_not_there_is_told(tls_imap, tls_dovecot, certificate, tmp_path):
    """A misspelt path ends in a sentence, not in a traceback."""
    settings = secured(tls_imap, tls_dovecot, "tls", certificate)

    with pytest.raises(MailboxUnavailable):
        ImapMailbox(settings.model_copy(update={"ca_file": tmp_path / "no.pem"}), max_bytes=1000).connect()


def test_starttls_that_the_server_does_not_offer_is_never_left_out(pymap_server):
    """In the clear everybody between could read the password."""
    with pytest.raises(MailboxUnavailable):
        ImapMailbox(pymap_server.settings(security="starttls"), max_bytes=1000).connect()


def test_starttls_on_the_port_of_tls_is_told_before_connecting(pymap_server):
    """It would wait for a greeting that never comes."""
    settings = pymap_server.settings(security="starttls", port=993)

    with pytest.raises(MailboxUnavailable) as caught:
        ImapMailbox(settings, max_bytes=1000).connect()
    assert "993" in str(caught.value)


def test_folders_are_made_below_the_servers_own_prefix(tls_imap, tls_dovecot, certificate):
    """Where everything of a user lies below `INBOX.`, ours does too."""
    tls_imap.append(MAIL)
    box = ImapMailbox(secured(tls_imap, tls_dovecot, "tls", certificate), max_bytes=1000)
    box.connect()

    box.prepare_folders(["Recibidas"])
    filed = box.file(box.new_uids(0)[0], "Recibidas")
    before = tls_imap.folders()
    box.prepare_folders(["Recibidas", filed.folder])

    assert filed.folder == "INBOX.Prácticas.Recibidas"
    assert before == tls_imap.folders()
    assert {"INBOX.Pr&AOE-cticas", "INBOX.Pr&AOE-cticas.Recibidas"} <= before
    assert box.holds(filed.folder, filed.uidvalidity, filed.uid)
    box.close()


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_is_sent_over_an_encrypted_line(certificate, security):
    """Only to a server that proves who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    sink = SmtpSink(**{security: context})
    try:
        told = {"host": "localhost", "security": security}
        mailer = SmtpMailer(sink.settings(**told, ca_file=certificate.chain))
        assert isinstance(mailer.send("a@example.org", "b@example.org", MAIL), Sent)
        mailer.close()

        with pytest.raises(SendingUnavailable):
            SmtpMailer(sink.settings(**told)).send("a@example.org", "b@example.org", MAIL)
        assert len(sink.received) == 1
    finally:
        sink.close()
