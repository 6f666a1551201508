"""`practice-intake demo`: sample mails through the real worker, and a table of what became of each."""

from __future__ import annotations

import email
import email.policy
import logging
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imap_tools.imap_utf7 import utf7_decode
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
from intake.register import words as register_words
from intake.scheduler import Running
from intake.schema import cases, messages, outbox, versions
from intake.terminal import command_words
from intake.worker import Worker

# Rounds of the worker within which everything must be settled; each corrected version needs one more.
ROUNDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one sample mail."""

    mail: SampleMail
    disposition: str
    folder: str
    references: tuple[str, ...]
    reply: str | None
    situation: str = ""


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
    if not console.is_terminal:
        # A log or a pipe has no width of its own; the table is not to be folded to a narrow one.
        console = Console(width=170)
    words = command_words(language)
    configure(logging.WARNING)
    # The demonstration's own SMTP server tells of matters inside itself.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
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
                identities = _run_all(worker, post, mails)
        places = _places(post)
        outcomes = [_outcome(config, mail, identities[mail.name], places) for mail in mails]
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


def _run_all(worker: Worker, post: DemoMail, mails: list[SampleMail]) -> dict[str, str]:
    """Lets all mails arrive and be settled; gives each one's Message-ID by its name."""
    identities: dict[str, str] = {}
    # The first look draws the start line; what arrives afterwards is new.
    worker.tick()
    open_mails = list(mails)
    for _ in range(ROUNDS):
        ready = [
            mail for mail in open_mails if mail.after is None or _reply_to(post, _named(mails, mail.after))
        ]
        for mail in ready:
            reply = _reply_to(post, _named(mails, mail.after)) if mail.after is not None else None
            raw = mail.build(reply)
            identities[mail.name] = str(email.message_from_bytes(raw)["Message-ID"]).strip()
            post.deliver(raw, sender=mail.envelope, passes=mail.passes)
            open_mails.remove(mail)
        report = worker.tick()
        if not open_mails and not report.judged and not report.waiting:
            break
    return identities


def _named(mails: list[SampleMail], name: str) -> SampleMail:
    return next(mail for mail in mails if mail.name == name)


def _reply_to(post: DemoMail, mail: SampleMail) -> bytes | None:
    """Our reply to a sample mail, found as the sender finds it: by In-Reply-To."""
    asked = email.message_from_bytes(mail.raw)["Message-ID"]
    for sent in post.sent:
        if email.message_from_bytes(sent.data)["In-Reply-To"] == asked:
            return sent.data
    return None


def _places(post: DemoMail) -> dict[str, str]:
    """Message-ID to the folder where a mail lies now, as any mail program on the mailbox sees it."""
    found: dict[str, str] = {}
    client = post.client()
    for line in client.list()[1]:
        name = line.decode().partition(' "/" ')[2] if isinstance(line, bytes) else ""
        if not name or client.select(name, readonly=True)[0] != "OK":
            continue
        for part in client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")[1]:
            if isinstance(part, tuple):
                identity = email.message_from_bytes(part[1])["Message-ID"]
                found[str(identity).strip()] = utf7_decode(name.strip('"').encode())
    client.logout()
    return found


def _outcome(config: Config, mail: SampleMail, identity: str, places: dict[str, str]) -> Outcome:
    """What the ledger says became of a mail, and where the mailbox says it lies.

    Of mail left for people the ledger keeps no Message-ID: what it does not know, it left where it was.
    """
    left = Outcome(
        mail=mail, disposition="ignored", folder=places.get(identity, "?"), references=(), reply=None
    )
    book = open_ledger(config)
    try:
        with book.reading() as connection:
            row = connection.execute(select(messages).where(messages.c.message_id == identity)).first()
            if row is None:
                return left
            reply = connection.execute(select(outbox).where(outbox.c.message == row.id)).first()
            references = tuple(
                connection.scalars(select(versions.c.reference).where(versions.c.message == row.id))
            )
            situation = connection.scalar(select(cases.c.situation).where(cases.c.reference.in_(references)))
            return replace(
                left,
                disposition=row.disposition,
                references=references,
                reply=reply.kind if reply is not None and reply.state == "sent" else None,
                situation=situation or "",
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
    inbox = config.settings.mailboxes[0].inbox
    wrong = [outcome for outcome in outcomes if not _as_intended(outcome, config)]
    for outcome in outcomes:
        place = labels["inbox"] if outcome.folder == inbox else outcome.folder
        about = outcome.mail.description.get(language) or outcome.mail.description["es"]
        style = "red" if outcome in wrong else ""
        table.add_row(
            escape(about),
            _became(outcome, words, language),
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


def _as_intended(outcome: Outcome, config: Config) -> bool:
    """The disposition is the sample's, and the mail lies where that disposition puts it."""
    box = config.settings.mailboxes[0]
    expected = outcome.mail.expected
    place = box.inbox if expected == "ignored" else f"{box.folders.root}/{getattr(box.folders, expected)}"
    return outcome.disposition == expected and outcome.folder == place


def _became(outcome: Outcome, words: dict[str, Any], language: str) -> str:
    """As the register words it where it says more: a form may be complete and not to be published."""
    if outcome.disposition == "accepted" and outcome.situation in {"unauthorized", "received"}:
        return register_words(language).situation(outcome.situation)
    return str(words["dispositions"][outcome.disposition])


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
