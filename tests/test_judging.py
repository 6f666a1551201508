"""The verdict on a mail: disposition, reply plan, filing, from a reading and what the ledger knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from forms_in_words import CONFIG, blank, form_of

from intake.answering import form_section, reply_for
from intake.cases import Recorded
from intake.dispositions import (
    PRECEDENCE,
    Accepted,
    Answered,
    FormJudgement,
    Held,
    Ignored,
    NeedsCorrection,
    name_of,
)
from intake.form_judging import judge_form, with_corrections
from intake.history import Earlier, FormHistory, History, KnownCase, Waiver
from intake.judging import judge
from intake.reading import File, Reading
from intake.relevance import Request
from intake.screening import Screening
from parsers.form import Finding
from responses.letters import Acknowledgement, Correction, TemplateEnclosed, Waiting
from responses.telling import staff_reason

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PERSON = Screening(kind="person", process=True, may_reply=True, reason="person", trust="verified")
COMPLETE = form_of()
INCOMPLETE = form_of(summary=None, start=None)


def file(form=None, *, name="f.docx", kind="docx", inline=False, findings=()):
    return File(
        name=name,
        size=1000,
        digest=name,
        part="1",
        inline=inline,
        kind=kind,
        form=form,
        findings=tuple(findings),
    )


def reading(*files, screening=PERSON, **values):
    values = {"sender": "ana@muni.example", **values}
    return Reading(digest="d", message_id="<m@x.example>", screening=screening, files=tuple(files), **values)


def past(mail, **values):
    """What the ledger knows: nothing, unless told."""
    return History(**{"forms": tuple(FormHistory() for _ in mail.forms), **values})


def verdict(mail, *, config=CONFIG, **values):
    return judge(mail, past(mail, **values), config, TODAY)


def known(**values):
    return KnownCase(**{"reference": "PMM-2026-0001", "disposition": "needs_correction", **values})


def config_with(**changes):
    """The shipped configuration with other settings: `replies`, `limits`, `mailboxes` ..."""
    settings = CONFIG.settings
    for name, values in changes.items():
        settings = settings.model_copy(
            update={name: getattr(settings, name).model_copy(update=values)}
            if isinstance(values, dict)
            else {name: values}
        )
    return CONFIG.model_copy(update={"settings": settings})


def letter_of(mail, judged, config=CONFIG):
    """The reply in words, the references as the ledger would give them."""
    references = tuple(
        f"PMM-2026-{place:04d}" if item.opens_case else None for place, item in enumerate(judged.forms, 1)
    )
    recorded = Recorded(
        message=1, references=references, tokens={each: f"{each}-K7QX2M9D" for each in references if each}
    )
    return reply_for(mail, judged, recorded, received=NOW, language="es", config=config)


# One form


def test_a_complete_form_is_accepted():
    """Advice and notes change nothing."""
    assert judge_form(COMPLETE, CONFIG, TODAY)[2] == Accepted()
    assert judge_form(form_of(start="2016", countries="Kosovo"), CONFIG, TODAY)[2] == Accepted()


def test_a_mandatory_field_without_a_usable_value_needs_correction():
    """All of them are told at once."""
    _filed, findings, disposition = judge_form(INCOMPLETE, CONFIG, TODAY)

    assert disposition == NeedsCorrection()
    assert [finding.field for finding in findings if finding.severity == "error"] == ["start", "summary"]


def test_what_a_person_must_see_is_held_whatever_else_lacks():
    """Hold stands above correction."""
    form = form_of(status="Aún no empieza", summary=None)

    assert judge_form(form, CONFIG, TODAY)[2] == Held(reason="status.not_started")


def test_the_third_round_goes_to_a_person():
    """Two correction requests at most; a complete form is accepted at any time."""
    assert judge_form(INCOMPLETE, CONFIG, TODAY, case=known(rounds=1))[2] == NeedsCorrection()
    assert judge_form(INCOMPLETE, CONFIG, TODAY, case=known(rounds=2))[2] == Held(reason="third_round")
    assert judge_form(COMPLETE, CONFIG, TODAY, case=known(rounds=2))[2] == Accepted()


def test_an_empty_form_by_itself_lacks_everything():
    """`check` says so, question by question; only the prefilled country is there."""
    form = replace(blank(), empty=True)

    _filed, findings, disposition = judge_form(form, CONFIG, TODAY)

    mandatory = [field.key for field in CONFIG.template.fields if field.requirement == "mandatory"]
    assert disposition == NeedsCorrection()
    assert {finding.code for finding in findings} == {"answer.missing"}
    assert set(mandatory) <= {finding.field for finding in findings}


def test_a_waiver_holds_for_this_code_field_and_value():
    """Another value, another code or another field is told again."""
    form = form_of(start="desde siempre")
    waived = Waiver(code="date.unreadable", field="start", value="desde siempre")

    def judged(waiver, words="desde siempre"):
        return judge_form(form_of(start=words), CONFIG, TODAY, case=known(waivers=(waiver,)))[2]

    assert judge_form(form, CONFIG, TODAY)[2] == NeedsCorrection()
    assert judged(waived) == Accepted()
    assert judged(waived, "hace mucho") == NeedsCorrection()
    assert judged(replace(waived, code="answer.missing")) == NeedsCorrection()
    assert judged(replace(waived, field="end")) == NeedsCorrection()


def test_consent_cannot_be_waived():
    """Not even by a waiver that found its way into the ledger."""
    waiver = Waiver(code="answer.missing", field="consent_publish", value="")

    disposition = judge_form(form_of(consent_publish=None), CONFIG, TODAY, case=known(waivers=(waiver,)))[2]

    assert disposition == NeedsCorrection()


def test_staffs_corrections_stand_over_what_the_sender_wrote():
    """Read by the same reader; what was found about the sender's words is gone."""
    case = known(corrections={"start": "marzo de 2020", "summary": "Un resumen de la Secretaría."})

    form = with_corrections(form_of(start="desde siempre", summary=None), case, CONFIG)

    assert form.value("start") == "2020-03"
    assert form.value("summary") == "Un resumen de la Secretaría."
    assert form.findings == ()


