"""The running worker as a process: one instance, IDLE wakes it, a signal ends it after the message in hand."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest
from offices import fields, form, mail, make_office

from config import load
from config.settings import Schedule
from intake.errors import InstanceRunning, MailboxUnavailable
from intake.scheduler import Running, instance_lock
from intake.worker import Report

CONFIG = load()
# Long enough that no poll explains what a test sees.
NEVER = 600
PATIENCE = 20


@pytest.fixture(name="office")
def _office(tmp_path, pymap_server, smtp_sink):
    """An office that polls about never, and has drawn its start line."""
    office = make_office(
        tmp_path / "oficina", pymap_server, smtp_sink, extra=f"[schedule]\npoll_seconds = {NEVER}"
    )
    office.tick()
    return office


class Started:
    """`practice-intake run` in a process of its own; its log lines as they come."""

    def __init__(self, home):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intake", "run", "--config", str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[dict] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.put(json.loads(line) if line.startswith("{") else {"action": line})

    def until(self, action):
        """Waits for a log line of this action."""
        deadline = time.monotonic() + PATIENCE
        seen = []
        while time.monotonic() < deadline:
            try:
                line = self.lines.get(timeout=0.1)
            except queue.Empty:
                continue
            seen.append(line)
            if line.get("action") == action:
                return line
        pytest.fail(f"no {action}; saw {seen}")

    def end(self, name=signal.SIGTERM):
        self.process.send_signal(name)
        return self.process.wait(PATIENCE)


@pytest.fixture(name="started")
def _started(office):
    """The office's worker, running; killed at the end if the test did not end it."""
    begun = []

    def start():
        begun.append(Started(office.home))
        return begun[-1]

    yield start
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait(PATIENCE)
        each._reader.join(PATIENCE)
        each.process.stdout.close()
        each.process.stderr.close()


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("it did not happen")
        time.sleep(0.02)


def practice(number=1):
    return mail(
        f"ana{number}@muni.example",
        f"Práctica {number}",
        files=[("p.docx", form(fields(title=f"Voces organizadas {number}"), CONFIG))],
    )


# The process


