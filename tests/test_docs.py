"""The documentation says what is so: commands, options, settings, folders and words are those of the code.

Run as a program it writes the help of each command into README.md: `.venv/bin/python tests/test_docs.py`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
import unicodedata
from pathlib import Path, PurePath
from typing import get_args

import pytest
import typer
from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from typer.testing import CliRunner

import config
from config.criteria import Criterion
from config.problems import block_of
from config.settings import Folders, Paths, Settings
from intake.cli import _action, app
from intake.deciding import DecisionRefused
from intake.errors import OperatorError
from intake.register.layout import SHEETS, words
from intake.register.wanted import ProblemKind
from intake.telling import status_of
from intake.terminal import command_words

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
SPANISH = ROOT / "README.es.md"
SETTINGS = ROOT / "docs" / "settings.md"
PAGES = sorted([README, SPANISH, ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
BEGIN = "<!-- help: written by tests/test_docs.py -->\n"
END = "<!-- end of help -->"
GROUP = typer.main.get_command(app)
COMMANDS = dict(GROUP.commands)

# Given for the mailbox in the example; the same words a second time would only make it longer.
NOT_IN_EXAMPLE = {"smtp.timeout_seconds", "smtp.ca_file"}
# Written in two pieces, so that this file does not find itself.
FOREIGN = tuple(
    a + b
    for a, b in (
        ("/wo", "rk/"), ("sha", "red/"), ("files.python", "hosted"), ("py", "pi.org"), ("/tmp/bri", "efs"),
        ("--extra-index", "-url h"), ("pip._vendor", ".cachecontrol"), ("/ro", "ot/"),
    )
)  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _prose(path: Path) -> str:
    """A page on one line: where its lines end says nothing."""
    return " ".join(_read(path).split())


def help_block() -> str:
    """The help of the program and of each command, as a terminal of 80 columns shows it."""
    runner = CliRunner()
    shown = []
    for name in ["", *COMMANDS]:
        result = runner.invoke(
            app, [*([name] if name else []), "--help"], prog_name="practice-intake", env={"COLUMNS": "80"}
        )
        assert result.exit_code == 0, result.output
        command = f"practice-intake {name} --help".replace("  ", " ")
        shown.append(f"$ {command}\n{result.stdout.rstrip()}\n")
    return (
        "\n```text\n" + "\n".join(re.sub(r" +$", "", text, flags=re.MULTILINE) for text in shown) + "```\n\n"
    )


def fenced(path: Path) -> list[str]:
    """The lines of a page's fenced blocks of shell commands; continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", _read(path), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def settings_keys(model=Settings, above=""):
    """Every key of the settings with its section, its default and whether it is a section itself."""
    for name, info in model.model_fields.items():
        key = info.alias or name
        block = block_of(info.annotation)
        if block is not None:
            yield from settings_keys(block, f"{above}.{key}".strip("."))
        else:
            yield above, key, info.default


def as_toml(value) -> str:
    """A default as it would stand in the settings file; `required` and `none` where there is nothing to write."""
    match value:
        case _ if value is PydanticUndefined:
            return "required"
        case None:
            return "none"
        case _:
            return f"`{_toml(value)}`"


def _toml(value) -> str:
    match value:
        case bool():
            return str(value).lower()
        case SecretStr():
            return '""'
        case str() | PurePath():
            return f'"{value}"'
        case tuple() | list():
            return f"[{', '.join(map(_toml, value))}]"
        case dict():
            inner = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case float() if value == int(value):
            return str(int(value))
        case _:
            return str(value)


