"""What kind of mail is it, do we look into it, may we answer it, and is the sender proved?"""

from __future__ import annotations

import pytest

from config import Config, load
from config.settings import Auth, Limits, Mailbox, Settings
from intake.message import Message, parse
from intake.screening import RULES, Screening, screen
from intake.trust import is_public_suffix, results_of, same_organisation, server_of

OWN = "red@example.net"


def configured(auth: Auth | None = None) -> Config:
    box = Mailbox(host="localhost", address=OWN, own_addresses=("practicas@example.net",))
    return load().model_copy(update={"settings": Settings(mailboxes=(box,), auth=auth or Auth())})


@pytest.fixture(name="config", scope="module")
def _config() -> Config:
    return configured()


def mail(
    *lines: str, sender: str = "Ana <ana@muni.example>", body: str = "Adjunto el formulario."
) -> Message:
    """A person's mail with further header lines on top."""
    head = [*lines, f"From: {sender}", f"To: {OWN}"]
    if not any(line.lower().startswith("subject:") for line in lines):
        head.append("Subject: Práctica")
    return parse("\n".join([*head, "", body]).encode(), Limits())


FILE = '--b\nContent-Type: application/x; name="f.docx"\n\nx\n--b--\n'
CALENDAR = "--b\nContent-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\n--b--\n"