def test_idle_wakes_the_worker_and_a_second_instance_is_refused_and_sigterm_ends_it(office, started):
    """One life: mails are answered long before the next poll; another instance exits 2; SIGTERM ends with 0."""
    running = started()
    # The first look takes the first mail, the watcher's connecting may cause one more; then there is only IDLE.
    for number in range(1, 4):
        office.deliver(practice(number))
        wait_for(lambda number=number: len(office.replies()) == number)
        running.until("tick")

    second = subprocess.run(
        [sys.executable, "-m", "intake", "run", "--once", "--config", str(office.home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert "Another instance" in second.stderr
    assert running.process.poll() is None
    assert running.end() == 0
    assert office.dispositions() == ["accepted"] * 3


def test_ctrl_c_on_a_waiting_worker_ends_it_at_once_with_0(office, started):
    """Nobody waits for a poll to stop it."""
    running = started()
    office.deliver(practice())
    running.until("tick")
    begun = time.monotonic()

    assert running.end(signal.SIGINT) == 0
    assert time.monotonic() - begun < 10


def test_sigterm_in_the_middle_ends_after_the_message_in_hand(office, started):
    """Some of the mails are wholly done, the rest is untouched and done at the next start; nothing twice."""
    for number in range(12):
        office.deliver(practice(number))
    running = started()
    running.until("judged")

    assert running.end() == 0

    done = office.count_of("messages")
    assert 1 <= done < 12
    assert len(office.replies()) == done
    assert len(office.rows()) == done
    assert len(office.imap.snapshot()) == 12 - done
    office.tick()
    assert office.count_of("cases") == 12
    assert len({reply["To"] for reply in office.replies()}) == len(office.replies()) == 12


def test_after_sudden_death_the_lock_is_free(office, started):
    """The system frees it, however the process ended."""
    running = started()
    wait_for(lambda: (office.home / "datos" / "lock").exists())
    office.deliver(practice())
    running.until("tick")

    assert running.end(signal.SIGKILL) == -signal.SIGKILL

    with instance_lock(office.home / "datos"):
        pass


# The lock


def test_the_lock_is_one_instances_and_free_afterwards(tmp_path):
    """Also after an error within."""
    folder = tmp_path / "datos"

    def fail():
        with instance_lock(folder):
            raise RuntimeError

    with instance_lock(folder), pytest.raises(InstanceRunning) as told, instance_lock(folder):
        pass
    assert told.value.exit_code == 2
    with pytest.raises(RuntimeError):
        fail()
    with instance_lock(folder):
        pass


# The loop, without servers


class Ticks:
    """A worker that only counts, and does what the test says at each tick."""

    def __init__(self, *acts):
        self._acts = list(acts)
        self.count = 0
        self.stopped = False

    def tick(self):
        self.count += 1
        if self._acts:
            self._acts.pop(0)()
        return Report()

    def stop(self):
        self.stopped = True


def running(worker, watcher=None, *, poll=NEVER, idle=True):
    return Running(worker, Schedule(poll_seconds=poll, idle=idle), watcher)


@pytest.fixture(autouse=True)
def _signals():
    """The test run's own answers to signals come back."""
    kept = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield
    for name, handler in kept.items():
        signal.signal(name, handler)


def end_by_signal():
    os.kill(os.getpid(), signal.SIGTERM)


def test_it_looks_at_once_when_it_starts():
    """Not only after the first poll."""
    worker = Ticks(end_by_signal)

    running(worker).run()

    assert worker.count == 1
    assert worker.stopped


def test_it_looks_at_every_poll():
    """By the clock, whatever IDLE does."""
    worker = Ticks(lambda: None, lambda: None, end_by_signal)

    running(worker, poll=0.05, idle=False).run()

    assert worker.count == 3


def broken(error):
    def act():
        raise error

    return act


def test_a_tick_that_fails_is_tried_again():
    """Servers away or a fault of ours: told, and the next poll comes."""
    worker = Ticks(broken(MailboxUnavailable("gone")), broken(ValueError("ours")), end_by_signal)

    running(worker, poll=0.05).run()

    assert worker.count == 3


class Watcher:
    """A mailbox whose IDLE tells of mail when the test says so."""

    def __init__(self):
        self.connected = False
        self.arrived = queue.Queue()
        self.troubles = []
        self.closed = False

    def connect(self):
        self.connected = True

    def close(self):
        self.closed = True

    def wait(self, _seconds, stop):
        while not stop.is_set():
            try:
                found = self.arrived.get(timeout=0.01)
            except queue.Empty:
                continue
            if isinstance(found, Exception):
                self.connected = False
                raise found
            return found
        return False


def test_mail_that_arrives_during_a_tick_is_looked_for_after_it():
    """The waking is not lost; several at once are one look."""
    watcher = Watcher()
    began, seen = threading.Event(), threading.Event()

    def first():
        began.set()
        for _ in range(3):
            watcher.arrived.put(True)
        seen.wait(PATIENCE)

    def drained():
        began.wait(PATIENCE)
        while not watcher.arrived.empty():
            time.sleep(0.005)
        time.sleep(0.1)
        seen.set()

    threading.Thread(target=drained, daemon=True).start()
    worker = Ticks(first, end_by_signal)

    running(worker, watcher).run()

    assert worker.count == 2
    assert watcher.closed


def test_without_idle_nothing_watches():
    """`schedule.idle = false` polls only."""
    watcher = Watcher()
    worker = Ticks(end_by_signal)

    running(worker, watcher, idle=False).run()

    assert not watcher.connected


def test_a_watcher_that_fails_leaves_the_work_to_the_poll():
    """IDLE is a convenience."""
    watcher = Watcher()
    watcher.arrived.put(MailboxUnavailable("hung up"))
    worker = Ticks(lambda: None, lambda: None, lambda: None, end_by_signal)

    running(worker, watcher, poll=0.1).run()

    assert worker.count == 4


def test_signals_that_come_thick_and_fast_never_hang_it():
    """A handler runs inside whatever the loop was doing: it must not wait for a lock that the loop holds."""
    for _ in range(20):
        ended = threading.Event()

        def pester(ended=ended):
            while not ended.wait(0.0005):
                os.kill(os.getpid(), signal.SIGTERM)

        pestering = threading.Thread(target=pester, daemon=True)
        worker = Ticks(pestering.start)
        running(worker, poll=0.01, idle=False).run()
        ended.set()
        # No signal may be on its way when the test run's own handlers come back.
        pestering.join(PATIENCE)
        assert worker.stopped
