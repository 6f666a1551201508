"""Whose case a mail continues: copies, second practices, spoofed senders, put-back mails, words of withdrawal."""

from __future__ import annotations

import pytest
from fillers import member, with_member
from hard_days import SHIPPED, from_ana, from_luz, practice
from offices import fields, form, mail

from intake.deciding import Close, Correct, Decision, DecisionRefused, Release, decide
from intake.worker import now_utc

WITHDRAWN = "Deseamos retirar la práctica. Gracias."


@pytest.fixture(name="asked")
def _asked(quick_office):
    """An office that asked Luz for what her form lacks."""
    quick_office.deliver(from_luz(practice("P2", summary=None)))
    quick_office.tick()
    return quick_office


@pytest.fixture(name="accepted")
def _accepted(quick_office):
    """An office that has Ana's complete form."""
    quick_office.deliver(from_ana())
    quick_office.tick()
    return quick_office


def reference(office):
    [first] = office.column("cases.reference")[:1]
    return first


def in_thread(office):
    """Headers of an answer to our last reply."""
    return {"In_Reply_To": office.replies()[-1]["Message-ID"]}


def decided(office, action, target=None):
    with office.book() as book:
        what = Decision(target=target or reference(office), action=action, by="M", reason="por teléfono")
        return decide(book, office.config, what, now_utc())


def naming(case_id, **changes):
    """A form with a case id in its visible line, as our marked copies have it."""
    document = form(fields("P1", **changes), SHIPPED)
    text = member(document, "word/document.xml").decode()
    assert "practice-1 · v1 · es" in text
    named = text.replace("practice-1 · v1 · es", f"practice-1 · v1 · es · {case_id}", 1)
    return ("p.docx", with_member(document, "word/document.xml", named.encode()))


# Several forms, several files


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_two_copies_of_one_form_in_a_mail_are_one_case(quick_office, kind):
    """The same file twice, or the same answers as Word and as Excel: one row, one section, one version."""
    copy = ("otra copia", practice("P2", kind=kind)[1])

    quick_office.deliver(from_luz(practice("P2"), copy))
    quick_office.tick()

    assert len(quick_office.rows()) == 1
    assert quick_office.count_of("versions") == 1
    assert quick_office.dispositions() == ["accepted"]


def test_of_two_different_forms_for_one_case_the_second_waits_for_a_person(asked):
    """Which of them counts is not guessed; the first goes on, and so do other mails."""
    newer = (
        practice("P2"),
        practice("P2", kind="xlsx", impact="Otro impacto, de otra versión del mismo texto."),
    )
    asked.deliver(from_luz(*newer, subject="RE: Envío", **in_thread(asked)))
    asked.deliver(from_ana())

    asked.tick()

    assert asked.column("cases.disposition") == ["accepted", "accepted"]
    assert asked.column("review.reason") == ["several_for_one_case"]
    assert asked.column("review.reference") == [reference(asked)]
    assert asked.dispositions() == ["accepted", "held", "needs_correction"]


def test_a_second_practice_in_an_accepted_cases_thread_takes_nobodys_place(accepted):
    """People answer our last letter with their next practice: a person decides, the row stays."""
    accepted.deliver(from_ana(practice("P3"), subject="Segunda práctica", **in_thread(accepted)))

    accepted.tick()

    assert [row["title"] for row in accepted.rows()] == [fields("P1")["title"]]
    assert accepted.column("review.reason") == ["other_practice"]
    assert accepted.dispositions() == ["accepted", "held"]


def test_a_title_worded_anew_is_still_the_same_practice(accepted):
    """A new version in the thread of a complete case, its title shortened."""
    shorter = "Unidad de Integración Migratoria (MIGRACIONES)"
    accepted.deliver(from_ana(practice("P1", title=shorter), subject="RE: P", **in_thread(accepted)))

    accepted.tick()

    assert [row["title"] for row in accepted.rows()] == [shorter]
    assert accepted.column("review.reason") == []


def test_a_file_beside_the_form_that_cannot_be_read_is_told_to_staff(quick_office):
    """It changes no verdict; a line of Por revisar says so."""
    broken = ("b.docx", practice("P1")[1][:9000])

    quick_office.deliver(from_luz(practice("P2"), broken))
    quick_office.tick()

    assert quick_office.dispositions() == ["accepted"]
    assert quick_office.column("review.reason") == ["other_file_unread"]
    assert quick_office.column("review.reference") == [reference(quick_office)]