# One mail that meets each rule, for no other rule above it.
EXAMPLES: tuple[tuple[str, str, Message], ...] = (
    ("own_address", "own", mail(sender=f"Red <{OWN.upper()}>")),
    ("own_address", "own", mail(sender="practicas@example.net")),
    ("own_address", "own", mail(sender="red+prueba@example.net")),
    # Ourselves, whatever else the mail says.
    (
        "own_address",
        "own",
        mail("Return-Path: <>", "Auto-Submitted: auto-replied", sender=f"a@example.org, {OWN}"),
    ),
    ("null_return_path", "bounce", mail("Return-Path: <>")),
    (
        "feedback_report",
        "feedback",
        mail(
            "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
            body="--b\n\nx\n--b--\n",
        ),
    ),
    (
        "disposition_notification",
        "receipt",
        mail(
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
            body="--b\n\nx\n--b--\n",
        ),
    ),
    (
        "delivery_status",
        "bounce",
        mail(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
            body="--b\n\nx\n--b--\n",
        ),
    ),
    # Without report-type, or in a multipart/mixed, the part itself tells.
    (
        "delivery_status",
        "bounce",
        mail(
            "Content-Type: multipart/mixed; boundary=b",
            body="--b\nContent-Type: message/delivery-status\n\nA: b\n\n--b--\n",
        ),
    ),
    ("report", "bounce", mail("Content-Type: multipart/report; boundary=b", body="--b\n\nx\n--b--\n")),
    ("complaint_subject", "feedback", mail("Subject: complaint about message from 192.0.2.1")),
    ("failed_recipients", "bounce", mail("X-Failed-Recipients: x@example.org")),
    ("mailer_daemon", "bounce", mail(sender="MAILER-DAEMON@mx.example.org")),
    ("mailer_daemon", "bounce", mail(sender="postmaster@mx.example.org")),
    ("mailer_daemon", "bounce", mail(sender="lista-bounces@example.org")),
    ("mailer_daemon", "bounce", mail(sender="MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org")),
    ("mail_system_name", "bounce", mail(sender="Mail Delivery Subsystem <md@mx.example.org>")),
    ("bounce_subject", "bounce", mail("Subject: Undelivered Mail Returned to Sender")),
    ("bounce_subject", "bounce", mail("Subject: No se puede entregar: Práctica")),
    ("bounce_subject", "bounce", mail("Subject: Non remis : votre pratique")),
    ("auto_replied", "autoreply", mail("Auto-Submitted: auto-replied")),
    ("auto_replied", "autoreply", mail("Auto-Submitted: (away) Auto-Replied (vacation); owner=x")),
    ("auto_submitted", "automatic", mail("Auto-Submitted: auto-generated")),
    ("auto_submitted", "automatic", mail("auto-submitted: AUTO-NOTIFIED; owner-email=x")),
    ("autoreply_header", "autoreply", mail("X-Autoreply: yes")),
    ("autoreply_header", "autoreply", mail("X-Autorespond: vacation")),
    ("autoreply_header", "autoreply", mail("X-Auto-Reply-From: ana@muni.example")),
    ("autoresponder_marks", "autoreply", mail("Delivered-To: Autoresponder")),
    ("precedence_auto_reply", "autoreply", mail("Precedence: auto_reply")),
    ("autoreply_subject", "autoreply", mail("Subject: Respuesta automática: Práctica")),
    ("autoreply_subject", "autoreply", mail("Subject: Automatic reply: Práctica")),
    ("autoreply_subject", "autoreply", mail("Subject: Fuera de la oficina Re: Práctica")),
    ("autoreply_subject", "autoreply", mail("Subject: Réponse automatique : pratique")),
    ("auto_response_suppress", "automatic", mail("X-Auto-Response-Suppress: DR, OOF, AutoReply")),
    ("auto_response_suppress", "automatic", mail("X-Auto-Response-Suppress: All")),
    ("machine_header", "automatic", mail("X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent")),
    ("calendar", "meeting", mail("Content-Type: multipart/mixed; boundary=b", body=CALENDAR)),
    ("calendar", "meeting", mail("Content-Class: urn:content-classes:calendarmessage")),
    ("sharing_notice", "sharing", mail(sender="no-reply@sharepointonline.com")),
    ("drive_notice", "sharing", mail(sender="drive-shares-noreply@google.com")),
    ("list_header", "list", mail("List-Id: <lista.example.org>")),
    # Without Precedence too.
    ("list_header", "list", mail("List-Unsubscribe: <https://example.org/u>")),
    ("list_header", "list", mail("List-Post: <mailto:lista@example.org>")),
    ("precedence", "list", mail("Precedence: Bulk")),
    ("precedence", "list", mail("Precedence: list")),
    ("precedence", "list", mail("Precedence: junk")),
    ("bulk_header", "list", mail("X-Mailing-List: lista@example.org")),
    ("robot_address", "list", mail(sender="majordomo@example.org")),
    ("no_reply_address", "noreply", mail(sender="no-reply@example.org")),
    ("no_reply_address", "noreply", mail(sender="SGD.NoReply@gob.example")),
    ("no_reply_address", "noreply", mail(sender="no_responder@gob.example")),
    ("no_reply_address", "noreply", mail(sender="ne-pas-repondre@gouv.example")),
    ("no_usable_from", "no_sender", mail(sender="Ana Quispe")),
    ("no_usable_from", "no_sender", mail(sender="")),
    ("several_from", "several_senders", mail(sender="ana@muni.example, luis@muni.example")),
    ("several_from", "several_senders", mail("From: luis@muni.example")),
)


@pytest.mark.parametrize(
    ("rule", "kind", "message"), EXAMPLES, ids=[f"{rule}-{i}" for i, (rule, *_) in enumerate(EXAMPLES)]
)
def test_each_rule_meets_its_mail_and_forbids_an_answer(
    config: Config, rule: str, kind: str, message: Message
):
    """The rule, not one above it, decides; nothing but a person is ever answered."""
    screening = screen(message, config)

    assert (screening.reason, screening.kind, screening.may_reply) == (rule, kind, False)


