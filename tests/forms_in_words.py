"""A complete form told in words, and forms that differ from it, read by the parser's own value reader."""

from __future__ import annotations

from config import load
from parsers.form import Form, Location
from parsers.values import Values, Words

CONFIG = load()
WORDS = {
    "title": "Voces organizadas",
    "primary_objectives": "7, 16",
    "guiding_principles": "Derechos humanos",
    "status": "En marcha, con resultados",
    "start": "marzo de 2021",
    "type": "Proyecto/Programa",
    "scope": "Nacional",
    "countries": "Perú",
    "main_implementer": "Municipalidad de Lima",
    "summary": "Cada semana " * 30,
    "impact": "Mil personas " * 20,
    "lessons": "Primero escuchar " * 20,
    "recommendations": "Empezar con pocas " * 20,
    "innovation": "Antes nadie preguntaba " * 10,
    "focal_name": "Ana Quispe",
    "focal_email": "ana@muni.example",
    "sent_by_contact": "La persona de contacto",
    "consent_publish": "Sí",
}


def form_of(*, case_id: str | None = None, language: str = "es", **changes: str | None) -> Form:
    """The complete form with other words in some answers; `None` leaves a question unanswered."""
    words = {**WORDS, **changes}
    template = CONFIG.template
    written = {
        field.key: Words(
            text=(words.get(field.key) or "").strip(), location=Location(question=field.number, row=place)
        )
        for place, field in enumerate(template.fields, 1)
    }
    read = Values(template, CONFIG.vocabularies).read(written, language)
    return Form(
        template=template.id,
        language=language,
        case_id=case_id,
        answers=read.answers,
        findings=tuple(read.findings),
    )


def blank() -> Form:
    """What came back is the blank form, prefilled as it was sent out."""
    return form_of(**dict.fromkeys(WORDS, None))
