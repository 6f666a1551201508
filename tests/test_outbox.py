"""Replies owed: their states, what supersedes them, quiet, and what counts as a round."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta

import pytest
from forms_in_words import CONFIG, form_of
from sqlalchemy import insert, select, update

from intake import ledger, outbox
from intake.answering import prepared
from intake.ledger import Ledger, stamp
from intake.mailbox import SentAnswer
from intake.schema import cases, deliveries, messages
from intake.schema import outbox as table
from parsers.form import Finding
from responses.letters import Acknowledgement, Correction, Letter, TemplateEnclosed, Waiting

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A, B = "PMM-2026-0001", "PMM-2026-0002"
OURS = "practicas@oficina.example"
ANA = "ana@muni.example"


def config_with(**replies):
    settings = CONFIG.settings
    changed = settings.replies.model_copy(update={"quiet_minutes": 10, **replies})
    return CONFIG.model_copy(update={"settings": settings.model_copy(update={"replies": changed})})


@pytest.fixture(name="connection")
def _connection():
    """A ledger in memory with two cases and three messages."""
    book = Ledger(None)
    book.open(NOW)
    with book.transaction() as connection:
        for number in (1, 2, 3):
            moments = {"received": stamp(NOW), "judged": stamp(NOW)}
            values = {"digest": str(number), "disposition": "accepted", "reason": "x", "errors": "[]"}
            connection.execute(insert(messages).values(id=number, **values, **moments))
            place = {"account": "main", "folder": "INBOX", "uidvalidity": 1, "uid": number, "raw": "r"}
            connection.execute(
                insert(deliveries).values(
                    **place,
                    size=1,
                    internal_date=stamp(NOW),
                    state="decided",
                    message=number,
                    file_to="accepted",
                    attempts=0,
                )
            )
        for reference in (A, B):
            values = {"disposition": "held", "situation": "received", "language": "es", "row_key": reference}
            connection.execute(
                insert(cases).values(reference=reference, opened=stamp(NOW), changed_at=stamp(NOW), **values)
            )
        yield connection
    book.close()


def acknowledgement(reference=A):
    return Acknowledgement(reference=reference, form=form_of())


def correction(reference=A):
    missing = Finding(code="answer.missing", field="summary", severity="error")
    return Correction(reference=reference, form=form_of(summary=None), errors=(missing,))


def queue(
    connection, *sections, message=1, now=NOW, to=ANA, config=None, answers="<m1@muni.example>", **options
):
    config = config or config_with()
    named = list(
        dict.fromkeys(section.reference for section in sections if getattr(section, "reference", None))
    )
    letter = Letter(
        language="es",
        received=now,
        verified=True,
        sections=sections,
        tokens={reference: f"{reference}-K7QX2M9D" for reference in named},
    )
    return outbox.queue(
        connection,
        prepared(letter, to, config),
        message=message,
        references=named,
        answers=answers,
        thread=("<first@muni.example>",),
        sender=OURS,
        config=config,
        now=now,
        **options,
    )


def is_ready(connection, message):
    """Whether the judged mail of a message may be filed."""
    return message in {item.message for item in ledger.ready_to_file(connection, account="main", limit=9)}


def state(connection, reply):
    return connection.scalar(select(table.c.state).where(table.c.id == reply))


def due_ids(connection, now):
    return [owed.id for owed in outbox.due(connection, now)]


def rounds(connection, reference=A):
    return connection.scalar(select(cases.c.rounds).where(cases.c.reference == reference))


def noticed(connection, reference=A):
    return connection.scalar(select(cases.c.noticed).where(cases.c.reference == reference))


# Queueing


def test_an_acknowledgement_is_due_at_once_and_a_correction_request_after_quiet(connection):
    """Three mails in ten minutes deserve one answer; good news need not wait."""
    thanks = queue(connection, acknowledgement(A))
    request = queue(connection, correction(B), message=2)

    assert due_ids(connection, NOW) == [thanks]
    assert due_ids(connection, NOW + 9 * MINUTE) == [thanks]
    assert due_ids(connection, NOW + 10 * MINUTE) == [thanks, request]
    assert outbox.next_due(connection) == NOW


def test_a_letter_with_a_request_in_it_waits_for_quiet_as_a_whole(connection):
    """One mail gives one reply."""
    reply = queue(connection, acknowledgement(A), correction(B))

    assert due_ids(connection, NOW) == []
    assert due_ids(connection, NOW + 10 * MINUTE) == [reply]
    assert outbox.references_of(connection, reply) == [A, B]


def test_what_is_stored_is_what_is_sent(connection):
    """The whole mail as bytes, with Message-ID, thread and our own id."""
    queue(connection, acknowledgement())

    [owed] = outbox.due(connection, NOW)
    mail = email.message_from_bytes(outbox.bytes_of(connection, owed.id), policy=email.policy.default)

    assert owed.recipient == mail["To"] == ANA
    assert owed.message_id == mail["Message-ID"]
    assert owed.message_id.endswith("@oficina.example>")
    assert mail["In-Reply-To"] == owed.answers == "<m1@muni.example>"
    assert mail["References"].split() == ["<first@muni.example>", "<m1@muni.example>"]
    assert any(owed.reply_id in value for value in mail.values())


def test_two_replies_never_share_an_id(connection):
    """Else one would be taken for the other."""
    queue(connection, acknowledgement(A))
    queue(connection, acknowledgement(B), message=2)

    first, second = outbox.due(connection, NOW)
    assert first.message_id != second.message_id
    assert first.reply_id != second.reply_id


def test_with_approval_nothing_is_due(connection):
    """It waits for a person, whatever the hour."""
    reply = queue(connection, acknowledgement(), config=config_with(mode="approve"))

    assert state(connection, reply) == "waiting"
    assert due_ids(connection, NOW + timedelta(days=30)) == []
    assert not outbox.claim(connection, reply)
    assert outbox.next_due(connection) is None


def test_an_address_that_no_header_can_hold_leaves_nothing_behind(connection):
    """Refused before anything is written; an older reply still goes."""
    older = queue(connection, acknowledgement())

    with pytest.raises(ValueError, match=r".+"):
        queue(connection, acknowledgement(), to="ana@muni.example\r\nBcc: x@y.example")

    assert due_ids(connection, NOW) == [older]


# Rounds and notices


def test_requests_are_counted_for_the_cases_that_they_ask_of(connection):
    """A case that is only acknowledged in the same letter has no round."""
    queue(connection, acknowledgement(A), correction(B))

    assert (rounds(connection, A), rounds(connection, B)) == (0, 1)


def test_a_request_that_never_left_was_no_round(connection):
    """Three incomplete versions within the quiet minutes are one request."""
    for minute in range(3):
        queue(connection, correction(), now=NOW + minute * MINUTE)

    assert rounds(connection) == 1
    [owed] = outbox.due(connection, NOW + timedelta(hours=1))
    outbox.mark(connection, owed.id, "sent", NOW)
    queue(connection, correction(), now=NOW + timedelta(hours=2))
    assert rounds(connection) == 2


def test_a_held_notice_is_remembered(connection):
    """It goes out once a case."""
    queue(connection, Waiting(reference=A))

    assert noticed(connection, A)
    assert not noticed(connection, B)


def test_a_notice_without_a_case_touches_none(connection):
    """Nor does a template."""
    reply = queue(connection, TemplateEnclosed(), Waiting())

    assert outbox.references_of(connection, reply) == []
    assert not noticed(connection, A)
    assert due_ids(connection, NOW) == [reply]


# Approval


def test_a_person_lets_the_waiting_replies_of_a_case_go(connection):
    """Now, and no other case's."""
    waiting = config_with(mode="approve")
    mine = queue(connection, acknowledgement(A), config=waiting)
    other = queue(connection, acknowledgement(B), message=2, config=waiting)
    later = NOW + timedelta(days=9)

    assert outbox.approve(connection, A, later) == 1

    assert due_ids(connection, later) == [mine]
    assert state(connection, other) == "waiting"
    assert outbox.approve(connection, A, later) == 0


