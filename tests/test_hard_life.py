"""A worker's hard life: hostile mails, lost files, servers that fail, caps, and people who use the same mailbox."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from offices import ADDRESS, fields, form, mail, make_office
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from config import load
from intake.errors import LedgerAdoption, MailboxUnavailable
from intake.mailbox import ImapMailbox
from intake.schema import facts
from intake.worker import now_utc

SHIPPED = load()
LIMA = ZoneInfo("America/Lima")
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """The end of the process, as far as the worker can tell."""


@pytest.fixture(name="office")
def _office(tmp_path, pymap_server, smtp_sink):
    """An office that has looked once into its empty box, so that its start line is drawn."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick()
    return office


@pytest.fixture(name="office_with")
def _office_with(tmp_path, pymap_server, smtp_sink):
    """Makes such an office with other settings."""

    def made(**options):
        office = make_office(tmp_path / "oficina", pymap_server, smtp_sink, **options)
        office.tick()
        return office

    return made


@pytest.fixture(name="office_with_sent")
def _office_with_sent(tmp_path, pymap_server, smtp_sink):
    """An office whose people's answers are looked for in Sent."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    settings = office.home / "settings.toml"
    text = settings.read_text().replace(f'address = "{ADDRESS}"', f'address = "{ADDRESS}"\nsent = "Sent"')
    settings.write_text(text)
    pymap_server.client().create("Sent")
    office.tick()
    return office


def practice(name="P1", *, kind="docx", **changes):
    """One filled form as an attachment."""
    return (f"{name}.{kind}", form(fields(name, **changes), SHIPPED, kind=kind))


def from_ana(*files, subject="Práctica", **headers):
    return mail("ana@muni.example", subject, files=list(files) or [practice()], **headers)


def from_luz(*files, subject="Envío", **headers):
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


# Mails that would stop a worker


def test_digits_of_other_scripts_in_a_subject_stop_nothing(office):
    """What looks like our token in Arabic digits is no token; the next mail is judged."""
    office.imap.append(mail("x@y.example", "consulta PMM-٢٠٢٦-٠٠٠١-ABCDEFGH", "hola"))
    office.deliver(from_ana())

    office.tick()

    assert office.dispositions() == ["accepted", "ignored"]


def test_anothers_file_number_is_no_reference_of_ours(office):
    """CARTA-2026-0123-GERENCIA is an office's own number: the form beside it is judged like any."""
    office.deliver(from_ana(subject="CARTA-2026-0123-GERENCIA remite práctica"))

    office.tick()

    assert office.dispositions() == ["accepted"]


def test_what_one_mail_does_to_judging_stops_no_other_and_holds_it_after_three_attempts(office, monkeypatch):
    """The others are answered at once; the log tells the place of the fault and no word of the sender's."""
    from intake import worker

    judge = worker.judge

    def judging(reading, *rest):
        if reading.sender == "luz@ong.example":
            raise ValueError(reading.subject)
        return judge(reading, *rest)

    monkeypatch.setattr(worker, "judge", judging)
    office.deliver(from_luz(subject="secreto de Luz"))
    office.deliver(from_ana())

    with capture_logs() as logs:
        office.tick()
        assert [reply["To"] for reply in office.replies()] == ["ana@muni.example"]
        assert office.dispositions() == ["accepted"]
        office.tick(3)

    assert office.dispositions() == ["accepted", "held"]
    assert office.column("review.reason") == ["attempts"]
    assert any("ValueError at test_hard_life.py" in log.get("fault", "") for log in logs)
    assert "secreto" not in str(logs)


def test_a_fault_of_the_ledger_tells_no_values(office):
    """They hold what people wrote, and an exception's text ends in logs."""
    twice = insert(facts).values(name="begun", value="palabra secreta")

    with office.book() as book, pytest.raises(IntegrityError) as raised, book.transaction() as connection:
        connection.execute(twice)

    assert "facts.name" in str(raised.value)
    assert "secreta" not in str(raised.value)


def test_the_senders_date_is_no_date_of_ours(office):
    """A Date of the year 100 or 9999 stops nothing and numbers no reference: the server's word on arrival counts."""
    for number, year in ((1, b"0100"), (2, b"9999")):
        raw = mail(f"x{number}@y.example", "P", files=[practice("P2", title=f"Título número {number}")])
        office.deliver(raw.replace(b"20 Nov 2026", b"31 Dec " + year).replace(b"-0500", b"-1200"))

    office.tick()

    year = f"{now_utc().astimezone():%Y}"
    assert office.dispositions() == ["accepted", "accepted"]
    assert [reference[:8] for reference in office.column("cases.reference")] == [f"PMM-{year}"] * 2


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


