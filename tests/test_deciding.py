"""Staff's decisions: recorded with person and reason, judged again and answered by the same path as mail."""

from __future__ import annotations

import email
import email.policy
import json
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from offices import ADDRESS, AUTHSERV, fields, form, mail
from sqlalchemy import select

from config import load
from intake import cases, outbox, projection, recall
from intake.committing import commit
from intake.deciding import Close, Correct, Decision, DecisionRefused, Join, Release, Waive, Withdraw, decide
from intake.judging import judge
from intake.ledger import Ledger
from intake.reading import read
from intake.schema import cases as case_table
from intake.schema import events
from intake.schema import outbox as letters
from intake.schema import review as lines

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ANA = "ana@muni.example"
REF = "PMM-2026-0001"


def configured(**replies):
    config = load()
    settings = config.settings
    changes = {
        "auth": settings.auth.model_copy(update={"trust": AUTHSERV}),
        "replies": settings.replies.model_copy(update={"quiet_minutes": 0, **replies}),
        "mailboxes": (_box(),),
    }
    return config.model_copy(update={"settings": settings.model_copy(update=changes)})


def _box():
    from config.settings import Mailbox

    return Mailbox(host="localhost", address=ADDRESS)


CONFIG = configured()


class Desk:
    """A ledger and the way of a mail through it, without servers; the clock goes a minute a step."""

    def __init__(self, config=CONFIG):
        self.config = config
        self.book = Ledger(None)
        self.book.open(NOW)
        self._minutes = count(1)
        self._mails = count(1)

    def _now(self):
        return NOW + timedelta(minutes=next(self._minutes))

    def waits(self, minutes):
        """Nothing happens for so long."""
        for _ in range(minutes):
            self._now()

    def arrives(
        self,
        *,
        sender=ANA,
        subject="Práctica",
        files=(),
        passes=True,
        text="Saludos.",
        thread=True,
        **answers,
    ):
        """A mail with a form of these answers (or with these files), judged and committed."""
        now, number = self._now(), next(self._mails)
        documents = files or [("p.docx", form(fields(**answers), self.config))]
        raw = mail(
            sender,
            subject,
            text,
            list(documents),
            Message_ID=f"<{number}@muni.example>",
            **(self._reply_to if thread else {}),
        )
        verdict = "pass" if passes else "none"
        head = (
            f"Authentication-Results: {AUTHSERV}; dmarc={verdict} header.from={sender.rpartition('@')[2]}\r\n"
        )
        reading = read(head.encode() + raw, self.config)
        with self.book.transaction() as connection:
            history = recall.history(connection, reading, self.config, now)
            judgement = judge(reading, history, self.config, now.date())
            commit(
                connection, reading, judgement, history, raw=str(number), received=now, earlier=None,
                sender=ADDRESS, config=self.config, now=now,
            )  # fmt: skip
        return judgement

    @property
    def _reply_to(self):
        """In the thread of the last reply, as people answer."""
        with self.book.reading() as connection:
            last = connection.scalar(select(letters.c.message_id).order_by(letters.c.id.desc()).limit(1))
        return {"In_Reply_To": last} if last else {}

    def decides(self, action, target=REF, by="MR", reason="Por teléfono."):
        return decide(
            self.book, self.config, Decision(target=target, action=action, by=by, reason=reason), self._now()
        )

    def sends(self):
        """Everything due leaves; the new replies."""
        now = self._now()
        sent = []
        with self.book.transaction() as connection:
            for owed in outbox.due(connection, now):
                sent.append(
                    email.message_from_bytes(
                        outbox.bytes_of(connection, owed.id), policy=email.policy.default
                    )
                )
                outbox.mark(connection, owed.id, "sent", now)
        return sent

    def case(self, reference=REF):
        with self.book.reading() as connection:
            return connection.execute(select(case_table).where(case_table.c.reference == reference)).one()

    def version(self, reference=REF):
        """Number, source and the form of the last version."""
        with self.book.reading() as connection:
            row = cases.last_version(connection, reference)
        return row.number, row.source, cases.form_json.validate_json(row.form)

    def decisions(self):
        with self.book.reading() as connection:
            rows = connection.execute(
                select(events).where(events.c.action == "decided").order_by(events.c.id)
            ).all()
        return [{"by": row.by, **json.loads(row.detail)} for row in rows]

    def lines(self):
        with self.book.reading() as connection:
            return connection.execute(select(lines).order_by(lines.c.id)).all()

    def states(self):
        with self.book.reading() as connection:
            return list(connection.scalars(select(letters.c.state).order_by(letters.c.id)))


@pytest.fixture(name="desk")
def _desk():
    desk = Desk()
    yield desk
    desk.book.close()


def text_of(reply):
    return reply.get_body(("plain",)).get_content()


# Correct