def test_staffs_choice_takes_away_own_words_beside_the_senders():
    """`Otro: feria` corrected to a type of the list leaves no "feria" behind."""
    form = form_of(type="Otro: feria laboral", countries="Perú, Kosovo")
    assert form.value("type_other") == "feria laboral"
    assert form.value("countries_other") == ["Kosovo"]

    form = with_corrections(form, known(corrections={"type": "Servicio", "countries": "Perú"}), CONFIG)

    assert form.value("type") == "service"
    assert form.value("type_other") is None
    assert form.value("countries_other") is None


def test_staffs_start_frees_an_end_that_came_before_the_senders():
    """Start and end are read together again."""
    form = form_of(status="Concluida", start="2022", end="2021")
    assert form.value("end") is None

    form = with_corrections(form, known(corrections={"start": "2020"}), CONFIG)

    assert form.value("end") == "2021"
    assert judge_form(form, CONFIG, TODAY)[2] == Accepted()


def test_a_correction_that_makes_dates_impossible_is_found():
    """The check looks at what is filed, whoever wrote it."""
    form = with_corrections(
        form_of(status="Concluida", start="2020", end="2021"), known(corrections={"start": "2023"}), CONFIG
    )

    filed, findings, disposition = judge_form(form, CONFIG, TODAY)

    assert [(finding.severity, finding.code) for finding in findings] == [("error", "date.end_before_start")]
    assert filed.value("end") is None
    assert disposition == NeedsCorrection()


# A mail with forms


@pytest.mark.parametrize(
    ("form", "disposition", "folder"),
    [
        (COMPLETE, Accepted(), "accepted"),
        (INCOMPLETE, NeedsCorrection(), "needs_correction"),
        (form_of(status="Aún no empieza"), Held(reason="status.not_started"), "held"),
        # Consent has four answers, all of them complete.
        (form_of(consent_publish="No"), Accepted(), "accepted"),
        (form_of(consent_publish="Pendiente"), Accepted(), "accepted"),
        (form_of(consent_publish="Sí, sin fotos"), Accepted(), "accepted"),
    ],
)
def test_the_mail_takes_the_disposition_of_its_form(form, disposition, folder):
    """It is filed by it, and answered."""
    judged = verdict(reading(file(form)))

    assert judged.disposition == disposition
    assert judged.file_to == folder
    assert judged.reply
    assert judged.review == (disposition.reason if folder == "held" else None)


