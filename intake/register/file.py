"""The register's file on disk: read whole, replaced whole, never under somebody's hands.

What the bytes mean is not known here. A replacement happens only if the file is still the one that was
read; where the system can swap two files at once (Linux), even a save in the last instant is noticed.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# Where swapping is not known to the kernel, the C library or the file system.
_CANNOT_SWAP = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM}
_BACKUPS = ".respaldo"


class RegisterFile:
    """The workbook at a path.

    Args:
        path: Where it is; a symbolic link is followed, so that the link itself survives.
        backups: How many earlier versions are kept in the folder `.respaldo` beside it; 0 keeps none.
    """

    def __init__(self, path: Path, *, backups: int = 10) -> None:
        self.path = Path(os.path.realpath(path))
        self._backups = backups

    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def read(self) -> tuple[bytes, str]:
        """The file's bytes and its version, the SHA-256 of them.

        Raises:
            OSError: It cannot be read; `FileNotFoundError` when there is none.
        """
        data = self.path.read_bytes()
        return data, _version(data)

    def create(self, data: bytes) -> bool:
        """Puts a first file in place; false when one is there already.

        Raises:
            OSError: The folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._write_temporary(data, mode=0o664)
        try:
            # Unlike a rename, a link never replaces what is there.
            os.link(temporary, self.path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        self._flush_folder()
        return True

    def replace(self, data: bytes, version: str) -> bool:
        """Replaces the file if it still is the version that was read.

        Args:
            data: The new content.
            version: What `read` said.

        Returns:
            False when somebody saved it meanwhile, or holds it so that it cannot be replaced: read again later.

        Raises:
            OSError: The folder cannot be written.
        """
        try:
            there = self.path.stat()
            if _version(self.path.read_bytes()) != version:
                return False
        except FileNotFoundError:
            return False
        self._save_leftovers()
        temporary = self._write_temporary(data, mode=there.st_mode & 0o777)
        with contextlib.suppress(OSError, AttributeError):
            # Only some may give a file away; where it works, people keep their file.
            os.chown(temporary, there.st_uid, there.st_gid)
        try:
            swapped = _exchange(temporary, self.path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            if isinstance(error, FileNotFoundError):
                return False
            raise
        done = self._settle(temporary, data, version) if swapped else self._rename(temporary, version)
        self._flush_folder()
        return done

    def _settle(self, temporary: Path, data: bytes, version: str) -> bool:
        """After the swap, looks at what was displaced; nothing is deleted before it is known what it is."""
        displaced = temporary.read_bytes()
        if _version(displaced) == version:
            if not (self._backups and self._keep(temporary, version)):
                temporary.unlink()
            return True
        # Somebody saved in the last instant: their file goes back to its place.
        try:
            _exchange(temporary, self.path)
        except FileNotFoundError:
            temporary.replace(self.path)
            return False
        if temporary.read_bytes() == data:
            temporary.unlink()
            return False
        # And somebody saved once more over ours meanwhile: the newest stays, the other is kept.
        _exchange(temporary, self.path)
        self._keep(temporary, _version(displaced))
        return False

    def _rename(self, temporary: Path, version: str) -> bool:
        try:
            before = self.path.read_bytes()
            if _version(before) != version:
                return False
            if self._backups:
                copy = self._write_temporary(before, mode=0o600)
                if not self._keep(copy, version):
                    copy.unlink()
            temporary.replace(self.path)
        except (FileNotFoundError, PermissionError):
            # Deleted meanwhile; or, on Windows, held open by a program.
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def locked(self) -> str | None:
        """Who has the workbook open, as told by the office programs' own lock files; `None` when nobody.

        LibreOffice writes `.~lock.NAME#` (name, host, time), Excel `~$NAME` (name). A lock left behind by a
        crash looks the same, and what is open on other machines need not show: this only spares attempts,
        `replace` keeps safe.
        """
        libre = self.path.with_name(f".~lock.{self.path.name}#")
        excel = self.path.with_name(f"~${self.path.name}")
        for lock, parse in ((libre, _libre_owner), (excel, _excel_owner)):
            try:
                content = lock.read_bytes()[:4096]
                since = datetime.fromtimestamp(lock.stat().st_mtime, tz=UTC).astimezone()
            except FileNotFoundError:
                continue
            except OSError:
                # Excel on Windows shares its lock with nobody: that it is there says enough.
                return "Excel"
            owner = parse(content) or "?"
            return owner if owner.count(" · ") >= 2 else f"{owner} · {since:%d.%m.%Y %H:%M}"
        return None

    def _write_temporary(self, data: bytes, *, mode: int) -> Path:
        """A flushed file beside the register, in the same file system."""
        # A name that office programs and sync clients take for passing, and that no glob of *.xlsx finds.
        path = self.path.with_name(f".{self.path.stem}.{secrets.token_hex(6)}.tmp")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            # The folder's own rule for new files (umask) must not lock people out.
            path.chmod(mode)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path

    def _keep(self, displaced: Path, version: str) -> bool:
        """Moves a displaced version among the backups, the oldest of which go; false where that fails."""
        folder = self.path.parent / _BACKUPS
        stamp = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
        try:
            folder.mkdir(exist_ok=True)
            displaced.replace(folder / f"{self.path.stem} {stamp} {version[:8]}{self.path.suffix}")
            kept = sorted(folder.glob(f"{_escaped(self.path.stem)} *{self.path.suffix}"))
            for old in kept[: -max(self._backups, 1)]:
                old.unlink()
        except OSError:
            # A backup that cannot be kept must not undo what has been written.
            return not displaced.exists()
        return True

    def _save_leftovers(self) -> None:
        """Keeps what an update that was killed left beside the register: it may be a version of people's."""
        for left in self.path.parent.glob(f".{_escaped(self.path.stem)}.{'[0-9a-f]' * 12}.tmp"):
            self._keep(left, _version(left.read_bytes()))

    def _flush_folder(self) -> None:
        if sys.platform == "win32":
            return
        descriptor = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _escaped(text: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)


def _exchange(one: Path, other: Path) -> bool:
    """Swaps two files in one step (renameat2, Linux 3.15); false where that is not to be had."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT_SWAP:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _libre_owner(content: bytes) -> str:
    # name,user,host,time,profile; a comma or semicolon inside is escaped by a backslash.
    fields = content.decode("utf-8", "replace").replace("\\,", " ").replace("\\;", " ").split(",")
    shown = [_printable(each) for each in (fields + [""] * 4)[:4]]
    name, user, host, since = shown
    return " · ".join(each for each in (name or user, host, since) if each)


def _excel_owner(content: bytes) -> str:
    # The name's length, then the name in the machine's own code page; the same in UTF-16 from byte 55.
    length = int.from_bytes(content[55:57], "little")
    wide = content[57 : 57 + 2 * length] if 0 < length <= 54 else b""
    narrow = content[1 : 1 + content[0]] if content else b""
    return _printable(wide.decode("utf-16-le", "replace") or narrow.decode("cp1252", "replace"))


def _printable(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()[:60]
