"""Values of the form in people's words: objectives by number and title, dates in words, countries by name.

Used by the letters and by the register. Returns plain text as it was filed: whoever puts it into a mail, a
cell or a page escapes and shortens it.
"""

from __future__ import annotations

from config import Config
from config.form import Field
from config.vocabulary import Vocabulary
from parsers.form import Form, Value
from responses.wording import Wording, nearest, wording


def describe_value(field: Field, value: Value, config: Config, language: str) -> str:
    """A value in words, on one line where the field is no text: "7 – Reducir vulnerabilidades; 16 – …".

    Args:
        field: The question.
        value: As filed (`Answer.value`).
        config: For the vocabularies.
        language: Of the words; one without a folder gives the nearest that has one.

    Returns:
        The words; `""` for no value.
    """
    words = wording(nearest(language))
    items = describe_items(field, value, config, language)
    if field.kind == "countries":
        return words.listed(items)
    if field.kind == "emails":
        return ", ".join(items)
    return words.together(items)


def describe_items(field: Field, value: Value, config: Config, language: str) -> list[str]:
    """The same, one entry an item."""
    words = wording(nearest(language))
    if value is None or value in ("", []):
        return []
    if isinstance(value, bool):
        if field.kind == "sender":
            return [words.say("sender_contact" if value else "sender_other")]
        return [words.say("yes" if value else "no")]
    vocabulary = config.vocabularies.get(field.vocabulary or "")
    values = value if isinstance(value, list) else [value]
    return [_item(field, item, vocabulary, words) for item in values]


def _item(field: Field, item: str | int, vocabulary: Vocabulary | None, words: Wording) -> str:
    if field.kind == "date":
        return words.form_date(str(item))
    term = vocabulary.get(str(item)) if vocabulary else None
    if term is None and vocabulary and isinstance(item, int):
        term = vocabulary.by_number(item)
    if term is None:
        return str(item)
    # Filed by number where people know the numbers; what is filed by key is known by its name.
    if isinstance(item, int) and term.number is not None:
        return f"{term.number} – {term.short(words.language)}"
    return term.title(words.language)


def describe_period(form: Form, language: str) -> str:
    """Start and end of a practice in words ("marzo de 2021 – continúa"); `""` where neither was filed."""
    words = wording(nearest(language))
    start, end = (form.value(key) for key in ("start", "end"))
    first = words.form_date(start) if isinstance(start, str) and start else ""
    last = words.form_date(end) if isinstance(end, str) and end else ""
    if first and last:
        return words.say("period", start=first, end=last)
    if first:
        return words.say("period_from", start=first)
    return words.say("period_until", end=last) if last else ""