def test_an_original_that_is_gone_or_spoilt_is_fetched_anew(office):
    """Somebody tidied up the disk, a block was lost: the mail is still in its box, and no attempt is counted."""
    office.deliver(from_ana())
    office.deliver(from_luz())

    def on_step(name):
        if name == "noted":
            gone, spoilt = sorted((office.home / "datos" / "originals").rglob("*.eml"))
            gone.unlink()
            spoilt.write_bytes(b"spoilt")

    office.tick(on_step=on_step)

    assert office.dispositions() == ["accepted", "accepted"]
    assert office.column("deliveries.attempts") == [0, 0]
    assert len(list((office.home / "datos" / "originals").rglob("*.eml"))) == 2


def test_a_mail_that_the_server_withholds_is_asked_for_again(office, monkeypatch):
    """It stops no other, and is taken in when the server gives it out."""
    bodies = ImapMailbox._bodies
    office.deliver(from_luz())
    [(hidden, _flags, _raw)] = office.imap.snapshot()
    office.deliver(from_ana())

    def withholding(box, uids):
        found, withheld = bodies(box, [uid for uid in uids if uid != hidden])
        return found, withheld | ({hidden} & set(uids))

    monkeypatch.setattr(ImapMailbox, "_bodies", withholding)
    office.tick()
    assert sorted(office.column("deliveries.state")) == ["done", "withheld"]

    monkeypatch.setattr(ImapMailbox, "_bodies", bodies)
    office.tick()
    assert office.column("deliveries.state") == ["done", "done"]
    assert sorted(reply["To"] for reply in office.replies()) == ["ana@muni.example", "luz@ong.example"]


def test_clocks_that_disagree_by_minutes_lose_no_mail(tmp_path, pymap_server, smtp_sink):
    """Our clock is three minutes ahead of the server's at the first start."""
    office = make_office(tmp_path / "oficina", pymap_server, smtp_sink)
    office.tick(**at(now_utc() + 3 * MINUTE))
    office.deliver(from_ana())

    office.tick()

    assert office.dispositions() == ["accepted"]


def test_a_mail_that_cannot_be_moved_stops_no_other(office, monkeypatch):
    """Register and replies go on, other mails are filed, and the report says that filing waits."""
    file = ImapMailbox.file
    office.deliver(from_luz())
    [(stuck, _flags, _raw)] = office.imap.snapshot()
    for number in (1, 2):
        office.deliver(
            mail(f"a{number}@muni.example", "P", files=[practice(title=f"Título número {number}")])
        )
    office.deliver(mail("bo@univ.example", "Form", "Could you please send me the practice form in Word?"))

    def refusing(box, uid, folder, **options):
        if uid == stuck:
            raise MailboxUnavailable("refuses to move this one")
        return file(box, uid, folder, **options)

    monkeypatch.setattr(ImapMailbox, "file", refusing)
    monkeypatch.setattr(ImapMailbox, "file_all", _one_by_one)
    report = office.tick()

    assert report.waiting == ("filing",)
    assert [uid for uid, _flags, _raw in office.imap.snapshot()] == [stuck]
    assert len(office.rows()) == 3
    assert len(office.replies()) == 4


def test_a_ledger_that_is_lost_refuses_to_begin_beside_filed_mail(office):
    """Else the year's references would be given out a second time."""
    office.deliver(from_ana())
    office.tick()
    (office.home / "datos").rename(office.home / "perdidos")
    office.register.rename(office.home / "otro.xlsx")

    with pytest.raises(LedgerAdoption):
        office.tick()

    assert office.count_of("cases") == 0


# Replies


def test_a_reply_of_which_nothing_is_known_goes_once_more_and_then_a_person_asks(office):
    """The server takes the mail and hangs up: two copies at most, however often the worker looks."""
    office.smtp.data += ["hang up"] * 9
    office.deliver(from_ana())
    start = now_utc()

    for day in range(6):
        office.tick(**at(start + day * DAY))

    assert office.smtp.transactions == 2
    assert office.column("outbox.state") == ["waiting"]
    assert office.column("review.reason") == ["uncertain"]
    assert len(office.rows("review")) == 1
    assert office.imap.snapshot() == []


