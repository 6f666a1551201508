"""A worker's hard life: hostile mails, lost files, servers that withhold, and people who use the same box and sheet."""

from __future__ import annotations

from email.utils import format_datetime

import pytest
from hard_days import DAY, MINUTE, Killed, at, from_ana, from_luz, kill_at, practice
from offices import mail, make_office
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from intake.errors import LedgerAdoption, MailboxUnavailable
from intake.imap_connection import ImapConnection
from intake.mailbox import ImapMailbox
from intake.schema import facts
from intake.worker import now_utc

# Mails that would stop a worker


def test_digits_of_other_scripts_in_a_subject_stop_nothing(quick_office):
    """What looks like our token in Arabic digits is no token; the next mail is judged."""
    quick_office.imap.append(mail("x@y.example", "consulta PMM-٢٠٢٦-٠٠٠١-ABCDEFGH", "hola"))
    quick_office.deliver(from_ana())

    quick_office.tick()

    assert quick_office.dispositions() == ["accepted", "ignored"]


def test_anothers_file_number_is_no_reference_of_ours(quick_office):
    """CARTA-2026-0123-GERENCIA is an office's own number: the form beside it is judged like any."""
    quick_office.deliver(from_ana(subject="CARTA-2026-0123-GERENCIA remite práctica"))

    quick_office.tick()

    assert quick_office.dispositions() == ["accepted"]


def test_what_one_mail_does_to_judging_stops_no_other_and_holds_it_after_three_attempts(
    quick_office, monkeypatch
):
    """The others are answered at once; the log tells the place of the fault and no word of the sender's."""
    from intake import worker

    judge = worker.judge

    def judging(reading, *rest):
        if reading.sender == "luz@ong.example":
            raise ValueError(reading.subject)
        return judge(reading, *rest)

    monkeypatch.setattr(worker, "judge", judging)
    quick_office.deliver(from_luz(subject="secreto de Luz"))
    quick_office.deliver(from_ana())

    with capture_logs() as logs:
        quick_office.tick()
        assert [reply["To"] for reply in quick_office.replies()] == ["ana@muni.example"]
        assert quick_office.dispositions() == ["accepted"]
        quick_office.tick(3)

    assert quick_office.dispositions() == ["accepted", "held"]
    assert quick_office.column("review.reason") == ["attempts"]
    assert any("ValueError at test_hard_life.py" in log.get("fault", "") for log in logs)
    assert "secreto" not in str(logs)


def test_a_fault_of_the_ledger_tells_no_values(quick_office):
    """They hold what people wrote, and an exception's text ends in logs."""
    twice = insert(facts).values(name="begun", value="palabra secreta")

    with (
        quick_office.book() as book,
        pytest.raises(IntegrityError) as raised,
        book.transaction() as connection,
    ):
        connection.execute(twice)

    assert "facts.name" in str(raised.value)
    assert "secreta" not in str(raised.value)


def test_the_senders_date_is_no_date_of_ours(quick_office):
    """A Date of the year 100 or 9999 stops nothing and numbers no reference: the server's word on arrival counts."""
    for number, year in ((1, b"0100"), (2, b"9999")):
        raw = mail(f"x{number}@y.example", "P", files=[practice("P2", title=f"Título número {number}")])
        quick_office.deliver(raw.replace(b"20 Nov 2026", b"31 Dec " + year).replace(b"-0500", b"-1200"))

    quick_office.tick()

    year = f"{now_utc().astimezone():%Y}"
    assert quick_office.dispositions() == ["accepted", "accepted"]
    assert [reference[:8] for reference in quick_office.column("cases.reference")] == [f"PMM-{year}"] * 2


def test_a_deadline_is_held_against_the_arrival_not_the_senders_date(office_with):
    """A clock that goes wrong, or is set back, makes nobody early; a correction of what came in time is never late."""
    now = now_utc()
    office = office_with(extra=_call(deadline=(now - 2 * DAY).date()))
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick(**at(now - 5 * DAY))
    [request] = office.replies()
    before = format_datetime(now - 5 * DAY).encode()
    office.deliver(from_ana().replace(b"Fri, 20 Nov 2026 10:00:00 -0500", before))
    office.deliver(from_luz(subject="RE: Envío", In_Reply_To=request["Message-ID"]))

    office.tick()

    assert office.column("cases.late") == [False, True]
    told = {reply["To"]: _says_late(reply) for reply in office.replies()}
    assert told == {"ana@muni.example": True, "luz@ong.example": False}
    assert len(office.replies()) == 3