def test_a_correction_completes_the_case_and_the_sender_hears_of_it(desk):
    """A new version from staff, the acknowledgement by the same path, in the sender's thread."""
    desk.arrives(start=None)
    [request] = desk.sends()
    assert desk.case().disposition == "needs_correction"

    assert desk.decides(Correct(field="start", value="marzo de 2021")) == "accepted"

    [thanks] = desk.sends()
    number, source, filed = desk.version()
    assert (number, source) == (2, "MR")
    assert filed.value("start") == "2021-03"
    assert desk.case().situation == "complete"
    assert thanks["To"] == ANA
    assert thanks["In-Reply-To"] == request["In-Reply-To"] == "<1@muni.example>"
    assert thanks["Auto-Submitted"] == "auto-replied"
    assert REF in text_of(thanks)


def test_who_decided_what_and_why_is_kept(desk):
    """One line of the case's story; never the value, which may be personal."""
    desk.arrives(start=None)

    desk.decides(Correct(field="start", value="2021"), by="LQ", reason="Lo dijo por teléfono.")

    assert desk.decisions() == [
        {"by": "LQ", "reason": "Lo dijo por teléfono.", "decision": "correct", "field": "start"}
    ]


def test_a_correction_that_leaves_something_open_asks_nobody_again(desk):
    """Staff fill in one answer after the other; only the completed form is news."""
    desk.arrives(start=None, summary=None)
    desk.sends()

    assert desk.decides(Correct(field="start", value="2021")) == "needs_correction"
    assert desk.sends() == []
    assert desk.decides(Correct(field="summary", value="Un resumen. " * 30)) == "accepted"
    assert len(desk.sends()) == 1


def test_a_request_that_has_not_left_yet_asks_no_longer_for_what_staff_filled_in():
    """One letter in its new form, and one round."""
    desk = Desk(configured(quiet_minutes=10))
    desk.arrives(start=None, summary=None)

    desk.decides(Correct(field="start", value="2021"))

    assert desk.states() == ["superseded", "due"]
    assert desk.case().rounds == 1
    assert desk.sends() == []
    desk.waits(10)
    [request] = desk.sends()
    assert "Resumen" in text_of(request)
    assert "¿Desde cuándo?" not in text_of(request)


def test_a_correction_of_a_complete_case_is_silent(desk):
    """A title put in capitals is daily work."""
    desk.arrives()
    desk.sends()

    assert desk.decides(Correct(field="title", value="Otro título")) == "accepted"

    assert desk.sends() == []
    assert desk.version()[2].value("title") == "Otro título"
    assert desk.case().title == "Otro título"
    assert desk.case().changed > desk.case().registered


def test_staffs_word_stands_over_later_versions(desk):
    """Whatever the submitter sends next; the last correction of a field counts."""
    desk.arrives(start=None, summary=None)
    desk.sends()
    desk.decides(Correct(field="start", value="2020"))
    desk.decides(Correct(field="start", value="2021"))

    judgement = desk.arrives(start="2019")

    assert [form.case.reference for form in judgement.forms] == [REF]
    assert desk.case().disposition == "accepted"
    assert desk.version()[2].value("start") == "2021"
    assert len(desk.sends()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nonsense", "x"),
        # Staff's own slip must not become a question to the sender.
        ("start", "marso"),
        ("focal_email", "ana en muni"),
        ("primary_objectives", "99"),
        ("consent_publish", "quizás"),
    ],
)
def test_a_correction_that_cannot_be_read_is_refused_and_leaves_no_trace(desk, field, value):
    """No version, no event, no mail."""
    desk.arrives(start=None)
    desk.sends()

    with pytest.raises(DecisionRefused) as told:
        desk.decides(Correct(field=field, value=value))

    assert field in str(told.value)
    assert told.value.exit_code == 2
    assert desk.version()[0] == 1
    assert desk.decisions() == []
    assert desk.sends() == []


def test_an_answer_can_be_cleared(desk):
    """An optional one is then blank; the case stays complete."""
    desk.arrives(people="Mil personas")

    assert desk.decides(Correct(field="people", value="")) == "accepted"
    assert desk.version()[2].value("people") is None


def test_consent_can_be_corrected_with_what_the_submitter_answered(desk):
    """All four answers; the register says so."""
    desk.arrives(consent_publish=None)

    assert desk.decides(Correct(field="consent_publish", value="no")) == "accepted"
    assert desk.case().situation == "unauthorized"


def test_images_still_need_their_permission_after_a_correction(desk):
    """What came with the form is not forgotten, however often staff correct."""
    files = [("p.docx", form(fields(start=None, consent_images=None), CONFIG)), ("foto.jpg", JPEG)]
    desk.arrives(files=files)

    assert desk.decides(Correct(field="start", value="2021")) == "needs_correction"
    assert desk.decides(Correct(field="title", value="Otro")) == "needs_correction"
    assert desk.decides(Correct(field="consent_images", value="Sí")) == "accepted"