@pytest.mark.parametrize("first", range(len(PRECEDENCE[:3])))
@pytest.mark.parametrize("second", range(len(PRECEDENCE[:3])))
def test_the_gravest_form_decides_for_the_mail(first, second):
    """Held, needs_correction, accepted, in this order, whichever stands first; each form keeps its own."""
    makers = ({"status": "Aún no empieza"}, {"summary": None, "start": None}, {})
    mail = reading(
        *(
            file(form_of(title=f"Práctica {name}", **makers[place]), name=name)
            for name, place in (("a", first), ("b", second))
        )
    )

    judged = verdict(mail)

    assert name_of(judged.disposition) == PRECEDENCE[min(first, second)]
    assert [name_of(form.disposition) for form in judged.forms] == [PRECEDENCE[first], PRECEDENCE[second]]


def test_the_same_practice_as_word_and_as_excel_is_one_form():
    """Judged once, whatever the file; with other answers it is another form."""
    word, excel = file(COMPLETE, name="a.docx"), file(COMPLETE, name="a.xlsx", kind="xlsx")

    assert len(verdict(reading(word, excel)).forms) == 1
    assert len(verdict(reading(word, file(form_of(start="2020"), name="b"))).forms) == 2


def test_two_forms_for_one_case_are_not_guessed_at():
    """The first continues it, a person looks at the second."""
    mail = reading(file(COMPLETE, name="a"), file(form_of(start="2020"), name="b"))
    history = FormHistory(case=known(), link="thread")

    judged = verdict(mail, forms=(history, history))

    assert [form.disposition for form in judged.forms] == [Accepted(), Held(reason="several_for_one_case")]
    assert [form.opens_case for form in judged.forms] == [True, False]


def test_a_file_beside_the_form_that_cannot_be_read_is_told_to_staff():
    """A line of its own, and no word to the sender; the form's verdict stands."""
    other = file(name="b.docx", findings=[Finding(code="damaged.zip")])

    judged = verdict(reading(file(COMPLETE), other))

    assert judged.disposition == Accepted()
    assert judged.also_review == ("other_file_unread",)
    assert verdict(reading(file(COMPLETE), file(name="OFICIO.pdf", kind="pdf"))).also_review == ()


def test_two_forms_get_one_letter_with_a_section_each():
    """One mail gives one reply."""
    mail = reading(file(COMPLETE, name="a"), file(INCOMPLETE, name="b"))

    reply = letter_of(mail, verdict(mail))

    assert [type(section) for section in reply.letter.sections] == [Acknowledgement, Correction]
    assert reply.kind == "correction"


@pytest.mark.parametrize(
    ("other", "disposition"),
    [
        (file(name="anexo.pdf", kind="pdf"), Held(reason="answer.refers_to_attachment")),
        (file(name="foto.jpg", kind="image"), Held(reason="answer.refers_to_attachment")),
        # A logo in the signature, an empty file or a second form is no annex.
        (file(name="logo.png", kind="image", inline=True), NeedsCorrection()),
        (file(name="nada", kind="empty"), NeedsCorrection()),
        (file(COMPLETE, name="otra.docx"), NeedsCorrection()),
    ],
)
def test_see_annex_is_held_with_another_attachment_only(other, disposition):
    """A person opens what came along."""
    form = form_of(summary="Ver anexo", consent_images="Sí")

    judged = verdict(reading(file(form), other))

    assert judged.forms[0].disposition == disposition


def test_photographs_need_an_authorisation_and_logos_do_not():
    """Pictures of the body are not sent for publication."""
    photograph = file(name="foto.jpg", kind="image")

    assert verdict(reading(file(COMPLETE), photograph)).disposition == NeedsCorrection()
    assert verdict(reading(file(COMPLETE), replace(photograph, inline=True))).disposition == Accepted()


def test_an_official_letter_beside_the_form_causes_no_finding():
    """The signed PDF is filed with the rest."""
    judged = verdict(reading(file(COMPLETE), file(name="OFICIO.pdf", kind="pdf")))

    assert judged.disposition == Accepted()
    assert judged.forms[0].findings == ()


