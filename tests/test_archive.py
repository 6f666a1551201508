"""Originals on disk: whole or not at all, by their digest alone."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from intake.archive import Archive
from intake.errors import DiskUnusable

RAW = b"From: a@example.org\r\n\r\n\x00\xff body"
DIGEST = hashlib.sha256(RAW).hexdigest()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_an_original_is_kept_under_its_digest(tmp_path):
    """The path is made of the digest and nothing else; the bytes come back."""
    archive = Archive(tmp_path)

    assert archive.keep(RAW) == DIGEST
    assert [tmp_path / "originals" / DIGEST[:2] / f"{DIGEST}.eml"] == files(tmp_path)
    assert archive.read(DIGEST) == RAW
    assert list(archive.digests()) == [DIGEST]


def test_nothing_is_made_before_the_first_mail(tmp_path):
    """Asking an archive that is not there finds nothing and makes nothing."""
    archive = Archive(tmp_path / "data")

    assert list(archive.digests()) == []
    assert archive.sweep(lambda digest: False) == 0
    assert not (tmp_path / "data").exists()


def test_keeping_twice_changes_nothing(tmp_path):
    """The second time not even the file's time changes."""
    archive = Archive(tmp_path)
    archive.keep(RAW)
    os.utime(archive.path(DIGEST), (1, 1))

    archive.keep(RAW)

    assert archive.path(DIGEST).stat().st_mtime == 1
    assert len(files(tmp_path)) == 1


def test_a_file_that_lost_its_bytes_is_written_anew(tmp_path):
    """A name alone does not prove that the mail is on the disk."""
    archive = Archive(tmp_path)
    archive.keep(RAW)
    archive.path(DIGEST).write_bytes(RAW[:-1])

    with pytest.raises(DiskUnusable):
        archive.read(DIGEST)
    archive.keep(RAW)
    assert archive.read(DIGEST) == RAW


def test_pieces_are_kept_as_one(tmp_path):
    """For mails that never stand whole in memory."""
    archive = Archive(tmp_path)

    assert (DIGEST, len(RAW)) == archive.keep_chunks(iter([RAW[:3], b"", RAW[3:]]))
    assert archive.read(DIGEST) == RAW


def test_pieces_that_break_off_leave_nothing(tmp_path):
    """The connection was lost halfway: no file, and the cause passes through."""

    def pieces():
        yield RAW
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError):
        Archive(tmp_path).keep_chunks(pieces())
    assert files(tmp_path) == []


def test_only_the_owner_may_read(tmp_path):
    """Originals hold people's data."""
    archive = Archive(tmp_path)
    archive.keep(RAW)

    path = archive.path(DIGEST)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {0o700} == {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)}


def test_a_file_is_flushed_before_it_gets_its_name_and_the_folder_after(tmp_path, monkeypatch):
    """Bytes, name, folder: in this order, so that a power cut leaves a whole file or none."""
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os,
        "fsync",
        lambda handle: (steps.append(str(Path(f"/proc/self/fd/{handle}").readlink())), fsync(handle)),
    )
    monkeypatch.setattr(os, "replace", lambda *args, **kw: (steps.append("replace"), replace(*args, **kw)))
    archive = Archive(tmp_path)

    archive.keep(RAW)

    folder = tmp_path / "originals"
    named = steps.index("replace")
    assert any(".unfinished-" in step for step in steps[:named])
    assert str(folder / DIGEST[:2]) == steps[-1]
    assert str(folder) in steps[:named]
    assert str(tmp_path) in steps[:named]


def test_a_sweep_finishes_what_was_interrupted(tmp_path):
    """Unfinished files and originals that the ledger does not know go; the others and foreign files stay."""
    archive = Archive(tmp_path)
    archive.keep(RAW)
    orphan = archive.keep(b"left for people")
    folder = tmp_path / "originals"
    (folder / ".unfinished-abc").write_bytes(b"half")
    (folder / "ab").mkdir(exist_ok=True)
    (folder / "ab" / "notes.eml").write_bytes(b"a person's")
    (folder / "README").write_bytes(b"a person's")

    assert archive.sweep(lambda digest: digest == DIGEST) == 1

    assert not archive.path(orphan).exists()
    assert {archive.path(DIGEST), folder / "ab" / "notes.eml", folder / "README"} == set(files(tmp_path))


def test_deleting_is_harmless_when_it_is_done(tmp_path):
    """A deletion that is repeated after a crash finds nothing to do."""
    archive = Archive(tmp_path)
    archive.keep(RAW)

    archive.delete(DIGEST)
    archive.delete(DIGEST)

    assert files(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        archive.read(DIGEST)


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", DIGEST[:-1], DIGEST.upper(), DIGEST + "\n", "é" * 64]
)
def test_nothing_but_a_digest_becomes_a_path(tmp_path, name):
    """Whatever else is asked for is refused before the disk is touched."""
    archive = Archive(tmp_path)

    for ask in (archive.path, archive.read, archive.delete):
        with pytest.raises(ValueError):
            ask(name)


def test_a_disk_that_cannot_be_written_is_an_operators_matter(tmp_path):
    """The text names the folder and the remedy."""
    (tmp_path / "originals").write_text("a file where the folder should be")

    with pytest.raises(DiskUnusable) as caught:
        Archive(tmp_path).keep(RAW)
    assert str(tmp_path) in str(caught.value)
