"""A secretariat of its own for a test: settings on disk, mails to send, and what became of them."""

from __future__ import annotations

import email
import email.policy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from imap_tools.imap_utf7 import utf7_encode
from sqlalchemy import Select, func, select

from config import Config, load
from intake.assembly import LEDGER_FILE, assembled
from intake.demo.samples import fill_docx, fill_xlsx, practices
from intake.ledger import Ledger
from intake.register import read as read_register
from intake.schema import messages, metadata
from intake.worker import Report, now_utc
from responses.blank_docx import blank_docx
from responses.blank_xlsx import blank_xlsx

AUTHSERV = "mx.oficina.example"
ADDRESS = "practicas@oficina.example"


@dataclass
class Office:
    """One office on a real mailbox, a real SMTP server and a real folder."""

    home: Path
    imap: object
    smtp: object

    @property
    def config(self) -> Config:
        return load(self.home)

    @property
    def register(self) -> Path:
        return self.home / "Registro.xlsx"

    def tick(self, times: int = 1, **options: object) -> Report:
        """The real worker, put together and taken apart, `times` looks at the mailbox."""
        with assembled(self.config, **options) as worker:
            for _ in range(times):
                report = worker.tick()
        return report

    def deliver(self, raw: bytes, *, passes: bool = True, date: str | None = None) -> None:
        """A mail put into the inbox by our own mail server, with its word on the sender and on its arrival."""
        sender = email.message_from_bytes(raw)["From"].rpartition("@")[2].strip("> ")
        verdict = "pass" if passes else "none"
        head = f"Authentication-Results: {AUTHSERV}; dmarc={verdict} header.from={sender}\r\n"
        self.imap.append(head.encode() + raw, date=date)

    def folder(self, name: str) -> str:
        """A folder below Prácticas as it goes on the wire, whatever the server's separator."""
        wire = utf7_encode(name).decode()
        return next(folder for folder in self.imap.folders() if folder.endswith(wire) and folder != wire)

    def put_back(self, name: str) -> int:
        """A person moves everything in one of our folders back into the inbox; returns how many."""
        folder = self.folder(name)
        uids = [str(uid) for uid, _flags, _raw in self.imap.snapshot(folder)]
        client = self.imap.client()
        client.select(f'"{folder}"')
        for uid in uids:
            assert client.uid("COPY", uid, "INBOX")[0] == "OK"
            client.uid("STORE", uid, "+FLAGS", "(\\Deleted)")
        client.expunge()
        return len(uids)

    def rows(self, sheet: str = "practices") -> list[dict[str, str]]:
        """What the register shows."""
        return read_register(self.register.read_bytes())[sheet]

    def replies(self) -> list[EmailMessage]:
        """What was sent, in order."""
        return [
            email.message_from_bytes(mail.data, policy=email.policy.default) for mail in self.smtp.received
        ]

    def count_of(self, name: str) -> int:
        [(count,)] = self.ask(select(func.count()).select_from(TABLES[name]))
        return count

    def dispositions(self) -> list[str]:
        return sorted(name for (name,) in self.ask(select(messages.c.disposition)))

    def ask(self, statement: Select) -> list[tuple]:
        """What the ledger holds."""
        with self.book() as book, book.reading() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def column(self, name: str) -> list:
        """A column of the ledger, as "cases.rounds", in the order of its rows."""
        table, _, column = name.partition(".")
        found = select(TABLES[table].c[column]).order_by(*TABLES[table].primary_key)
        return [value for (value,) in self.ask(found)]

    @contextmanager
    def book(self) -> Iterator[Ledger]:
        """The ledger, open."""
        book = Ledger(self.home / "datos" / LEDGER_FILE)
        book.open(now_utc())
        try:
            yield book
        finally:
            book.close()


TABLES = metadata.tables


def make_office(
    home: Path,
    imap: object,
    smtp: object,
    *,
    extra: str = "",
    replies: str = "quiet_minutes = 0",
    mailbox: str = "",
) -> Office:
    """Writes the settings of an office whose servers are on loopback; `mailbox` holds further lines of its."""
    home.mkdir(parents=True, exist_ok=True)
    sink = smtp.settings()
    (home / "settings.toml").write_text(
        f"""
[[mailboxes]]
host = "{imap.host}"
port = {imap.port}
security = "plain"
username = "{imap.user}"
password = "{imap.password}"
address = "{ADDRESS}"
{mailbox}

[smtp]
host = "{sink.host}"
port = {sink.port}
security = "plain"
username = "{sink.username}"
password = "{sink.password.get_secret_value()}"
per_minute = 10000

[paths]
data = "datos"
register = "Registro.xlsx"

[auth]
trust = "{AUTHSERV}"

[replies]
{replies}
{extra}
""",
        encoding="utf-8",
    )
    return Office(home=home, imap=imap, smtp=smtp)


def fields(name: str = "P1", **changes: object) -> dict[str, object]:
    """A practice's answers, with changes; `None` leaves a question unanswered."""
    found = practices()[name]
    answers = {**found.fields, **changes}
    return {key: value for key, value in answers.items() if value is not None}


def form(answers: dict[str, object], config: Config, *, kind: str = "docx", language: str = "es") -> bytes:
    """A filled form."""
    blank, fill = (blank_docx, fill_docx) if kind == "docx" else (blank_xlsx, fill_xlsx)
    empty = blank(config.template, config.vocabularies, language)
    return fill(empty, answers, config.template, config.vocabularies, language)


def mail(
    sender: str,
    subject: str,
    text: str = "Adjuntamos nuestra práctica. Saludos.",
    files: list[tuple[str, bytes]] | None = None,
    *,
    name: str = "",
    **headers: str,
) -> bytes:
    """A person's mail; headers with underscores for hyphens."""
    message = EmailMessage()
    message["From"] = f"{name} <{sender}>" if name else sender
    message["To"] = ADDRESS
    message["Subject"] = subject
    message["Date"] = "Fri, 20 Nov 2026 10:00:00 -0500"
    key = hashlib.sha256(f"{sender} {subject}".encode()).hexdigest()[:16]
    message["Message-ID"] = headers.pop("Message_ID", f"<{key}@remitente.example>")
    for header, value in headers.items():
        message[header.replace("_", "-")] = value
    message.set_content(text)
    for file_name, data in files or []:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=file_name)
    return message.as_bytes(policy=email.policy.SMTP)
