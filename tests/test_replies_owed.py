"""Replies in bad times: servers that fail, caps, quiet minutes, people who answer first, and approval."""

from __future__ import annotations

import re
import subprocess
import sys
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hard_days import DAY, HOUR, MINUTE, Killed, at, from_ana, from_luz, kill_at, practice
from offices import ADDRESS, mail

from intake.telling import status_of
from intake.worker import now_utc

LIMA = ZoneInfo("America/Lima")


def test_a_reply_of_which_nothing_is_known_goes_once_more_and_then_a_person_asks(quick_office):
    """The server takes the mail and hangs up: two copies at most, however often the worker looks."""
    quick_office.smtp.data += ["hang up"] * 9
    quick_office.deliver(from_ana())
    start = now_utc()

    for day in range(6):
        quick_office.tick(**at(start + day * DAY))

    assert quick_office.smtp.transactions == 2
    assert quick_office.column("outbox.state") == ["waiting"]
    assert quick_office.column("review.reason") == ["uncertain"]
    assert len(quick_office.rows("review")) == 1
    assert quick_office.imap.snapshot() == []


def test_what_never_left_because_the_server_was_down_is_superseded_by_a_newer_version(quick_office):
    """Nothing was handed over: the letter about the version before does not go when the server is back."""
    quick_office.smtp.mail += ["421 4.3.2 closing"] * 4
    quick_office.deliver(from_luz(practice("P2", summary=None)))
    assert quick_office.tick().waiting == ("sending",)
    quick_office.deliver(from_luz(subject="Envío corregido"))
    quick_office.smtp.mail.clear()

    quick_office.tick()

    [reply] = quick_office.replies()
    assert quick_office.column("outbox.state") == ["superseded", "sent"]
    assert "Resumen" not in reply.get_body(("plain",)).get_content().partition("•")[2]
    assert quick_office.column("cases.rounds") == [0]


def test_a_server_that_is_down_is_asked_once_a_look(quick_office):
    """Not once a mail."""
    quick_office.smtp.mail += ["421 4.3.2 closing"] * 50
    for number in range(5):
        quick_office.deliver(
            mail(f"a{number}@muni.example", "P", files=[practice(title=f"Título número {number}")])
        )

    report = quick_office.tick()

    assert report.judged == 5
    # One reply, and once more on a new connection.
    assert quick_office.smtp.transactions <= 2
    assert set(quick_office.column("outbox.state")) == {"due"}


@pytest.mark.parametrize("days", [0, 20])
def test_a_person_who_answered_meanwhile_stops_a_reply_in_flight(office_with, days):
    """Killed before handing over; a colleague answers from Outlook; started again, the worker asks Sent first.

    However long it stood still: what was answered needs nobody's decision any more.
    """
    office = office_with(mailbox='sent = "Sent"')
    office.imap.client().create("Sent")
    office.deliver(from_ana(Message_ID="<m1@muni.example>"))
    with pytest.raises(Killed):
        office.tick(**kill_at("sending"))
    assert office.column("outbox.state") == ["sending"]
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Subject"] = ADDRESS, "ana@muni.example", "RE: Práctica"
    answer["In-Reply-To"], answer["Message-ID"] = "<m1@muni.example>", "<colega@oficina.example>"
    answer.set_content("Recibido, gracias.")
    office.imap.append(answer.as_bytes(), folder="Sent")

    office.tick(**at(now_utc() + days * DAY))

    assert office.column("outbox.state") == ["superseded"]
    assert office.replies() == []


def test_a_reply_put_off_again_and_again_grows_stale(quick_office):
    """Counted from when it first could have left; after seven days a person decides."""
    quick_office.smtp.rcpt += ["451 4.7.1 later"] * 40
    quick_office.deliver(from_ana())
    start = now_utc()
    for day in range(9):
        quick_office.tick(**at(start + day * DAY))
    quick_office.smtp.rcpt.clear()

    quick_office.tick(**at(start + 10 * DAY))

    assert quick_office.column("outbox.state") == ["waiting"]
    assert quick_office.column("outbox.trouble") == ["stale"]
    assert quick_office.column("review.reason") == ["stale"]
    assert quick_office.replies() == []


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


def test_a_reply_address_at_a_public_provider_is_ignored(quick_office):
    """Two addresses at gmail.com are two strangers, verified or not; at an institution's they are one house."""
    quick_office.deliver(mail("a@gmail.com", "P", files=[practice()], Reply_To="victim@gmail.com"))
    quick_office.deliver(mail("a@muni.example", "P", files=[practice("P2")], Reply_To="b@muni.example"))

    quick_office.tick()

    assert [reply["To"] for reply in quick_office.replies()] == ["a@gmail.com", "b@muni.example"]


def test_a_template_request_that_is_put_back_is_answered_once_in_all(quick_office):
    """A person moves it back: it is looked at again and filed again, and no second template goes out."""
    quick_office.deliver(
        mail("bo@univ.example", "Form", "Could you please send me the practice form in Word?")
    )
    quick_office.tick()
    assert quick_office.put_back("Respondidas") == 1

    quick_office.tick()

    assert "looked_again" in quick_office.column("events.action")
    assert quick_office.imap.snapshot() == []
    assert len(quick_office.replies()) == 1


# The operator


def test_running_without_a_way_to_answer_is_refused(office_with):
    """Mail would be judged and never filed, and nobody told; with replies off it is what was asked for."""
    office = office_with()
    settings = office.home / "settings.toml"
    text = re.sub(r"\[smtp\].*?(?=\[paths\])", "", settings.read_text(), flags=re.DOTALL)
    settings.write_text(text)
    command = [sys.executable, "-m", "intake", "run", "--once", "--config", str(office.home)]

    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    settings.write_text(text.replace("[replies]\n", '[replies]\nmode = "off"\n'))
    office.deliver(from_ana())
    accepted = subprocess.run(command, capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert "smtp" in refused.stderr
    assert accepted.returncode == 0
    assert len(office.rows()) == 1
    assert office.imap.snapshot() == []


def test_a_reply_is_overdue_after_two_looks(quick_office, monkeypatch):
    """What goes at the next look is no alarm; what two looks did not send is."""
    quick_office.smtp.rcpt += ["451 4.7.1 later"] * 9
    quick_office.deliver(from_ana())
    start = now_utc()
    quick_office.tick(**at(start))
    found = {}
    for minutes in (0, 2, 4):
        monkeypatch.setattr("intake.telling.now_utc", lambda minutes=minutes: start + minutes * MINUTE)
        told = status_of(quick_office.config)
        found[minutes] = (told["owed"], told["overdue"])

    # Put off for a minute; the mailbox is looked at each minute.
    assert found == {0: (1, 0), 2: (1, 0), 4: (1, 1)}