def test_what_never_left_because_the_server_was_down_is_superseded_by_a_newer_version(office):
    """Nothing was handed over: the letter about the version before does not go when the server is back."""
    office.smtp.mail += ["421 4.3.2 closing"] * 4
    office.deliver(from_luz(practice("P2", summary=None)))
    assert office.tick().waiting == ("sending",)
    office.deliver(from_luz(subject="Envío corregido"))
    office.smtp.mail.clear()

    office.tick()

    [reply] = office.replies()
    assert office.column("outbox.state") == ["superseded", "sent"]
    assert "Resumen" not in reply.get_body(("plain",)).get_content().partition("•")[2]
    assert office.column("cases.rounds") == [0]


def test_a_server_that_is_down_is_asked_once_a_look(office):
    """Not once a mail."""
    office.smtp.mail += ["421 4.3.2 closing"] * 50
    for number in range(5):
        office.deliver(
            mail(f"a{number}@muni.example", "P", files=[practice(title=f"Título número {number}")])
        )

    report = office.tick()

    assert report.judged == 5
    # One reply, and once more on a new connection.
    assert office.smtp.transactions <= 2
    assert set(office.column("outbox.state")) == {"due"}


def test_a_person_who_answered_meanwhile_stops_a_reply_in_flight(office_with_sent):
    """Killed before handing over; a colleague answers from Outlook; started again, the worker asks Sent first."""
    office = office_with_sent
    office.deliver(from_ana(Message_ID="<m1@muni.example>"))
    with pytest.raises(Killed):
        office.tick(**kill_at("sending"))
    assert office.column("outbox.state") == ["sending"]
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = ADDRESS, "ana@muni.example", "RE: Práctica"
    answer["In-Reply-To"], answer["Message-ID"] = "<m1@muni.example>", "<colega@oficina.example>"
    answer.set_content("Recibido, gracias.")
    office.imap.append(answer.as_bytes(), folder="Sent")

    office.tick()

    assert office.column("outbox.state") == ["superseded"]
    assert office.replies() == []


def test_a_reply_put_off_again_and_again_grows_stale(office):
    """Counted from when it first could have left; after seven days a person decides."""
    office.smtp.rcpt += ["451 4.7.1 later"] * 40
    office.deliver(from_ana())
    start = now_utc()
    for day in range(9):
        office.tick(**at(start + day * DAY))
    office.smtp.rcpt.clear()

    office.tick(**at(start + 10 * DAY))

    assert office.column("outbox.state") == ["waiting"]
    assert office.column("outbox.trouble") == ["stale"]
    assert office.column("review.reason") == ["stale"]
    assert office.replies() == []


def test_a_reply_over_the_daily_cap_leaves_the_next_day(office_with):
    """The form is judged and in the register at once; the sender hears after midnight of the office."""
    office = office_with(replies="quiet_minutes = 0\nper_address_day = 1")
    noon = (now_utc().astimezone(LIMA) + DAY).replace(hour=12, minute=0)
    office.deliver(from_ana())
    office.deliver(from_ana(practice("P3"), subject="Otra"))

    office.tick(**at(noon))
    assert len(office.rows()) == 2
    assert len(office.replies()) == 1
    assert office.imap.snapshot() == []
    office.tick(**at(noon + 11 * HOUR))
    assert len(office.replies()) == 1

    office.tick(**at(noon + 13 * HOUR))
    assert len(office.replies()) == 2


def test_a_letter_about_the_version_before_does_not_leave_behind_the_newer_ones_back(office_with):
    """At the cap too: the complete version supersedes the request that still waited for quiet."""
    office = office_with(replies="quiet_minutes = 10\nper_address_day = 1")
    start = now_utc()
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick(**at(start))
    office.deliver(from_luz(subject="Envío bueno"))
    office.tick(**at(start + 2 * MINUTE))

    office.tick(**at(start + HOUR))
    office.tick(**at(start + 2 * DAY))

    assert office.column("outbox.kind") == ["correction", "acknowledgement"]
    assert office.column("outbox.state") == ["superseded", "sent"]


