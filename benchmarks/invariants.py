"""What must hold when everything has settled, checked on ledger, register, mailbox, originals and sent replies.

Returns sentences; decides nothing about them.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from offices import Office

from intake.assembly import LEDGER_FILE

# What becomes of each kind of mail; mail of the kinds without a folder is left where it is.
DISPOSITIONS = {
    "complete": "accepted",
    "incomplete": "needs_correction",
    "corrected": "accepted",
    "request": "answered",
    "machine": "ignored",
    "person": "ignored",
}
_FOLDERS = {"accepted": "Recibidas", "needs_correction": "En correcci", "answered": "Respondidas"}


@dataclass(slots=True, kw_only=True)
class Mail:
    """One mail that was sent to the office, once or more often."""

    number: int
    kind: str
    sender: str
    raw: bytes
    flags: tuple[str, ...] = ()
    copies: int = 1
    followed: bool = False
    wire: bytes = b""

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.raw)["Message-ID"])

    @property
    def is_left(self) -> bool:
        return DISPOSITIONS[self.kind] == "ignored"


@dataclass(slots=True, kw_only=True)
class Story:
    """All that happened."""

    mails: list[Mail] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


def broken(office: Office, story: Story) -> list[str]:
    """What does not hold, a sentence each; nothing when all holds."""
    ledger = sqlite3.connect(office.home / "datos" / LEDGER_FILE)
    ledger.row_factory = sqlite3.Row
    try:
        return [
            *(f"the worker ended by itself: {crash}" for crash in story.crashes),
            *_ledger_sound(ledger),
            *_dispositions(ledger, story),
            *_cases(ledger, office, story),
            *_replies(ledger, office, story),
            *_mailbox(office, story),
            *_originals(ledger, office),
        ]
    finally:
        ledger.close()


def _ledger_sound(ledger: sqlite3.Connection) -> Iterator[str]:
    for (found,) in ledger.execute("PRAGMA integrity_check"):
        if found != "ok":
            yield f"the ledger is damaged: {found}"
    for row in ledger.execute("PRAGMA foreign_key_check"):
        yield f"the ledger names what is not there: {tuple(row)}"
    for row in ledger.execute("SELECT id, state, uid FROM deliveries WHERE state <> 'done'"):
        yield f"delivery {row['id']} (UID {row['uid']}) is still {row['state']}"


def _dispositions(ledger: sqlite3.Connection, story: Story) -> Iterator[str]:
    """Every message one disposition, the right one."""
    found: dict[str, list[str]] = {}
    left = 0
    for row in ledger.execute("SELECT message_id, disposition FROM messages"):
        if row["message_id"] is None:
            # Of mail left for people no Message-ID is kept.
            left += 1
        else:
            found.setdefault(row["message_id"], []).append(row["disposition"])
    for mail in story.mails:
        told = found.pop(mail.message_id, [])
        if not mail.is_left and told != [DISPOSITIONS[mail.kind]]:
            yield f"mail {mail.message_id} ({mail.kind}) has the dispositions {told}"
        if mail.is_left and told:
            yield f"mail {mail.message_id} ({mail.kind}) was to be left and is {told}"
    for unknown in found:
        yield f"message {unknown} was never sent"
    expected = sum(mail.is_left for mail in story.mails)
    if left != expected:
        yield f"{expected} mails were to be left, {left} are recorded"


def _cases(ledger: sqlite3.Connection, office: Office, story: Story) -> Iterator[str]:
    """Every practice one case, every case one row on each sheet, with what people are told."""
    kinds = Counter(mail.kind for mail in story.mails)
    cases = {row["row_key"]: row for row in ledger.execute("SELECT * FROM cases")}
    expected = kinds["complete"] + kinds["incomplete"]
    if len(cases) != expected:
        yield f"{expected} practices came, {len(cases)} cases are there"
    references = sorted(row["reference"] for row in cases.values())
    if [int(reference.rpartition("-")[2]) for reference in references] != list(range(1, len(cases) + 1)):
        yield f"the references are not one sequence: {references}"
    for sheet in ("practices", "texts", "contacts"):
        rows = Counter(row.get("key") for row in office.rows(sheet))
        if rows != Counter(cases.keys()):
            yield f"the sheet {sheet} has rows {rows}, the cases are {sorted(cases)}"
    followed = {mail.number for mail in story.mails if mail.kind == "corrected"}
    states = Counter(row["disposition"] for row in cases.values())
    wanted = Counter({"accepted": kinds["complete"] + len(followed)})
    wanted["needs_correction"] = kinds["incomplete"] - len(followed)
    if states != +wanted:
        yield f"the cases are {dict(states)} and should be {dict(+wanted)}"
    shown = Counter(row.get("situation") for row in office.rows())
    if shown["Completa"] != wanted["accepted"]:
        yield f"the register shows {dict(shown)} and should show {wanted['accepted']} complete"
    versions = ledger.execute("SELECT count(*) FROM versions").fetchone()[0]
    if versions != expected + len(followed):
        yield f"{expected + len(followed)} forms came, {versions} versions are there"
    if office.rows("history"):
        yield f"what we wrote was taken for staff's: {office.rows('history')[:3]}"


def _replies(ledger: sqlite3.Connection, office: Office, story: Story) -> Iterator[str]:
    """Every reply once, the window between DATA and its tick aside: there the same Message-ID goes again."""
    sent = Counter(str(message_from_bytes(letter.data)["Message-ID"]) for letter in office.smtp.received)
    owed = ledger.execute(
        "SELECT o.message_id, o.state, o.recipient, m.message_id AS answered FROM outbox o JOIN messages m ON m.id = o.message"
    ).fetchall()
    answered = Counter(row["answered"] for row in owed)
    for mail in story.mails:
        expected = 0 if mail.is_left else 1
        if answered[mail.message_id] != expected:
            yield f"mail {mail.message_id} ({mail.kind}) has {answered[mail.message_id]} replies"
    again = 0
    for row in owed:
        came = sent.pop(row["message_id"], 0)
        if row["state"] == "sent" and not came:
            yield f"reply {row['message_id']} is ticked as sent and never came"
        elif row["state"] == "refused" and came:
            yield f"reply {row['message_id']} was refused and came"
        elif row["state"] not in ("sent", "refused"):
            yield f"reply {row['message_id']} is still {row['state']}"
        again += max(came - 1, 0)
    for unknown in sent:
        yield f"a reply {unknown} came that nobody owed"
    window = story.kills["handed_over"] + story.kills["by the clock"]
    if again > window:
        yield f"{again} replies came twice, {window} kills were between DATA and its tick"


def _mailbox(office: Office, story: Story) -> Iterator[str]:
    """Left mail bit for bit, flag for flag, in its order; each other mail in its folder, each copy once."""
    inbox = [(raw, flags) for _uid, flags, raw in office.imap.snapshot()]
    left = Counter({(mail.wire, frozenset(mail.flags)): mail.copies for mail in story.mails if mail.is_left})
    if Counter(inbox) != left:
        yield f"{left.total()} mails were to be left untouched, the inbox holds {len(inbox)}; or marks changed"
    for disposition, name in _FOLDERS.items():
        folders = [folder for folder in office.imap.folders() if name in folder]
        found = Counter(raw for folder in folders for _uid, _flags, raw in office.imap.snapshot(folder))
        expected = Counter(
            {mail.wire: mail.copies for mail in story.mails if DISPOSITIONS[mail.kind] == disposition}
        )
        if found != expected:
            yield f"{expected.total()} mails belong under {name}, {found.total()} are there"


def _originals(ledger: sqlite3.Connection, office: Office) -> Iterator[str]:
    """The original of each filed mail is kept, of left mail none."""
    kept = {row["raw"] for row in ledger.execute("SELECT raw FROM messages WHERE raw IS NOT NULL")}
    copies = {row["raw"] for row in ledger.execute("SELECT raw FROM deliveries WHERE file_to IS NOT NULL")}
    folder = Path(office.home) / "datos" / "originals"
    found = {path.stem for path in folder.glob("*/*.eml")}
    if kept - found:
        yield f"{len(kept - found)} originals are lost"
    if found - kept - copies:
        yield f"{len(found - kept - copies)} originals of left mail are still there"
    if list(folder.glob(".unfinished-*")):
        yield "unfinished originals are still there"