def test_a_blank_form_beside_a_filled_one_is_not_spoken_of():
    """Somebody attached both."""
    judged = verdict(reading(file(replace(blank(), empty=True), name="a"), file(COMPLETE, name="b")))

    assert [name_of(form.disposition) for form in judged.forms] == ["accepted"]


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (FormHistory(foreign=True), "foreign_reference"),
        (FormHistory(case=known(), link="token", allowed=False), "wrong_sender"),
        (FormHistory(case=known(closed=True), link="thread"), "closed"),
        (FormHistory(case=known(accepted_version=1), link="thread", other_practice=True), "other_practice"),
    ],
)
def test_a_form_that_may_not_join_its_case_is_held_and_never_merged(history, reason):
    """A row of "Por revisar", no case; the notice names no reference and no values."""
    mail = reading(file(COMPLETE))

    judged = verdict(mail, forms=(history,))

    assert judged.disposition == Held(reason=reason)
    assert not judged.forms[0].opens_case
    assert judged.review == reason
    assert letter_of(mail, judged).letter.sections == (Waiting(),)


@pytest.mark.parametrize(
    ("change", "values", "reason"),
    [
        ({"screening": replace(PERSON, dmarc_failed=True, trust="unverified")}, {}, "dmarc"),
        ({"sender": None}, {}, "no_sender"),
        ({"screening": replace(PERSON, may_reply=False)}, {}, "weak_signs"),
        ({}, {"cases_today": CONFIG.settings.limits.cases_per_address_day}, "limit"),
    ],
)
def test_a_form_that_cannot_be_taken_at_its_word_opens_no_case_and_gets_no_answer(change, values, reason):
    """A person decides; nothing is found about it."""
    judged = verdict(reading(file(INCOMPLETE), **change), **values)

    assert judged.disposition == Held(reason=reason)
    assert judged.review == reason
    assert judged.silence == reason
    assert not judged.reply
    assert [form.opens_case for form in judged.forms] == [False]


def test_more_forms_than_a_mail_may_hold_are_held():
    """The limit holds for all of them together."""
    count = CONFIG.settings.limits.forms_per_mail + 1

    forms = (form_of(title=f"Práctica número {place}") for place in range(count))
    judged = verdict(reading(*(file(form, name=str(place)) for place, form in enumerate(forms))))

    assert judged.disposition == Held(reason="forms")
    assert len(judged.forms) == count


def test_a_new_version_is_no_new_case_for_the_daily_limit():
    """Somebody who corrects is not stopped by what they began today."""
    mail = reading(file(COMPLETE))
    history = FormHistory(case=known(), link="thread")

    judged = verdict(mail, forms=(history,), cases_today=CONFIG.settings.limits.cases_per_address_day)

    assert judged.disposition == Accepted()


def test_a_held_case_gets_its_notice_once():
    """The second held version is silent; what changed speaks again."""
    mail = reading(file(form_of(status="Aún no empieza")))
    noticed = FormHistory(case=known(disposition="held", noticed=True), link="thread")

    assert verdict(mail).reply
    assert verdict(mail, forms=(noticed,)).silence == "nothing_new"
    assert verdict(reading(file(COMPLETE)), forms=(noticed,)).reply


def test_a_frozen_case_is_not_answered():
    """After words of withdrawal only a person writes; the form is judged and kept."""
    judged = verdict(reading(file(COMPLETE)), forms=(FormHistory(case=known(frozen=True), link="thread"),))

    assert judged.silence == "frozen"
    assert judged.forms[0].disposition == Accepted()


@pytest.mark.parametrize(
    ("earlier", "silence"),
    [
        (Earlier(disposition="needs_correction", errors=(("answer.missing", "start"), ("answer.missing", "summary"))), "unchanged"),
        (Earlier(disposition="needs_correction", errors=(("answer.missing", "start"),)), None),
        (Earlier(disposition="held"), None),
    ],
)  # fmt: skip
def test_a_mail_looked_at_again_is_answered_only_if_the_outcome_differs(earlier, silence):
    """The same errors need no second letter."""
    assert verdict(reading(file(INCOMPLETE)), earlier=earlier).silence == silence


