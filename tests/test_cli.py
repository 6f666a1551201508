"""The command contract: arguments, JSON shapes, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from offices import AUTHSERV, fields, form, mail, make_office
from typer.testing import CliRunner

from config import load
from intake.assembly import LEDGER_FILE
from intake.cli import app
from intake.ledger import Ledger, stamp
from intake.reading import read, read_document
from intake.schema import outbox

CONFIG = load()
CHECKED = {"file", "template", "language", "verdict", "fields", "findings"}
FOUND = {"code", "field", "severity", "location", "message"}
REPLAYED = {"file", "disposition", "reason", "may_reply", "trust", "replies", "forms"}
KEYS = {field.key for field in CONFIG.template.fields}


class Outcome:
    """What a command said and how it ended."""

    def __init__(self, result):
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr

    @property
    def lines(self):
        """Standard output as JSON, one object a line; anything else there fails."""
        return [json.loads(line) for line in self.out.splitlines()]


class ReaderHere:
    """Reads in this process what the child would read; that both say the same is proved beside the child."""

    def __init__(self, config):
        self._config = config
        self._raw = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def start(self, raw):
        self._raw = raw

    def result(self):
        return self.read(self._raw)

    def read(self, raw):
        return read(raw, self._config)

    def read_document(self, data):
        return read_document(data, self._config)

    def close(self):
        pass


@pytest.fixture(autouse=True)
def _reader_here(monkeypatch):
    """A child a command would cost more than all the rest; the last tests here run the real program."""
    for place in ("checking", "replaying", "assembly"):
        monkeypatch.setattr(f"intake.{place}.BoundedReader", ReaderHere)


@pytest.fixture(name="command")
def _command(tmp_path, monkeypatch):
    """Runs a command in a folder of its own, without settings."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("PRACTICE_INTAKE_CONFIG", raising=False)
    monkeypatch.setenv("PRACTICE_INTAKE_LANGUAGE", "en")

    def run(*arguments):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result)

    yield run
    # `run` sets up logging to the standard error of its time, which is gone with the command.
    structlog.reset_defaults()