def test_an_original_that_is_gone_or_spoilt_is_fetched_anew(quick_office):
    """Somebody tidied up the disk, a block was lost: the mail is still in its box, and no attempt is counted."""
    quick_office.deliver(from_ana())
    quick_office.deliver(from_luz())

    def on_step(name):
        if name == "noted":
            gone, spoilt = sorted((quick_office.home / "datos" / "originals").rglob("*.eml"))
            gone.unlink()
            spoilt.write_bytes(b"spoilt")

    quick_office.tick(on_step=on_step)

    assert quick_office.dispositions() == ["accepted", "accepted"]
    assert quick_office.column("deliveries.attempts") == [0, 0]
    assert len(list((quick_office.home / "datos" / "originals").rglob("*.eml"))) == 2


def test_a_mail_that_the_server_withholds_is_asked_for_again(quick_office, monkeypatch):
    """It stops no other, and is taken in when the server gives it out."""
    bodies = ImapMailbox._bodies
    quick_office.deliver(from_luz())
    [(hidden, _flags, _raw)] = quick_office.imap.snapshot()
    quick_office.deliver(from_ana())

    def withholding(box, uids):
        found, withheld = bodies(box, [uid for uid in uids if uid != hidden])
        return found, withheld | ({hidden} & set(uids))

    monkeypatch.setattr(ImapMailbox, "_bodies", withholding)
    quick_office.tick()
    assert sorted(quick_office.column("deliveries.state")) == ["done", "withheld"]

    monkeypatch.setattr(ImapMailbox, "_bodies", bodies)
    quick_office.tick()
    assert quick_office.column("deliveries.state") == ["done", "done"]
    assert sorted(reply["To"] for reply in quick_office.replies()) == ["ana@muni.example", "luz@ong.example"]


def test_clocks_that_disagree_by_minutes_lose_no_mail(tmp_path, pymap_server, smtp_sink):
    """Our clock is three minutes ahead of the server's at the first start."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick(**at(now_utc() + 3 * MINUTE))
    office.deliver(from_ana())

    office.tick()

    assert office.dispositions() == ["accepted"]


def test_a_mail_that_cannot_be_moved_stops_no_other(quick_office, monkeypatch):
    """Register and replies go on, other mails are filed, and the report says that filing waits."""
    command = ImapConnection.uid
    quick_office.deliver(from_luz())
    [(stuck, _flags, _raw)] = quick_office.imap.snapshot()
    for number in (1, 2):
        files = [practice(title=f"Título número {number}")]
        quick_office.deliver(mail(f"a{number}@muni.example", "P", files=files))
    quick_office.deliver(
        mail("bo@univ.example", "Form", "Could you please send me the practice form in Word?")
    )

    def refusing(link, verb, uids, *rest):
        if verb == "MOVE" and stuck in _expanded(uids):
            return "NO", [b"[CANNOT] not this one"]
        return command(link, verb, uids, *rest)

    monkeypatch.setattr(ImapConnection, "uid", refusing)
    report = quick_office.tick()

    assert report.waiting == ("filing",)
    assert [uid for uid, _flags, _raw in quick_office.imap.snapshot()] == [stuck]
    assert len(quick_office.rows()) == 3
    assert len(quick_office.replies()) == 4


def test_a_ledger_that_is_lost_refuses_to_begin_beside_filed_mail(quick_office):
    """Else the year's references would be given out a second time."""
    quick_office.deliver(from_ana())
    quick_office.tick()
    (quick_office.home / "datos").rename(quick_office.home / "perdidos")
    quick_office.register.rename(quick_office.home / "otro.xlsx")

    with pytest.raises(LedgerAdoption):
        quick_office.tick()

    assert quick_office.count_of("cases") == 0


def test_a_mail_over_the_limit_in_a_cases_thread_waits_for_a_person(office_with):
    """It is not read, but a line of Por revisar tells of which case it is; one that names us not is left."""
    office = office_with(extra="\n[limits]\nmessage_bytes = 80000\n")
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick()
    [request] = office.replies()
    photograph = ("foto.jpg", b"\xff\xd8\xff\xe0" + b"1" * 90_000)
    office.deliver(
        from_luz(practice("P2"), photograph, subject="RE: Envío", In_Reply_To=request["Message-ID"])
    )
    office.deliver(mail("x@y.example", "fotos", files=[photograph]))

    office.tick()

    assert office.column("review.reason") == ["oversize"]
    assert office.column("review.reference") == office.column("cases.reference")
    assert sorted(office.dispositions()) == ["held", "ignored", "needs_correction"]
    assert len(office.imap.snapshot()) == 1


# The register


