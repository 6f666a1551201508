"""Many mails quickly, for measuring: a handful of filled forms, each copy with its own title and sender.

Nothing about them is meant to be read; what is shown to people is in `mails`.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parseaddr
from typing import Final
from xml.sax.saxutils import escape

from config import Config
from intake.demo.attachments import png
from intake.demo.composing import Draft, compose
from intake.demo.samples import fill_docx, fill_xlsx, practices
from responses.blank_docx import blank_docx
from responses.blank_xlsx import blank_xlsx

_TITLE: Final = "Titulo de la practica por reemplazar"
_SIZE: Final = 50_000
_FIRST: Final = datetime(2026, 11, 20, 8, 0, tzinfo=timezone(timedelta(hours=-5)))
# Ten mails in these shares: complete, incomplete, neither.
_SHARES: Final = ("complete",) * 6 + ("incomplete",) * 3 + ("other",)
_FORMS: Final = (("P1", "docx", "es"), ("P2", "xlsx", "es"), ("P9", "docx", "en"), ("P11", "xlsx", "fr"))
_LEFT_OUT: Final = ("lessons", "start", "consent_publish")
_THEMES: Final = (
    "Biblioteca",
    "Radio",
    "Huerto",
    "Taller",
    "Comedor",
    "Escuela",
    "Feria",
    "Orientación",
    "Coro",
)
_PLACES: Final = (
    "Tacna",
    "Piura",
    "Cusco",
    "Ica",
    "Puno",
    "Tumbes",
    "Arequipa",
    "Trujillo",
    "Callao",
    "Huancayo",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """A filled form whose title is replaced in one part; the other parts are ready, compressed or not."""

    format: str
    part: str
    text: bytes
    others: tuple[tuple[str, bytes], ...]


def bulk(count: int, config: Config, seed: int = 1, *, authserv_id: str = "") -> Iterator[bytes]:
    """Raw mails (CR LF): of each ten, six complete forms, three incomplete ones and one that is no form.

    Each has a sender, a Message-ID and a title of its own; attachments are of about 50 KB. The same arguments
    give the same mails.

    Args:
        count: How many.
        config: Its current template and vocabularies make the forms.
        seed: Another seed gives another order and other titles.
        authserv_id: Name of a receiving server that puts `dmarc=pass` above each mail (RFC 8601); empty leaves
            the senders unproved.
    """
    for draft in _drafts(count, config, seed):
        yield (_result(draft, authserv_id) if authserv_id else b"") + compose(draft)


def _result(draft: Draft, authserv_id: str) -> bytes:
    domain = parseaddr(draft.sender)[1].partition("@")[2]
    return f"Authentication-Results: {authserv_id}; dmarc=pass header.from={domain}\r\n".encode()


def _drafts(count: int, config: Config, seed: int) -> Iterator[Draft]:
    chosen = random.Random(seed)  # noqa: S311  # Nothing secret: a run must be repeatable.
    complete = [_base(config, *form, left_out=()) for form in _FORMS]
    incomplete = [_base(config, *form, left_out=_LEFT_OUT) for form in _FORMS]
    to = config.settings.mailboxes[0].address if config.settings.mailboxes else "box@redmigracion.example"
    kinds: list[str] = []
    for number in range(count):
        kinds = kinds or chosen.sample(_SHARES, len(_SHARES))
        kind = kinds.pop()
        if kind == "other":
            yield _other(number, seed, to)
        else:
            base = chosen.choice(complete if kind == "complete" else incomplete)
            title = f"{chosen.choice(_THEMES)} {chosen.choice(_THEMES).lower()} de {chosen.choice(_PLACES)} {number}"
            file = (f"formulario {number}.{base.format}", _form(base, title))
            yield _draft(number, seed, to, title, file)


def _draft(number: int, seed: int, to: str, title: str, file: tuple[str, bytes]) -> Draft:
    return Draft(
        key=f"bulk.{seed}.{number}",
        sender=f"Persona {number} <practicas.{seed}.{number}@organizacion{number % 211}.example>",
        to=to,
        subject=f"Práctica: {title}",
        body="Buenos días:\n\nAdjunto el formulario de nuestra práctica.\n\nSaludos cordiales",
        date=_FIRST + timedelta(seconds=number),
        files=[file],
    )


def _other(number: int, seed: int, to: str) -> Draft:
    """Every second one from a machine, the rest from people about something else."""
    headers = {"Auto-Submitted": "auto-replied", "Precedence": "bulk"} if number % 2 else {}
    return Draft(
        key=f"bulk.{seed}.{number}",
        sender=f"Persona {number} <oficina.{seed}.{number}@organizacion{number % 211}.example>",
        to=to,
        subject="Respuesta automática" if headers else f"Reunión de coordinación {number}",
        body="Gracias por su mensaje.\n\nVolveré a la oficina el lunes.",
        date=_FIRST + timedelta(seconds=number),
        files=[("programa.png", png(128, 128, seed=number, noise=True))],
        headers=headers,
    )


def _base(config: Config, name: str, file_format: str, language: str, *, left_out: tuple[str, ...]) -> _Base:
    template, vocabularies = config.template, config.vocabularies
    fields = {key: value for key, value in practices()[name].fields.items() if key not in left_out}
    fields["title"] = _TITLE
    fill, blank = (fill_docx, blank_docx) if file_format == "docx" else (fill_xlsx, blank_xlsx)
    package = fill(blank(template, vocabularies, language), fields, template, vocabularies, language)
    part = "word/document.xml" if file_format == "docx" else "xl/sharedStrings.xml"
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    text = members.pop(part)
    if _TITLE.encode() not in text:
        raise ValueError(f"{name}: the title is not in {part}")
    return _Base(
        format=file_format, part=part, text=text, others=tuple(_padded(members, len(package)).items())
    )


def _padded(members: dict[str, bytes], size: int) -> dict[str, bytes]:
    """Brings the file to a usual size by a preview picture, as Word and Excel save one on request."""
    side = max(8, round(((_SIZE - size) / 3) ** 0.5)) if size < _SIZE else 8
    types, links = members["[Content_Types].xml"], members["_rels/.rels"]
    kind = b'<Default Extension="png" ContentType="image/png"/>'
    link = (
        b'<Relationship Id="rIdPreview" Target="docProps/thumbnail.png" Type='
        b'"http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail"/>'
    )
    return members | {
        "[Content_Types].xml": types
        if b'"png"' in types
        else types.replace(b"<Override", kind + b"<Override", 1),
        "_rels/.rels": links.replace(b"</Relationships>", link + b"</Relationships>"),
        "docProps/thumbnail.png": png(side, side, noise=True),
    }


def _form(base: _Base, title: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, content in base.others:
            stored = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            package.writestr(zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0)), content, stored)
        changed = base.text.replace(_TITLE.encode(), escape(title).encode())
        package.writestr(
            zipfile.ZipInfo(base.part, date_time=(2026, 1, 1, 0, 0, 0)), changed, zipfile.ZIP_DEFLATED
        )
    return target.getvalue()