def written(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def filled(path, *, language="es", name="P1", **answers):
    kind = path.suffix[1:]
    return written(path, form(fields(name, **answers), CONFIG, kind=kind, language=language))


# check


def test_check_tells_a_complete_form_as_json(command, tmp_path):
    """One object of exactly these keys, every field, nothing else on standard output; ends with 0."""
    path = filled(tmp_path / "p.docx")

    outcome = command("check", path, "--json", "--today", "2026-11-20")

    [verdict] = outcome.lines
    assert outcome.code == 0
    assert set(verdict) == CHECKED
    assert (verdict["file"], verdict["verdict"]) == (str(path), "accepted")
    assert (verdict["template"], verdict["language"]) == ("practice-1", "es")
    assert set(verdict["fields"]) >= KEYS
    for key, value in fields().items():
        assert verdict["fields"][key] == value


def test_check_types_its_values_by_the_contract(command, tmp_path):
    """Lists of integers, keys, country codes, dates as precise as written, booleans, null."""
    path = filled(
        tmp_path / "p.xlsx", start="2021-03", end="ongoing", countries=["PE", "CO"], consent_publish="pending"
    )

    [verdict] = command("check", path, "--json").lines
    found = verdict["fields"]

    assert all(isinstance(number, int) for number in found["primary_objectives"] + found["sdgs"])
    assert all(isinstance(key, str) for key in found["guiding_principles"])
    assert (found["start"], found["end"]) == ("2021-03", "ongoing")
    assert found["countries"] == ["CO", "PE"] or found["countries"] == ["PE", "CO"]
    assert isinstance(found["focal_email"], list)
    assert found["sent_by_contact"] is True
    assert found["consent_publish"] == "pending"
    assert found["update_of"] is None


def test_check_of_an_incomplete_form_ends_with_1_and_lists_everything(command, tmp_path):
    """Each finding has its five keys; errors stand in the form's order with place and words."""
    path = filled(tmp_path / "p.xlsx", summary=None, start=None, consent_publish=None)

    outcome = command("check", path, "--json")

    [verdict] = outcome.lines
    errors = [finding for finding in verdict["findings"] if finding["severity"] == "error"]
    assert outcome.code == 1
    assert verdict["verdict"] == "needs_correction"
    assert all(set(finding) == FOUND for finding in verdict["findings"])
    assert [finding["field"] for finding in errors] == ["start", "summary", "consent_publish"]
    assert errors[0]["location"]["question"] == "8"
    assert re.fullmatch(r"[A-Z]+\d+", errors[0]["location"]["cell"])
    assert "¿Desde cuándo?" in errors[0]["message"]


def test_check_speaks_the_forms_language(command, tmp_path):
    """Whatever the terminal's."""
    labels = {"es": "Resumen", "en": "Summary", "fr": "Résumé"}
    paths = [filled(tmp_path / f"{name}.docx", language=name, summary=None) for name in labels]

    verdicts = command("check", *paths, "--json").lines

    assert [verdict["language"] for verdict in verdicts] == list(labels)
    for verdict, label in zip(verdicts, labels.values(), strict=True):
        [message] = [each["message"] for each in verdict["findings"] if each["field"] == "summary"]
        assert label in message


def test_check_judges_as_of_a_day(command, tmp_path):
    """A start that has not come yet is advice until it has."""
    path = filled(tmp_path / "p.docx", start="2026-06")

    def codes(day):
        [verdict] = command("check", path, "--json", "--today", day).lines
        return [finding["code"] for finding in verdict["findings"]]

    assert "date.in_future" in codes("2026-05-31")
    assert "date.in_future" not in codes("2026-06-01")
    assert command("check", path, "--today", "1 de junio").code == 2


def test_check_of_an_empty_template_asks_for_every_mandatory_answer(command, tmp_path):
    """The blank form, as it is sent out: needs_correction, question by question."""
    blank = tmp_path / "blank.docx"
    command("template", "--lang", "es", "-o", blank)

    outcome = command("check", blank, "--json")

    [verdict] = outcome.lines
    asked = {finding["field"] for finding in verdict["findings"] if finding["severity"] == "error"}
    mandatory = {field.key for field in CONFIG.template.fields if field.requirement == "mandatory"}
    assert outcome.code == 1
    assert verdict["verdict"] == "needs_correction"
    assert asked >= mandatory


def test_check_of_a_practice_not_started_is_held(command, tmp_path):
    """For a person; the input is not complete either way."""
    outcome = command("check", filled(tmp_path / "p.docx", status="not_started"), "--json")

    [verdict] = outcome.lines
    assert (outcome.code, verdict["verdict"]) == (1, "held")
    assert [finding["code"] for finding in verdict["findings"]] == ["status.not_started"]


FOREIGN = "Acta de la reunión ordinaria del comité. " * 80


def _foreign():
    import io

    from docx import Document

    document = Document()
    for line in FOREIGN.split(". "):
        document.add_paragraph(line)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


UNREADABLE = [
    # What each is by its bytes, whatever its name, and the class with which its code begins.
    ("empty.docx", b"", "damaged."),
    ("cut.docx", b"PK\x03\x04 broken", "damaged."),
    ("p.pdf", b"%PDF-1.7\n%%EOF\n", "format.pdf"),
    ("pdf.docx", b"%PDF-1.7\n%%EOF\n", "format.pdf"),
    ("letter.rtf", b"{\\rtf1 a}", "format.rtf"),
]


def test_check_of_what_cannot_be_read_ends_with_3(command, tmp_path):
    """Verdict unreadable, no fields, a code that begins with the class."""
    paths = [written(tmp_path / name, data) for name, data, _start in UNREADABLE]

    outcome = command("check", *paths, "--json")

    assert outcome.code == 3
    for verdict, (_name, _data, start) in zip(outcome.lines, UNREADABLE, strict=True):
        assert set(verdict) == CHECKED
        assert (verdict["verdict"], verdict["template"], verdict["fields"]) == ("unreadable", None, {})
        assert verdict["findings"][0]["code"].startswith(start)
        assert verdict["findings"][0]["message"]


def test_check_of_a_foreign_document_is_held(command, tmp_path):
    """It has content that a person should see; it ends with 1, not with "cannot be read"."""
    outcome = command("check", written(tmp_path / "acta.docx", _foreign()), "--json")

    [verdict] = outcome.lines
    assert (outcome.code, verdict["verdict"]) == (1, "held")
    assert [finding["code"] for finding in verdict["findings"]] == ["template_mismatch.foreign"]
    assert verdict["findings"][0]["severity"] == "hold"


def test_check_tells_all_files_and_ends_with_the_gravest(command, tmp_path):
    """A line a file, in the order given."""
    good, bad = filled(tmp_path / "a.docx"), filled(tmp_path / "b.docx", title=None)
    broken = written(tmp_path / "c.docx", b"x")

    assert command("check", bad, good, "--json").code == 1
    outcome = command("check", good, broken, bad, "--json")
    assert outcome.code == 3
    assert [line["verdict"] for line in outcome.lines] == ["accepted", "unreadable", "needs_correction"]


def test_check_of_a_file_over_the_limit_is_not_opened(command, tmp_path):
    """The size is asked before the bytes."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.toml").write_text("[limits]\nattachment_bytes = 1000\n")
    path = filled(tmp_path / "p.docx")

    outcome = command("check", path, "--json", "--config", tmp_path / "settings")

    [verdict] = outcome.lines
    assert (outcome.code, verdict["verdict"]) == (3, "unreadable")
    assert [finding["code"] for finding in verdict["findings"]] == ["unsafe.size"]


@pytest.mark.parametrize("arguments", [[], ["nothing.docx"], ["."], ["--annotate", "out", "p.docx"]])
def test_check_without_a_usable_file_ends_with_2(command, tmp_path, arguments):
    """None, one that is not there, a folder; marked copies do not exist yet."""
    filled(tmp_path / "here" / "p.docx")

    outcome = command("check", *arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err
    assert not (tmp_path / "here" / "out").exists()


def test_check_for_people_is_a_list_in_words(command, tmp_path):
    """Nothing a sender wrote is taken for markup."""
    path = filled(tmp_path / "p[bold].docx", start="[red]desde siempre[/red]")

    outcome = command("check", path)

    assert outcome.code == 1
    assert "p[bold].docx" in outcome.out.replace("\n", "")
    assert "[red]desde siempre[/red]" in " ".join(outcome.out.split())


# template


def test_template_writes_the_blank_form(command, tmp_path):
    """In each format and language, readable by `check`; tells where it lies."""
    kinds = [(kind, language) for kind in ("docx", "xlsx") for language in ("es", "en", "fr")]
    paths = [tmp_path / f"{language}.{kind}" for kind, language in kinds]
    for (kind, language), path in zip(kinds, paths, strict=True):
        outcome = command("template", "--format", kind, "--lang", language, "-o", path)
        assert (outcome.code, outcome.out.strip()) == (0, str(path))

    verdicts = command("check", *paths, "--json").lines

    assert [verdict["language"] for verdict in verdicts] == [language for _kind, language in kinds]
    assert {verdict["verdict"] for verdict in verdicts} == {"needs_correction"}


def test_template_has_a_name_and_a_language_of_its_own(command, tmp_path):
    """Spanish Word, in the current folder."""
    outcome = command("template")

    [path] = (tmp_path / "here").iterdir()
    assert outcome.code == 0
    assert outcome.out.strip() == path.name
    assert path.suffix == ".docx"


@pytest.mark.parametrize(
    "arguments", [["--format", "odt"], ["--lang", "qu"], ["-o", "nowhere/form.docx"], ["--colour"]]
)
def test_template_refuses_what_it_cannot_write(command, tmp_path, arguments):
    """Exit code 2, nothing written."""
    outcome = command("template", *arguments)

    assert outcome.code == 2
    assert outcome.err
    assert list((tmp_path / "here").iterdir()) == []


# replay


def stored(path, sender, subject, *, day, files=(), head="", text="Adjuntamos nuestra práctica.", **headers):
    """A mail on disk that arrived at that hour of 20 November 2026."""
    received = f"Received: by mx.oficina.example; Fri, {day}\r\n" if day else ""
    raw = mail(sender, subject, text, list(files), **headers)
    return written(path, head.encode() + received.encode() + raw)


def practice(**answers):
    return ("p.docx", form(fields(**answers), CONFIG))


def test_replay_tells_each_mail_as_json_in_the_order_of_arrival(command, tmp_path):
    """The topmost Received date, not the path; exactly these keys; sends and writes nothing."""
    folder = tmp_path / "mails"
    stored(folder / "a.eml", "b@x.example", "Dos", day="20 Nov 2026 12:00:00 -0500", files=[practice()])
    stored(
        folder / "b.eml", "a@x.example", "Uno", day="20 Nov 2026 09:00:00 -0500", files=[practice(start=None)]
    )
    stored(folder / "c.eml", "c@x.example", "Hola", day="20 Nov 2026 10:00:00 -0500", text="Una consulta.")
    before = sorted((path, path.read_bytes()) for path in folder.iterdir())

    outcome = command("replay", folder, "--json")

    assert outcome.code == 0
    assert [Path(line["file"]).name for line in outcome.lines] == ["b.eml", "c.eml", "a.eml"]
    assert all(set(line) == REPLAYED for line in outcome.lines)
    first, second, third = outcome.lines
    assert (first["disposition"], first["reason"]) == ("needs_correction", "incomplete")
    assert (second["disposition"], second["reason"], second["replies"]) == ("ignored", "left_for_people", [])
    assert (third["disposition"], third["reason"]) == ("accepted", "complete")
    assert [line["forms"][0]["reference"] for line in (first, third)] == ["PMM-2026-0001", "PMM-2026-0002"]
    assert set(third["forms"][0]) == CHECKED | {"disposition", "reference"}
    [reply] = third["replies"]
    assert set(reply) == {"to", "subject", "language", "text", "attachments"}
    assert (reply["to"], reply["language"]) == ("b@x.example", "es")
    assert "PMM-2026-0002" in reply["text"]
    assert reply["attachments"] == []
    assert all(line["may_reply"] and line["trust"] == "unverified" for line in outcome.lines)
    assert sorted((path, path.read_bytes()) for path in folder.iterdir()) == before
    assert list((tmp_path / "here").iterdir()) == []


def test_replay_takes_files_maildirs_and_folders(command, tmp_path):
    """Of a Maildir what lies in `new` and `cur`, of a folder what is mail, a file whatever its name."""
    raw = {
        name: mail(f"{name}@x.example", name, "Una consulta.")
        for name in ("new", "cur", "tmp", "eml", "deep", "file", "other")
    }
    maildir = tmp_path / "Maildir"
    written(maildir / "new" / "1.host", raw["new"])
    written(maildir / "cur" / "2.host:2,S", raw["cur"])
    written(maildir / "tmp" / "3.host", raw["tmp"])
    written(maildir / "dovecot-uidlist", b"3 V1")
    folder = tmp_path / "folder"
    written(folder / "x.EML", raw["eml"])
    written(folder / "deeper" / "y.eml", raw["deep"])
    written(folder / "notes.txt", raw["other"])
    file = written(tmp_path / "message", raw["file"])

    outcome = command("replay", maildir, folder, file, file, "--json")

    names = sorted(Path(line["file"]).name for line in outcome.lines)
    assert names == sorted(["1.host", "2.host:2,S", "x.EML", "y.eml", "notes.txt", "message"])


def test_replay_falls_back_to_date_and_path(command, tmp_path):
    """Without Received the Date counts; without either the path."""
    folder = tmp_path / "mails"
    undated = b"From: a@x.example\r\nTo: b@x.example\r\nSubject: s\r\n\r\nConsulta "
    written(folder / "z.eml", undated + b"uno")
    written(folder / "y.eml", undated + b"dos")
    stored(folder / "b.eml", "b@x.example", "Date", day=None)
    stored(folder / "a.eml", "a@x.example", "Received", day="21 Nov 2026 09:00:00 -0500")

    lines = command("replay", folder, "--json").lines

    assert [Path(line["file"]).name for line in lines] == ["y.eml", "z.eml", "b.eml", "a.eml"]


def test_replay_follows_a_case_through_its_rounds_as_the_running_program(command, tmp_path):
    """Two requests, then a person; the same mail again is answered nothing; the reference stays."""
    folder = tmp_path / "mails"
    for hour, words in enumerate(("uno", "dos", "tres"), 9):
        stored(
            folder / f"{hour}.eml",
            "ana@muni.example",
            f"Envío {words}",
            day=f"20 Nov 2026 {hour:02}:00:00 -0500",
            files=[practice(summary=None, short=words)],
            head=f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=muni.example\r\n",
        )
    again = (folder / "9.eml").read_bytes().replace(b"09:00:00", b"13:00:00")
    written(folder / "again.eml", again)
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.toml").write_text(f'[auth]\ntrust = "{AUTHSERV}"\n')

    lines = command("replay", folder, "--json", "--config", tmp_path / "settings").lines

    assert [line["disposition"] for line in lines] == [
        "needs_correction",
        "needs_correction",
        "held",
        "ignored",
    ]
    assert [line["reason"] for line in lines[2:]] == ["third_round", "redelivered"]
    assert {line["forms"][0]["reference"] for line in lines[:3]} == {"PMM-2026-0001"}
    assert {line["trust"] for line in lines} == {"verified"}
    assert [len(line["replies"]) for line in lines] == [1, 1, 1, 0]


def test_replay_judges_each_mail_as_of_its_own_day(command, tmp_path):
    """In the office's time zone: a start that lay ahead then."""
    path = stored(
        tmp_path / "m.eml",
        "a@x.example",
        "P",
        day="31 May 2026 23:30:00 -0500",
        files=[practice(start="2026-06")],
    )

    [line] = command("replay", path, "--json").lines

    assert "date.in_future" in [finding["code"] for finding in line["forms"][0]["findings"]]


def test_replay_knows_our_own_addresses(command, tmp_path):
    """`--own` once or more: what comes from there is ignored, whatever it says."""
    path = stored(tmp_path / "m.eml", "otra@oficina.example", "P", day=None, files=[practice()])

    [known] = command("replay", path, "--json", "--own", "x@y.example", "--own", "Otra@oficina.example").lines
    [unknown] = command("replay", path, "--json", "--own", "x@y.example").lines

    assert (known["disposition"], known["reason"], known["may_reply"]) == ("ignored", "own", False)
    assert unknown["disposition"] == "accepted"


def test_replay_of_a_dedicated_box_leaves_nothing(command, tmp_path):
    """What a general box leaves for people is held there."""
    path = stored(tmp_path / "m.eml", "a@x.example", "Hola", day=None, text="Una consulta.")

    [general] = command("replay", path, "--json").lines
    [dedicated] = command("replay", path, "--json", "--dedicated").lines

    assert general["disposition"] == "ignored"
    assert (dedicated["disposition"], dedicated["reason"]) == ("held", "question")


def test_replay_of_an_empty_template_encloses_the_forms(command, tmp_path):
    """Answered with the template, no case."""
    blank = tmp_path / "blank.docx"
    command("template", "-o", blank)
    path = stored(tmp_path / "m.eml", "a@x.example", "P", day=None, files=[("p.docx", blank.read_bytes())])

    [line] = command("replay", path, "--json").lines

    assert (line["disposition"], line["reason"], line["forms"]) == ("answered", "empty_template", [])
    assert sorted(name.rpartition(".")[2] for name in line["replies"][0]["attachments"]) == ["docx", "xlsx"]


def test_check_and_replay_say_the_same_of_a_form(command, tmp_path):
    """The offline verdict is the mailed one."""
    path = filled(tmp_path / "p.docx", start="desde siempre", people="por definir")
    letter = stored(
        tmp_path / "m.eml", "a@x.example", "P", day="20 Nov 2026 10:00:00 -0500",
        files=[("p.docx", path.read_bytes())],
    )  # fmt: skip

    [checked] = command("check", path, "--json", "--today", "2026-11-20").lines
    [mailed] = command("replay", letter, "--json").lines

    [judged] = mailed["forms"]
    assert {key: judged[key] for key in CHECKED - {"file"}} == {
        key: checked[key] for key in CHECKED - {"file"}
    }
    assert judged["disposition"] == checked["verdict"] == "needs_correction"


def test_replay_for_people_is_a_line_a_mail_and_ends_with_0(command, tmp_path):
    """Whatever became of them."""
    stored(tmp_path / "mails" / "m.eml", "a@x.example", "P", day=None, files=[practice(title=None)])

    outcome = command("replay", tmp_path / "mails")

    assert outcome.code == 0
    assert re.fullmatch(r"needs_correction +incomplete +\S+m\.eml\n", outcome.out)


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["mails", "--own", "no address"]])
def test_replay_without_usable_arguments_ends_with_2(command, tmp_path, arguments):
    """Told in words."""
    written(tmp_path / "here" / "mails" / "m.eml", b"From: a@x.example\r\n\r\nx")

    outcome = command("replay", *arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err


def test_replay_tells_a_mail_that_is_too_large_as_the_worker_does(command, tmp_path):
    """Left in a general box, held in one of practices alone; never opened."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.toml").write_text("[limits]\nmessage_bytes = 2000\n")
    path = stored(tmp_path / "m.eml", "a@x.example", "P", day=None, files=[practice()])
    options = ("--json", "--config", tmp_path / "settings")

    [general] = command("replay", path, *options).lines
    [dedicated] = command("replay", path, *options, "--dedicated").lines

    assert set(general) == REPLAYED
    assert (general["disposition"], general["reason"]) == ("ignored", "oversize")
    assert (dedicated["disposition"], dedicated["reason"]) == ("held", "oversize")


# status, show, decide


@pytest.fixture(name="office")
def _office(tmp_path, pymap_server, smtp_sink):
    """An office that got one incomplete practice, and asked for what lacks."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick()
    answers = fields(title="Voces [bold]organizadas[/bold]", start=None)
    office.deliver(mail("ana@muni.example", "Práctica", files=[("p.docx", form(answers, CONFIG))]))
    office.tick()
    assert len(office.replies()) == 1
    return office


REF = "PMM-2026-0001"


def test_status_tells_what_was_judged_and_what_is_owed(command, office):
    """Nothing is overdue: ends with 0."""
    outcome = command("status", "--config", office.home, "--json")

    [found] = outcome.lines
    assert outcome.code == 0
    assert found["messages"] == {"needs_correction": 1}
    assert (found["new"], found["unfiled"], found["owed"], found["overdue"]) == (0, 0, 0, 0)
    assert (found["approval"], found["refused"], found["review"], found["lines"]) == (0, 0, 0, [])
    assert found["register"]["waiting"] is None
    assert found["register"]["behind"] == 0
    assert command("status", "--config", office.home).code == 0


def test_status_ends_with_1_when_a_reply_is_past_its_due_time(command, office):
    """The worker is stopped, or the server does not take it."""
    book = Ledger(office.home / "datos" / LEDGER_FILE)
    book.open(datetime.now(UTC))
    with book.transaction() as connection:
        late = stamp(datetime.now(UTC) - timedelta(hours=1))
        connection.execute(outbox.update().values(state="due", due=late))
    book.close()

    outcome = command("status", "--config", office.home, "--json")

    assert outcome.code == 1
    assert (outcome.lines[0]["owed"], outcome.lines[0]["overdue"]) == (1, 1)
    assert command("status", "--config", office.home).code == 1


def test_status_ends_with_1_while_the_register_waits(command, office):
    """It tells why and since when."""
    lock = office.home / ".~lock.Registro.xlsx#"
    lock.write_text(",maria,portatil,20.11.2026 10:00,file:///home/maria;")
    office.deliver(mail("luz@ong.example", "P", files=[("p.docx", form(fields("P2"), CONFIG))]))
    office.tick()

    outcome = command("status", "--config", office.home, "--json")

    [found] = outcome.lines
    assert outcome.code == 1
    assert found["register"]["waiting"] == "register_open"
    assert found["register"]["since"]
    assert found["register"]["behind"] >= 1


def test_status_names_each_line_that_waits_for_a_person_by_its_number(command, office):
    """The number that `decide` takes; never what was written."""
    office.deliver(
        mail(
            "luz@ong.example",
            "Asunto ajeno",
            files=[("p.docx", form(fields("P2", status="not_started"), CONFIG))],
        )
    )
    office.tick()

    [found] = command("status", "--config", office.home, "--json").lines
    shown = command("status", "--config", office.home)

    [line] = found["lines"]
    assert set(line) == {"line", "at", "reason", "reference"}
    assert (line["reason"], line["reference"]) == ("status.not_started", "PMM-2026-0002")
    assert re.search(rf"^ +{line['line']}  ", shown.out, re.MULTILINE)
    assert "Asunto ajeno" not in shown.out
    assert "luz@ong.example" not in shown.out
    assert (
        command(
            "decide", line["line"], "close", "--by", "MR", "--reason", "Visto.", "--config", office.home
        ).code
        == 0
    )
    assert command("status", "--config", office.home, "--json").lines[0]["lines"] == []


def test_show_tells_a_case_with_versions_findings_replies_and_events(command, office, monkeypatch):
    """As JSON and in words; what a sender wrote is never taken for markup."""
    [found] = command("show", REF, "--config", office.home, "--json").lines

    assert (found["reference"], found["disposition"], found["situation"]) == (
        REF,
        "needs_correction",
        "correction",
    )
    [version] = found["versions"]
    assert (version["number"], version["source"], version["disposition"]) == (1, "sender", "needs_correction")
    assert version["fields"]["title"] == "Voces [bold]organizadas[/bold]"
    assert {"code": "answer.missing", "field": "start", "severity": "error"} in version["findings"]
    assert [file["name"] for file in version["files"]] == ["p.docx"]
    assert [(reply["kind"], reply["state"]) for reply in found["replies"]] == [("correction", "sent")]
    assert [event["action"] for event in found["events"]] == ["needs_correction", "reply_sent"]

    shown = command("show", REF, "--config", office.home)
    assert shown.code == 0
    assert "Voces [bold]organizadas[/bold]" in shown.out
    assert "answer.missing" in shown.out

    unknown = command("show", "PMM-2026-0999", "--config", office.home, "--json")
    assert (unknown.code, unknown.out) == (2, "")
    assert "PMM-2026-0999" in unknown.err

    # As a service does: the folder named by the environment.
    monkeypatch.setenv("PRACTICE_INTAKE_CONFIG", str(office.home))
    assert command("show", REF, "--json").lines == [found]


WHO = ("--by", "MR", "--reason", "Por teléfono.")


def test_decide_correct_is_carried_out_and_answered_by_the_worker(command, office):
    """The whole way: decision, verdict, acknowledgement, register."""
    outcome = command("decide", REF, "correct", "start", "marzo", "de", "2021", *WHO, "--config", office.home)
    office.tick()

    assert (outcome.code, outcome.out.strip()) == (0, "accepted")
    assert len(office.replies()) == 2
    [row] = office.rows()
    assert (row["situation"], row["start"], row["version"]) == ("Completa", "2021-03", "2")
    [found] = command("show", REF, "--config", office.home, "--json").lines
    [event] = [event for event in found["events"] if event["action"] == "decided"]
    assert (event["by"], event["reason"], event["field"]) == ("MR", "Por teléfono.", "start")


def test_decide_waives_and_closes(command, office):
    """Each tells the case's disposition afterwards; an ended case is decided no more."""
    end = (*WHO, "--config", office.home)

    waived = command("decide", REF, "waive", "answer.missing", "start", *end)
    closed = command("decide", REF, "close", *end)

    assert (waived.code, waived.out.strip()) == (0, "accepted")
    assert (closed.code, closed.out.strip()) == (0, "accepted")
    assert command("decide", REF, "withdraw", *end).code == 2


def test_decide_releases_and_joins(command, office):
    """A held case goes on; a second one joins the first."""
    for number, status in ((2, "not_started"), (3, "ongoing")):
        answers = fields(f"P{number}", status=status)
        office.deliver(mail(f"a{number}@ong.example", "P", files=[("p.docx", form(answers, CONFIG))]))
        office.tick()

    released = command("decide", "PMM-2026-0002", "release", *WHO, "--config", office.home)
    joined = command("decide", "PMM-2026-0003", "join", REF, *WHO, "--config", office.home)

    assert (released.code, released.out.strip()) == (0, "accepted")
    assert joined.code == 0
    [found] = command("show", "PMM-2026-0003", "--config", office.home, "--json").lines
    assert (found["closed"], found["joined_to"]) == (True, REF)


REFUSED = [
    # Who and why are told with every decision; actions and their words are a closed set.
    [REF, "close", "--by", "MR"],
    [REF, "close", "--reason", "x"],
    [REF, *WHO],
    [REF, "approve", *WHO],
    [REF, "correct", "start", *WHO],
    [REF, "correct", "nonsense", "x", *WHO],
    [REF, "correct", "start", "marso", *WHO],
    [REF, "waive", *WHO],
    [REF, "waive", "answer.missing", "consent_publish", *WHO],
    [REF, "release", "now", *WHO],
    [REF, "join", *WHO],
    [REF, "join", "PMM-2026-0999", *WHO],
    ["PMM-2026-0999", "close", *WHO],
    ["99", "close", *WHO],
]


def test_decide_refuses_what_it_does_not_understand(command, office):
    """Exit code 2, a sentence, and nothing changed."""
    before = command("show", REF, "--config", office.home, "--json").lines

    for arguments in REFUSED:
        outcome = command("decide", *arguments, "--config", office.home)
        assert (arguments, outcome.code, outcome.out) == (arguments, 2, "")
        assert outcome.err

    assert command("show", REF, "--config", office.home, "--json").lines == before


# init, settings, run


def test_init_writes_commented_settings_that_load_and_are_for_their_owner(command, tmp_path):
    """Tells what to do next."""
    folder = tmp_path / "new" / "office"

    outcome = command("init", folder)

    path = folder / "settings.toml"
    assert outcome.code == 0
    assert str(path) in outcome.out
    assert "practice-intake run --once" in outcome.out
    assert path.stat().st_mode & 0o077 == 0
    assert sum(line.startswith("#") for line in path.read_text().splitlines()) > 20
    assert load(folder).settings.mailboxes is not None


def test_init_never_overwrites(command, tmp_path):
    """Not a byte; nor a file that stands where the folder should be."""
    path = written(tmp_path / "office" / "settings.toml", b"# mine\n")
    file = written(tmp_path / "file", b"mine")

    assert command("init", path.parent).code == 2
    assert command("init", file).code == 2
    assert (path.read_bytes(), file.read_bytes()) == (b"# mine\n", b"mine")


@pytest.mark.parametrize(
    "name", [["run", "--once"], ["status"], ["show", REF], ["decide", REF, "close", *WHO]]
)
def test_without_settings_the_worker_and_its_ledger_are_not_touched(command, tmp_path, name):
    """Exit code 2 and how to make some; no folder appears."""
    outcome = command(*name)

    assert (outcome.code, outcome.out) == (2, "")
    assert "practice-intake init" in outcome.err
    assert list((tmp_path / "here").iterdir()) == []


def test_broken_settings_end_with_2_and_tell_every_problem_at_once(command, tmp_path):
    """Unknown keys with what may have been meant, wrong values with their key."""
    written(
        tmp_path / "office" / "settings.toml",
        b'[replies]\nquiet_minuts = 5\nmode = "sometimes"\n[limits]\nattempts = "many"\n',
    )

    outcome = command("run", "--once", "--config", tmp_path / "office")

    assert outcome.code == 2
    for word in ("quiet_minuts", "quiet_minutes", "mode", "attempts"):
        assert word in outcome.err


def test_run_once_looks_once_and_ends(command, office):
    """0 when all is settled; 1 when something is still owed."""
    office.deliver(mail("luz@ong.example", "P", files=[("p.docx", form(fields("P2"), CONFIG))]))

    assert command("run", "--once", "--config", office.home).code == 0
    assert office.count_of("cases") == 2

    (office.home / ".~lock.Registro.xlsx#").write_text(",maria,portatil,20.11.2026 10:00,file:///home/maria;")
    office.deliver(mail("eva@ong.example", "P", files=[("p.docx", form(fields("P3"), CONFIG))]))
    assert command("run", "--once", "--config", office.home).code == 1


def test_run_once_without_a_server_ends_with_1_and_says_what_to_do(command, tmp_path):
    """Trying again later may help."""
    written(
        tmp_path / "office" / "settings.toml",
        b'[[mailboxes]]\nhost = "localhost"\nport = 9\nsecurity = "plain"\nusername = "u"\npassword = "p"\n'
        b'address = "a@b.example"\n[replies]\nmode = "off"\n',
    )

    outcome = command("run", "--once", "--config", tmp_path / "office")

    assert outcome.code == 1
    assert "settings.toml" in outcome.err


# The real command


def test_the_command_itself_prints_utf_8_json_in_any_locale(tmp_path):
    """Also where the terminal is ASCII and a file's name is no UTF-8: no traceback, JSON alone."""
    path = tmp_path / os.fsdecode(b"pr\xe1ctica.docx")
    path.write_bytes(form(fields(), CONFIG))

    done = subprocess.run(
        [sys.executable, "-m", "intake", "check", path, "--json"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    )

    assert done.returncode == 0, done.stderr.decode()
    verdict = json.loads(done.stdout.decode("utf-8"))
    assert verdict["verdict"] == "accepted"
    assert verdict["fields"]["title"] == fields()["title"]


def test_the_command_itself_replays(tmp_path):
    """With its child, as a person runs it."""
    path = stored(
        tmp_path / "m.eml", "a@x.example", "P", day=None, files=[practice(), practice(title="Otra")]
    )

    done = subprocess.run(
        [sys.executable, "-m", "intake", "replay", path, "--json"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stderr.decode()
    line = json.loads(done.stdout)
    assert set(line) == REPLAYED
    assert [form["reference"] for form in line["forms"]] == ["PMM-2026-0001", "PMM-2026-0002"]


@pytest.mark.parametrize(
    "command_name", ["demo", "run", "check", "template", "replay", "status", "show", "decide", "init"]
)
def test_every_command_of_the_contract_has_help(command, command_name):
    """And `--help` lists it."""
    assert command(command_name, "--help").code == 0
    assert re.search(rf"^ +{command_name} ", command("--help").out, re.MULTILINE)


def test_an_unknown_command_ends_with_2(command):
    """As unusable arguments do."""
    assert command("recall").code == 2


def test_replay_takes_mail_from_a_folder_whatever_its_files_are_called(tmp_path):
    """An export names its files as it likes; a note beside them is no mail."""
    from intake.replaying import find_mails

    (tmp_path / "uno.txt").write_bytes(
        b"Return-Path: <a@b.example>\r\nFrom: a@b.example\r\nSubject: x\r\n\r\nhola\r\n"
    )
    (tmp_path / "leeme.txt").write_text(
        "From: nobody\nOnly a note: it tells what lies here.\n", encoding="utf-8"
    )

    assert [mail.path.name for mail in find_mails([tmp_path])] == ["uno.txt"]
