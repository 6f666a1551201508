"""Runs the reading of hostile bytes in a child process with a limit on memory and time.

The child is started afresh (no fork), gets frames over a pipe and gives JSON back, never pickle. It lives on
from mail to mail, because a new interpreter a mail costs more than all the rest; it is replaced after a death,
a timeout or `LIFETIME` mails. Nothing else of the program may open a sender's bytes.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import time
from typing import IO, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from config import Config
from intake.errors import ReaderUnavailable
from intake.reading import Reading
from parsers.form import Document

# Mails after which the child is replaced, so that no leak of a library grows for ever.
LIFETIME = 500
# Seconds the child may take to import everything; not part of a mail's time.
START_SECONDS = 60.0
# How long after its parent gave up a child may still work.
GRACE_SECONDS = 2.0
_HEAD = struct.Struct("!BQ")
_MAIL, _DOCUMENT, _FINE, _FAILED = 1, 2, 3, 4
_READY = b"ready"

_Value = TypeVar("_Value")
_reading: TypeAdapter[Reading] = TypeAdapter(Reading)
_document: TypeAdapter[Document] = TypeAdapter(Document)


class ReadingFailed(Exception):
    """The bytes could not be read: the child died, ran out of time or memory, or raised. Counts as an attempt."""


class BoundedReader:
    """A child that reads one thing at a time; `start` and `result` let the parent work meanwhile.

    Args:
        config: Handed to the child without its secrets.

    Not for several threads.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seconds = config.settings.limits.read_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._served = 0
        self._running = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, raw: bytes) -> Reading:
        """Reads one mail.

        Raises:
            ReadingFailed: See there.
            ReaderUnavailable: The child does not start; no fault of the mail's.
        """
        self.start(raw)
        return self.result()

    def read_document(self, data: bytes) -> Document:
        """Reads one file, for `check`.

        Raises:
            ReadingFailed: See there.
        """
        self._send(_DOCUMENT, data)
        return _validated(_document, self._receive())

    def start(self, raw: bytes) -> None:
        """Hands a mail to the child and returns at once; `result` must follow."""
        self._send(_MAIL, raw)

    def result(self) -> Reading:
        """Waits for what `start` began.

        Raises:
            ReadingFailed: See there.
        """
        return _validated(_reading, self._receive())

    def close(self) -> None:
        """Ends the child."""
        child, self._child, self._running = self._child, None, False
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _send(self, kind: int, data: bytes) -> None:
        if self._running:
            # An answer nobody waited for must not be taken for the next one's.
            self.close()
        if self._served >= LIFETIME:
            self.close()
        if self._child is None:
            self._spawn()
        self._running = True
        try:
            _write(self._pipe_in(), kind, data)
        except OSError:
            # It died between two mails: that is no fault of this one.
            self.close()
            self._spawn()
            self._running = True
            try:
                _write(self._pipe_in(), kind, data)
            except OSError as error:
                self.close()
                raise ReadingFailed("the reading process died of what it was handed") from error

    def _receive(self) -> bytes:
        try:
            kind, data = self._frame(self._seconds)
        except ReadingFailed:
            self.close()
            raise
        self._running = False
        self._served += 1
        if kind != _FINE:
            # After a MemoryError the child's heap is not worth keeping.
            self.close()
            raise ReadingFailed(data.decode("utf-8", "replace"))
        return data

    def _spawn(self) -> None:
        # -P keeps a config.py in the current folder from shadowing ours. No secret goes along.
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PRACTICE_INTAKE_")
        }
        self._served = 0
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "intake.bounded"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
            )
            _widen(self._child.stdin)
            _write(self._pipe_in(), _MAIL, self._config.model_dump_json().encode())
            kind, data = self._frame(START_SECONDS)
        except (OSError, ReadingFailed) as error:
            self.close()
            raise ReaderUnavailable(type(error).__name__) from error
        if kind != _FINE or data != _READY:
            self.close()
            raise ReaderUnavailable(data.decode("utf-8", "replace"))

    def _pipe_in(self) -> IO[bytes]:
        if self._child is None or self._child.stdin is None:
            raise ReadingFailed("the reading process is gone")
        return self._child.stdin

    def _frame(self, seconds: float) -> tuple[int, bytes]:
        deadline = time.monotonic() + seconds
        kind, size = _HEAD.unpack(self._take(_HEAD.size, deadline))
        return kind, self._take(size, deadline)

    def _take(self, size: int, deadline: float) -> bytes:
        if self._child is None or self._child.stdout is None:
            raise ReadingFailed("the reading process is gone")
        descriptor = self._child.stdout.fileno()
        chunks: list[bytes] = []
        while size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise ReadingFailed("reading took longer than limits.read_seconds")
            chunk = os.read(descriptor, min(size, 1 << 20))
            if not chunk:
                raise ReadingFailed("the reading process died (memory limit, or a fault of a library)")
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)


def _validated(adapter: TypeAdapter[_Value], data: bytes) -> _Value:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        # What the child gave back is no reading: its fault, as if it had raised.
        raise ReadingFailed("the reading process gave no reading") from error


def _widen(pipe: IO[bytes] | None) -> None:
    """Lets a whole mail lie in the pipe, so that handing it over does not wait for the child to take it."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        if pipe is not None:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, 1 << 20)


def _write(pipe: IO[bytes], kind: int, data: bytes) -> None:
    pipe.write(_HEAD.pack(kind, len(data)))
    pipe.write(data)
    pipe.flush()


def _limit_memory(megabytes: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_time(seconds: float) -> None:
    """The system ends the child when a reading takes longer, also when nobody is left to wait for it.

    Its parent gives up before that; the signal's default action works even inside a library's C code.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _serve(source: IO[bytes], sink: IO[bytes]) -> None:
    from intake.reading import read, read_document

    def take() -> tuple[int, bytes] | None:
        head = source.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, size = _HEAD.unpack(head)
        data = source.read(size)
        # The parent may be killed within a frame; then nobody waits for anything.
        return (kind, data) if len(data) == size else None

    first = take()
    if first is None:
        return
    config = Config.model_validate_json(first[1])
    _limit_memory(config.settings.limits.child_megabytes)
    _write(sink, _FINE, _READY)
    while (frame := take()) is not None:
        kind, data = frame
        _limit_time(config.settings.limits.read_seconds + GRACE_SECONDS)
        try:
            answer = (
                _document.dump_json(read_document(data, config))
                if kind == _DOCUMENT
                else _reading.dump_json(read(data, config))
            )
        except MemoryError:
            _write(sink, _FAILED, b"MemoryError: limits.child_megabytes")
        except Exception as error:  # noqa: BLE001
            # The type alone: a message could carry the sender's words into the log.
            _write(sink, _FAILED, f"{type(error).__name__} in read()".encode())
        else:
            _write(sink, _FINE, answer)
        _limit_time(0)


def _main() -> None:
    # A service manager or Ctrl+C signals the whole group: the child ends with its parent, by the end of its
    # input, and never in the middle of a mail that would then count as failed.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get between the frames.
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # A parent that was killed takes no answer: that is no fault to tell of.
    with contextlib.suppress(BrokenPipeError):
        _serve(sys.stdin.buffer, sink)


if __name__ == "__main__":
    _main()