def test_every_rule_has_an_example():
    """A rule without a test rots."""
    assert {rule.name for rule in RULES} == {rule for rule, _kind, _message in EXAMPLES}
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    "message",
    [
        mail(),
        mail("Return-Path: <ana@muni.example>"),
        mail("Auto-Submitted: no"),
        mail("Auto-Submitted: (by hand) no; x=y"),
        mail("X-Auto-Response-Suppress: None"),
        mail("X-Auto-Response-Suppress: DR, RN, NRN"),
        mail("Precedence: first-class"),
        # Answers to machines are people's.
        mail("Subject: RE: Respuesta automática: Práctica"),
        mail("Subject: RE: Undeliverable: Práctica"),
        mail("Subject: Error de entrega en el formulario anterior"),
        mail("Subject: Automatización de respuestas a migrantes"),
        mail(sender="noreyna@muni.example"),
        mail(sender="bounceback@muni.example"),
        mail(sender="Ana <ana@muni.example>, ana@MUNI.example"),
        # A calendar file is no invitation.
        mail(
            "Content-Type: multipart/mixed; boundary=b",
            body="--b\nContent-Type: text/calendar; name=a.ics\n\nx\n--b--\n",
        ),
        # A bounce that somebody passes on is that person's mail.
        mail(
            "Content-Type: multipart/mixed; boundary=b",
            body="--b\n\nLes reenvío el rebote\n--b\nContent-Type: message/rfc822\n\nFrom: MAILER-DAEMON@x.example\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=c\n\n"
            "--c\nContent-Type: message/delivery-status\n\nA: b\n\n--c--\n--b--\n",
        ),
        # A look-alike of our own address is somebody else.
        mail(sender="red@example.net.evil.example"),
        mail("Content-Type: multipart/mixed; boundary=b", body=FILE),
    ],
)
def test_mail_of_people_may_be_answered(config: Config, message: Message):
    """What only resembles a machine's mail is a person's."""
    screening = screen(message, config)

    assert (screening.kind, screening.process, screening.may_reply) == ("person", True, True)


@pytest.mark.parametrize(
    ("lines", "sender", "bare", "with_file"),
    [
        (["Auto-Submitted: auto-replied"], "ana@muni.example", False, False),
        (["Return-Path: <>"], "ana@muni.example", False, False),
        ([], OWN, False, False),
        # A form that comes by way of a list is still somebody's form.
        (["List-Id: <l.example>"], "ana@muni.example", False, True),
        ([], "no-reply@muni.example", False, True),
        ([], "no-reply@sharepointonline.com", True, True),
        ([], "Ana", True, True),
        ([], "ana@muni.example, luis@muni.example", True, True),
    ],
)
def test_looking_into_a_mail_is_asked_apart_from_answering(
    config: Config, lines: list[str], sender: str, *, bare: bool, with_file: bool
):
    """Machines' mail is not opened; forms from lists and unusable senders are, for a person."""
    head = [*lines, "Content-Type: multipart/mixed; boundary=b"]

    assert screen(mail(*lines, sender=sender), config).process is bare
    assert screen(mail(*head, sender=sender, body=FILE), config).process is with_file


# --- Trust ---

SERVER = "mx.example.net"
PASS = f"Authentication-Results: {SERVER}; dmarc=pass header.from=muni.example"


def judged(
    *lines: str, trust: str = SERVER, own_hosts: tuple[str, ...] = (), sender: str = "ana@muni.example"
) -> Screening:
    return screen(mail(*lines, sender=sender), configured(Auth(trust=trust, own_hosts=own_hosts)))