def test_a_person_lets_the_answers_to_a_mail_go(connection):
    """Those without a case are known by their mail."""
    reply = queue(connection, TemplateEnclosed(), config=config_with(mode="approve"))

    assert outbox.approve_answers(connection, 2, NOW) == 0
    assert outbox.approve_answers(connection, 1, NOW) == 1
    assert due_ids(connection, NOW) == [reply]


def test_a_reply_that_was_surely_not_handed_over_is_due_again(connection):
    """And may be superseded again; what was sent stays sent."""
    reply = queue(connection, acknowledgement())
    outbox.claim(connection, reply)

    outbox.unclaim(connection, reply)
    assert state(connection, reply) == "due"

    outbox.mark(connection, reply, "sent", NOW)
    outbox.unclaim(connection, reply)
    assert state(connection, reply) == "sent"


# Superseding


def test_a_newer_verdict_supersedes_the_cases_unsent_replies(connection):
    """The older letter never leaves; another case's does."""
    older = queue(connection, correction(A))
    other = queue(connection, correction(B), message=2)

    newer = queue(connection, acknowledgement(A), message=3, now=NOW + MINUTE)

    assert [state(connection, reply) for reply in (older, other, newer)] == ["superseded", "due", "due"]
    assert due_ids(connection, NOW + timedelta(hours=1)) == [newer, other]
    assert not outbox.claim(connection, older)


