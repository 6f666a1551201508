"""The program that one would write in a day, to measure the real one against.

Mail by mail with imap-tools, python-docx and openpyxl walked for what is in them, a plain reply over a new SMTP
connection, a MOVE. It remembers nothing: killed in between, it answers twice or never. Not to be used.
"""

from __future__ import annotations

import io
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import docx
import openpyxl
from imap_tools import MailBoxUnencrypted, MailMessage

DONE = "Done"
_MANDATORY = ("8.", "13.", "19.", "31.")


def process(host: str, port: int, user: str, password: str, smtp_host: str, smtp_port: int) -> int:
    """Takes every mail of the inbox, answers those with a form, moves all.

    Returns:
        How many it took.
    """
    taken = 0
    with MailBoxUnencrypted(host, port, timeout=60).login(user, password) as mailbox:
        for mail in list(mailbox.fetch(mark_seen=False)):
            answers = dict(_answers(mail))
            if answers:
                lacking = [number for number in _MANDATORY if not answers.get(number)]
                _reply(mail, lacking, smtp_host, smtp_port)
            mailbox.move(mail.uid, DONE)
            taken += 1
    return taken


def _answers(mail: MailMessage) -> Iterator[tuple[str, str]]:
    for file in mail.attachments:
        if file.filename.endswith(".docx"):
            yield from _word(file.payload)
        elif file.filename.endswith(".xlsx"):
            yield from _excel(file.payload)


def _word(data: bytes) -> Iterator[tuple[str, str]]:
    document = docx.Document(io.BytesIO(data))
    for paragraph in document.paragraphs:
        yield paragraph.text, ""
    for table in document.tables:
        for row in table.rows:
            texts = [cell.text for cell in row.cells]
            yield texts[0].partition(" ")[0], texts[-1]


def _excel(data: bytes) -> Iterator[tuple[str, str]]:
    for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets:
        for row in sheet.iter_rows(values_only=True):
            texts = [str(value) for value in row if value is not None]
            if texts:
                yield texts[0].partition(" ")[0], texts[-1]


def _reply(mail: MailMessage, lacking: list[str], host: str, port: int) -> None:
    message = EmailMessage()
    message["From"] = "practicas@oficina.example"
    message["To"] = mail.from_
    message["Subject"] = f"Re: {mail.subject}"
    message.set_content("Falta: " + ", ".join(lacking) if lacking else "Recibido.")
    with smtplib.SMTP(host, port) as smtp:
        smtp.send_message(message)
