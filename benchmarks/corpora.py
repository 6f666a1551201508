"""`make corpora DIR=...`: tries the program on files that others wrote, each in the bounded child with its limits.

Mails are read as `replay` reads them, documents as `check` does. Where the folder has the tables LABELS.tsv and
DOC_EXPECT.tsv, what came out is compared with what they expect. Ends with 1 when a file brought the reading down,
took too long or too much memory, or was taken for what it is not.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parseaddr
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import track
from rich.table import Table

from config import Config, load
from config.settings import Mailbox
from intake.bounded import BoundedReader, ReadingFailed
from intake.dispositions import name_of
from intake.history import FormHistory, History
from intake.judging import judge
from intake.reading import Reading
from parsers.form import Document

MOST_SECONDS = 10.0
MOST_MEGABYTES = 512.0
# Classes of LABELS.tsv that are no person's mail.
_MACHINES = "no_reply"
_PERSONS = "must_not_be_taken_for_automatic"
_MAIL_HEAD = re.compile(rb"\A(?:From [^\r\n]+\r?\n)?[!-9;-~]{2,60}:[ \t\r\n]")
_NO_MAILS = {".docx", ".xlsx", ".doc", ".xls", ".docm", ".xlsm", ".xlsb", ".dotx", ".dotm", ".xltx", ".pdf"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a table says of a file."""

    label: str
    expected: str
    mail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file.

    Attributes:
        label: Class by the table, else `mail` or `document`.
        result: Short: kind of mail and disposition, or codes of findings.
        wrong: What must not be: death, too much time or memory, a machine taken for a person or a person for one.
        differs: A document's finding is another than the table's; the table may be the one that errs.
    """

    name: str
    label: str
    result: str
    wrong: str
    differs: str
    seconds: float
    megabytes: float


def main() -> None:
    """Reads all, prints the account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--list", action="store_true", help="tell of every file, not only of the failing ones"
    )
    options = parser.parse_args()
    if not str(options.folder).strip() or not options.folder.is_dir():
        parser.error(f"{options.folder}: no folder; say make corpora DIR=/some/folder")
    console = Console(width=None if sys.stdout.isatty() else 160)
    files = find(options.folder)
    if not files:
        parser.error(f"{options.folder}: no files")
    expected = {
        **told(options.folder / "LABELS.tsv", mail=True),
        **told(options.folder / "DOC_EXPECT.tsv", mail=False),
    }
    begun = time.monotonic()
    with Trial(options.folder, expected) as trial:
        outcomes = [
            trial.outcome(path)
            for path in track(files, "reading", console=console, disable=not console.is_terminal)
        ]
    _tell(console, outcomes, time.monotonic() - begun, every=options.list)
    missing = set(expected) - {outcome.name for outcome in outcomes}
    if missing:
        console.print(
            f"in the tables, not in the folder: {len(missing)}, such as {min(missing)}", markup=False
        )
    sys.exit(1 if any(outcome.wrong for outcome in outcomes) else 0)


def find(folder: Path) -> list[Path]:
    """Every file but the tables and notes at the top."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.parent != folder]


def told(table: Path, *, mail: bool) -> dict[str, Told]:
    """A table's file names with class and expectation; nothing when there is no such table."""
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return {row["file"]: Told(label=row["class"], expected=row["expected"], mail=mail) for row in rows}