def test_what_a_limit_cut_from_a_mail_is_told_to_staff(office_with):
    """The form within the limits is judged; that something may not have been seen is a line of Por revisar."""
    office = office_with(extra="\n[limits]\nattachment_bytes = 60000\n")
    assert len(practice("P2")[1]) < 60_000

    office.deliver(from_luz(practice("P2"), ("anexo.pdf", b"%PDF-1.7" + b"\n" * 80_000)))
    office.tick()

    assert office.column("cases.disposition") == ["accepted"]
    assert office.column("review.reason") == ["problems"]


# Who may speak


def test_an_address_is_the_same_in_capitals(quick_office):
    """Luz.P@ and luz.p@ are one person: one case, corrected by the second mail."""
    quick_office.deliver(mail("Luz.P@ong.example", "Envío", files=[practice("P2", summary=None)]))
    quick_office.tick()

    quick_office.deliver(mail("luz.p@ONG.example", "RE", files=[practice("P2")], **in_thread(quick_office)))
    quick_office.tick()

    assert quick_office.column("cases.disposition") == ["accepted"]
    assert quick_office.column("cases.accepted_version") == [2]


def test_a_verified_senders_address_proves_nothing_when_it_is_not_verified(accepted):
    """Neither the guessed case id in a file nor the address alone changes a case or begins one."""
    spoofed = from_ana(naming(reference(accepted), title="Otra cosa"), subject="x")
    accepted.deliver(spoofed, passes=False)

    accepted.tick()

    assert [row["title"] for row in accepted.rows()] == [fields("P1")["title"]]
    assert accepted.column("review.reason") == ["wrong_sender"]
    # What goes to the address that was used says that a person looks, and nothing of the case.
    [_first, notice] = accepted.replies()
    assert reference(accepted) not in notice.as_string()


def test_the_case_id_in_the_file_continues_the_case_of_a_verified_sender(asked):
    """Without thread and token: the marked copy comes home."""
    named = naming(reference(asked))
    asked.deliver(from_luz(named, subject="corregido"))

    asked.tick()

    assert asked.column("cases.accepted_version") == [2]


def test_a_strangers_answer_in_our_thread_changes_nothing(accepted):
    """A Message-ID of ours may be forwarded: the case is its senders' and their institution's with the token."""
    accepted.deliver(mail("evil@z.example", "RE", files=[practice()], **in_thread(accepted)), passes=False)

    accepted.tick()

    assert accepted.column("cases.accepted_version") == [1]
    assert accepted.column("review.reason") == ["wrong_sender"]


def test_a_reference_that_we_never_gave_out_begins_no_case(quick_office):
    """A made-up token: a person looks."""
    quick_office.deliver(mail("x@z.example", "PMM-2026-0009-BBBBBBBB", files=[practice("P2")]))

    quick_office.tick()

    assert quick_office.count_of("cases") == 0
    assert quick_office.column("review.reason") == ["foreign_reference"]


@pytest.mark.parametrize("by", ["bare reference", "address", "thread"])
def test_words_of_withdrawal_stop_outgoing_mail(office_with, by):
    """With the bare reference, from the case's address, or in its thread: the request in preparation never leaves."""
    office = office_with(replies="quiet_minutes = 10")
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick()
    subject = reference(office) if by == "bare reference" else "Retiro de la práctica"
    headers = {"In_Reply_To": office.column("outbox.message_id")[0]} if by == "thread" else {}

    office.deliver(mail("luz@ong.example", subject, WITHDRAWN, **headers))
    office.tick()

    assert office.column("cases.frozen") == [True]
    assert office.column("outbox.state") == ["superseded"]
    assert office.column("review.reason") == ["withdrawal"]


def test_a_strangers_words_of_withdrawal_stop_nothing(asked):
    """They are a line of Por revisar; the case goes on."""
    asked.deliver(mail("evil@z.example", "RE", WITHDRAWN, **in_thread(asked)), passes=False)

    asked.tick()

    assert asked.column("cases.frozen") == [False]
    assert asked.column("review.reason") == ["withdrawal"]


