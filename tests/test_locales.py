"""The texts as data: every language complete and equal, every code told, nothing that must never be said."""

from __future__ import annotations

import re
import shutil
import tomllib
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import config as configuration
from config import Config
from parsers.form import Answer, Finding, Form, Location
from responses import wording as words_of
from responses.compose import compose, finding_message, staff_reason
from responses.letters import (
    Acknowledgement,
    Correction,
    FormatAdvice,
    Letter,
    ReceivedFile,
    Section,
    TemplateEnclosed,
    Waiting,
)
from responses.telling import suggest, tell

ROOT = Path(__file__).parent.parent
LOCALES = ROOT / "responses" / "locales"
LANGUAGES = ("en", "es", "fr")
# What a sender could have written, never to be met where nothing may be quoted.
THEIRS = "Zxq"

# Codes about an answer, with what they carry beside `read` (which all of them have).
ANSWER_CODES: dict[str, dict[str, object]] = {
    "answer.none": {},
    "answer.filler": {},
    "answer.refers_to_attachment": {},
    "answer.unreadable": {},
    "label.ambiguous": {},
    "number.words_disagree": {
        "number": 77001,
        "title": f"{THEIRS}a",
        "words_number": 77002,
        "words_title": f"{THEIRS}b",
    },
    "number.foreign_list": {
        "number": 77001,
        "title": f"{THEIRS}a",
        "other": "sdgs",
        "other_number": 77003,
        "other_title": f"{THEIRS}c",
    },
    "number.unknown": {"number": 77001, "wanted": "1–23"},
    "term.unknown": {"wanted": ["one", "two"]},
    "list.partly": {},
    "choice.several": {"chosen": [f"{THEIRS}d", f"{THEIRS}e"]},
    "date.unreadable": {},
    "date.impossible_day": {"filed": "2021-04"},
    "date.ambiguous": {"filed": "2021"},
    "date.assumed": {"filed": "2022"},
    "date.range_disagree": {"other": "2022"},
    "date.duration": {},
    "date.end_before_start": {"start": "2022-03"},
    "date.in_future": {},
    "date.before_adoption": {"date": "2018-12"},
    "date.before": {"date": "2018-12"},
    "country.unknown": {},
    "country.ambiguous": {},
    "email.malformed": {},
    "email.repaired": {"filed": [f"{THEIRS}@example.org"]},
    "words.many": {"count": 77004, "limit": 500},
    "words.few": {"count": 77004, "limit": 50},
    "characters.many": {"count": 77004, "limit": 150},
    "count.many": {"count": 77004, "limit": 5},
    "count.few": {"count": 77004, "limit": 5},
    "choice.noted": {},
    "acronym.unexplained": {"acronyms": [f"{THEIRS}F", f"{THEIRS}G"]},
    "text.repeated": {},
    "title.generic": {},
    "consent.elsewhere": {},
    "scope.one_country": {},
}
FILE_CODES = (
    *(
        f"damaged.{name}"
        for name in ("empty", "truncated", "zip", "member", "xml", "part", "file", "unforeseen")
    ),
    *("encrypted.password", "encrypted.label", "resave.strict", "macro.present", "format.owner_file"),
    *(
        f"format.{name}"
        for name in ("doc", "xls", "xlsb", "ppt", "pptx", "odt", "ods", "odp", "rtf", "pdf", "image")
    ),
    *(f"format.{name}" for name in ("html", "csv", "text", "zip", "ole", "msg", "unknown", "other")),
    *(f"unsafe.{name}" for name in ("size", "ratio", "members", "entities", "nesting", "answer", "reading")),
    *("template_mismatch.foreign", "template_mismatch.other"),
)
REASONS = (
    *(
        "format",
        "dmarc",
        "sensitive",
        "not_started",
        "third_round",
        "reply_in_words",
        "withdrawal",
        "attempts",
    ),
    *(
        "oversize",
        "several_from",
        "no_sender",
        "foreign_document",
        "foreign_reference",
        "refers_to_attachment",
    ),
    *("two_practices", "question", "no_form", "reply_refused", "weak_signs", "forms", "limit"),
)
STAFF_CODES = ("status.not_started", "country.not_listed", "answer.refers_to_attachment", "sensitive.name")


@pytest.fixture(scope="module", name="config")
def _config() -> Config:
    return configuration.load()


def _toml(language: str, name: str) -> dict[str, object]:
    return tomllib.loads((LOCALES / language / f"{name}.toml").read_text(encoding="utf-8"))


