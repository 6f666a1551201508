"""The child that opens hostile bytes: its death, its limits, its end, and what it is told."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pytest
from offices import fields, form, mail

import intake.bounded
from config import load
from intake.bounded import BoundedReader, ReadingFailed
from intake.errors import ReaderUnavailable

CONFIG = load()
SECRET = "hunter2-of-the-mailbox"


def config_with(**limits):
    settings = CONFIG.settings
    changed = settings.limits.model_copy(update=limits)
    return CONFIG.model_copy(update={"settings": settings.model_copy(update={"limits": changed})})


@pytest.fixture(name="document", scope="module")
def _document():
    """A complete form."""
    return form(fields(), CONFIG)


def repacked(document: bytes, body: bytes) -> bytes:
    """The form with another body of the document, packed as tightly as can be."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(document)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for item in source.infolist():
            made.writestr(item.filename, body if item.filename == "word/document.xml" else source.read(item))
    return target.getvalue()


NAMESPACE = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
# Limits on packages wide open, so that only those on the child are left.
OPEN = {"package_ratio": 10**6, "part_bytes": 10**9, "package_bytes": 10**9}


def swollen(document: bytes) -> bytes:
    """Some 150 kilobytes that become very many megabytes."""
    head = b"<w:document %b><w:body><w:p><w:r><w:t>" % NAMESPACE
    return repacked(document, head + b"a" * 150_000_000 + b"</w:t></w:r></w:p></w:body></w:document>")


def child_of(reader: BoundedReader) -> int:
    return reader._child.pid


