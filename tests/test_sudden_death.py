"""Killed with SIGKILL between any two steps and started again: one disposition, one row, one reply each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from offices import fields, form, mail, make_office

from config import load
from intake.worker import STEPS

SHIPPED = load()
LEFT = mail("yo@correo.example", "consulta", "me quieren desalojar, a donde puedo acudir")


def _run(office, *arguments: str) -> int:
    script = Path(__file__).with_name("killed.py")
    return subprocess.run([sys.executable, str(script), str(office.home), *arguments], check=False).returncode


def _office(tmp_path, imap, smtp):
    office = make_office(tmp_path / "oficina", imap, smtp)
    office.tick()
    office.imap.append(LEFT)
    office.deliver(mail("ana@muni.example", "Práctica", files=[("p.docx", form(fields(), SHIPPED))]))
    office.deliver(
        mail(
            "luz@ong.example",
            "Envío",
            files=[("f.xlsx", form(fields("P2", summary=None), SHIPPED, kind="xlsx"))],
        )
    )
    return office


def _check(office, step: str) -> None:
    assert office.dispositions() == ["accepted", "ignored", "needs_correction"]
    assert office.count_of("cases") == 2
    rows = office.rows()
    assert sorted(row["situation"] for row in rows) == ["Completa", "En corrección (1.ª)"]
    assert office.rows("history") == []
    replies = office.replies()
    # Between DATA and its tick nobody can know: then the same Message-ID goes again, never another one.
    assert len(replies) in ((2, 3) if step == "handed_over" else (2,))
    assert len({reply["Message-ID"] for reply in replies}) == 2
    assert [raw for _uid, _flags, raw in office.imap.snapshot()] == [LEFT]


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(step, tmp_path, pymap_server, smtp_sink):
    """Each named step, on a real process."""
    office = _office(tmp_path, pymap_server, smtp_sink)

    assert _run(office, step) == -9
    assert _run(office) == 0

    _check(office, step)


@pytest.mark.dovecot
@pytest.mark.parametrize("step", ["committed", "handed_over", "moved", "register_replaced"])
def test_the_same_on_dovecot(step, tmp_path, dovecot_server, smtp_sink):
    """The steps at which something outside has just changed."""
    office = _office(tmp_path, dovecot_server, smtp_sink)

    assert _run(office, step) == -9
    assert _run(office) == 0

    _check(office, step)


@pytest.mark.parametrize("step", ["kept", "committed", "sent", "moved"])
def test_a_new_uidvalidity_after_the_kill_changes_nothing(step, tmp_path, pymap_server, smtp_sink):
    """The server counts UIDs anew while the worker is dead: known messages are filed, not answered again."""
    office = _office(tmp_path, pymap_server, smtp_sink)

    assert _run(office, step) == -9
    pymap_server.bump_uidvalidity()
    assert _run(office) == 0

    _check(office, step)


@pytest.mark.long
@pytest.mark.dovecot
@pytest.mark.parametrize("bump", [False, True])
@pytest.mark.parametrize("occurrence", [1, 2])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_on_dovecot_first_and_second_time(
    step, occurrence, bump, tmp_path, dovecot_server, smtp_sink
):
    """The full matrix."""
    office = _office(tmp_path, dovecot_server, smtp_sink)

    killed = _run(office, step, str(occurrence))
    assert killed == -9 or occurrence == 2
    if bump:
        dovecot_server.bump_uidvalidity()
    assert _run(office) == 0

    _check(office, step)


def test_a_step_that_is_not_listed_is_refused(tmp_path, pymap_server, smtp_sink, monkeypatch):
    """A step added to the worker without adding it to the list fails."""
    monkeypatch.setattr("intake.worker.STEPS", tuple(step for step in STEPS if step != "judged"))
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick()
    office.imap.append(LEFT)

    with pytest.raises(LookupError):
        office.tick(on_step=lambda _name: None)
