"""The register on disk: replaced whole, never over somebody's save."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from intake.register import RegisterFile
from intake.register import file as module

LINUX = sys.platform.startswith("linux")


@pytest.fixture(name="register", params=["swap", "rename"])
def _register(request, tmp_path, monkeypatch):
    """A register on disk, with and without the kernel's way to swap two files."""
    if request.param == "rename" or not LINUX:
        monkeypatch.setattr(module, "_exchange", lambda *_: False)
    path = tmp_path / "Registro de prácticas.xlsx"
    path.write_bytes(b"one")
    return RegisterFile(path)


def _beside(register):
    return sorted(each.name for each in register.path.parent.iterdir())


def test_the_file_is_replaced_when_it_is_still_what_was_read(register):
    """New content, own permissions kept, the old version among the backups, nothing else left behind."""
    register.path.chmod(0o640)
    _, version = register.read()
    before = register.path.stat()
    os.utime(register.path, (before.st_atime, before.st_mtime - 100))

    assert register.replace(b"two", version)
    assert register.read()[0] == b"two"
    assert stat.S_IMODE(register.path.stat().st_mode) == 0o640
    # LibreOffice would overwrite silently a file that kept its old time.
    assert register.path.stat().st_mtime >= before.st_mtime
    assert _beside(register) == [".respaldo", register.path.name]
    assert [each.read_bytes() for each in (register.path.parent / ".respaldo").iterdir()] == [b"one"]


def test_a_file_saved_meanwhile_stays(register):
    """Somebody saved between reading and replacing: false, and theirs is untouched."""
    _, version = register.read()
    register.path.write_bytes(b"staff")

    assert not register.replace(b"two", version)
    assert register.read()[0] == b"staff"
    assert _beside(register) == [register.path.name]


def test_a_save_in_the_last_instant_is_noticed(register, monkeypatch):
    """Saved after the check, before the swap: their file goes back to its place."""
    _, version = register.read()
    write = RegisterFile._write_temporary
    once = []

    def slow(self, data, *, mode):
        path = write(self, data, mode=mode)
        if not once:
            once.append(True)
            self.path.write_bytes(b"staff")
        return path

    monkeypatch.setattr(RegisterFile, "_write_temporary", slow)

    assert not register.replace(b"two", version)
    assert register.read()[0] == b"staff"
    assert _beside(register) == [register.path.name]


@pytest.mark.skipif(not LINUX, reason="swapping two files is Linux's")
def test_two_saves_around_the_swap_lose_nothing(tmp_path, monkeypatch):
    """Saved before the swap and again before the swap back: the newest stands, the other is kept."""
    path = tmp_path / "r.xlsx"
    path.write_bytes(b"one")
    register = RegisterFile(path)
    _, version = register.read()
    real = module._exchange
    saves = [b"staff 1", b"staff 2"]

    def racing(one, other):
        if saves:
            other.write_bytes(saves.pop(0))
        return real(one, other)

    monkeypatch.setattr(module, "_exchange", racing)

    assert not register.replace(b"two", version)
    assert path.read_bytes() == b"staff 2"
    assert [each.read_bytes() for each in (tmp_path / ".respaldo").iterdir()] == [b"staff 1"]
    assert _beside(register) == [".respaldo", "r.xlsx"]


def test_what_a_killed_update_left_is_kept(register):
    """Killed right after the swap, the displaced version lies beside the register: no update deletes it."""
    left = register.path.with_name(f".{register.path.stem}.{'0a' * 6}.tmp")
    left.write_bytes(b"staff's last save")

    assert register.replace(b"two", register.read()[1])
    assert _beside(register) == [".respaldo", register.path.name]
    kept = {each.read_bytes() for each in (register.path.parent / ".respaldo").iterdir()}
    assert kept == {b"staff's last save", b"one"}


def test_backups_can_be_switched_off(register):
    """Nothing but the register stays then."""
    plain = RegisterFile(register.path, backups=0)

    assert plain.replace(b"two", plain.read()[1])
    assert _beside(plain) == [plain.path.name]


def test_a_deleted_file_is_not_brought_back_by_replacing(register):
    """Moved or deleted by people: false; whether to make a new one is for another to decide."""
    _, version = register.read()
    register.path.unlink()

    assert not register.exists()
    assert not register.replace(b"two", version)
    assert _beside(register) == []
    with pytest.raises(FileNotFoundError):
        register.read()


def test_creating_never_replaces(tmp_path):
    """The first file is put in place whole; one that is there stays."""
    register = RegisterFile(tmp_path / "new" / "r.xlsx")

    assert register.create(b"first")
    assert not register.create(b"second")
    assert register.read()[0] == b"first"
    assert _beside(register) == ["r.xlsx"]


def test_only_the_newest_backups_are_kept(register):
    """Ten by default; here three, and one file of a similar name that is not ours to delete."""
    few = RegisterFile(register.path, backups=3)
    (register.path.parent / ".respaldo").mkdir()
    (register.path.parent / ".respaldo" / "otro.xlsx").write_bytes(b"x")
    for number in range(6):
        _, version = few.read()

        assert few.replace(f"content {number}".encode(), version)
    kept = [each.read_bytes() for each in sorted((register.path.parent / ".respaldo").glob("Registro*"))]

    assert kept == [b"content 2", b"content 3", b"content 4"]
    assert (register.path.parent / ".respaldo" / "otro.xlsx").exists()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
def test_a_symbolic_link_survives(tmp_path):
    """The linked file is replaced, the link stays a link."""
    target = tmp_path / "team" / "r.xlsx"
    target.parent.mkdir()
    target.write_bytes(b"one")
    link = tmp_path / "r.xlsx"
    link.symlink_to(target)
    register = RegisterFile(link)

    assert register.replace(b"two", register.read()[1])
    assert link.is_symlink()
    assert target.read_bytes() == b"two"


def test_libreoffices_lock_tells_who_and_since_when(register):
    """Its one line: name, user, host, time, profile."""
    lock = register.path.with_name(f".~lock.{register.path.name}#")
    lock.write_text(
        ",mquispe,LAPTOP-3,12.03.2027 17:40,file:///home/mquispe/.config/libreoffice/4;", encoding="utf-8"
    )

    assert register.locked() == "mquispe · LAPTOP-3 · 12.03.2027 17:40"

    lock.unlink()

    assert register.locked() is None


def test_excels_lock_tells_who(register):
    """The name stands behind its length, in a code page and again in UTF-16; the file's time says since when."""
    name = "María Quispe"
    content = bytes([len(name)]) + name.encode("cp1252").ljust(54)
    content += len(name).to_bytes(2, "little") + name.encode("utf-16-le")
    lock = register.path.with_name(f"~${register.path.name}")
    lock.write_bytes(content.ljust(165, b"\x00"))

    assert register.locked().startswith("María Quispe · ")


@pytest.mark.parametrize("content", [b"", b"\xff" * 200, b"\x00" * 165, b",,,,"])
def test_a_strange_lock_is_a_lock(register, content):
    """What cannot be read still means that somebody has it open."""
    for name in (f".~lock.{register.path.name}#", f"~${register.path.name}"):
        lock = register.path.with_name(name)
        lock.write_bytes(content)

        assert register.locked()

        lock.unlink()


def test_nothing_is_left_when_the_disk_refuses(register, monkeypatch):
    """A full disk: the error comes out, the register is as it was, no half file stays."""
    _, version = register.read()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        register.replace(b"two", version)

    assert register.read()[0] == b"one"
    assert [each for each in _beside(register) if each.endswith(".tmp")] == []
    assert Path(register.path).exists()
