"""`practice-intake demo`: sample mails through the real worker, and a table of what became of each."""

from __future__ import annotations

import email
import email.policy
import logging
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from sqlalchemy import select

from config import Config, load
from config.settings import Auth, Mailbox, Paths, Replies, Settings, Smtp
from intake.answering import blank_templates
from intake.assembly import assembled, open_ledger
from intake.demo.mails import MAILBOX, SampleMail, sample_mails
from intake.demo.servers import LOOPBACK, DemoMail
from intake.logs import configure
from intake.scheduler import Running
from intake.schema import messages, outbox, outbox_cases
from intake.telling import command_words
from intake.worker import Worker

# Rounds of the worker within which everything must be settled; each corrected version needs one more.
ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one sample mail."""

    mail: SampleMail
    disposition: str
    folder: str | None
    references: tuple[str, ...]
    reply: str | None


def run_demo(folder: Path, *, wait: bool, language: str) -> int:
    """Runs the demonstration.

    Args:
        folder: Made anew; an earlier demonstration in it is removed.
        wait: Keep the mailbox open and the worker running until Ctrl+C.
        language: Of what is printed.

    Returns:
        0 when every mail ended as intended, else 1.

    Raises:
        DemoMissing: The extra `demo` is not installed.
    """
    console = Console()
    words = command_words(language)
    configure(logging.WARNING)
    _clear(folder)
    with DemoMail(address=MAILBOX) as post:
        config = demo_config(folder, post)
        mails = sample_mails(config, to=MAILBOX, now=datetime.now(UTC))
        console.print(f"[bold]{words['demo']['title'].format(count=len(mails))}[/bold]")
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
        ) as progress:
            progress.add_task(words["demo"]["progress"])
            with assembled(config) as worker:
                _run_all(worker, post, mails)
        outcomes = [_outcome(config, mail) for mail in mails]
        _write_replies(folder, post)
        _write_templates(folder, config)
        code = _tell(console, outcomes, folder, config, words, language)
        if wait:
            _stay(console, config, post, words)
        return code


def demo_config(folder: Path, post: DemoMail) -> Config:
    """The shipped configuration with the demonstration's servers and folder."""
    shipped = load()
    box = Mailbox(
        host=LOOPBACK, port=post.imap_port, security="plain", username=post.user, password=_secret(post.password),
        address=MAILBOX, sent="",
    )  # fmt: skip
    smtp = Smtp(
        host=LOOPBACK, port=post.smtp_port, security="plain", username=post.user, password=_secret(post.password),
        per_minute=1000,
    )  # fmt: skip
    home = folder.resolve()
    settings: Settings = shipped.settings.model_copy(
        update={
            "mailboxes": (box,),
            "smtp": smtp,
            "paths": Paths(data=home / "datos", register=home / "Registro de prácticas.xlsx"),
            "auth": Auth(trust=post.authserv_id),
            # One person sits and looks: nobody else's second thoughts have to be waited for.
            "replies": Replies(quiet_minutes=0),
        }
    )
    return shipped.model_copy(update={"settings": settings, "home": home})


def _secret(text: str) -> Any:
    from pydantic import SecretStr

    return SecretStr(text)


def _clear(folder: Path) -> None:
    """Removes what an earlier demonstration left, and nothing else."""
    for name in ("datos", "respuestas", "formularios", ".respaldo"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "Registro de prácticas.xlsx").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def _run_all(worker: Worker, post: DemoMail, mails: list[SampleMail]) -> None:
    # The first look draws the start line; what arrives afterwards is new.
    worker.tick()
    open_mails = list(mails)
    for _ in range(ROUNDS):
        ready = [
            mail for mail in open_mails if mail.after is None or _reply_to(post, _named(mails, mail.after))
        ]
        for mail in ready:
            reply = _reply_to(post, _named(mails, mail.after)) if mail.after is not None else None
            post.deliver(mail.build(reply), sender=mail.envelope, passes=mail.passes)
            open_mails.remove(mail)
        report = worker.tick()
        if not open_mails and not report.judged and not report.waiting:
            return


def _named(mails: list[SampleMail], name: str) -> SampleMail:
    return next(mail for mail in mails if mail.name == name)


def _reply_to(post: DemoMail, mail: SampleMail) -> bytes | None:
    """Our reply to a sample mail, found as the sender finds it: by In-Reply-To."""
    asked = email.message_from_bytes(mail.raw)["Message-ID"]
    for sent in post.sent:
        if email.message_from_bytes(sent.data)["In-Reply-To"] == asked:
            return sent.data
    return None