def test_a_form_that_a_person_answered_is_judged_and_not_answered():
    """Silence has a reason; the case is opened all the same."""
    judged = verdict(reading(file(COMPLETE)), answered_by_person=True)

    assert judged.disposition == Accepted()
    assert judged.silence == "answered_by_person"
    assert not judged.reply


@pytest.mark.parametrize(
    ("values", "delay"),
    [
        ({}, None),
        ({"replies_today": CONFIG.settings.replies.per_address_day}, "day"),
        ({"replies_this_hour": CONFIG.settings.replies.per_hour}, "hour"),
    ],
)
def test_at_a_cap_the_reply_waits_and_is_not_swallowed(values, delay):
    """The form is judged now; the sender hears when the cap frees."""
    judged = verdict(reading(file(COMPLETE)), **values)

    assert judged.disposition == Accepted()
    assert judged.reply
    assert judged.delay == delay


def test_replies_can_be_switched_off():
    """Intake goes on."""
    judged = verdict(reading(file(COMPLETE)), config=config_with(replies={"mode": "off"}))

    assert (judged.disposition, judged.silence) == (Accepted(), "replies_off")


# A mail without a form


def weak(*files, **values):
    return reading(*files, weak="es", **values)


def test_mail_that_is_not_about_the_call_is_left_for_people():
    """Not moved, not answered, no row."""
    judged = verdict(reading(file(name="foto.jpg", kind="image"), file(name="x.pdf", kind="pdf")))

    assert judged.disposition == Ignored(reason="left_for_people")
    assert (judged.file_to, judged.review, judged.reply) == (None, None, False)


def test_an_empty_template_that_comes_back_is_answered_with_the_template():
    """No case, no findings, no question by question."""
    mail = reading(file(replace(blank(), empty=True)))

    judged = verdict(mail)
    reply = letter_of(mail, judged)

    assert judged.disposition == Answered(reason="empty_template")
    assert (judged.forms, judged.file_to) == ((), "answered")
    assert reply.letter.sections == (TemplateEnclosed(reason="empty"),)
    assert len(reply.attachments) == 2


def test_a_request_gets_the_template_and_a_further_question_a_person_too():
    """Deadline, money and certificates are never answered by a machine."""
    plain = verdict(reading(request=Request(language="es", also_question=False)))
    asking = verdict(reading(request=Request(language="es", also_question=True)))

    assert (plain.disposition, plain.answer) == (Answered(reason="template_requested"), "template")
    assert plain.review is None
    assert (asking.disposition, asking.answer) == (Held(reason="question"), "template")
    assert asking.review == "question"
    assert asking.reply


def test_a_file_in_another_format_gets_one_letter_on_formats():
    """Only where something says that it is about the call."""
    pdf = file(name="p.pdf", kind="pdf", findings=[Finding(code="format.pdf")])

    judged = verdict(weak(pdf))

    assert judged.disposition == Answered(reason="format")
    assert [finding.code for finding in judged.format_findings] == ["format.pdf"]
    assert verdict(reading(pdf)).disposition == Ignored(reason="left_for_people")


def test_a_foreign_document_with_content_is_held():
    """A person may register it by hand; the sender gets the notice."""
    foreign = file(findings=[Finding(code="template_mismatch.foreign", severity="hold")])

    judged = verdict(weak(foreign))

    assert judged.disposition == Held(reason="foreign_document")
    assert (judged.answer, judged.file_to, judged.review) == ("waiting", "held", "foreign_document")


def test_weak_evidence_without_a_file_to_speak_of_is_held():
    """A link, for instance; never a case."""
    judged = verdict(weak(file(findings=[Finding(code="template_mismatch.other")])))

    assert judged.disposition == Held(reason="no_form")
    assert judged.forms == ()


def test_the_notice_for_mail_without_a_case_goes_once_to_an_address():
    """The second such mail is held in silence."""
    assert verdict(weak()).reply
    assert verdict(weak(), noticed=True).silence == "noticed_before"


def test_words_in_a_cases_thread_are_for_people_alone():
    """Never answered; the case hears of it."""
    judged = verdict(reading(own_text="la fecha es marzo 2021"), thread_case=known(), ours=True)

    assert judged.disposition == Held(reason="reply_in_words")
    assert not judged.reply
    assert judged.thread_case == known()
    assert not judged.freezes