JPEG = bytes.fromhex("ffd8ffe000104a46494600010101006000600000") + b"\0" * 200 + b"\xff\xd9"


# Waive


def test_a_waiver_lets_one_finding_pass(desk):
    """For this code, field and value; the case is complete without it and stays so in the next version."""
    desk.arrives(start=None)
    desk.sends()

    assert desk.decides(Waive(code="answer.missing", field="start")) == "accepted"
    assert len(desk.sends()) == 1

    desk.arrives(start=None, title="Otro título casi igual")
    assert desk.case().disposition == "accepted"


def test_a_waiver_does_not_hold_for_another_value(desk):
    """A later version that brings a new mistake is asked about; the accepted version stands meanwhile."""
    desk.arrives(start=None)
    desk.decides(Waive(code="answer.missing", field="start"))
    desk.sends()

    judgement = desk.arrives(summary=None, start=None)

    assert [finding.field for finding in judgement.forms[0].findings if finding.severity == "error"] == [
        "summary"
    ]
    assert (desk.case().disposition, desk.case().accepted_version) == ("accepted", 2)


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("answer.missing", "consent_publish"),
        # A slip in code or field would otherwise pass for a dispensation.
        ("answer.missing", None),
        ("answer.missing", "title"),
        ("answer.mising", "start"),
    ],
)
def test_consent_and_what_was_not_found_cannot_be_waived(desk, code, field):
    """Told what could be."""
    desk.arrives(start=None, consent_publish=None)

    with pytest.raises(DecisionRefused) as told:
        desk.decides(Waive(code=code, field=field))

    assert "consent" in str(told.value) or "answer.missing start" in str(told.value)
    assert desk.case().disposition == "needs_correction"
    assert desk.decisions() == []


# Release


def test_a_held_case_that_is_released_goes_on(desk):
    """Judged again without what held it; the sender gets the acknowledgement."""
    desk.arrives(status="not_started", start=None)
    [notice] = desk.sends()
    assert desk.case().disposition == "held"

    assert desk.decides(Release()) == "accepted"

    [thanks] = desk.sends()
    assert text_of(thanks) != text_of(notice)
    assert desk.case().situation == "complete"


def test_what_was_released_stays_released(desk):
    """A later correction does not hold it again."""
    desk.arrives(status="not_started", start=None)
    desk.decides(Release())

    assert desk.decides(Correct(field="people", value="Mil personas")) == "accepted"
    assert (
        desk.arrives(status="not_started", start=None, short="Otra frase").forms[0].disposition.reason
        == "complete"
    )


def test_what_the_sender_must_still_mend_is_asked_for_after_a_release(desk):
    """A person saw the one, not the other."""
    desk.arrives(status="not_started", summary=None)
    desk.sends()

    assert desk.decides(Release()) == "needs_correction"
    [request] = desk.sends()
    assert "Resumen" in text_of(request)


def test_a_third_round_is_a_persons_to_ask_for(desk):
    """Held after two requests; released, a third request goes."""
    for words in ("uno", "dos", "tres"):
        desk.arrives(summary=None, short=words)
        desk.sends()
    assert desk.case().reason == "third_round"

    assert desk.decides(Release()) == "needs_correction"
    [request] = desk.sends()
    assert "Resumen" in text_of(request)


def test_a_release_never_stands_for_consent(desk):
    """A consent that is said to be in an annex is still the submitter's to give."""
    word = form(fields(consent_publish=None), CONFIG)
    desk.arrives(files=[("p.docx", _with_consent(word, "ver anexo")), ("anexo.pdf", b"%PDF-1.4\n%%EOF\n")])
    assert desk.case().disposition == "held"

    assert desk.decides(Release()) == "needs_correction"
    assert desk.case().situation != "complete"


def _with_consent(document, words):
    """Words in the cell of question 33, which has boxes below it."""
    import io

    from docx import Document

    opened = Document(io.BytesIO(document))
    [cell] = [
        row.cells[1] for table in opened.tables for row in table.rows if row.cells[0].text.startswith("33.")
    ]
    cell.paragraphs[-1].add_run(words)
    target = io.BytesIO()
    opened.save(target)
    return target.getvalue()


def test_nothing_is_released_where_nothing_is_held(desk):
    """A complete case with its letter gone."""
    desk.arrives()
    desk.sends()

    with pytest.raises(DecisionRefused):
        desk.decides(Release())
    assert desk.version()[0] == 1


def test_replies_that_wait_for_a_person_leave_when_released():
    """In approve mode; no new version."""
    desk = Desk(configured(mode="approve"))
    desk.arrives()
    assert desk.sends() == []

    assert desk.decides(Release()) == "accepted"

    assert len(desk.sends()) == 1
    assert desk.version()[0] == 1