def test_an_idle_look_reads_no_table_whole(quick_office):
    """What the register does not show yet is found by an index of that alone, however many cases there are."""
    for table, index in (("cases", "cases_behind"), ("review", "review_behind")):
        query = f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE changed > registered"
        [(*_numbers, plan)] = quick_office.ask(text(query))
        assert index in plan


def test_the_register_is_served_when_the_mailbox_is_not(quick_office):
    """What is owed to the workbook is written though nobody can sign in."""
    lock = quick_office.home / ".~lock.Registro.xlsx#"
    lock.write_text(",maria,portatil,20.11.2026 10:00,file:///home/maria;")
    quick_office.deliver(from_ana())
    quick_office.tick()
    assert quick_office.rows() == []
    lock.unlink()
    settings = quick_office.home / "settings.toml"
    settings.write_text(settings.read_text().replace(f"port = {quick_office.imap.port}", "port = 9", 1))

    with pytest.raises(MailboxUnavailable):
        quick_office.tick()

    assert len(quick_office.rows()) == 1


def test_a_row_that_cannot_be_written_follows_when_the_sheet_is_in_order(quick_office):
    """Sorted in part, the keys disagree: nothing is guessed, nothing is ticked, and `status` tells it."""
    from intake.telling import status_of

    quick_office.deliver(from_luz(practice("P2", summary=None)))
    quick_office.deliver(from_ana())
    quick_office.tick()
    [request] = [reply for reply in quick_office.replies() if reply["To"] == "luz@ong.example"]
    _swap_last_keys(quick_office)
    quick_office.deliver(from_luz(subject="RE: Envío", In_Reply_To=request["Message-ID"]))

    assert quick_office.tick().waiting == ("register_problems",)
    assert quick_office.tick().waiting == ("register_problems",)
    told = status_of(quick_office.config)["register"]
    assert told["waiting"] == "register_problems"
    assert told["problems"] == "keys_disagree"

    _swap_last_keys(quick_office)
    quick_office.tick()
    assert [row["situation"] for row in quick_office.rows()] == ["Completa", "Completa"]
    assert status_of(quick_office.config)["register"]["waiting"] is None


@pytest.mark.parametrize("when", ["register_offered", "register_replaced"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_kill_around_the_workbooks_replacing_never_takes_our_text_for_staffs(quick_office, when, edited):
    """Staff save the workbook before the next start: their word stands, ours goes on being brought up to date."""
    quick_office.deliver(from_luz(practice("P2", summary=None)))
    quick_office.tick()
    [request] = quick_office.replies()
    newer = practice("P2", title="Defensoras al parlante: mujeres migrantes")
    quick_office.deliver(from_luz(newer, subject="RE: Envío", In_Reply_To=request["Message-ID"]))
    with pytest.raises(Killed):
        quick_office.tick(**kill_at(when))
    shown = quick_office.rows()[0]["title"]
    _save_as_staff(quick_office, shown, "Título de la Secretaría" if edited else shown)

    quick_office.tick(2)

    [row] = quick_office.rows()
    assert row["situation"] == "Completa"
    assert row["title"] == (
        "Título de la Secretaría" if edited else "Defensoras al parlante: mujeres migrantes"
    )
    assert set(quick_office.column("register_cells.offered")) == {None}


def _expanded(uids):
    """The UIDs of a set as it goes on the wire: "101:103,107"."""
    ends = (part.partition(":") for part in uids.split(","))
    return {uid for first, _, last in ends for uid in range(int(first), int(last or first) + 1)}


def _call(deadline):
    names = "".join(f'\n{language} = "C"' for language in ("es", "en", "fr"))
    return f'\n[[calls]]\nid = "2026-1"\ndeadline = {deadline}\n[calls.names]{names}\n'


def _says_late(reply):
    return "estuvo abierta hasta" in reply.get_body(("plain",)).get_content()


def _swap_last_keys(office):
    """What a sort of some columns does: the last column of keys in another order than the first."""
    from openpyxl import load_workbook

    book = load_workbook(office.register)
    keys = {}
    for row in book["Prácticas"].iter_rows():
        for cell in row:
            if cell.value in office.column("cases.row_key"):
                keys.setdefault(cell.column, []).append(cell)
    assert len(keys) == 2
    first, second = keys[max(keys)]
    first.value, second.value = second.value, first.value
    book.save(office.register)


def _save_as_staff(office, old, new):
    """Opened in a spreadsheet program and saved, with a title changed or not."""
    from openpyxl import load_workbook

    book = load_workbook(office.register)
    cells = [cell for row in book["Prácticas"].iter_rows() for cell in row if cell.value == old]
    assert len(cells) == 1
    cells[0].value = new
    book.save(office.register)
