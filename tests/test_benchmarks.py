"""The benchmarks' own code: what they count, compare and expect; the measuring itself is `make bench`."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from offices import ADDRESS, fields, form, mail, make_office

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import contestants
import corpora
import idle
import soak
import worker
from invariants import DISPOSITIONS, Story, broken

from config import load
from intake.demo.bulk import bulk
from parsers.form import Document, Finding

SHIPPED = load()


@pytest.fixture(name="office")
def _office(tmp_path, pymap_server, smtp_sink):
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick()
    return office


def test_the_measured_mix_is_as_told(tmp_path):
    """Of ten mails six are complete forms, three incomplete, one is none; each of some fifty kilobytes."""
    mails = list(bulk(10, SHIPPED, 1, authserv_id="mx.oficina.example"))

    assert len(mails) == 10
    assert sum(b"formulario" in raw for raw in mails) == 9
    assert all(40_000 < len(raw) < 120_000 for raw in mails)


def test_flushes_and_commits_are_counted(office):
    """One mail taken in: writing transactions, reading ones and flushes of files are told apart."""
    office.deliver(mail("ana@muni.example", "Práctica", files=[("p.docx", form(fields(), SHIPPED))]))

    with contestants.counting() as counts:
        office.tick()

    assert all(counts[name] > 0 for name in ("fsync", "commit", "read"))


def test_the_time_for_an_empty_box_is_taken_off_getmail_alone():
    """getmail6 is measured without its start, at its best."""
    runs = {
        name: [contestants.Run(seconds=seconds, mails=10, counts={})]
        for name, seconds in (
            ("worker", 2.0),
            ("getmail6", 2.0),
            ("getmail6, empty box", 1.0),
            ("obvious code", 4.0),
        )
    }

    assert worker.rates(runs) == {"worker": [5.0], "getmail6": [10.0], "obvious code": [2.5]}


def test_a_filled_ledger_owes_nothing(office):
    """The rows for measuring are settled: a tick judges, sends and files nothing, and writes no file."""
    idle.fill(office, 50)
    office.tick()
    before = idle._files(office.home / "datos")

    report = office.tick()

    assert office.count_of("messages") == 50
    assert office.count_of("cases") == 45
    assert (report.judged, report.sent, report.filed) == (0, 0, 0)
    assert before
    assert not any(name.endswith(".eml") for name in before)


def test_a_life_without_kills_holds(office):
    """Every kind of mail once and one twice, settled: nothing is broken."""
    story = _lived(office)

    assert set(DISPOSITIONS) - {"corrected"} == {each.kind for each in story.mails}
    assert broken(office, story) == []


def test_what_is_broken_is_told(office):
    """A mail that nobody took, a mark that changed, a row that is gone: each is a sentence."""
    story = _lived(office)
    story.mails[0].kind = "incomplete"
    person = next(each for each in story.mails if each.kind == "person")
    person.flags = ("\\Flagged",)
    office.register.write_bytes(soak_register(office))

    told = " ".join(broken(office, story))

    for words in ("has the dispositions", "marks changed", "the sheet practices"):
        assert words in told


def test_the_same_seed_makes_the_same_mails(office):
    """A broken soak can be run again."""
    first, second = (soak.Soak(office, random.Random(7), 0.0) for _ in range(2))

    assert [first._chosen.choice(soak._KINDS) for _ in range(20)] == [
        second._chosen.choice(soak._KINDS) for _ in range(20)
    ]


def _lived(office) -> Story:
    life = soak.Soak(office, random.Random(1), 0.0)
    for kind in ("complete", "incomplete", "request", "machine", "person", "again"):
        life._arrive(kind)
    office.tick()
    office.tick()
    return life.story


def soak_register(office) -> bytes:
    """An empty register in place of the filled one."""
    from intake.register import create

    return create("es")


@pytest.mark.parametrize(
    ("expected", "codes", "met"),
    [
        ("template_mismatch", ["template_mismatch.other"], True),
        ("reject_clear:macro|park", ["template_mismatch.other", "macro.present"], True),
        ("reject_clear:damaged", ["damaged.zip"], True),
        # Another reason than the expected one.
        ("reject_clear:encrypted", ["damaged.zip"], False),
        # A file that cannot be read must never look like an empty form.
        ("reject_clear:damaged", [], False),
        ("read|reject_clear:resave", ["resave.strict"], True),
    ],
)
def test_findings_are_compared_with_the_table(expected, codes, met):
    """Outcomes parted by a bar are all good; codes are compared by their class."""
    document = Document(kind="docx", findings=tuple(Finding(code=code) for code in codes))

    assert corpora.meets(document, expected) is met


def test_a_folder_of_others_files_is_compared_with_its_tables(tmp_path):
    """A machine's mail that could be answered fails; a document is told apart from a mail by its bytes."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "person.eml").write_bytes(mail("ana@muni.example", "Hola"))
    (folder / "machine.txt").write_bytes(mail("ana@muni.example", "Fuera", Auto_Submitted="auto-replied"))
    (folder / "form.docx").write_bytes(form(fields(), SHIPPED))
    known = {
        "files/person.eml": corpora.Told(label="bounce", expected="no_reply,no_file,park", mail=True),
        "files/machine.txt": corpora.Told(label="autoreply", expected="no_reply,no_file,park", mail=True),
    }

    files = corpora.find(tmp_path)
    with corpora.Trial(tmp_path, known) as trial:
        outcomes = {outcome.name: outcome for outcome in (trial.outcome(path) for path in files)}

    assert len(outcomes) == 3
    assert outcomes["files/person.eml"].wrong == "could be answered"
    assert outcomes["files/machine.txt"].wrong == ""
    assert outcomes["files/form.docx"].result.startswith("docx: form")
    assert ADDRESS not in outcomes["files/person.eml"].result
