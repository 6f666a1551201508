"""The operator's settings: mailboxes, sending, places, limits, calls. Shape only; read by `config.load`.

Secrets are `SecretStr`: they never appear in a dump, a log or a traceback.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def _address(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+", value):
        raise ValueError("is no e-mail address (expected name@example.org)")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is no time zone (expected one like America/Lima)") from error
    return value


Address = Annotated[str, AfterValidator(_address)]
Security = Literal["tls", "starttls", "plain"]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Server(_Block):
    host: str
    port: int = Field(ge=1, le=65535)
    security: Security = "tls"
    username: str = ""
    password: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=60, gt=0)
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _plain_only_on_loopback(self) -> _Server:
        if self.security == "plain" and self.host not in LOOPBACK:
            raise ValueError(
                'security "plain" is allowed on this machine (localhost) only; use "tls" or "starttls"'
            )
        return self


class Folders(_Block):
    """Where mail is filed, below `root`, in the secretariat's words."""

    root: str = "Prácticas"
    accepted: str = "Recibidas"
    needs_correction: str = "En corrección"
    answered: str = "Respondidas"
    held: str = "Para una persona"
    automatic: str = "Avisos automáticos"


class Mailbox(_Server):
    """One IMAP mailbox.

    Attributes:
        name: The account's name in ledger and logs.
        address: The address people write to; never answered itself.
        own_addresses: Other addresses that deliver here.
        inbox: Folder that is read.
        sent: Folder where people's own answers are found; empty when there is none to search.
        dedicated: True only for a box that receives nothing but practices.
    """

    name: str = "main"
    port: int = Field(default=993, ge=1, le=65535)
    address: Address
    own_addresses: tuple[Address, ...] = ()
    inbox: str = "INBOX"
    sent: str = ""
    dedicated: bool = False
    start: date | None = None
    folders: Folders = Folders()


class Smtp(_Server):
    """How replies leave."""

    port: int = Field(default=587, ge=1, le=65535)
    security: Security = "starttls"
    per_minute: int = Field(default=20, ge=1)


class Paths(_Block):
    """Folders and files of the program; relative ones are below the settings file's folder."""

    data: Path = Path("data")
    register_file: Path = Field(default=Path("Registro de prácticas.xlsx"), alias="register")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Reference(_Block):
    """How references look: `PMM-2026-0042`, one sequence a year in the time zone."""

    prefix: str = Field(default="PMM", pattern=r"^[A-Z][A-Z0-9]{1,9}$")
    digits: int = Field(default=4, ge=3, le=9)


class Auth(_Block):
    """Whose word on the sender's authenticity counts (design: Trust).

    Attributes:
        trust: `"none"`, `"topmost"` (Exchange Online), or the authserv-id of our own server (RFC 8601).
        own_hosts: Hosts of our own relay, for `topmost`.
        free_mail: Domains where anybody gets an address; a shared one proves no institution.
    """

    trust: str = "none"
    own_hosts: tuple[str, ...] = ()
    free_mail: tuple[str, ...] = (
        "gmail.com", "googlemail.com", "hotmail.com", "hotmail.es", "outlook.com", "outlook.es", "outlook.fr",
        "live.com", "msn.com", "yahoo.com", "yahoo.es", "yahoo.fr", "ymail.com", "icloud.com", "me.com",
        "proton.me", "protonmail.com", "gmx.com", "gmx.net", "aol.com", "mail.com", "orange.fr", "free.fr",
        "laposte.net", "wanadoo.fr", "zoho.com", "yandex.com",
    )  # fmt: skip


class Replies(_Block):
    """What is answered and how."""

    mode: Literal["send", "approve", "off"] = "send"
    quiet_minutes: float = Field(default=10, ge=0)
    stale_days: int = Field(default=7, ge=1)
    per_address_day: int = Field(default=10, ge=1)
    per_hour: int = Field(default=200, ge=1)
    rounds: int = Field(default=2, ge=1)
    offer_call: bool = False
    default_language: str = "es"
    append_sent: bool = False


class Limits(_Block):
    """Limits that hold before memory is spent."""

    message_bytes: int = 36_000_000
    attachment_bytes: int = 25_000_000
    parts: int = 500
    depth: int = 12
    package_members: int = 2_000
    package_bytes: int = 120_000_000
    package_ratio: int = 200
    part_bytes: int = 40_000_000
    answer_characters: int = 60_000
    read_seconds: float = 20
    child_megabytes: int = 768
    forms_per_mail: int = 10
    cases_per_address_day: int = 20
    attempts: int = 3


class Call(_Block):
    """A call for practices; late is marked, never refused.

    Attributes:
        id: Shown in the register's column Convocatoria.
        names: Language to the call's name.
        opens, deadline: Days in the office's time zone, both included.
        phrases: Further words that name this call in a mail.
    """

    id: str
    names: dict[str, str] = {}
    opens: date | None = None
    deadline: date | None = None
    phrases: tuple[str, ...] = ()


class Schedule(_Block):
    """How often the worker looks."""

    poll_seconds: float = Field(default=60, gt=0)
    idle: bool = True


class Office(_Block):
    """Who signs and where.

    Attributes:
        signatures: Language to the signature under every letter.
        data_notice: Address of the page on personal data, printed in acknowledgements; empty leaves it out.
        timezone: IANA name; times in letters and the year of references.
        places: Language to how the time zone is told to people, "hora de Lima".
    """

    signatures: dict[str, str] = {
        "es": "Secretaría de la Red de las Naciones Unidas sobre la Migración en el Perú",
        "en": "Secretariat of the United Nations Network on Migration in Peru",
        "fr": "Secrétariat du Réseau des Nations Unies sur les migrations au Pérou",
    }
    contact: Address = "UNNMPeru@iom.int"
    data_notice: str = ""
    timezone: Annotated[str, AfterValidator(_zone)] = "America/Lima"
    places: dict[str, str] = {"es": "hora de Lima", "en": "Lima time", "fr": "heure de Lima"}

    def local(self, moment: datetime) -> datetime:
        """An aware moment by the office's clock: its day counts for deadlines, its year for references."""
        return moment.astimezone(ZoneInfo(self.timezone))


class Settings(_Block):
    """Everything `settings.toml` may say."""

    mailboxes: tuple[Mailbox, ...] = ()
    smtp: Smtp | None = None
    paths: Paths = Paths()
    office: Office = Office()
    reference: Reference = Reference()
    auth: Auth = Auth()
    replies: Replies = Replies()
    limits: Limits = Limits()
    calls: tuple[Call, ...] = ()
    schedule: Schedule = Schedule()
    template: str = "practice-1"
    languages: tuple[str, ...] = ("es", "en", "fr")
