"""`make soak-short`: the real worker killed again and again at random steps, then the account of what must hold.

One office lives through all rounds: mails of every kind arrive (some twice), the process is killed with SIGKILL,
UIDs are voided, the SMTP server refuses or hangs up. At the end everything settles and nothing may be lost, doubled
or touched. The same seed makes the same rounds.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from places import TESTS
from rich.console import Console

# After `places`, which puts the tests' own modules on the path.
from intake.assembly import assembled  # isort: skip
from intake.demo.servers import ImapServer  # isort: skip
from intake.worker import STEPS, now_utc  # isort: skip
from invariants import Mail, Story, broken  # isort: skip
from offices import Office, fields, form, mail, make_office  # isort: skip
from servers import PASSWORD, DovecotServer, Imap, SmtpSink  # isort: skip

_KINDS = ("complete", "complete", "incomplete", "incomplete", "request", "machine", "person", "again")
_REFUSALS = (
    ("rcpt", "451 4.7.1 try again later"),
    ("data", "452 4.3.1 no space"),
    ("rcpt", "550 5.1.1 nobody here"),
    ("mail", "421 4.3.2 going down"),
    ("data", "hang up"),
)
# A run of the worker that takes longer than this hangs.
_SECONDS = 120


class Soak:
    """One office and its hard life.

    Args:
        office: On real servers.
        chosen: Everything random comes from here.
        instants: Share of kills by the clock instead of at a named step; these are not the same twice.
    """

    def __init__(self, office: Office, chosen: random.Random, instants: float) -> None:
        self._office = office
        self._chosen = chosen
        self._instants = instants
        self._answered = 0
        self.story = Story()

    def round(self) -> str:
        """Mails arrive, the worker is killed once to three times, mails arrive in between.

        Returns:
            What happened, in a line.
        """
        told: list[str] = []
        for _ in range(self._chosen.randint(1, 3)):
            told += self._arrivals()
            if self._chosen.random() < 0.3:
                told.append(self._refusal())
            if self._chosen.random() < 0.25:
                self._void_uids()
                told.append("new UIDVALIDITY")
            told.append(self._killed())
        if self._chosen.random() < 0.5:
            self._run()
            told.append("ran to its end")
        self.story.log.append("; ".join(told))
        return self.story.log[-1]

    def settle(self) -> None:
        """Runs until nothing is owed; what is postponed for hours falls due by another clock."""
        sink = self._office.smtp
        sink.mail.clear()
        sink.rcpt.clear()
        sink.data.clear()
        self._run()
        for hours in (0, 2, 6, 30, 60):
            with assembled(self._office.config, clock=_ahead(hours)) as worker:
                worker.tick()
                worker.tick()

    # What arrives

    def _arrivals(self) -> list[str]:
        arrived = [self._arrive(self._chosen.choice(_KINDS)) for _ in range(self._chosen.randint(1, 3))]
        corrected = self._corrected()
        return [*arrived, *corrected]

    def _arrive(self, kind: str) -> str:
        if kind == "again":
            if not self.story.mails:
                kind = "complete"
            else:
                again = self._chosen.choice(self.story.mails)
                again.copies += 1
                self._deliver(again)
                return f"{again.kind} again"
        number = len(self.story.mails) + 1
        made = _made(kind, number, self._chosen.choice(("docx", "xlsx")), self._office)
        if kind == "person":
            # A person's mark on a person's mail; a mail that a client marked deleted must still be there.
            made.flags = self._chosen.choice(((), ("\\Flagged",), ("\\Seen",), ("\\Deleted",)))
        self.story.mails.append(made)
        self._deliver(made)
        return kind

    def _deliver(self, arriving: Mail) -> None:
        domain = arriving.sender.rpartition("@")[2]
        head = f"Authentication-Results: mx.oficina.example; dmarc=pass header.from={domain}\r\n"
        arriving.wire = head.encode() + arriving.raw
        self._office.imap.append(arriving.wire, flags=arriving.flags)

    def _corrected(self) -> Iterator[str]:
        """Senders who got a correction request send the complete form in its thread."""
        received = self._office.smtp.received
        for letter in received[self._answered :]:
            self._answered += 1
            reply = message_from_bytes(letter.data, policy=policy.default)
            asked = next((m for m in self.story.mails if m.sender == letter.recipients[0]), None)
            if asked is None or asked.kind != "incomplete" or asked.followed or self._chosen.random() < 0.3:
                continue
            asked.followed = True
            following = _made("corrected", asked.number, "docx", self._office, reply=reply)
            self.story.mails.append(following)
            self._deliver(following)
            yield "corrected"

    # What goes wrong

    def _refusal(self) -> str:
        command, answer = self._chosen.choice(_REFUSALS)
        getattr(self._office.smtp, command).append(answer)
        return f"SMTP {command}: {answer[:7]}"

    def _void_uids(self) -> None:
        imap = self._office.imap
        # Its own client may not keep the folder as it was.
        imap.close()
        imap._open.clear()  # noqa: SLF001
        imap._writer = None  # noqa: SLF001
        imap.bump_uidvalidity()

    def _killed(self) -> str:
        if self._chosen.random() < self._instants:
            return self._killed_by_clock(self._chosen.uniform(0.3, 2.5))
        step = self._chosen.choice(STEPS)
        # A tick brings the register up to date once.
        occurrence = 1 if step.startswith("register") else self._chosen.randint(1, 3)
        if self._run(step, str(occurrence)) != -9:
            return f"{step} {occurrence} not reached"
        self.story.kills[step] += 1
        return f"killed at {step} {occurrence}"

    def _killed_by_clock(self, seconds: float) -> str:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(self._command(), stdout=quiet, stderr=quiet)
        time.sleep(seconds)
        process.kill()
        if process.wait(_SECONDS) == -9:
            self.story.kills["by the clock"] += 1
        return f"killed after {seconds:.2f} s"

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(TESTS / "killed.py"), str(self._office.home), *arguments]

    def _run(self, *arguments: str) -> int:
        done = subprocess.run(
            self._command(*arguments), check=False, timeout=_SECONDS, capture_output=True, text=True
        )
        if done.returncode not in (0, -9):
            self.story.crashes.append(done.stderr[-2_000:])
        return done.returncode


def _ahead(hours: int):  # noqa: ANN202
    return lambda: now_utc() + timedelta(hours=hours)


def _made(
    kind: str, number: int, file_format: str, office: Office, reply: EmailMessage | None = None
) -> Mail:
    sender = f"persona{number}@organizacion{number}.example"
    config = office.config
    title = f"Práctica número {number} de la organización {number}"
    headers: dict[str, str] = {"Message_ID": f"<{kind}.{number}@organizacion{number}.example>"}
    files: list[tuple[str, bytes]] = []
    text, subject = "Adjuntamos nuestra práctica. Saludos.", f"Envío {number}"
    match kind:
        case "complete":
            files = [(f"p.{file_format}", form(fields(title=title), config, kind=file_format))]
        case "incomplete":
            lacking = form(fields(title=title, summary=None), config, kind=file_format)
            files = [(f"p.{file_format}", lacking)]
        case "corrected":
            assert reply is not None
            subject = f"RE: {reply['Subject']}"
            headers["In_Reply_To"] = reply["Message-ID"]
            files = [("p2.docx", form(fields(title=title), config))]
        case "request":
            text = "Buenos días. Por favor, envíenme la plantilla para presentar una práctica. Gracias."
        case "machine":
            headers["Auto_Submitted"] = "auto-replied"
            text, subject = f"Estoy fuera de la oficina ({number}).", "Respuesta automática"
        case _:
            text, subject = f"Me quieren desalojar, ¿a dónde puedo acudir? {number}", "consulta"
    return Mail(number=number, kind=kind, sender=sender, raw=mail(sender, subject, text, files, **headers))


@contextmanager
def _mailbox(kind: str) -> Iterator[Imap]:
    if kind == "dovecot":
        server = DovecotServer()
        box = Imap(kind=kind, port=server.port, user="soak", bump=lambda: server.bump_uidvalidity("soak"))
    else:
        server = ImapServer(password=PASSWORD)
        server.add_user("soak")

        def bump() -> None:
            server.folder("soak")._uid_validity += 7  # noqa: SLF001

        box = Imap(kind=kind, port=server.port, user="soak", bump=bump)
    try:
        yield box
    finally:
        box.close()
        server.close()


def main() -> None:
    """Runs the rounds; ends with 1 and an account when something that must hold does not."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 140)
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    console.print(f"seed {seed}, {options.rounds} rounds on {options.imap}")
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    begun = time.monotonic()
    sink = SmtpSink()
    with _mailbox(options.imap) as box:
        office = make_office(folder, box, sink, replies="quiet_minutes = 0\nper_hour = 1000000")
        # The start line is drawn in the empty box.
        office.tick()
        soak = Soak(office, random.Random(seed), options.instants)
        for number in range(1, options.rounds + 1):
            console.print(f"{number:3} {soak.round()}", highlight=False)
        console.print("settling ...")
        soak.settle()
        problems = broken(office, soak.story)
    sink.close()
    told = soak.story
    kinds = Counter(each.kind for each in told.mails)
    console.print(
        f"{len(told.mails)} mails ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}), "
        f"{sum(told.kills.values())} kills at {len(told.kills)} steps, {len(sink.received)} replies, "
        f"{time.monotonic() - begun:.0f} s"
    )
    if problems:
        console.print(
            f"[red]{len(problems)} broken[/] with --seed {seed} --imap {options.imap}; see {folder}"
        )
        for problem in problems:
            console.print(f"  - {problem}", markup=False, highlight=False)
        sys.exit(1)
    shutil.rmtree(folder)
    console.print("[green]everything held[/]")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seed", type=int, help="default: another each time, printed")
    known = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")
    default = "dovecot" if known else "pymap"
    parser.add_argument("--imap", choices=("dovecot", "pymap"), default=default)
    parser.add_argument(
        "--instants", type=float, default=0.0, help="share of kills by the clock, 0 to 1; not repeatable"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