def _answer_finding(code: str, field: str = "start", *, severity: str = "error") -> Finding:
    params = {"read": f"{THEIRS} read", **ANSWER_CODES[code]}
    return Finding(code=code, field=field, severity=severity, params=params)  # type: ignore[arg-type]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return re.sub(r"\s+", " ", "".join(char for char in plain if not unicodedata.combining(char)))


def _form(**values: object) -> Form:
    filled = {
        "title": "Xx",
        "primary_objectives": [7, 16],
        "countries": ["PE"],
        "start": "2021-04",
        "end": "ongoing",
    }
    filled |= {
        "main_implementer": "Xx",
        "focal_name": "Xx",
        "consent_publish": "yes",
        "status": "ongoing",
    } | values
    answers = {key: Answer(field=key, value=value) for key, value in filled.items()}  # type: ignore[arg-type]
    return Form(template="practice-1", language="es", answers=answers)


def _variants() -> list[tuple[Section, ...]]:
    """Every thing that a letter can say."""
    form, reference = _form(), "PMM-2027-0042"
    answers = tuple(_answer_finding(code) for code in ANSWER_CODES)
    missing = tuple(
        Finding(code="answer.missing", field=key, severity="error")
        for key in (
            "title",
            "primary_objectives",
            "status",
            "start",
            "summary",
            "countries",
            "focal_email",
            "sent_by_contact",
            "consent_publish",
            "consent_images",
            "main_implementer",
        )
    )
    consents = [
        Acknowledgement(reference=reference, form=form, consent=consent)
        for consent in ("yes", "no", "pending", "conditional")
    ]
    return [
        *((section,) for section in consents),
        (Acknowledgement(reference=reference, form=form, again=True),),
        (Acknowledgement(reference=reference, form=form, late=date(2027, 3, 1), advice=answers[:1]),),
        (Acknowledgement(reference=reference, form=form, advice=answers),),
        (Correction(reference=reference, form=form, errors=missing + answers, advice=answers),),
        (Correction(reference=reference, form=form, errors=missing[:1], advice=answers[:1], annotated=True),),
        (Waiting(reference=reference),),
        (Waiting(),),
        (TemplateEnclosed(reason="requested"),),
        (TemplateEnclosed(reason="empty"),),
        (TemplateEnclosed(reason="requested"), Waiting()),
        (FormatAdvice(findings=(Finding(code="format.pdf"),)),),
        (FormatAdvice(findings=tuple(Finding(code=code) for code in FILE_CODES)),),
        (
            consents[0],
            Correction(reference="PMM-2027-0043", form=form, errors=missing),
            Waiting(reference="PMM-2027-0044"),
        ),
    ]


def _letter(sections: tuple[Section, ...], language: str, *, verified: bool = True) -> Letter:
    return Letter(
        language=language,
        received=datetime(2027, 3, 12, 15, 41, tzinfo=UTC),
        verified=verified,
        sections=sections,
        files=(
            ReceivedFile(name="Xx.docx", kind="docx", size=50_000),
            ReceivedFile(name="Xx.pdf", kind="pdf", size=9),
        ),
        subject="Xx",
        tokens={"PMM-2027-0042": "PMM-2027-0042-K7QX2M9D"},
    )


def test_every_language_has_the_same_files() -> None:
    """A folder a language, the same names in each; a new one is found by its folder alone."""
    assert set(LANGUAGES) <= set(words_of.languages())
    ours = {"words.toml", "findings.toml", "staff.toml", "never.toml", "letter.j2"}
    templates = {path.name for path in (LOCALES / "es").glob("*.j2")}
    assert len(templates) == 6
    for language in words_of.languages():
        names = {path.name for path in (LOCALES / language).iterdir()}
        assert ours | templates <= names


@pytest.mark.parametrize("name", ["words", "findings", "staff", "never"])
def test_every_language_says_the_same_things(name: str) -> None:
    """No sentence is missing in any language, whatever its words."""

    def keys(table: dict[str, object], path: str = "") -> set[str]:
        found = set()
        for key, value in table.items():
            found |= keys(value, f"{path}/{key}") if isinstance(value, dict) else {f"{path}/{key}"}
        return found

    # Plural forms, elision and fine spaces are a language's own business.
    own = re.compile(r"/(joins|typography|dates/first|counted/\w+/\w+)$")
    spanish = {key for key in keys(_toml("es", name)) if not own.search(key)}
    assert len(spanish) >= 2
    for language in words_of.languages():
        assert {key for key in keys(_toml(language, name)) if not own.search(key)} == spanish, language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ANSWER_CODES)