@pytest.mark.parametrize("kept", ["sending", "sent", "refused"])
def test_what_may_have_left_is_not_superseded(connection, kept):
    """In `sending` nobody can know."""
    older = queue(connection, acknowledgement())
    outbox.mark(connection, older, kept, NOW)

    queue(connection, acknowledgement(), message=2)

    assert state(connection, older) == kept


def test_a_waiting_reply_is_superseded_too(connection):
    """Nobody should approve what is out of date."""
    older = queue(connection, acknowledgement(), config=config_with(mode="approve"))

    queue(connection, acknowledgement(), message=2)

    assert state(connection, older) == "superseded"


def test_a_letter_that_speaks_of_another_case_too_is_not_superseded(connection):
    """The other case's words would be lost; once both have newer ones, it is."""
    both = queue(connection, acknowledgement(A), acknowledgement(B))
    queue(connection, acknowledgement(A), message=2)
    assert state(connection, both) == "due"

    queue(connection, acknowledgement(A), acknowledgement(B), message=3)
    assert state(connection, both) == "superseded"


def test_words_of_withdrawal_stop_what_has_not_left(connection):
    """A letter about this case alone never goes; one about others too waits for a person."""
    alone = queue(connection, correction(A))
    shared = queue(connection, acknowledgement(A), acknowledgement(B), message=2)
    other = queue(connection, acknowledgement(B), message=3)
    # The last one does not supersede the shared letter, which speaks of another case too.
    assert state(connection, shared) == "due"
    outbox.mark(connection, alone, "due", NOW)

    outbox.freeze(connection, A, NOW)

    assert [state(connection, reply) for reply in (alone, shared, other)] == ["superseded", "waiting", "due"]


# Quiet


def test_another_mail_of_the_sender_makes_requests_wait_again(connection):
    """Only theirs, only requests, only what is not being sent."""
    mine = queue(connection, correction(A))
    other = queue(connection, correction(B), message=2, to="luz@ong.example")

    outbox.quiet(connection, ANA, NOW + 8 * MINUTE, 10)

    assert due_ids(connection, NOW + 10 * MINUTE) == [other]
    assert due_ids(connection, NOW + 18 * MINUTE) == [other, mine]


@pytest.mark.parametrize(("sender", "minutes"), [(None, 10), (ANA, 0)])
def test_without_sender_or_quiet_nothing_is_moved(connection, sender, minutes):
    """A mail without a sender concerns nobody's request."""
    reply = queue(connection, correction())

    outbox.quiet(connection, sender, NOW + 8 * MINUTE, minutes)

    assert due_ids(connection, NOW + 10 * MINUTE) == [reply]


# Sending


def test_a_reply_is_claimed_once(connection):
    """Two workers, or a newer verdict in between: only one hands it over."""
    reply = queue(connection, acknowledgement())

    assert outbox.claim(connection, reply)
    assert state(connection, reply) == "sending"
    assert not outbox.claim(connection, reply)


def test_an_interrupted_reply_comes_first(connection):
    """It may have left: its fate is settled before anything else goes."""
    first = queue(connection, acknowledgement(A))
    second = queue(connection, acknowledgement(B), message=2, now=NOW + MINUTE)
    outbox.claim(connection, second)

    assert due_ids(connection, NOW + MINUTE) == [second, first]