def test_three_versions_within_the_quiet_minutes_are_one_round(office_with):
    """One request leaves, about the last; none is handed to a person for its third round."""
    office = office_with(replies="quiet_minutes = 10")
    start = now_utc()
    for place, missing in enumerate(("summary", "impact", "lessons")):
        office.deliver(from_luz(practice("P2", **{missing: None}), subject=f"Envío {place}"))
        office.tick(**at(start + 2 * place * MINUTE))

    office.tick(**at(start + HOUR))

    assert office.column("cases.disposition") == ["needs_correction"]
    assert office.column("cases.rounds") == [1]
    assert len(office.replies()) == 1


def test_a_reply_address_at_a_public_provider_is_ignored(office):
    """Two addresses at gmail.com are two strangers, verified or not; at an institution's they are one house."""
    office.deliver(mail("a@gmail.com", "P", files=[practice()], Reply_To="victim@gmail.com"))
    office.deliver(mail("a@muni.example", "P", files=[practice("P2")], Reply_To="b@muni.example"))

    office.tick()

    assert [reply["To"] for reply in office.replies()] == ["a@gmail.com", "b@muni.example"]


def test_words_that_ask_for_what_waits_for_a_person_get_no_second_notice_when_put_back(office):
    """A template request that a person puts back is looked at again, filed again, and answered once in all."""
    office.deliver(mail("bo@univ.example", "Form", "Could you please send me the practice form in Word?"))
    office.tick()
    assert office.put_back("Respondidas") == 1

    office.tick()

    assert "looked_again" in office.column("events.action")
    assert office.imap.snapshot() == []
    assert len(office.replies()) == 1


# The register


def test_the_register_is_served_when_the_mailbox_is_not(office):
    """What is owed to the workbook is written though nobody can sign in."""
    lock = office.home / ".~lock.Registro.xlsx#"
    lock.write_text(",maria,portatil,20.11.2026 10:00,file:///home/maria;")
    office.deliver(from_ana())
    office.tick()
    assert office.rows() == []
    lock.unlink()
    settings = office.home / "settings.toml"
    settings.write_text(settings.read_text().replace(f"port = {office.imap.port}", "port = 9", 1))

    with pytest.raises(MailboxUnavailable):
        office.tick()

    assert len(office.rows()) == 1


def test_a_row_that_cannot_be_written_follows_when_the_sheet_is_in_order(office):
    """Sorted in part, the keys disagree: nothing is guessed, nothing is ticked, and `status` tells it."""
    from intake.telling import status_of

    office.deliver(from_luz(practice("P2", summary=None)))
    office.deliver(from_ana())
    office.tick()
    [request] = [reply for reply in office.replies() if reply["To"] == "luz@ong.example"]
    _swap_last_keys(office)
    office.deliver(from_luz(subject="RE: Envío", In_Reply_To=request["Message-ID"]))

    assert office.tick().waiting == ("register_problems",)
    assert office.tick().waiting == ("register_problems",)
    told = status_of(office.config)["register"]
    assert told["waiting"] == "register_problems"
    assert told["problems"] == "keys_disagree"

    _swap_last_keys(office)
    office.tick()
    assert [row["situation"] for row in office.rows()] == ["Completa", "Completa"]
    assert status_of(office.config)["register"]["waiting"] is None


@pytest.mark.parametrize("when", ["register_offered", "register_replaced"])
@pytest.mark.parametrize("edited", [False, True])
def test_a_kill_around_the_workbooks_replacing_never_takes_our_text_for_staffs(office, when, edited):
    """Staff save the workbook before the next start: their word stands, ours goes on being brought up to date."""
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick()
    [request] = office.replies()
    newer = practice("P2", title="Defensoras al parlante: mujeres migrantes")
    office.deliver(from_luz(newer, subject="RE: Envío", In_Reply_To=request["Message-ID"]))
    with pytest.raises(Killed):
        office.tick(**kill_at(when))
    shown = office.rows()[0]["title"]
    _save_as_staff(office, shown, "Título de la Secretaría" if edited else shown)

    office.tick(2)

    [row] = office.rows()
    assert row["situation"] == "Completa"
    assert row["title"] == (
        "Título de la Secretaría" if edited else "Defensoras al parlante: mujeres migrantes"
    )
    assert set(office.column("register_cells.offered")) == {None}


def _one_by_one(box, uids, folder, **options):
    """`file_all` as it is on a server that cannot move several at once."""
    settled = {}
    for uid in uids:
        try:
            settled[uid] = box.file(uid, folder, **options)
        except MailboxUnavailable:
            continue
    return settled


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
