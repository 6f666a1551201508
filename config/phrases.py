"""Words, per language, that tell what a mail without a form is about (design, section 1). Data only."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Phrases(BaseModel):
    """One language's words; all are compared folded (case and accents ignored), as whole words.

    Attributes:
        requests: Phrases that ask for something ("podrían enviarme", "solicito").
        nouns: Nouns of the template ("formulario", "plantilla", "formato").
        own: Words of the call beside which a noun names our form ("práctica", "repositorio", "Pacto Mundial").
        foreign: Words beside which the noun is another body's ("visa", "asilo", "licitación").
        negations: Words that turn a request around ("no", "ya no").
        danger: Words of people in need; a mail with one is left for people.
        questions: Words of questions on deadline, money, certificates, which a person answers.
        call: Phrases that name the call or the repository (weak evidence).
        sending: Words of sending ("adjunto", "remito"), needed beside a call phrase.
        withdrawal: Words of withdrawal or erasure.
        compact: Names of the compact, and `practice`, words for a practice: one of each in one sentence names
            the call as well (weak evidence). The compact alone stands in most mail of such an office.
        practice: See `compact`.
        settled: Words by which a sentence is about a form that was sent already, or about something else to
            be done ("enviado", "confirmar", "prórroga"); such a sentence asks for no template.
        joining: Words that tie a noun to what it is for ("de", "para"): "formulario de ..." is not alone.
        bare: Words that may stand before a noun that stands alone, where a language puts the object there
            ("the form", not "visa form"); empty where it does not.
        common: Frequent small words by which the language is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requests: tuple[str, ...]
    nouns: tuple[str, ...]
    own: tuple[str, ...]
    foreign: tuple[str, ...]
    negations: tuple[str, ...]
    danger: tuple[str, ...]
    questions: tuple[str, ...]
    call: tuple[str, ...]
    sending: tuple[str, ...]
    withdrawal: tuple[str, ...]
    compact: tuple[str, ...] = ()
    practice: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    joining: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