def test_a_temporary_refusal_puts_the_same_bytes_off_longer_each_time(connection):
    """Minutes, then daily; the Message-ID stays."""
    queue(connection, acknowledgement())
    now, waits, sent = NOW, [], set()
    for _ in range(7):
        [owed] = outbox.due(connection, now)
        sent.add((owed.message_id, outbox.bytes_of(connection, owed.id)))
        outbox.claim(connection, owed.id)
        outbox.postpone(connection, owed, now, "451")
        later = outbox.next_due(connection)
        waits.append((later - now) // MINUTE)
        assert outbox.due(connection, later - timedelta(seconds=1)) == []
        now = later

    assert waits == [1, 5, 15, 60, 240, 1440, 1440]
    assert len(sent) == 1


@pytest.mark.parametrize("end", ["sent", "refused", "superseded"])
def test_a_settled_reply_is_never_due_again(connection, end):
    """Its moment is kept."""
    reply = queue(connection, acknowledgement())
    outbox.claim(connection, reply)

    outbox.mark(connection, reply, end, NOW + MINUTE, "why")

    assert due_ids(connection, NOW + timedelta(days=9)) == []
    row = connection.execute(select(table.c.settled, table.c.trouble).where(table.c.id == reply)).one()
    assert tuple(row) == (stamp(NOW + MINUTE), "why")


def test_at_most_so_many_are_taken_at_a_time(connection):
    """The rest at the next look."""
    for number in range(4):
        queue(connection, TemplateEnclosed(), to=f"{number}@muni.example")

    assert len(outbox.due(connection, NOW, limit=3)) == 3


# Filing, and people's own answers


@pytest.mark.parametrize(
    ("settle", "expected"),
    [
        (lambda _connection, _reply: None, False),
        (lambda connection, reply: outbox.claim(connection, reply), False),
        (lambda connection, reply: outbox.mark(connection, reply, "sent", NOW), True),
        (lambda connection, reply: outbox.mark(connection, reply, "refused", NOW), True),
        (lambda connection, reply: outbox.mark(connection, reply, "superseded", NOW), True),
        (lambda connection, reply: outbox.mark(connection, reply, "waiting", NOW, "stale"), True),
    ],
)
def test_a_mail_is_filed_when_its_reply_has_left_or_waits_for_a_person(connection, settle, expected):
    """Not while it is due or being sent."""
    reply = queue(connection, acknowledgement())

    settle(connection, reply)

    assert is_ready(connection, 1) is expected
    assert is_ready(connection, 2)


def test_a_reply_that_the_server_put_off_still_keeps_its_mail(connection):
    """It is owed, only later."""
    queue(connection, acknowledgement())
    [owed] = outbox.due(connection, NOW)
    outbox.claim(connection, owed.id)

    outbox.postpone(connection, owed, NOW, "451")

    assert not is_ready(connection, 1)


def test_a_request_that_waits_for_quiet_does_not_keep_its_mail(connection):
    """It is no immediate reply; without quiet minutes it is."""
    queue(connection, correction(A))
    queue(connection, correction(B), message=2, config=config_with(quiet_minutes=0))

    assert is_ready(connection, 1)
    assert not is_ready(connection, 2)


def test_a_reply_that_waits_for_a_cap_does_not_keep_its_mail(connection):
    """It leaves when the day is over; the mail is filed meanwhile."""
    later = NOW + timedelta(hours=9)
    reply = queue(connection, acknowledgement(), not_before=later)

    assert is_ready(connection, 1)
    assert due_ids(connection, later - MINUTE) == []
    assert due_ids(connection, later) == [reply]


def test_our_own_replies_in_sent_are_known_by_either_id(connection):
    """Servers that write their own Message-ID leave our header."""
    queue(connection, acknowledgement())
    [owed] = outbox.due(connection, NOW)

    def answer(message_id, reply_id):
        return SentAnswer(message_id=message_id, in_reply_to=(), references=(), reply_id=reply_id, date=None)

    assert outbox.is_ours(connection, answer(owed.message_id, None))
    assert outbox.is_ours(connection, answer("<other@server.example>", owed.reply_id))
    assert not outbox.is_ours(connection, answer("<person@iom.example>", None))
    assert not outbox.is_ours(connection, answer("", None))


def test_when_the_answered_mail_arrived_is_known(connection):
    """The Sent folder is searched from that day."""
    connection.execute(update(messages).where(messages.c.id == 2).values(received=stamp(NOW - MINUTE)))

    assert outbox.received_of(connection, 2) == NOW - MINUTE
    assert outbox.received_of(connection, 99) is None