def test_words_of_withdrawal_freeze_the_case():
    """Only of a known case, and only from who may speak for it; elsewhere the mail is left."""
    mail = reading(withdrawal=True)

    judged = verdict(mail, thread_case=known(), ours=True, may_freeze=True)
    strangers = verdict(mail, thread_case=known(), ours=True)

    assert judged.disposition == strangers.disposition == Held(reason="withdrawal")
    assert judged.freezes
    assert not strangers.freezes
    assert verdict(mail).disposition == Ignored(reason="left_for_people")


@pytest.mark.parametrize("kind", ["automatic", "bounce", "list", "own"])
def test_machine_mail_is_filed_only_if_it_names_us(kind):
    """Never answered; ourselves never filed either."""
    machine = Screening(kind=kind, process=False, may_reply=False, reason=kind)
    mail = reading(screening=machine)

    alone, named = verdict(mail), verdict(mail, ours=True)

    assert (alone.disposition, alone.file_to, alone.reply) == (Ignored(reason=kind), None, False)
    assert named.file_to == (None if kind == "own" else "automatic")
    assert not named.reply


def test_a_forged_mail_about_the_call_is_held_in_silence():
    """DMARC fail holds; what is not about the call is left all the same."""
    forged = replace(PERSON, dmarc_failed=True, trust="unverified")

    assert verdict(weak(screening=forged)).disposition == Held(reason="dmarc")
    assert not verdict(weak(screening=forged)).reply
    assert verdict(reading(screening=forged)).disposition == Ignored(reason="left_for_people")


def test_a_dedicated_box_leaves_nothing():
    """What is not about the call is held for a person there."""
    from config.settings import Mailbox

    box = Mailbox(host="localhost", address="practicas@oficina.example", dedicated=True)

    judged = verdict(reading(), config=config_with(mailboxes=(box,)))

    assert judged.disposition == Held(reason="question")
    assert judged.file_to == "held"


# What is said


def test_findings_for_staff_alone_are_in_no_message_to_a_sender():
    """Notes stay with the case, whatever the letter."""
    note = Finding(code="title.capitals", field="title", severity="note", params={"read": "VOCES SECRETAS"})

    for form in (COMPLETE, INCOMPLETE):
        mail = reading(file(replace(form, findings=(*form.findings, note))))
        judged = verdict(mail)
        assert note in judged.forms[0].findings
        reply = letter_of(mail, judged)
        [section] = reply.letter.sections
        assert note not in (*getattr(section, "advice", ()), *getattr(section, "errors", ()))
        assert "VOCES SECRETAS" not in reply.composed.text + reply.composed.html


def test_a_held_form_is_told_of_nothing_it_holds():
    """The notice names the reference and that a person reads it."""
    form = form_of(status="Aún no empieza", title="Palabras que no deben volver")
    mail = reading(file(form, name="ajeno.docx"))

    reply = letter_of(mail, verdict(mail))

    assert reply.letter.sections == (Waiting(reference="PMM-2026-0001"),)
    assert "Palabras que no deben volver" not in reply.composed.text


def test_consent_is_never_taken_for_granted():
    """An accepted form whose consent has no value is spoken of as one that waits for it."""
    form = FormJudgement(file=None, form=form_of(consent_publish=None), findings=(), disposition=Accepted())

    section = form_section(form, "PMM-2026-0001", Recorded(message=1, references=(), tokens={}))

    assert section.consent == "pending"


@pytest.mark.parametrize("language", CONFIG.languages)
def test_every_reason_to_hold_has_a_sentence_for_staff(language):
    """None of them gets the generic one."""
    generic = staff_reason("held.nothing of the kind", language)

    reasons = [
        "dmarc", "no_sender", "forms", "limit", "weak_signs", "wrong_sender", "foreign_reference", "closed",
        "third_round", "foreign_document", "question", "no_form", "reply_in_words", "withdrawal", "sharing",
        "attempts", "oversize", "reply_refused", "several_for_one_case", "other_practice", "problems",
        "other_file_unread",
    ]  # fmt: skip
    for reason in reasons:
        assert staff_reason(f"held.{reason}", language) != generic
    for code in ("status.not_started", "answer.refers_to_attachment"):
        assert staff_reason(code, language, label="X") != generic