@pytest.mark.parametrize(
    "header",
    [
        PASS,
        f"Authentication-Results: {SERVER.upper()} 1; spf=none; dkim=none;\n dmarc=pass (p=NONE; sp=x) header.from=muni.example",
        f"Authentication-Results: {SERVER}; dmarc = pass",
        f"Authentication-Results: (c; dmarc=fail) {SERVER}; dmarc/1=pass header.from=MUNI.example",
        # Aligned: equal, or one below the other.
        f"Authentication-Results: {SERVER}; spf=pass smtp.mailfrom=bounce@correo.muni.example",
        f'Authentication-Results: {SERVER}; spf=pass reason="a;b" smtp.mailfrom=muni.example',
        f"Authentication-Results: {SERVER}; dkim=fail header.d=muni.example; dkim=pass header.d=muni.example header.s=x",
        f"Authentication-Results: {SERVER}; dkim=pass header.i=@muni.example",
    ],
)
def test_our_own_servers_proof_verifies(header: str):
    """DMARC pass, or SPF or DKIM aligned with the From domain (RFC 8601, RFC 7489)."""
    screening = judged(header)

    assert (screening.trust, screening.dmarc_failed) == ("verified", False)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        # Not ours, or ours only in looks.
        ["Authentication-Results: mx.other.example; dmarc=pass header.from=muni.example"],
        [f"Authentication-Results: {SERVER}.evil.example; dmarc=pass header.from=muni.example"],
        [f"Authentication-Results: evil-{SERVER}; dmarc=pass header.from=muni.example"],
        [f"Authentication-Results: evil.example; dmarc=none ({SERVER}; dmarc=pass)"],
        [f'Authentication-Results: evil.example; x=y reason="{SERVER}; dmarc=pass header.from=muni.example"'],
        # Ours says nothing; a forged one with our id lies below.
        [f"Authentication-Results: {SERVER}; none", PASS],
        [f"Authentication-Results: {SERVER}; dmarc=none header.from=muni.example", PASS],
        # Not passed.
        [f"Authentication-Results: {SERVER}; dmarc=bestguesspass header.from=muni.example"],
        [f"Authentication-Results: {SERVER}; dmarc=temperror; spf=softfail smtp.mailfrom=muni.example"],
        [f"Authentication-Results: {SERVER}; dmarc=none (dmarc=pass)"],
        # Passed, for somebody else.
        [f"Authentication-Results: {SERVER}; dmarc=pass header.from=evil.example"],
        [f"Authentication-Results: {SERVER}; spf=pass smtp.mailfrom=a@evil.example"],
        [f"Authentication-Results: {SERVER}; spf=pass smtp.helo=muni.example"],
        [f"Authentication-Results: {SERVER}; dkim=pass header.d=evilmuni.example"],
        [f"Authentication-Results: {SERVER}; dkim=pass header.d=example"],
        [f"Authentication-Results: {SERVER}; dkim=pass"],
        # Only one of two From headers was judged.
        [PASS, "From: jefe@gob.example"],
        ["Authentication-Results: ;;;===", f"Authentication-Results: {SERVER}"],
    ],
)
def test_anything_else_is_unverified_and_not_failed(lines: list[str]):
    """What somebody else may have written, or does not name the From domain, proves nothing."""
    screening = judged(*lines)

    assert (screening.trust, screening.dmarc_failed) == ("unverified", False)


def test_nothing_is_believed_without_settings():
    """The default is to trust no header at all."""
    assert judged(PASS, trust="none").trust == "unverified"


def test_dmarc_failure_is_told():
    """Only this one holds a case; an aligned SPF does not mend it."""
    screening = judged(
        f"Authentication-Results: {SERVER}; spf=pass smtp.mailfrom=muni.example; dmarc=fail action=none"
    )

    assert (screening.trust, screening.dmarc_failed) == ("unverified", True)


def test_forged_failure_does_not_hold():
    """Nor can a stranger make another's mail fail."""
    screening = judged(
        PASS, f"Authentication-Results: {SERVER}; dmarc=fail", "Authentication-Results: x; dmarc=fail"
    )

    assert (screening.trust, screening.dmarc_failed) == ("verified", False)


EXCHANGE = (
    "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=muni.example;\n"
    " dkim=pass (signature was verified) header.d=muni.example;dmarc=pass action=none\n"
    " header.from=muni.example;compauth=pass reason=100"
)
OWN_HOP = "Received: from a.prod.outlook.com (::1) by b.prod.outlook.com with HTTPS; Fri, 12 Mar 2027 10:41:00 +0000"
FOREIGN_HOP = "Received: from a.example by mail.muni.example with SMTP; Fri, 12 Mar 2027 10:40:00 +0000"
HOSTS = ("prod.outlook.com",)


