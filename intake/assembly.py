"""Puts the worker together from the configuration; the one place where live objects are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from config import Config
from intake.archive import Archive
from intake.bounded import BoundedReader
from intake.ledger import Ledger
from intake.mailbox import ImapMailbox
from intake.mailer import SmtpMailer
from intake.registering import Registrar
from intake.worker import Worker, now_utc

# Beside it in the data folder lie the originals and the lock.
LEDGER_FILE = "ledger.sqlite3"


def open_ledger(config: Config, clock: Callable[[], datetime] = now_utc) -> Ledger:
    """The ledger of the data folder, open and migrated.

    Raises:
        LedgerUnusable: See there.
    """
    book = Ledger(config.settings.paths.data / LEDGER_FILE)
    book.open(clock())
    return book


@contextmanager
def assembled(
    config: Config,
    *,
    clock: Callable[[], datetime] = now_utc,
    on_step: Callable[[str], None] | None = None,
) -> Iterator[Worker]:
    """A worker on its real mailbox, server, disk and register; all closed at the end.

    Raises:
        LedgerUnusable, LedgerAdoption: The worker may not start.
    """
    settings = config.settings
    book = open_ledger(config, clock)
    mailbox = ImapMailbox(settings.mailboxes[0], max_bytes=settings.limits.message_bytes)
    mailer = SmtpMailer(settings.smtp) if settings.smtp is not None else None
    reader = BoundedReader(config)
    worker = Worker(
        config,
        book=book,
        archive=Archive(settings.paths.data),
        mailbox=mailbox,
        mailer=mailer,
        registrar=Registrar(settings.paths.register_file, book, config),
        reader=reader,
        clock=clock,
        on_step=on_step,
    )
    try:
        worker.check_adoption()
        yield worker
    finally:
        reader.close()
        mailbox.close()
        if mailer is not None:
            mailer.close()
        book.close()
