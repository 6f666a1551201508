"""Offices, mails and accidents of the tests of a worker's hard life; its fixtures are registered in conftest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from offices import fields, form, mail, make_office

from config import load

SHIPPED = load()
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """The end of the process, as far as the worker can tell."""


@pytest.fixture(name="office_with")
def _office_with(tmp_path, pymap_server, smtp_sink):
    """Makes an office that has looked once into its empty box, so that its start line is drawn."""

    def made(**options):
        office = make_office(tmp_path / "oficina", pymap_server, smtp_sink, **options)
        office.tick()
        return office

    return made


@pytest.fixture(name="quick_office")
def _quick_office(office_with):
    """Such an office with the settings of most tests."""
    return office_with()


def practice(name="P1", *, kind="docx", **changes):
    """One filled form as an attachment; `None` leaves a question unanswered."""
    return (f"{name}.{kind}", form(fields(name, **changes), SHIPPED, kind=kind))


def from_ana(*files, subject="Práctica", **headers):
    """A complete form of a municipality, unless told."""
    return mail("ana@muni.example", subject, files=list(files) or [practice()], **headers)


def from_luz(*files, subject="Envío", **headers):
    """A complete form of an NGO, unless told."""
    return mail("luz@ong.example", subject, files=list(files) or [practice("P2")], **headers)


def at(moment):
    """A clock that stands."""
    return {"clock": lambda: moment}


def kill_at(step):
    """Ends the worker at a step."""

    def on_step(name):
        if name == step:
            raise Killed

    return {"on_step": on_step}