class Trial:
    """Reads files one after the other and compares; a context manager."""

    def __init__(self, folder: Path, expected: dict[str, Told]) -> None:
        config = load()
        box = Mailbox(host="localhost", address=config.settings.office.contact)
        self._config = _with(config, box)
        self._folder = folder
        self._expected = expected
        self._reader = BoundedReader(self._config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def outcome(self, path: Path) -> Outcome:
        """Reads one file."""
        name = str(path.relative_to(self._folder))
        data = path.read_bytes()
        known = self._expected.get(name)
        mail = known.mail if known is not None else is_mail(path, data)
        begun = time.perf_counter()
        try:
            result, wrong, differs = self._mail(data, known) if mail else self._document(data, known)
        except ReadingFailed as error:
            result, wrong, differs = "failed", str(error), ""
        seconds, megabytes = time.perf_counter() - begun, self._peak()
        if seconds > MOST_SECONDS:
            wrong = wrong or f"took {seconds:.1f} s"
        if megabytes > MOST_MEGABYTES:
            wrong = wrong or f"took {megabytes:.0f} MB"
        if megabytes > MOST_MEGABYTES / 2:
            # The next file is not to be blamed for this one's peak.
            self._reader.close()
        return Outcome(
            name=name,
            label=known.label if known else "mail" if mail else "document",
            result=result,
            wrong=wrong,
            differs=differs,
            seconds=seconds,
            megabytes=megabytes,
        )

    def _mail(self, data: bytes, known: Told | None) -> tuple[str, str, str]:
        reading, config = self._read(data, known)
        history = History(forms=tuple(FormHistory() for _ in reading.forms))
        today = (reading.received or datetime(2026, 1, 1, tzinfo=UTC)).date()
        judgement = judge(reading, history, config, today)
        screening = reading.screening
        name = name_of(judgement.disposition)
        result = f"{screening.kind} ({screening.reason}), {name}"
        if known is None:
            return result, "", ""
        wrong = []
        if _MACHINES in known.expected:
            if screening.may_reply:
                wrong.append("could be answered")
            if judgement.file_to is not None:
                wrong.append(f"is filed to {judgement.file_to}")
        if known.expected == _PERSONS and screening.kind != "person":
            wrong.append(f"taken for {screening.kind}")
        return result, ", ".join(wrong), ""

    def _read(self, data: bytes, known: Told | None) -> tuple[Reading, Config]:
        """The reading; where the table says that we wrote the mail ourselves, its sender is our address."""
        if known is None or known.label != "own_address_loop":
            return self._reader.read(data), self._config
        sender = parseaddr(str(message_from_bytes(data, policy=policy.compat32).get("From", "")))[1]
        config = _with(self._config, Mailbox(host="localhost", address=sender))
        with BoundedReader(config) as reader:
            return reader.read(data), config

    def _document(self, data: bytes, known: Told | None) -> tuple[str, str, str]:
        document = self._reader.read_document(data)
        codes = [finding.code for finding in document.findings]
        shown = f"{document.kind}: {'form, ' if document.form else ''}{', '.join(codes) or 'no finding'}"
        if known is None or meets(document, known.expected):
            return shown, "", ""
        differs = f"expected {known.expected}"
        # A file that cannot be what it says must never look like a form that was merely left empty.
        return shown, "" if codes else differs, differs if codes else ""

    def _peak(self) -> float:
        """Most memory that the child has had, in megabytes; 0 where the system does not tell."""
        child = self._reader._child  # noqa: SLF001
        try:
            status = Path(f"/proc/{child.pid}/status").read_text() if child is not None else ""
        except OSError:
            return 0.0
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0


def is_mail(path: Path, data: bytes) -> bool:
    """By name and place, else by the first line."""
    if path.suffix.lower() == ".eml" or path.parent.name in ("cur", "new"):
        return True
    return path.suffix.lower() not in _NO_MAILS and _MAIL_HEAD.match(data) is not None


def meets(document: Document, expected: str) -> bool:
    """Whether a document's findings are one of the expected outcomes (parted by `|`)."""
    codes = [finding.code for finding in document.findings]
    for outcome in expected.split("|"):
        kind, _, what = outcome.partition(":")
        if kind == "template_mismatch":
            if any(code.startswith("template_mismatch.") for code in codes):
                return True
        elif kind == "read":
            if document.form is not None or any(code.startswith("template_mismatch.") for code in codes):
                return True
        elif kind == "reject_clear" and any(code.partition(".")[0] == what for code in codes):
            return True
    return False


def _with(config: Config, box: Mailbox) -> Config:
    return config.model_copy(update={"settings": config.settings.model_copy(update={"mailboxes": (box,)})})


def _tell(console: Console, outcomes: list[Outcome], seconds: float, *, every: bool) -> None:
    classes = Counter(outcome.label for outcome in outcomes)
    failing = Counter(outcome.label for outcome in outcomes if outcome.wrong)
    differing = Counter(outcome.label for outcome in outcomes if outcome.differs)
    table = Table(title=f"{len(outcomes)} files in {seconds:.0f} s", title_justify="left")
    for heading in (
        "class",
        "files",
        "as they should",
        "differing",
        "failing",
        "slowest, s",
        "most memory, MB",
    ):
        table.add_column(heading, justify="left" if heading == "class" else "right")
    for label, count in classes.most_common():
        of_class = [outcome for outcome in outcomes if outcome.label == label]
        table.add_row(
            label,
            str(count),
            str(count - failing[label] - differing[label]),
            str(differing[label]),
            str(failing[label]),
            f"{max(outcome.seconds for outcome in of_class):.2f}",
            f"{max(outcome.megabytes for outcome in of_class):.0f}",
        )
    console.print(table)
    for outcome in outcomes:
        if outcome.wrong or outcome.differs or every:
            told_of = "FAILS" if outcome.wrong else "differs" if outcome.differs else "fine"
            line = f"{told_of}: {outcome.label}: {outcome.name}: {outcome.wrong or outcome.differs}"
            console.print(
                _printable(f"{line} [{outcome.result}]"), markup=False, highlight=False, soft_wrap=True
            )
    console.print(
        f"{failing.total()} of {len(outcomes)} failing, {differing.total()} differing from the tables"
    )


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


if __name__ == "__main__":
    main()
