"""`make bench`: how fast the worker is beside getmail6 and the obvious code, what an idle tick and `--help` cost.

All contestants run in turn in one go, on the same mails and the same local Dovecot (files flushed as Dovecot does by
default). Prints what was found, well or ill; ends with 0 unless something broke.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import structlog
from places import Post, Sink, servers
from rich.console import Console
from rich.table import Table

# After `places`, which puts the tests' own modules on the path.
import contestants  # isort: skip
import idle  # isort: skip
from contestants import Getmail, Run  # isort: skip

IDLE_SIZES = (1_000, 50_000)
MOST_COMMANDS = 5
MOST_IDLE = 1.2
MOST_HELP = 1.5
LIBRARIES = "import imap_tools, docx, openpyxl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One bar, or one plain figure when `met` is `None`."""

    what: str
    found: str
    bar: str = ""
    met: bool | None = None


def main() -> None:
    """Measures, prints."""
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console(stderr=options.json, width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory(prefix="bench-") as name, servers() as (post, sink):
        folder = Path(name)
        # getmail delivers as another user.
        folder.chmod(0o755)
        runs = _race(folder, post, sink, options.count, options.rounds, console)
        console.print("an idle tick ...", style="dim")
        still = idle.measure(folder / "idle", post, sink, IDLE_SIZES, options.ticks)
    console.print("--help ...", style="dim")
    starts = _starts(options.starts)
    lines = [*_race_lines(runs), *_idle_lines(still), _help_line(starts)]
    if options.json:
        print(json.dumps(_as_json(runs, still, starts, lines), indent=2, ensure_ascii=False))
    else:
        _tell(console, runs, lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="mails of a run, a multiple of ten")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ticks", type=int, default=300, help="pairs of idle ticks")
    parser.add_argument("--starts", type=int, default=9, help="starts of the command")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.count < 10 or options.count % 10:
        parser.error("--count: a multiple of ten")
    return options


def _race(
    folder: Path, post: Post, sink: Sink, count: int, rounds: int, console: Console
) -> dict[str, list[Run]]:
    """Runs of each contestant by name, taken in turn."""
    runs: dict[str, list[Run]] = {"worker": [], "getmail6": [], "getmail6, empty box": [], "obvious code": []}
    office = contestants.worker_office(folder / "mails", post, sink)
    mails = contestants.mails_for(office, count, seed=1)
    warm = contestants.mails_for(office, contestants.WARM, seed=2)
    getmail = Getmail(post)
    for number in range(1, rounds + 1):
        console.print(f"round {number} of {rounds}: {count} mails each ...", style="dim")
        runs["worker"].append(contestants.whole_worker(folder / f"worker{number}", post, sink, count))
        runs["getmail6"].append(getmail.run(folder / f"getmail{number}", mails))
        runs["getmail6, empty box"].append(getmail.run(folder / f"empty{number}", []))
        runs["obvious code"].append(contestants.obvious_code(post, sink, mails, warm))
    return runs


def rates(runs: dict[str, list[Run]]) -> dict[str, list[float]]:
    """Mails a second of each run; of getmail6 without the time that it needs for an empty box."""
    empty = min(run.seconds for run in runs["getmail6, empty box"])
    return {
        name: [run.mails / (run.seconds - (empty if name == "getmail6" else 0.0)) for run in of_one]
        for name, of_one in runs.items()
        if name != "getmail6, empty box"
    }


def _race_lines(runs: dict[str, list[Run]]) -> Iterator[Line]:
    medians = {name: statistics.median(found) for name, found in rates(runs).items()}
    ratio = medians["worker"] / medians["getmail6"]
    yield Line(
        what="worker against getmail6, ratio of medians",
        found=f"{ratio:.2f}",
        bar=">= 1 (aim)",
        met=ratio >= 1,
    )
    yield Line(
        what="worker against the obvious code, ratio of medians",
        found=f"{medians['worker'] / medians['obvious code']:.2f}",
    )
    run = runs["worker"][-1]
    yield Line(
        what="worker, a mail: ledger commits (each one flush of its log), flushes of files",
        found=f"{run.counts['commit'] / run.mails:.1f} and {run.counts['fsync'] / run.mails:.1f}",
    )
    yield Line(
        what="SMTP connections for all replies: worker, obvious code",
        found=f"{run.connections} (kept open) and {runs['obvious code'][-1].connections}, for {run.replies}",
    )


def _idle_lines(found: idle.Idle) -> Iterator[Line]:
    yield Line(
        what="idle tick: IMAP commands",
        found=str(found.commands),
        bar=f"<= {MOST_COMMANDS}",
        met=found.commands <= MOST_COMMANDS,
    )
    yield Line(
        what="idle tick: files written",
        found=", ".join(found.written) or "none",
        bar="none",
        met=not found.written,
    )
    few, many = IDLE_SIZES
    yield Line(
        what=f"idle tick: {many:,} mails in the ledger against {few:,} ({found.large:.2f} and {found.small:.2f} ms)",
        found=f"{found.ratio:.2f} x wall, {found.cpu_ratio:.2f} x processor",
        bar=f"<= {MOST_IDLE} x",
        met=max(found.ratio, found.cpu_ratio) <= MOST_IDLE,
    )
    yield Line(
        what=f"a mail: processor time with {many:,} in the ledger against {few:,}",
        found=f"{found.mail_large:.1f} and {found.mail_small:.1f} ms, {found.mail_large / found.mail_small:.2f} x",
    )


def _starts(times: int) -> dict[str, list[float]]:
    """Seconds of `practice-intake --help` and of importing three libraries, in turn."""
    command = [str(Path(sys.executable).with_name("practice-intake")), "--help"]
    imports = [sys.executable, "-c", LIBRARIES]
    found: dict[str, list[float]] = {"--help": [], "libraries": []}
    for again in range(times + 1):
        for name, words in (("--help", command), ("libraries", imports)):
            begun = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            # The first of each writes and reads files that are then in the system's cache.
            if again:
                found[name].append(time.perf_counter() - begun)
    return found


def _help_line(starts: dict[str, list[float]]) -> Line:
    ours, theirs = (statistics.median(starts[name]) for name in ("--help", "libraries"))
    return Line(
        what=f"practice-intake --help against importing three libraries ({ours * 1e3:.0f} and {theirs * 1e3:.0f} ms)",
        found=f"{ours / theirs:.2f} x",
        bar=f"<= {MOST_HELP} x",
        met=ours / theirs <= MOST_HELP,
    )


def _tell(console: Console, runs: dict[str, list[Run]], lines: Sequence[Line]) -> None:
    table = Table(title="mails a second", title_justify="left")
    for heading in ("", "min", "median", "max", "ms a mail"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, found in rates(runs).items():
        middle = statistics.median(found)
        table.add_row(name, f"{min(found):.1f}", f"{middle:.1f}", f"{max(found):.1f}", f"{1e3 / middle:.1f}")
    console.print(table)
    console.print(
        "The worker and the obvious code are measured running (warmed with ten mails), getmail6 without its start\n"
        "(its time for an empty box is taken off). getmail6 merely fetches; the obvious code keeps no record.",
        style="dim",
    )
    bars = Table()
    for heading in ("", "found", "bar", "met"):
        bars.add_column(heading)
    for line in lines:
        met = "" if line.met is None else "[green]yes[/]" if line.met else "[red]NO[/]"
        bars.add_row(line.what, line.found, line.bar, met)
    console.print(bars)


def _as_json(
    runs: dict[str, list[Run]], found: idle.Idle, starts: dict[str, list[float]], lines: Sequence[Line]
) -> dict[str, Any]:
    return {
        "runs": {name: [asdict(run) for run in of_one] for name, of_one in runs.items()},
        "mails_a_second": rates(runs),
        "idle": asdict(found),
        "starts": starts,
        "bars": [asdict(line) for line in lines],
    }


if __name__ == "__main__":
    main()