def test_every_answer_code_is_told_in_its_own_words(code: str, language: str, config: Config) -> None:
    """Each known code has words of its own, which need no more than the code brings."""
    own = words_of.wording(language).findings
    assert code in own
    generic = own["generic"]
    for quote in (True, False):
        point = tell(_answer_finding(code), config.template, config, language, quote=quote)
        advice = suggest(_answer_finding(code), config.template, config, language, quote=quote)
        assert point.name
        assert point.words
        assert advice
        assert advice[-1] not in ".!?"
        if own[code]["told"] != generic["told"]:
            assert generic["told"] not in point.words
        assert "{{" not in point.words + advice
        assert "None" not in point.words + advice


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ANSWER_CODES)
def test_without_leave_nothing_written_is_repeated(code: str, language: str, config: Config) -> None:
    """No word, number or date of an answer is repeated to an unverified sender, nor of a contact or consent."""
    for finding, quote in (
        (_answer_finding(code, "end"), False),
        (_answer_finding(code, "consent_publish"), True),
    ):
        texts = [
            tell(finding, config.template, config, language, quote=quote).words,
            suggest(finding, config.template, config, language, quote=quote),
            finding_message(finding, config, language, quote=quote),
        ]
        for text in texts:
            assert THEIRS not in text
            assert "7700" not in text
            assert (
                not re.search(r"2021|2022", text)
                or "2021" in config.template.field("start").examples[language]
            )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", FILE_CODES)