def documented_settings() -> dict[tuple[str, str], tuple[str, str]]:
    """Section and key to default and meaning, from the tables of docs/settings.md."""
    found = {}
    for part in re.split(r"^## ", _read(SETTINGS), flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        section = "" if title == "The top" else re.sub(r"[`\[\]]", "", title)
        for key, default, meaning in re.findall(r"^\| `(\w+)` \| (.*?) \| (.+) \|$", body, re.MULTILINE):
            assert (section, key) not in found
            found[section, key] = (default, meaning)
    return found


def test_each_command_stands_in_the_readme_with_its_exit_codes():
    """The table has one row a command, and the row tells how it ends."""
    rows = dict(re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", _read(README), re.MULTILINE))

    assert len(COMMANDS) >= 9
    assert set(rows) == set(COMMANDS)
    assert [name for name, codes in rows.items() if not codes.startswith("0")] == []


def test_the_readme_shows_the_help_of_each_command():
    """Every command and option with its words, as the program itself prints them (see this module's docstring)."""
    text = _read(README)
    shown = text.partition(BEGIN)[2].partition(END)[0]

    assert shown == help_block()
    for name, command in COMMANDS.items():
        part = shown.partition(f"$ practice-intake {name} --help\n")[2].partition("\n$ ")[0]
        options = [option for param in command.params for option in param.opts]
        assert [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", part)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_line_shown_can_be_typed(page):
    """Commands, options and arguments in the pages' blocks are taken by the program; none of them is run."""
    lines = [line for line in fenced(page) if line.startswith("practice-intake")]
    for line in lines:
        name, *arguments = shlex.split(line)[1:]
        context = COMMANDS[name].make_context(name, arguments, parent=GROUP.make_context("x", [name]))
        if name == "decide":
            try:
                _action(context.params["action"])
            except DecisionRefused as refused:
                pytest.fail(f"{line}: {refused}")

    if page in {README, ROOT / "docs" / "operator.md"}:
        assert len(lines) >= 5


def test_no_page_names_a_command_that_does_not_exist():
    """What comes later is not promised as if it were there."""
    pages = [*PAGES, ROOT / "config" / "settings.example.toml"]
    named = {name for page in pages for name in re.findall(r"`practice-intake ([a-z]+)\b", _prose(page))}
    decided = set(re.findall(r"`decide [\w-]+ (\w+)", _prose(ROOT / "docs" / "operator.md")))

    assert {"init", "demo"} <= named
    assert named - set(COMMANDS) == set()
    assert decided == {"correct", "waive", "release", "join", "withdraw", "close"}


def test_each_make_target_shown_exists():
    """And each target that is meant for people is shown."""
    makefile = _read(ROOT / "Makefile")
    [declared] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    targets = set(declared.split())
    shown = {name for page in PAGES for name in re.findall(r"`make ([\w-]+)", _prose(page))}
    shown |= {
        line.removeprefix("make ") for page in PAGES for line in fenced(page) if line.startswith("make ")
    }

    assert shown <= targets
    assert targets - shown == {"clean"}


def test_each_setting_is_explained_with_its_default():
    """docs/settings.md holds every key of every section, with the default that the code has, and no other."""
    known = {(section, key): as_toml(default) for section, key, default in settings_keys()}
    documented = documented_settings()

    assert len(known) > 60
    assert {place: default for place, (default, _) in documented.items()} == known
    assert [place for place, (_, meaning) in documented.items() if len(meaning) < 5] == []


def test_the_example_settings_show_each_key():
    """The file that `init` writes names every key, in use or behind a `#`, and becomes valid TOML without these."""
    text = config.example_settings()
    # An example or default; a sentence does not begin with a section or a key.
    opened = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE)
    raw = tomllib.loads(opened)

    def shows(section: str, key: str) -> bool:
        place = raw
        for step in filter(None, section.split(".")):
            place = place.get(step, {})
            place = place[0] if isinstance(place, list) else place
        return key in place or f"{key}_file" in place

    missing = {
        f"{section}.{key}".strip(".") for section, key, _ in settings_keys() if not shows(section, key)
    }
    assert missing == NOT_IN_EXAMPLE


def test_the_readme_names_each_kind_of_criterion():
    """The closed set is the code's."""
    kinds = set(get_args(Criterion.model_fields["kind"].annotation))
    listed = re.search(r"closed set \((.*?)\)", _prose(README))

    assert set(re.findall(r"`(\w+)`", listed[1])) == kinds


def test_what_status_tells_is_explained(tmp_path):
    """Each key of `status --json`, each kind of trouble with the register, each reason for its waiting."""
    page = _read(ROOT / "docs" / "operator.md")
    shipped = config.load()
    paths = Paths(data=tmp_path, register=tmp_path / "r.xlsx")
    settings = shipped.settings.model_copy(update={"paths": paths})
    keys = status_of(shipped.model_copy(update={"settings": settings}))
    waits = command_words("es")["waits"]

    assert len(keys) >= 9
    assert len(waits) >= 4
    assert len(get_args(ProblemKind)) >= 6
    told = (*keys, *waits, *get_args(ProblemKind))
    assert [name for name in told if f"`{name}`" not in page] == []


def test_each_trouble_for_an_operator_has_its_remedy():
    """Each class of error that ends a command or a look has a row in the operator's page, in its own words."""
    rows = [row for row in _read(ROOT / "docs" / "operator.md").splitlines() if row.startswith("| ")]
    classes = [kind for kind in OperatorError.__subclasses__() if kind.__module__ == "intake.errors"]
    untold = []
    for kind in classes:
        # "The mailbox cannot be reached now; the worker ..." is told as "The mailbox cannot be reached".
        said = set(re.findall(r"\w{4,}", re.split(r"[;.,:]", kind.__doc__)[0].lower()))
        if not any(
            len(said & set(re.findall(r"\w{4,}", row.partition(" | ")[0].lower()))) >= 2 for row in rows
        ):
            untold.append(kind.__name__)

    assert len(classes) >= 9
    # Its own message says all: what to install.
    assert untold == ["DemoMissing"]


def test_the_spanish_page_names_each_folder_sheet_and_situation():
    """The secretariat finds every word that it sees in the mailbox and in the register."""
    page = _read(SPANISH)
    said = words("es")
    folders = Folders().model_dump().values()
    situations = [text.format(n=1) for text in said.tables["situations"].values()]
    sheets = [said.sheet(key) for key in (*SHEETS, "lists", "guide")]

    assert len(situations) >= 7
    assert [text for text in (*folders, *situations, *sheets) if f"**{text}**" not in page] == []


def test_the_spanish_page_says_nothing_that_letters_never_say():
    """One voice: no verdict, no reproach, no term, no technical reason."""
    never = tomllib.loads(_read(ROOT / "responses" / "locales" / "es" / "never.toml"))
    page = _folded(_read(SPANISH))
    for allowed in never["allowed"]:
        page = page.replace(_folded(allowed), " ")
    patterns = {word: _pattern(word) for word in never["words"]}

    assert len(patterns) > 30
    assert [word for word, pattern in patterns.items() if re.search(pattern, page)] == []


def _pattern(word: str) -> str:
    """A word as a whole; a star stands for any ending."""
    ended = re.escape(_folded(word)).replace(re.escape("*"), r"\w*")
    return rf"(?<!\w){ended}(?!\w)"


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"\s+", " ", "".join(char for char in plain if not unicodedata.combining(char)))


def test_asking_for_the_form_in_the_words_shown_is_understood():
    """The sentence that the Spanish page proposes gets the form, alone in a mail."""
    from intake.message import parse
    from intake.relevance import template_request

    [sentence] = re.findall(r"por ejemplo: «(Por favor, .+?)»", _prose(SPANISH))
    shipped = config.load()
    mail = (
        f"From: ana@example.org\nSubject: Consulta\nContent-Type: text/plain; charset=utf-8\n\n{sentence}.\n"
    )
    request = template_request(parse(mail.encode(), shipped.settings.limits), shipped.phrases)

    assert request is not None
    assert (request.language, request.also_question) == ("es", False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_link_leads_somewhere(page):
    """Files exist, and headings too."""
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", _read(page))
    broken = []
    for link in links:
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []
    if page in {README, SPANISH}:
        assert links


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def tracked() -> list[Path]:
    """The files of the project; where it is no repository, all but what was built."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        return [
            ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()
        ]
    built = {".venv", "build", "dist", "__pycache__", ".git"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not built & set(path.relative_to(ROOT).parts)]  # fmt: skip


def test_no_file_names_a_place_that_only_its_writers_know():
    """No package index, no path of somebody's machine."""
    found = []
    seen = 0
    for path in tracked():
        try:
            text = _read(path)
        except UnicodeDecodeError:
            continue
        seen += 1
        found += [(path.relative_to(ROOT).as_posix(), pattern) for pattern in FOREIGN if pattern in text]

    assert seen > 150
    assert found == []


def write_help() -> None:
    """Puts the present help into README.md."""
    before, _, rest = _read(README).partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(f"{before}{BEGIN}{help_block()}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write_help()