@pytest.mark.parametrize(
    ("lines", "hosts", "trust"),
    [
        ([EXCHANGE], (), "verified"),
        ([OWN_HOP, EXCHANGE, FOREIGN_HOP], HOSTS, "verified"),
        # Without the names of our hosts no Received may stand above.
        ([OWN_HOP, EXCHANGE], (), "unverified"),
        # It came with the mail: a foreign host passed it on.
        ([OWN_HOP, FOREIGN_HOP, EXCHANGE], HOSTS, "unverified"),
        (["Received: nobody knows", EXCHANGE], HOSTS, "unverified"),
        (["Received: from x by b.prod.outlook.com.evil.example; x", EXCHANGE], HOSTS, "unverified"),
        (["Received: from x (by b.prod.outlook.com) by evil.example; x", EXCHANGE], HOSTS, "unverified"),
        # The topmost counts, whatever lies below.
        (["Authentication-Results: dmarc=none", EXCHANGE], HOSTS, "unverified"),
    ],
)
def test_topmost_header_counts_where_the_server_writes_no_id(
    lines: list[str], hosts: tuple[str, ...], trust: str
):
    """Exchange Online: the first one, and only above every hop that is not ours."""
    assert judged(*lines, trust="topmost", own_hosts=hosts).trust == trust


@pytest.mark.parametrize(
    ("trust", "lines", "internal"),
    [
        ("topmost", [OWN_HOP, "X-MS-Exchange-Organization-AuthAs: Internal", EXCHANGE], True),
        ("topmost", [OWN_HOP, "X-MS-Exchange-Organization-AuthAs: Anonymous", EXCHANGE], False),
        (SERVER, [PASS, "X-MS-Exchange-Organization-AuthAs: Internal"], False),
        ("none", ["X-MS-Exchange-Organization-AuthAs: Internal"], False),
    ],
)
def test_colleagues_are_known_under_topmost_alone(trust: str, lines: list[str], *, internal: bool):
    """Only Exchange removes that header from strangers' mail."""
    assert judged(*lines, trust=trust, own_hosts=HOSTS).internal is internal


def test_results_are_read_tolerantly():
    """Comments, quotes, versions, blanks around signs, missing ids."""
    header = 'x.example 1 ; spf=pass (a (b) "c) smtp.mailfrom="a@b.example" ; ; dkim / 1 = fail reason="x; y" header.d = B.example'

    assert server_of(header) == "x.example"
    assert [(entry.method, entry.result) for entry in results_of(header)] == [
        ("spf", "pass"),
        ("dkim", "fail"),
    ]
    assert results_of(header)[1].properties == {"header.d": "b.example"}
    assert server_of("spf=pass smtp.mailfrom=a.example; dmarc=pass") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("muni.gob.pe", "muni.gob.pe", True),
        ("correo.muni.gob.pe", "muni.gob.pe", True),
        ("iom.int", "mail.iom.int", True),
        # Siblings may be strangers.
        ("a.muni.gob.pe", "b.muni.gob.pe", False),
        ("muni.gob.pe", "gob.pe", False),
        ("tacna.gob.pe", "puno.gob.pe", False),
        ("gob.pe", "gob.pe", False),
        ("x.co.uk", "co.uk", False),
        ("evilmuni.pe", "muni.pe", False),
        ("a.github.io", "github.io", False),
        ("pe", "muni.pe", False),
        ("", "muni.pe", False),
    ],
)
def test_domains_of_one_organisation_lie_below_each_other(one: str, other: str, *, same: bool):
    """Never by way of a public suffix."""
    assert same_organisation(one, other) is same
    assert same_organisation(other, one) is same


@pytest.mark.parametrize(
    "suffix", ["pe", "gob.pe", "com.pe", "edu.pe", "org.pe", "go.ke", "co.uk", "ac.uk", "gouv.fr", "gob.mx"]
)
def test_known_shapes_of_public_suffixes(suffix: str):
    """Those under which ministries, universities and municipalities stand."""
    assert is_public_suffix(suffix)
    assert not is_public_suffix(f"tacna.{suffix}")