def gone(process: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        status = Path(f"/proc/{process}/stat")
        try:
            # A zombie has ended; only its parent has not asked yet.
            if status.read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_mail_and_a_document_are_read_as_in_this_process(document):
    """The same values come back, by the pipe and JSON."""
    from intake.reading import read, read_document

    raw = mail("ana@muni.example", "Práctica", files=[("p.docx", document)])
    with BoundedReader(CONFIG) as reader:
        assert reader.read(raw) == read(raw, CONFIG)
        assert reader.read_document(document) == read_document(document, CONFIG)


def test_one_child_serves_from_mail_to_mail(document):
    """A new interpreter a mail would cost more than all the rest."""
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        first = child_of(reader)
        reader.read_document(document)

        assert child_of(reader) == first


def test_a_child_is_replaced_after_its_life(document, monkeypatch):
    """No leak of a library grows for ever."""
    monkeypatch.setattr("intake.bounded.LIFETIME", 2)
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        first = child_of(reader)
        reader.read_document(document)
        assert child_of(reader) == first
        reader.read_document(document)

        assert child_of(reader) != first
        assert gone(first)


def test_a_child_killed_in_the_middle_fails_this_reading_alone(document):
    """It counts as an attempt; the next one has a new child."""
    raw = mail("ana@muni.example", "Práctica", files=[("p.docx", document)])
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        first = child_of(reader)
        # Stopped, so that it is surely in the middle when it is killed.
        os.kill(first, signal.SIGSTOP)
        reader.start(raw)
        os.kill(first, signal.SIGKILL)

        with pytest.raises(ReadingFailed, match="died"):
            reader.result()

        assert len(reader.read(raw).forms) == 1
        assert child_of(reader) != first


def test_a_child_killed_between_two_mails_fails_none(document):
    """That death is no fault of the next mail."""
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        first = child_of(reader)
        os.kill(first, signal.SIGKILL)
        assert gone(first)

        assert reader.read_document(document).form is not None


def test_a_reading_that_takes_too_long_is_ended(document):
    """The parent waits no longer than the limit, and the child is gone."""
    with BoundedReader(config_with(read_seconds=0.4)) as reader:
        reader.read_document(document)
        first = child_of(reader)
        os.kill(first, signal.SIGSTOP)
        begun = time.monotonic()

        with pytest.raises(ReadingFailed, match="read_seconds"):
            reader.read_document(document)

        assert 0.3 < time.monotonic() - begun < 5
        assert gone(first)
        assert reader.read_document(document).form is not None


MEGABYTES = 300


def test_the_memory_limit_holds_for_a_hostile_document(document):
    """Few bytes that swell in memory: this reading fails, this process does not grow, the next is read."""
    hostile = swollen(document)
    assert len(hostile) < 200_000
    with BoundedReader(config_with(**OPEN, child_megabytes=MEGABYTES)) as reader:
        assert reader.read_document(document).form is not None
        before = _resident()

        with pytest.raises(ReadingFailed, match=r"child_megabytes|memory limit"):
            reader.read_document(hostile)

        assert _resident() - before < 50_000_000
        assert reader.read_document(document).form is not None


def test_the_same_document_would_need_more_than_the_limit(document):
    """Else the test before proves nothing: without a limit the child's memory passes it."""
    with BoundedReader(config_with(**OPEN, child_megabytes=100_000)) as reader:
        reader.read_document(swollen(document))
        status = Path(f"/proc/{child_of(reader)}/status").read_text()

    kilobytes = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    assert kilobytes > MEGABYTES * 1024


def test_with_its_own_limits_a_swollen_document_costs_nothing(document):
    """The limits on packages hold before memory is spent."""
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        found = reader.read_document(swollen(document))
        status = Path(f"/proc/{child_of(reader)}/status").read_text()

    kilobytes = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
    assert [finding.code.partition(".")[0] for finding in found.findings] == ["unsafe"]
    assert kilobytes < 150 * 1024


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


_PARENT = """
import os, signal, sys
from config import load
from intake.bounded import BoundedReader
reader = BoundedReader(load())
reader.read_document(b"")
print(reader._child.pid, flush=True)
if sys.argv[1] == "busy":
    reader.start(sys.stdin.buffer.read())
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("what", ["idle", "busy"])
def test_the_parents_death_ends_the_child(what, document):
    """Killed without a word to anybody: no child is left behind, neither waiting nor reading."""
    raw = mail("ana@muni.example", "P", files=[(f"{n}.docx", document) for n in range(10)])

    parent = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_PARENT), what], input=raw, capture_output=True, check=False
    )

    assert parent.returncode == -signal.SIGKILL, parent.stderr.decode()
    assert gone(int(parent.stdout))


def test_a_child_whose_parent_is_gone_cannot_read_for_ever(monkeypatch, tmp_path):
    """The system itself ends a reading that passes its time, also inside a library's code."""
    script = tmp_path / "endless.py"
    script.write_text(
        textwrap.dedent(
            """
            import re
            from intake import bounded
            bounded._limit_time(0.2)
            re.match(r"(a+)+$", "a" * 64 + "b")
            """
        )
    )

    ended = subprocess.run([sys.executable, str(script)], check=False, timeout=30)

    assert ended.returncode == -signal.SIGALRM


def test_the_child_is_handed_no_secret(document, monkeypatch):
    """Neither by its environment nor with its configuration."""
    from config.settings import Mailbox, Smtp

    server = {"host": "localhost", "username": "u", "password": SECRET}
    settings = CONFIG.settings.model_copy(
        update={"mailboxes": (Mailbox(**server, address="a@b.example"),), "smtp": Smtp(**server)}
    )
    config = CONFIG.model_copy(update={"settings": settings})
    monkeypatch.setenv("PRACTICE_INTAKE_SMTP__PASSWORD", SECRET)
    monkeypatch.setenv("PRACTICE_INTAKE_SMTP__PASSWORD_FILE", "/run/secrets/smtp")
    handed = []
    write = intake.bounded._write
    monkeypatch.setattr(
        "intake.bounded._write", lambda pipe, kind, data: (handed.append(data), write(pipe, kind, data))[1]
    )

    with BoundedReader(config) as reader:
        assert reader.read_document(document).form is not None
        environment = Path(f"/proc/{child_of(reader)}/environ").read_bytes()
        arguments = Path(f"/proc/{child_of(reader)}/cmdline").read_bytes()

    assert json.loads(handed[0])["settings"]["smtp"]["host"] == "localhost"
    assert not any(SECRET.encode() in data for data in handed)
    assert SECRET.encode() not in environment + arguments
    assert b"PRACTICE_INTAKE_" not in environment
    assert b"PATH=" in environment


def test_what_comes_back_is_json_and_nothing_is_unpickled(document, monkeypatch):
    """A child taken over by what it reads can hand back values only."""
    frames = []
    frame = BoundedReader._frame
    monkeypatch.setattr(
        BoundedReader,
        "_frame",
        lambda reader, seconds: frames.append(frame(reader, seconds)) or frames[-1],
    )
    with BoundedReader(CONFIG) as reader:
        reader.read_document(document)
        reader.read(mail("ana@muni.example", "P", files=[("p.docx", document)]))

    assert [kind for kind, _data in frames] == [3, 3, 3]
    assert all(isinstance(json.loads(data), dict) for _kind, data in frames[1:])
    assert "pickle" not in Path(intake.bounded.__file__).read_text().replace("never pickle", "")


def test_what_a_library_prints_does_not_come_between(document):
    """Standard output of the child is the pipe; printing goes to standard error."""
    script = textwrap.dedent(
        """
        import os, struct, sys
        from intake import bounded, reading
        read = reading.read_document
        def noisy(data, config):
            print("a library speaks", flush=True)
            os.write(1, b"and its C code too")
            return read(data, config)
        reading.read_document = noisy
        bounded._main()
        """
    )
    spawn = subprocess.Popen

    class Noisy(spawn):
        def __init__(self, command, **options):
            super().__init__([sys.executable, "-c", script], stderr=subprocess.DEVNULL, **options)

    with pytest.MonkeyPatch.context() as patch, BoundedReader(CONFIG) as reader:
        patch.setattr(subprocess, "Popen", Noisy)
        assert reader.read_document(document).form is not None


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next(document):
    """A reading that was begun and left does not answer for another mail."""
    with BoundedReader(CONFIG) as reader:
        reader.start(mail("a@b.example", "Uno"))

        assert reader.read(mail("a@b.example", "Dos", files=[("p.docx", document)])).subject == "Dos"


def test_a_fault_of_ours_in_the_child_tells_its_kind_and_no_word_of_the_mail(document, monkeypatch):
    """The message could carry the sender's words into the log."""
    script = textwrap.dedent(
        """
        from intake import bounded, reading
        def broken(data, config):
            raise KeyError("words of the sender")
        reading.read_document = broken
        bounded._main()
        """
    )
    spawn = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: spawn([sys.executable, "-c", script], **options)
    )

    with BoundedReader(CONFIG) as reader, pytest.raises(ReadingFailed) as told:
        reader.read_document(document)

    assert str(told.value) == "KeyError in read()"