def _outcome(config: Config, mail: SampleMail) -> Outcome:
    raw = mail.build(None) if mail.after is None else None
    identity = email.message_from_bytes(raw)["Message-ID"] if raw is not None else None
    book = open_ledger(config)
    try:
        with book.reading() as connection:
            statement = select(messages)
            if identity is not None:
                statement = statement.where(messages.c.message_id == identity)
            else:
                statement = statement.where(messages.c.sender == mail.sender).order_by(messages.c.id.desc())
            row = connection.execute(statement).first()
            if row is None or (identity is None and row.message_id is None):
                # Of mail left for people the ledger keeps no Message-ID: it was seen, and left where it was.
                return Outcome(mail=mail, disposition="ignored", folder=None, references=(), reply=None)
            reply = connection.execute(select(outbox).where(outbox.c.message == row.id)).first()
            references = (
                tuple(
                    connection.scalars(
                        select(outbox_cases.c.reference).where(outbox_cases.c.outbox == reply.id)
                    )
                )
                if reply is not None
                else ()
            )
            return Outcome(
                mail=mail,
                disposition=row.disposition,
                folder=row.file_to,
                references=references,
                reply=reply.kind if reply is not None and reply.state == "sent" else None,
            )
    finally:
        book.close()


def _write_replies(folder: Path, post: DemoMail) -> None:
    """Each reply as it left (.eml) and as the reader sees it (.html)."""
    place = folder / "respuestas"
    place.mkdir(parents=True, exist_ok=True)
    for number, sent in enumerate(post.sent, 1):
        message = email.message_from_bytes(sent.data, policy=email.policy.default)
        name = f"{number:02d}-{sent.recipients[0].partition('@')[0]}"
        (place / f"{name}.eml").write_bytes(sent.data)
        body = message.get_body(("html", "plain"))
        if body is not None:
            (place / f"{name}.html").write_text(body.get_content(), encoding="utf-8")


def _write_templates(folder: Path, config: Config) -> None:
    place = folder / "formularios"
    place.mkdir(parents=True, exist_ok=True)
    for language in config.languages:
        for file in blank_templates(config, language):
            (place / file.name).write_bytes(file.data)


def _tell(
    console: Console,
    outcomes: list[Outcome],
    folder: Path,
    config: Config,
    words: dict[str, Any],
    language: str,
) -> int:
    labels = words["demo"]
    table = Table()
    for key in ("mail", "became", "folder", "reply", "reference"):
        table.add_column(labels[key], overflow="fold")
    folders = config.settings.mailboxes[0].folders
    wrong = [outcome for outcome in outcomes if outcome.disposition != outcome.mail.expected]
    for outcome in outcomes:
        place = f"{folders.root}/{getattr(folders, outcome.folder)}" if outcome.folder else labels["inbox"]
        about = outcome.mail.description.get(language) or outcome.mail.description["es"]
        style = "red" if outcome in wrong else ""
        table.add_row(
            escape(about),
            words["dispositions"][outcome.disposition],
            escape(place),
            words["kinds"].get(outcome.reply or "", labels["no_reply"]),
            ", ".join(outcome.references),
            style=style,
        )
    console.print(table)
    console.print(f"[bold]{labels['places']}[/bold]")
    home = folder.resolve()
    for key, path in (
        ("register", config.settings.paths.register_file),
        ("replies", home / "respuestas"),
        ("originals", config.settings.paths.data / "originals"),
        ("templates", home / "formularios"),
    ):
        console.print(f"  {labels[key]}: {escape(str(path))}", soft_wrap=True)
    if wrong:
        names = ", ".join(outcome.mail.name for outcome in wrong)
        console.print(f"[red]{labels['unexpected'].format(count=len(wrong), names=names)}[/red]")
        return 1
    console.print(f"[green]{labels['as_expected'].format(count=len(outcomes))}[/green]")
    return 0


def _stay(console: Console, config: Config, post: DemoMail, words: dict[str, Any]) -> None:
    console.print(
        words["demo"]["waiting"].format(
            imap=f"{LOOPBACK}:{post.imap_port}",
            smtp=f"{LOOPBACK}:{post.smtp_port}",
            user=post.user,
            password=post.password,
        )
    )
    with assembled(config) as worker:
        Running(worker, config.settings.schedule, None).run()