def test_a_form_for_a_case_that_staff_ended_waits_for_a_person(asked):
    """What staff ended does not begin again by itself."""
    decided(asked, Close())
    asked.deliver(from_luz(subject="RE: Envío", **in_thread(asked)))

    asked.tick()

    assert asked.column("cases.disposition") == ["needs_correction"]
    assert asked.column("review.reason") == ["closed"]


# Put back, delivered again


def test_after_being_put_back_a_mail_delivered_again_is_one_more_copy(quick_office):
    """Looked at once more for the person; the second delivery is filed like the first and judged no further."""
    raw = from_ana()
    quick_office.deliver(raw)
    quick_office.tick()
    assert quick_office.put_back("Recibidas") == 1
    quick_office.tick()
    quick_office.deliver(raw)

    quick_office.tick()

    actions = quick_office.column("events.action")
    assert [action for action in actions if action in ("looked_again", "redelivered")] == [
        "looked_again",
        "redelivered",
    ]
    assert len(quick_office.imap.snapshot(quick_office.folder("Recibidas"))) == 2
    assert len(quick_office.replies()) == 1


def test_a_held_mail_that_is_put_back_gets_no_second_line(quick_office):
    """The same outcome adds nothing to Por revisar."""
    quick_office.deliver(mail("x@z.example", "PMM-2026-0009-BBBBBBBB", files=[practice("P2")]))
    quick_office.tick()
    replies = len(quick_office.replies())
    assert quick_office.put_back("Para una persona") == 1

    quick_office.tick()

    assert "looked_again" in quick_office.column("events.action")
    assert quick_office.column("review.reason") == ["foreign_reference"]
    assert len(quick_office.replies()) == replies


# Staff's decisions


def test_staffs_corrections_are_answered_once_when_the_form_is_complete(quick_office):
    """Filling in three answers is three versions and one letter; what they change later is no news."""
    quick_office.deliver(from_luz(practice("P2", summary=None, impact=None)))
    quick_office.tick()
    for field in ("summary", "impact", "title"):
        decided(quick_office, Correct(field=field, value=" ".join(["palabra"] * 80)))
        quick_office.tick()

    assert quick_office.column("outbox.kind") == ["correction", "acknowledgement"]
    assert quick_office.count_of("versions") == 4
    assert len(quick_office.replies()) == 2


def test_under_approval_a_reply_leaves_by_decision_and_the_case_gets_no_version(office_with):
    """The mail is filed and registered meanwhile; a second release finds nothing to let go."""
    office = office_with(replies='quiet_minutes = 0\nmode = "approve"')
    office.deliver(from_luz(practice("P2", summary=None)))
    office.tick(2)
    assert office.replies() == []
    assert office.imap.snapshot() == []

    decided(office, Release())
    office.tick()

    assert [reply["To"] for reply in office.replies()] == ["luz@ong.example"]
    assert office.count_of("versions") == 1
    with pytest.raises(DecisionRefused):
        decided(office, Release())


def test_under_approval_a_held_case_that_is_released_is_answered(office_with):
    """Looked at and let go with one decision: judged again, and its letter leaves."""
    office = office_with(replies='quiet_minutes = 0\nmode = "approve"')
    office.deliver(from_luz(practice("P2", summary="Ver anexo"), ("anexo.pdf", b"%PDF-1.7\n")))
    office.tick()
    assert office.column("cases.disposition") == ["held"]

    decided(office, Release())
    office.tick()

    assert office.column("cases.disposition") == ["accepted"]
    assert office.column("outbox.state")[-1] == "sent"
    assert len(office.replies()) == 1


def test_under_approval_a_reply_without_a_case_leaves_by_its_line(office_with):
    """A template request has no reference: its line of Por revisar is released instead."""
    office = office_with(replies='quiet_minutes = 0\nmode = "approve"')
    office.deliver(mail("bo@univ.example", "Form", "Could you please send me the practice form in Word?"))
    office.tick()
    [line] = office.column("review.id")
    assert office.column("review.reason") == ["approval"]

    decided(office, Release(), str(line))
    office.tick()

    assert [reply["To"] for reply in office.replies()] == ["bo@univ.example"]
    assert office.column("review.closed") == [True]