def test_a_child_that_does_not_start_is_no_fault_of_the_mail(document, monkeypatch):
    """An operator's matter: it never counts as an attempt against what was to be read."""
    spawn = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: spawn([sys.executable, "-c", "pass"], **options)
    )

    with BoundedReader(CONFIG) as reader, pytest.raises(ReaderUnavailable) as told:
        reader.read_document(document)

    assert told.value.passing
    assert not isinstance(told.value, ReadingFailed)


def test_a_child_that_dies_of_what_it_is_handed_fails_that_reading(document, monkeypatch):
    """Also when it dies before it took all of it: no error of the pipe comes through."""
    script = textwrap.dedent(
        """
        import sys
        from intake import bounded
        source, sink = sys.stdin.buffer, sys.stdout.buffer
        head = source.read(bounded._HEAD.size)
        source.read(bounded._HEAD.unpack(head)[1])
        bounded._write(sink, bounded._FINE, bounded._READY)
        source.read(1)
        """
    )
    spawn = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: spawn([sys.executable, "-c", script], **options)
    )

    with BoundedReader(CONFIG) as reader, pytest.raises(ReadingFailed):
        reader.read(b"x" * 5_000_000)


def test_a_signal_to_the_group_does_not_kill_a_reading():
    """SIGTERM and Ctrl+C go to the whole group; the child ends with its parent, not within a mail."""
    with BoundedReader(load()) as reader:
        reader.read(b"From: a@b.example\r\n\r\nuno\r\n")
        first = reader._child.pid
        os.kill(first, signal.SIGTERM)
        os.kill(first, signal.SIGINT)

        assert reader.read(b"From: a@b.example\r\nSubject: dos\r\n\r\ndos\r\n").subject == "dos"
        assert reader._child.pid == first