def test_every_file_code_is_told_in_its_own_words(code: str, language: str, config: Config) -> None:
    """What is the matter with a file, and what would help."""
    own = words_of.wording(language).findings
    assert code in own
    assert {"told", "wanted"} <= set(own[code])
    named = tell(Finding(code=code, params={"file": "a.bin"}), config.template, config, language, quote=True)
    unnamed = tell(
        Finding(code=code, params={"file": "a.bin"}), config.template, config, language, quote=False
    )
    assert "a.bin" in named.words
    assert "a.bin" not in unnamed.words
    assert len(unnamed.words) > 20


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", [*REASONS, *STAFF_CODES])
def test_every_reason_is_told_to_the_secretariat(reason: str, language: str) -> None:
    """Each reason of waiting has a sentence of its own."""
    sentence = staff_reason(reason, language, label="Xx", read="Yy")
    generic = words_of.wording(language).staff
    assert sentence.endswith(".")
    assert sentence not in {generic["generic"], staff_reason("nothing.known", language, label="Xx")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_unknown_codes_and_missing_parameters_fall_back_to_generic_words(
    language: str, config: Config
) -> None:
    """A code that nobody foresaw, or that brings less than its sentence needs, never raises."""
    assert staff_reason("nothing.known", language)
    assert tell(
        Finding(code="nothing.known", field="start"), config.template, config, language, quote=True
    ).words
    assert tell(Finding(code="nothing.known"), config.template, config, language, quote=True).words
    assert suggest(
        Finding(code="nothing.known", field="start"), config.template, config, language, quote=True
    )
    assert finding_message(
        Finding(code="nothing.known", field="gone", severity="note"), config, language, quote=True
    )
    for code in (*ANSWER_CODES, *FILE_CODES, *STAFF_CODES):
        for severity in ("error", "advice", "hold", "note"):
            finding = Finding(code=code, field="end", severity=severity)  # type: ignore[arg-type]
            for quote in (True, False):
                assert finding_message(finding, config, language, quote=quote).strip()


def test_every_code_of_the_program_has_words() -> None:
    """No code in parsers, application or criteria is without a text: for the sender, or for the secretariat."""
    classes = {code.partition(".")[0] for code in (*ANSWER_CODES, *FILE_CODES, *STAFF_CODES)} | {
        "text",
        "case",
    }
    pattern = re.compile(rf'"((?:{"|".join(sorted(classes))})\.[a-z_]+)"')
    sources = [*ROOT.glob("parsers/**/*.py"), *ROOT.glob("intake/**/*.py"), *ROOT.glob("config/*.toml")]
    codes = {code for path in sources for code in pattern.findall(path.read_text(encoding="utf-8"))}
    codes = {
        code for code in codes if not code.endswith((".docx", ".xlsx", ".toml", ".xml", ".zip", ".eml"))
    } | {"damaged.zip"}
    assert len(codes) > 20
    for language in LANGUAGES:
        words = words_of.wording(language)
        assert {code for code in codes if code not in words.findings and code not in words.staff} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verified", [True, False])
def test_no_letter_says_what_must_never_be_said(language: str, verified: bool, config: Config) -> None:
    """Over every variant of every letter, none of the forbidden words stands in our own words."""
    never = words_of.wording(language).never
    assert len(never["words"]) > 40
    called = config.model_copy(
        update={
            "settings": config.settings.model_copy(
                update={"replies": config.settings.replies.model_copy(update={"offer_call": True})}
            )
        }
    )
    for sections in _variants():
        composed = compose(_letter(sections, language, verified=verified), called)
        # The subject holds a reply prefix, the table official titles and the form's words: ours is the rest.
        text = _folded(composed.text)
        for allowed in never["allowed"]:
            text = text.replace(_folded(allowed), " ")
        for word in never["words"]:
            stem = re.escape(_folded(word.removesuffix("*")))
            assert not re.search(rf"(?<!\w){stem}" + ("" if word.endswith("*") else r"(?!\w)"), text), word
        assert not re.search(r"[!¡\U0001F000-\U0001FAFF]", composed.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_forbidden_words_are_really_found(language: str) -> None:
    """The list bites: each of its words, put into a sentence, is found by the same comparison."""
    for word in words_of.wording(language).never["words"]:
        stem = re.escape(_folded(word.removesuffix("*")))
        pattern = rf"(?<!\w){stem}" + ("" if word.endswith("*") else r"(?!\w)")
        assert re.search(pattern, _folded(f"Aa {word.removesuffix('*').upper()}, bb."))


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_use_the_marks_of_good_print(language: str, config: Config) -> None:
    """Quotation marks, ellipses and dashes as a printer sets them; French has its fine spaces."""
    for sections in _variants():
        text = compose(_letter(sections, language), config).text
        assert '"' not in text
        assert "..." not in text
        assert not re.search(r"\s[,.](?!\w)|  |\(\)|«»|“”", text), text
        assert "{{" not in text
        if language == "fr":
            assert not re.search(r"«[^\u00a0]|[^\u00a0]»|[^\u00a0][:;?](?= |$)", text, re.MULTILINE), text


def test_a_new_language_is_a_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Config
) -> None:
    """A copied folder is a language at once; nothing in Python names the languages there are."""
    shutil.copytree(LOCALES, tmp_path / "locales")
    shutil.copytree(LOCALES / "es", tmp_path / "locales" / "xx")
    path = tmp_path / "locales" / "xx" / "letter.j2"
    path.write_text(
        path.read_text(encoding="utf-8").replace("De nuestra consideración", "Saluton"), encoding="utf-8"
    )
    caches = (
        words_of.languages,
        words_of.wording,
        words_of.environment,
        words_of._typography,
        words_of._compiled,
    )
    monkeypatch.setattr(words_of, "LOCALES", tmp_path / "locales")
    try:
        for cache in caches:
            cache.cache_clear()
        composed = compose(_letter((Waiting(),), "xx"), config)
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()

    assert composed.text.startswith("Saluton")
    assert '<html lang="xx">' in composed.html


def test_a_language_without_a_folder_gets_the_default_one(config: Config) -> None:
    """A reply in a language that nobody wrote is a reply in the operator's first language."""
    composed = compose(_letter((Waiting(),), "qu"), config)
    regional = compose(_letter((Waiting(),), "fr-CH"), config)

    assert composed.text.startswith("De nuestra consideración")
    assert regional.text.startswith("Madame, Monsieur")


@pytest.mark.parametrize("language", LANGUAGES)
def test_counts_are_words_up_to_twenty(language: str) -> None:
    """People write small counts in words; beyond the list, figures serve."""
    words = words_of.wording(language)
    assert len(words.words["numbers"]) == 21
    assert words.number(21) == "21"
    assert words.counted("missing", 1) != words.counted("missing", 2)
    assert words.number(20) in words.counted("missing", 20)


def test_places_are_told_without_the_name_of_their_sheet_to_unverified_senders(config: Config) -> None:
    """Question, sheet and cell; a renamed sheet is the sender's own word."""
    finding = Finding(
        code="date.unreadable", field="start", location=Location(question="8", sheet="Hoja mía", cell="C14")
    )

    assert "hoja «Hoja mía», celda C14" in tell(finding, config.template, config, "es", quote=True).words
    assert "(Pregunta 8; celda C14.)" in tell(finding, config.template, config, "es", quote=False).words
