"""One table of rules: what kind of mail is this, do we look into it, may we answer it?

Whether we may answer is asked apart from whether we do. The rules see headers and structure, hardly
ever words; that a mail is about the call is asked in `intake.relevance`. Pure; judges no form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from config import Config
from intake.message import Message
from intake.trust import Trust, judge_trust, without_comments

Kind = Literal[
    "own",  # from one of our own addresses
    "bounce",  # what became of a mail of ours
    "receipt",  # it was displayed, deleted
    "feedback",  # somebody called it spam
    "autoreply",  # out of office, vacation
    "automatic",  # any other machine
    "meeting",  # a calendar invitation or its answer
    "sharing",  # a service tells that somebody shared a file
    "list",  # a list or bulk mail
    "noreply",  # an address that nobody reads
    "no_sender",  # no From address that could be answered
    "several_senders",  # more than one From address
    "person",
]
Look = Literal["never", "files", "always"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows when a rule meets.

    Attributes:
        kind: Kind of mail.
        look: Whether its contents are looked into: never, only if it brings files, or always. What is found
            in it is then for a person: only `person` is answered.
    """

    kind: Kind
    look: Look = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table.

    Attributes:
        name: Unique; becomes the reason.
        source: Where the rule comes from.
        test: Whether it meets.
        verdict: What follows.
    """

    name: str
    source: str
    test: Callable[[Message, Config], bool]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Screening:
    """What a mail is before anybody looks into it.

    Attributes:
        kind: Kind of mail.
        process: Whether its contents are looked into.
        may_reply: Whether we could answer; true for persons alone.
        reason: Name of the deciding rule, or `"person"`.
        trust: Whether the From address is proved by our own server.
        dmarc_failed: Our own server says that it is forged.
        internal: Signed in to our own organisation.
    """

    kind: Kind
    process: bool
    may_reply: bool
    reason: str
    trust: Trust = "unverified"
    dmarc_failed: bool = False
    internal: bool = False


def screen(message: Message, config: Config) -> Screening:
    """Judges a mail by the table: from the top, the first rule that meets decides.

    The order is from the certain to the likely: ourselves, reports on our mail, machines that say so,
    meetings, shared files, lists, addresses that nobody reads, unusable senders. A mail that no rule meets
    is a person's.
    """
    proof = judge_trust(message, config.settings.auth)
    rule = next((rule for rule in RULES if rule.test(message, config)), None)
    verdict = rule.verdict if rule else Verdict(kind="person", look="always")
    files = any(not attachment.inline for attachment in message.attachments)
    return Screening(
        kind=verdict.kind,
        process=verdict.look == "always" or (verdict.look == "files" and files),
        may_reply=verdict.kind == "person",
        reason=rule.name if rule else "person",
        trust=proof.trust,
        dmarc_failed=proof.dmarc_failed,
        internal=proof.internal,
    )


def own_addresses(config: Config) -> frozenset[str]:
    """All addresses that deliver to our mailboxes, in lower case."""
    return frozenset(
        address.lower()
        for mailbox in config.settings.mailboxes
        for address in (mailbox.address, *mailbox.own_addresses)
    )


def _from_us(message: Message, config: Config) -> bool:
    own = own_addresses(config)
    return any(
        address in own
        for sender in message.from_
        for address in (sender.address.lower(), f"{sender.local.partition('+')[0]}@{sender.domain}".lower())
    )


def _null_path(message: Message, _: Config) -> bool:
    return message.return_path is not None and message.return_path.lower() in {
        "",
        "mailer-daemon",
        "postmaster",
    }


def _report(*types: str) -> Callable[[Message, Config], bool]:
    parts = tuple(f"message/{name}" for name in types)

    def test(message: Message, _: Config) -> bool:
        if message.content_type == "multipart/report" and message.report_type:
            return message.report_type in types
        # Some write multipart/mixed, or leave the type out; the part itself tells. A forwarded report is none.
        return any(part.content_type in parts and not part.forwarded for part in message.attachments)

    return test


def _any_report(message: Message, _: Config) -> bool:
    return message.content_type == "multipart/report"


def _local_part(pattern: str) -> Callable[[Message, Config], bool]:
    expression = re.compile(pattern, re.IGNORECASE)

    def test(message: Message, _: Config) -> bool:
        return any(expression.fullmatch(sender.local) for sender in message.from_ if sender.address)

    return test


def _display_name(pattern: str) -> Callable[[Message, Config], bool]:
    expression = re.compile(pattern, re.IGNORECASE)

    def test(message: Message, _: Config) -> bool:
        return any(expression.fullmatch(sender.name) for sender in message.from_)

    return test


def _domain_of(*domains: str) -> Callable[[Message, Config], bool]:
    def test(message: Message, _: Config) -> bool:
        return any(
            sender.domain == domain or sender.domain.endswith("." + domain)
            for sender in message.from_
            for domain in domains
        )

    return test


def _header(*names: str) -> Callable[[Message, Config], bool]:
    def test(message: Message, _: Config) -> bool:
        return any(value for name in names for value in message.headers.get_all(name))

    return test


def _header_named(pattern: str) -> Callable[[Message, Config], bool]:
    expression = re.compile(pattern)

    def test(message: Message, _: Config) -> bool:
        return any(expression.fullmatch(name) for name, _value in message.headers.items)

    return test


def _header_says(name: str, pattern: str) -> Callable[[Message, Config], bool]:
    expression = re.compile(pattern, re.IGNORECASE)

    def test(message: Message, _: Config) -> bool:
        return any(expression.search(without_comments(value)) for value in message.headers.get_all(name))

    return test


def _subject(pattern: str) -> Callable[[Message, Config], bool]:
    expression = re.compile(pattern, re.IGNORECASE)

    def test(message: Message, _: Config) -> bool:
        return bool(expression.match(message.subject))

    return test


def _auto_submitted(message: Message, *words: str) -> bool:
    values = [
        without_comments(value).partition(";")[0].strip().lower()
        for value in message.headers.get_all("auto-submitted")
    ]
    return any(value.startswith(words) if words else value not in {"", "no"} for value in values)


def _invitation(message: Message, _: Config) -> bool:
    return message.has_calendar or "calendarmessage" in (message.headers.get("content-class") or "").lower()


def _no_sender(message: Message, _: Config) -> bool:
    return not any(sender.address for sender in message.from_)


def _several_senders(message: Message, _: Config) -> bool:
    different = {sender.address.lower() for sender in message.from_}
    return len(different) > 1 or len(message.headers.get_all("from")) > 1


_BOUNCE_SUBJECT = (
    r"(?:undeliver(?:ed|able)(?:\s+(?:mail|message|e-?mail)|\s*:)|failure\s+notice$|returned\s+mail\b"
    r"|(?:mail|message|e-?mail)\s+(?:delivery|system)\s+(?:fail|error|status|problem|warning|report|notification)"
    r"|delivery\s+(?:status\s+notification|failure(?:\s+noti(?:fication|ce))?\s*(?:$|:|\()|notification\s*:)|warning:\s+(?:message|could\s+not\s+send)"
    r"|mail\s+(?:delivery\s+failed|could\s+not\s+be\s+delivered)|.*\(delivery\s+failed\)$"
    r"|(?:no\s+se\s+puede\s+entregar|(?:correo\s+)?no\s+entregado|error\s+de\s+entrega)\s*:"
    r"|(?:non\s+remis|non\s+distribuable|échec\s+de\s+(?:la\s+)?remise)\s*:|unzustellbar)"
)
_AUTOREPLY_SUBJECT = (
    r"(?:(?:auto(?:matic)?[\s-]*(?:reply|response|réponse)|auto\s*re)\b\s*:?|out\s+of\s+(?:the\s+)?office\b|(?:ooo|auto)\s*:"
    r"|respuesta\s+autom[aá]tica|auto-?respuesta|contestaci[oó]n\s+autom[aá]tica|fuera\s+de\s+(?:la\s+)?oficina"
    r"|ausente\s+de\s+la\s+oficina|réponse\s+automatique|absence\s+du\s+bureau|absent\(?e?\)?\s+du\s+bureau"
    r"|vacation\s+(?:reply|response)|resposta\s+autom[aá]tica|\[?auto(?:matically)?[\s-]*generated\b)"
)
# Microsoft's complaint service writes no report type.
_COMPLAINT_SUBJECT = r"complaint\s+about\s+message\s+from\b"
_DAEMON = r"(?:mailer-?daemon|mail-?daemon|postmaster|mdaemon|microsoftexchange[0-9a-f]{20,}|bounces?|bounce[-+_].*|.*[-+_]bounces?|daemon)"
_SYSTEM = (
    r"(?:e?-?mail\s+delivery\s+(?:sub)?system|mail\s+(?:sub)?system|mailer-daemon|system\s+administrator|internet\s+mail\s+delivery"
    r"|mail\s+administrator|administrador\s+del\s+sistema|postmaster)"
)
_NO_REPLY = (
    r"(?:.*[-+_.])?(?:no-?_?reply|do-?_?not-?_?reply|donotrespond|no-?_?respond(?:er|a)?|no-?_?contestar|nao-?_?responda"
    r"|ne-?_?pas-?_?repondre|noreponse|unmonitored)(?:[-+_.].*)?"
)
_ROBOT = r"(?:listserv|majordomo|mailman|sympa|autoresponder|auto-?reply|auto-?responder|.*-(?:request|owner)|owner-.*)"

_BOUNCE = Verdict(kind="bounce")
_AUTOREPLY = Verdict(kind="autoreply")
_AUTOMATIC = Verdict(kind="automatic")
_LIST = Verdict(kind="list", look="files")

RULES: tuple[Rule, ...] = (
    # Ourselves: whatever else the mail says, else two programs talk for ever.
    Rule(name="own_address", source="RFC 3834, 2", test=_from_us, verdict=Verdict(kind="own")),
    # Reports on mail that we sent.
    Rule(name="null_return_path", source="RFC 5321, 4.5.5; RFC 3834, 2", test=_null_path, verdict=_BOUNCE),
    Rule(
        name="feedback_report",
        source="RFC 5965",
        test=_report("feedback-report"),
        verdict=Verdict(kind="feedback"),
    ),
    Rule(
        name="disposition_notification",
        source="RFC 8098",
        test=_report("disposition-notification"),
        verdict=Verdict(kind="receipt"),
    ),
    Rule(
        name="delivery_status",
        source="RFC 3464; RFC 6533",
        test=_report("delivery-status", "global-delivery-status"),
        verdict=_BOUNCE,
    ),
    Rule(
        name="complaint_subject",
        source="Microsoft JMRP",
        test=_subject(_COMPLAINT_SUBJECT),
        verdict=Verdict(kind="feedback"),
    ),
    Rule(name="report", source="RFC 6522", test=_any_report, verdict=_BOUNCE),
    Rule(
        name="failed_recipients", source="Exim, Gmail", test=_header("X-Failed-Recipients"), verdict=_BOUNCE
    ),
    Rule(name="mailer_daemon", source="RFC 3834, 2; practice", test=_local_part(_DAEMON), verdict=_BOUNCE),
    Rule(
        name="mail_system_name",
        source="practice of mail servers",
        test=_display_name(_SYSTEM),
        verdict=_BOUNCE,
    ),
    Rule(
        name="bounce_subject",
        source="practice of mail servers",
        test=_subject(_BOUNCE_SUBJECT),
        verdict=_BOUNCE,
    ),
    # Machines that say so.
    Rule(
        name="auto_replied",
        source="RFC 3834, 5.2",
        test=lambda message, _: _auto_submitted(message, "auto-replied"),
        verdict=_AUTOREPLY,
    ),
    Rule(
        name="auto_submitted",
        source="RFC 3834, 5",
        test=lambda message, _: _auto_submitted(message),
        verdict=_AUTOMATIC,
    ),
    Rule(
        name="autoreply_header",
        source="practice of autoresponders",
        # X-Auto-Response-Suppress is another thing and has its own rule.
        test=_header_named(r"x-auto-?(?:reply|respon(?!se-suppress)).*|x-mail-autoreply|x-vacation.*"),
        verdict=_AUTOREPLY,
    ),
    Rule(
        name="autoresponder_marks",
        source="qmail, Confixx",
        test=lambda message, config: (
            _header_says("Delivered-To", r"^autoresponder\b")(message, config)
            or _header_says("X-POST-MessageClass", r"autoresponder")(message, config)
        ),
        verdict=_AUTOREPLY,
    ),
    Rule(
        name="precedence_auto_reply",
        source="RFC 3834, 3.1.8; practice",
        test=_header_says("Precedence", r"\bauto[_-]?reply\b"),
        verdict=_AUTOREPLY,
    ),
    Rule(
        name="autoreply_subject",
        source="Exchange and others",
        test=_subject(_AUTOREPLY_SUBJECT),
        verdict=_AUTOREPLY,
    ),
    Rule(
        name="auto_response_suppress",
        source="MS-OXCMAIL, 2.1.3.2.20",
        test=_header_says("X-Auto-Response-Suppress", r"\b(?:all|autoreply|oof)\b"),
        verdict=_AUTOMATIC,
    ),
    Rule(
        name="machine_header",
        source="FirstClass, Exchange rules, challenge systems",
        test=_header(
            "X-FC-MachineGenerated",
            "X-MS-Exchange-Generated-Message-Source",
            "X-Autogenerated",
            "X-Auto-Generated",
            "X-Delivery-Agent-Challenge",
            "X-Bluebottle-Request",
            "X-ChoiceMail-Registration-Request",
        ),
        verdict=_AUTOMATIC,
    ),
    # A person sent it by way of a machine.
    Rule(
        name="calendar", source="RFC 6047", test=_invitation, verdict=Verdict(kind="meeting", look="always")
    ),
    Rule(
        name="sharing_notice",
        source="practice of file services",
        test=_domain_of(
            "sharepointonline.com", "wetransfer.com", "dropbox.com", "dropboxmail.com", "box.com"
        ),
        verdict=Verdict(kind="sharing", look="always"),
    ),
    Rule(
        name="drive_notice",
        source="practice of file services",
        test=_local_part(r"drive-shares(?:-dm)?-noreply"),
        verdict=Verdict(kind="sharing", look="always"),
    ),
    # Lists and bulk mail. A form in one is still somebody's form, so files are looked into.
    Rule(
        name="list_header",
        source="RFC 2919; RFC 2369",
        test=_header("List-Id", "List-Unsubscribe", "List-Post", "List-Help", "List-Subscribe", "List-Owner"),
        verdict=_LIST,
    ),
    Rule(
        name="precedence",
        source="RFC 3834, 2; practice",
        test=_header_says("Precedence", r"\b(?:bulk|list|junk)\b"),
        verdict=_LIST,
    ),
    Rule(
        name="bulk_header",
        source="mailing services",
        test=_header("X-Mailing-List", "X-CampaignId", "X-Campaign"),
        verdict=_LIST,
    ),
    Rule(name="robot_address", source="RFC 3834, 2", test=_local_part(_ROBOT), verdict=_LIST),
    Rule(
        name="no_reply_address",
        source="practice",
        test=_local_part(_NO_REPLY),
        verdict=Verdict(kind="noreply", look="files"),
    ),
    # People whom we cannot answer.
    Rule(
        name="no_usable_from",
        source="RFC 5322, 3.6.2",
        test=_no_sender,
        verdict=Verdict(kind="no_sender", look="always"),
    ),
    Rule(
        name="several_from",
        source="RFC 5322, 3.6.2; RFC 7489, 6.6.1",
        test=_several_senders,
        verdict=Verdict(kind="several_senders", look="always"),
    ),
)
