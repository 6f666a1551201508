"""Keeps every original as it came, before anything looks inside it.

A file's name is the SHA-256 of its bytes; nothing that a sender wrote ever becomes part of a path. A file appears
whole or not at all, and is on the disk (not merely in its cache) when `keep` returns.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from intake.errors import DiskUnusable

_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = ".unfinished-"


class Archive:
    """Originals below `<folder>/originals/ab/abcdef….eml`, readable by their owner alone."""

    def __init__(self, folder: Path) -> None:
        """Remember the place; nothing is read or made before the first call.

        Args:
            folder: The data folder; `originals` is made inside.
        """
        self.folder = folder / "originals"

    def path(self, digest: str) -> Path:
        """Where the original with this digest lies or would lie.

        Args:
            digest: SHA-256 in 64 lower-case hexadecimal digits.

        Raises:
            ValueError: That is no such digest.
        """
        if not _DIGEST.fullmatch(digest):
            raise ValueError("is no SHA-256 in hexadecimal digits")
        return self.folder / digest[:2] / f"{digest}.eml"

    def keep(self, raw: bytes) -> str:
        """Keep one message and return its digest; keeping it again changes nothing.

        Raises:
            DiskUnusable: It could not be written and flushed.
        """
        digest, _ = self.keep_chunks([raw])
        return digest

    def keep_chunks(self, chunks: Iterable[bytes]) -> tuple[str, int]:
        """Keep one message that comes in pieces and never stands whole in memory.

        Returns:
            The digest and the number of bytes.

        Raises:
            DiskUnusable: It could not be written and flushed. What `chunks` raises passes through.
        """
        sha = hashlib.sha256()
        size = 0
        with _on_disk(self.folder):
            _make_folder(self.folder)
            handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=self.folder)
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    sha.update(chunk)
                    size += len(chunk)
                    with _on_disk(self.folder):
                        file.write(chunk)
                digest = sha.hexdigest()
                if self._is_whole(digest):
                    return digest, size
                with _on_disk(self.folder):
                    file.flush()
                    os.fsync(file.fileno())
            with _on_disk(self.folder):
                target = self.path(digest)
                _make_folder(target.parent)
                unfinished.replace(target)
                _flush_folder(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)
        return digest, size

    def read(self, digest: str) -> bytes:
        """The bytes of an original.

        Raises:
            FileNotFoundError: It is not (or no longer) kept.
            DiskUnusable: It is there and cannot be read, or is not what it was.
        """
        try:
            raw = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DiskUnusable(f"{self.folder}: {error.strerror or error}") from error
        if hashlib.sha256(raw).hexdigest() != digest:
            raise DiskUnusable(f"The original {digest} in {self.folder} has changed on disk")
        return raw

    def delete(self, digest: str) -> None:
        """Remove an original, if it is there, for good.

        Raises:
            DiskUnusable: It is there and cannot be removed.
        """
        target = self.path(digest)
        with _on_disk(self.folder):
            if target.exists():
                target.unlink()
                _flush_folder(target.parent)

    def digests(self) -> Iterator[str]:
        """Every original kept; files that are not ours are passed over."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*.eml")):
            if _DIGEST.fullmatch(path.stem) and path.parent.name == path.stem[:2]:
                yield path.stem

    def sweep(self, known: Callable[[str], bool]) -> int:
        """Finish what an interruption left: unfinished files, and originals that nobody knows.

        Only for the one running instance, before it works: an unfinished file of another would go too.

        Args:
            known: Tells of a digest whether the ledger still refers to it.

        Returns:
            How many originals were removed.

        Raises:
            DiskUnusable: Something there cannot be removed.
        """
        with _on_disk(self.folder):
            for leftover in self.folder.glob(f"{_UNFINISHED}*"):
                leftover.unlink(missing_ok=True)
        orphans = [digest for digest in self.digests() if not known(digest)]
        for digest in orphans:
            self.delete(digest)
        return len(orphans)

    def _is_whole(self, digest: str) -> bool:
        # A file of that name with other bytes (a disk that lost a block) is written anew.
        try:
            with self.path(digest).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False


@contextmanager
def _on_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskUnusable(f"{folder}: {error.strerror or error}") from error


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The new name lives in the parent, so the parent must reach the disk too.
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
