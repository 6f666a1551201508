"""The commands. Everything heavy is imported inside them, so that `--help` is quick.

Human output goes through Rich, in the language of the operator's terminal (Spanish unless it says English or
French); with `--json` standard output is JSON alone.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from intake.terminal import terminal_language

if TYPE_CHECKING:
    from config import Config

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Reads the practice forms that arrive in a mailbox, keeps the register, answers each sender.",
)

Settings = Annotated[
    Path, typer.Option("--config", "-c", envvar="PRACTICE_INTAKE_CONFIG", help="Folder with settings.toml.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
HERE = Path()


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Where register, replies and originals are put.")
    ] = Path("demo"),
    no_wait: Annotated[bool, typer.Option("--no-wait", help="End when everything is settled.")] = False,
) -> None:
    """Try it: an embedded mailbox, sample mails, the real worker."""
    from intake.demo.show import run_demo

    raise typer.Exit(_guarded(lambda: run_demo(folder, wait=not no_wait, language=terminal_language())))


@app.command()
def run(
    settings: Settings = HERE,
    once: Annotated[bool, typer.Option("--once", help="One look at the mailbox, then end.")] = False,
) -> None:
    """Run the worker."""
    from intake.assembly import assembled
    from intake.logs import configure
    from intake.scheduler import Running, instance_lock

    config = _loaded(settings, mailbox=True)
    if config.settings.smtp is None and config.settings.replies.mode != "off":
        # Mail would be judged and never answered nor filed, and nobody would be told.
        _refuse(f'{settings / "settings.toml"}: smtp: replies cannot leave; set it, or replies.mode = "off"')
    configure()

    def work() -> int:
        with instance_lock(config.settings.paths.data), assembled(config) as worker:
            if once:
                report = worker.tick()
                return 1 if report.waiting else 0
            from intake.mailbox import ImapMailbox

            box = config.settings.mailboxes[0]
            watcher = ImapMailbox(box, max_bytes=config.settings.limits.message_bytes)
            Running(worker, config.settings.schedule, watcher).run()
        return 0

    raise typer.Exit(_guarded(work))


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Filled forms, .docx or .xlsx.")],
    settings: Settings = HERE,
    as_json: Json = False,
    annotate: Annotated[Path | None, typer.Option(help="Folder for marked copies.")] = None,
    today: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Judge as of this day.")
    ] = None,
) -> None:
    """Say what a filled form holds and lacks; nothing is sent or stored."""
    from intake.checking import check_files

    if annotate is not None:
        _refuse("--annotate: marked copies do not exist yet; leave the option out.")
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        _refuse(f"no such file: {', '.join(missing)}")
    config = _loaded(settings)
    day = today.date() if today is not None else date.today()  # noqa: DTZ011 - The operator's own day.
    raise typer.Exit(_guarded(lambda: check_files(files, config, day, as_json=as_json)))


@app.command()
def template(
    language: Annotated[str, typer.Option("--lang", help="Language of the form.")] = "es",
    form: Annotated[str, typer.Option("--format", help="docx or xlsx.")] = "docx",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    settings: Settings = HERE,
) -> None:
    """Write the blank form."""
    from responses.blank_docx import blank_docx, file_name
    from responses.blank_xlsx import blank_xlsx

    config = _loaded(settings)
    if form not in ("docx", "xlsx"):
        _refuse(f"--format {form}: docx or xlsx.")
    if language not in config.template.languages:
        _refuse(f"--lang {language}: one of {', '.join(config.template.languages)}.")
    make = blank_docx if form == "docx" else blank_xlsx
    path = output or Path(file_name(config.template, language, form))
    try:
        path.write_bytes(make(config.template, config.vocabularies, language))
    except OSError as error:
        _refuse(f"{path}: {error.strerror}")
    _say(str(path))


@app.command()
def replay(
    paths: Annotated[list[Path], typer.Argument(help=".eml files, Maildirs or folders.")],
    settings: Settings = HERE,
    as_json: Json = False,
    own: Annotated[list[str] | None, typer.Option(help="An address of ours.")] = None,
    dedicated: Annotated[bool, typer.Option(help="The box receives nothing but practices.")] = False,
) -> None:
    """Judge stored mail as the worker would; sends and writes nothing."""
    from intake.replaying import find_mails, replay, with_mailbox

    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        _refuse(f"not found: {', '.join(missing)}")
    try:
        config = with_mailbox(_loaded(settings), own or [], dedicated=dedicated)
    except ValueError:
        _refuse(f"--own {' '.join(own or [])}: no e-mail address")

    def work() -> int:
        for verdict in replay(find_mails(paths), config):
            if as_json:
                _print_json(verdict)
            else:
                _say(f"{verdict['disposition']:17} {verdict['reason']:22} {verdict['file']}")
        return 0

    raise typer.Exit(_guarded(work))


@app.command()
def status(settings: Settings = HERE, as_json: Json = False) -> None:
    """Tell what is owed and what waits. Ends with 1 when something is overdue."""
    from intake.telling import status_of, tell_status

    config = _loaded(settings, mailbox=True)

    def work() -> int:
        found = status_of(config)
        if as_json:
            _print_json(found)
        else:
            tell_status(found, config, terminal_language())
        return 1 if found["overdue"] or found["register"]["waiting"] else 0

    raise typer.Exit(_guarded(work))


@app.command()
def show(reference: str, settings: Settings = HERE, as_json: Json = False) -> None:
    """Tell a case: versions, findings, replies, events."""
    from intake.telling import case_of, tell_case

    config = _loaded(settings, mailbox=True)

    def work() -> int:
        case = case_of(config, reference)
        if case is None:
            _refuse(f"no case {reference}")
        if as_json:
            _print_json(case)
        else:
            tell_case(case, terminal_language())
        return 0

    raise typer.Exit(_guarded(work))


@app.command()
def decide(
    target: Annotated[str, typer.Argument(help="A reference, or the number of a line of Por revisar.")],
    action: Annotated[
        list[str],
        typer.Argument(
            help="correct FIELD VALUE | waive CODE [FIELD] | release | join REF | withdraw | close"
        ),
    ],
    by: Annotated[str, typer.Option(help="Who decides.")],
    reason: Annotated[str, typer.Option(help="Why, a sentence.")],
    settings: Settings = HERE,
) -> None:
    """Carry out a decision of the secretariat."""
    from intake.assembly import open_ledger
    from intake.deciding import Decision
    from intake.deciding import decide as carry_out
    from intake.worker import now_utc

    config = _loaded(settings, mailbox=True)
    chosen = _action(action)

    def work() -> int:
        book = open_ledger(config)
        try:
            _say(
                carry_out(
                    book, config, Decision(target=target, action=chosen, by=by, reason=reason), now_utc()
                )
            )
        finally:
            book.close()
        return 0

    raise typer.Exit(_guarded(work))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="Folder for settings and data.")]) -> None:
    """Write a commented settings file; never overwrites one."""
    from config import example_settings

    path = folder / "settings.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Made for its owner alone from the first byte: passwords will stand in it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(example_settings())
    except FileExistsError:
        _refuse(f"{path} is there already; it is never overwritten.")
    except OSError as error:
        _refuse(f"{path}: {error.strerror}")
    _say(f"{path}\npractice-intake run --once --config {folder}")


def _action(words: list[str]) -> Any:
    from intake.deciding import Close, Correct, Join, Release, Waive, Withdraw

    match words:
        case ["correct", field, *value] if value:
            return Correct(field=field, value=" ".join(value))
        case ["waive", code]:
            return Waive(code=code, field=None)
        case ["waive", code, field]:
            return Waive(code=code, field=field)
        case ["release"]:
            return Release()
        case ["join", other]:
            return Join(other=other)
        case ["withdraw"]:
            return Withdraw()
        case ["close"]:
            return Close()
        case _:
            return _refuse(f"not understood: {' '.join(words)} (see practice-intake decide --help)")


def _loaded(folder: Path, *, mailbox: bool = False) -> Config:
    from config import ConfigError, load

    directory = folder if (folder / "settings.toml").exists() else None
    if directory is None and (mailbox or folder != HERE):
        _refuse(f"no settings.toml in {folder.resolve()}; make one with: practice-intake init {folder}")
    try:
        config = load(directory)
    except ConfigError as error:
        _refuse("\n".join(error.problems))
    if mailbox and not config.settings.mailboxes:
        _refuse(f"{folder / 'settings.toml'}: mailboxes: no mailbox is set")
    return config


def _guarded(work: Any) -> int:
    from intake.errors import OperatorError

    try:
        return int(work())
    except OperatorError as error:
        typer.echo(str(error), err=True)
        return int(error.exit_code)


def _refuse(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(2)


def _say(text: str) -> None:
    typer.echo(text)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
