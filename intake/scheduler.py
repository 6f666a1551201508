"""Runs the worker by the clock: APScheduler for the poll, an IDLE thread that only wakes it, the OS lock,
and signals that end after the message in hand. Decides nothing.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from config.settings import Schedule
from intake.errors import InstanceRunning, OperatorError
from intake.logs import fault
from intake.mailbox import Mailbox

if TYPE_CHECKING:
    from intake.worker import Worker

log = structlog.get_logger("intake")

# IDLE is ended and begun anew within this time: servers drop it after about ten minutes.
IDLE_SECONDS = 8 * 60.0
# The first pause after IDLE failed; doubled each time, up to that between two polls.
RETRY_SECONDS = 1.0
# How long the end of the program waits for the IDLE connection's own.
GOODBYE_SECONDS = 5.0


@contextmanager
def instance_lock(folder: Path) -> Iterator[None]:
    """Holds the data folder for one instance; the system frees it when the process ends, however it ends.

    Raises:
        InstanceRunning: Another instance holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a+") as handle:
        try:
            _lock(handle.fileno())
        except OSError as error:
            raise InstanceRunning(str(folder)) from error
        yield


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        return
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Running:
    """A running worker.

    Args:
        worker: Its `tick` is called by one thread only.
        schedule: How often.
        watcher: A mailbox connection of its own for IDLE; `None` polls only.
    """

    def __init__(self, worker: Worker, schedule: Schedule, watcher: Mailbox | None) -> None:
        self._worker = worker
        self._schedule = schedule
        self._watcher = watcher if schedule.idle else None
        # A signal's handler may run while this thread is inside the very call: a queue's `put` allows that, an
        # event's `set` would wait for its own lock.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._stop = threading.Event()

    def run(self) -> None:
        """Works until SIGTERM or SIGINT; returns after the message in hand."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._on_signal)
        scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC")
        # The default grace of one second would drop a poll that comes late on a busy machine.
        scheduler.add_job(
            self._look,
            "interval",
            seconds=self._schedule.poll_seconds,
            misfire_grace_time=None,
            coalesce=True,
        )
        scheduler.start()
        idle = threading.Thread(target=self._watch, name="idle", daemon=True)
        idle.start()
        self._look()
        try:
            while not self._stop.is_set():
                self._wake.get()
                # Emptied before the tick: what arrives during it is put in again, and the loop goes on.
                while not self._wake.empty():
                    self._wake.get()
                if not self._stop.is_set():
                    self._tick()
        finally:
            self._stop.set()
            scheduler.shutdown(wait=False)
            # The thread closes its own connection: two threads in one IMAP session break it. One that is stuck in
            # connecting is not waited for.
            idle.join(GOODBYE_SECONDS)

    def stop(self) -> None:
        """Ends after the message in hand."""
        self._worker.stop()
        self._stop.set()
        self._look()

    def _look(self) -> None:
        self._wake.put(None)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.stop()

    def _tick(self) -> None:
        try:
            report = self._worker.tick()
        except OperatorError as error:
            log.error("tick failed", action="tick_failed", why=str(error))  # noqa: TRY400
            return
        except Exception as error:  # noqa: BLE001
            # A fault of ours: told with its place, tried again at the next poll.
            log.error("tick failed", action="tick_failed", fault=fault(error))  # noqa: TRY400
            return
        if report.judged or report.sent or report.filed:
            log.info("tick", action="tick", judged=report.judged, sent=report.sent, filed=report.filed)

    def _watch(self) -> None:
        """Wakes the worker when mail arrives; anything that goes wrong leaves the poll to do the work."""
        pause = RETRY_SECONDS
        while self._watcher is not None and not self._stop.is_set():
            try:
                if not self._watcher.connected:
                    self._watcher.connect()
                    # IDLE tells nothing of what came before it began.
                    self._look()
                if self._watcher.wait(IDLE_SECONDS, self._stop):
                    self._look()
                pause = RETRY_SECONDS
            except (OperatorError, OSError) as error:
                log.warning("IDLE failed", action="idle_failed", why=type(error).__name__)
                # A line cut in two costs a second; a server that is away is not pestered.
                self._stop.wait(min(pause, self._schedule.poll_seconds))
                pause *= 2
        if self._watcher is not None:
            with contextlib.suppress(OperatorError, OSError):
                self._watcher.close()