def test_a_release_thaws_what_words_of_withdrawal_froze(desk):
    """A false alarm: the letter that was stopped goes in its new form."""
    desk.arrives(summary=None)
    judgement = desk.arrives(files=[("nota.txt", b"nota")], text="Solicitamos retirar la práctica.")
    assert judgement.freezes
    assert desk.sends() == []

    assert desk.decides(Release()) == "needs_correction"

    [request] = desk.sends()
    assert "Resumen" in text_of(request)
    assert not desk.case().frozen


# Join, withdraw, close


def test_a_joined_case_ends_and_names_the_other(desk):
    """The other goes on alone; what was unsent of this one never leaves."""
    desk.arrives(title="Voces organizadas")
    desk.sends()
    desk.arrives(sender="luz@ong.example", title="Una práctica muy distinta", summary=None, thread=False)
    second = "PMM-2026-0002"

    desk.decides(Join(other=REF), target=second)

    assert (desk.case(second).closed, desk.case(second).joined_to) == (True, REF)
    assert not desk.case(REF).closed
    assert desk.sends() == []
    assert desk.decisions()[-1]["other"] == REF


@pytest.mark.parametrize("other", [REF, "PMM-2026-0999"])
def test_a_case_joins_another_that_is_there(desk, other):
    """Neither itself nor nothing."""
    desk.arrives()

    with pytest.raises(DecisionRefused):
        desk.decides(Join(other=other))
    assert not desk.case().closed


def test_a_withdrawn_case_is_silent_for_good(desk):
    """Unsent letters never leave; a later version is held for a person and changes nothing."""
    desk.arrives(summary=None)

    desk.decides(Withdraw())

    assert desk.states() == ["superseded"]
    assert (desk.case().situation, desk.case().closed, desk.case().frozen) == ("withdrawn", True, True)
    judgement = desk.arrives()
    assert (judgement.disposition.reason, judgement.reply) == ("closed", False)
    assert desk.case().situation == "withdrawn"


def test_a_new_version_in_a_closed_cases_thread_is_held(desk):
    """What staff ended does not begin again by itself."""
    desk.arrives()
    desk.sends()
    desk.decides(Close())

    judgement = desk.arrives(short="Otra frase")

    assert judgement.disposition.reason == "closed"
    assert desk.version()[0] == 1
    assert [line.reason for line in desk.lines()] == ["closed"]


@pytest.mark.parametrize("action", [Correct(field="title", value="x"), Release(), Close(), Withdraw()])
def test_an_ended_case_is_decided_no_more(desk, action):
    """Told so."""
    desk.arrives()
    desk.decides(Close())

    with pytest.raises(DecisionRefused, match="closed"):
        desk.decides(action)


def test_an_unknown_case_is_told(desk):
    """No case, no event."""
    with pytest.raises(DecisionRefused, match="PMM-2026-0999"):
        desk.decides(Close(), target="PMM-2026-0999")


# Lines of "Por revisar"


def test_a_line_is_closed_by_its_number_with_person_and_reason(desk):
    """The register shows who saw to it."""
    desk.arrives(status="not_started")
    [line] = desk.lines()

    assert desk.decides(Close(), target=str(line.id)) == "closed"

    [line] = desk.lines()
    assert (line.closed, line.result) == (True, "MR: Por teléfono.")
    assert line.changed > line.registered


@pytest.mark.parametrize(
    ("target", "action"),
    [("999", Close()), ("1", Withdraw()), ("1", Release()), ("1", Correct(field="title", value="x"))],
)
def test_a_line_knows_few_actions(desk, target, action):
    """An unknown number, an action of cases, a release where no reply waits: refused."""
    desk.arrives(status="not_started")
    desk.sends()

    with pytest.raises(DecisionRefused):
        desk.decides(action, target=target)
    assert not desk.lines()[0].closed


def test_what_is_decided_is_shown_in_the_register(desk):
    """The case's row is written anew after each decision."""
    desk.arrives(start=None)
    with desk.book.transaction() as connection:
        connection.execute(case_table.update().values(registered=case_table.c.changed))

    desk.decides(Correct(field="start", value="2021"))

    with desk.book.reading() as connection:
        wanted, _cases, _lines = projection.wanted_rows(connection, CONFIG)
    [row] = wanted.practices
    assert row.cells["start"] == "2021"


def test_a_title_that_staff_translated_is_still_the_same_practice(desk):
    """The sender's next version bears the old title."""
    desk.arrives(start=None)
    desk.sends()
    desk.decides(Correct(field="start", value="2021"))
    desk.decides(Correct(field="title", value="Voces: women on the loudspeaker"))

    assert desk.arrives(short="Otra frase").disposition.reason == "complete"
