"""Sends one prepared reply by SMTP and says what became of it; neither writes mails nor decides to send them.

Three things are told apart, because the ledger must know: the server took it, the server refused it, or nobody can
know (the connection broke after DATA began). What fails before DATA is no matter of the message: it raises.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from config.settings import Smtp
from intake.errors import SendingUnavailable, SignInRefused

_WINDOW_SECONDS = 60.0
# Characters that no address in an envelope may hold; a sender wrote it, so it could close the command.
_NO_ADDRESS = re.compile(r"[\x00-\x20\x7f-\x9f<>\"\\]|[^\S]")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The server took responsibility for the mail (250 after DATA); `text` is its own note, such as a queue number."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server refused the mail or its recipient; nothing was sent.

    Attributes:
        permanent: True for 5xx: never again; False for 4xx: later.
    """

    code: int
    text: str
    permanent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """DATA had begun and no answer came: it may have been sent. Never send again without asking Sent first."""

    text: str


Outcome = Sent | Refused | Uncertain


class Mailer(Protocol):
    """What the worker needs of sending."""

    def wait_seconds(self) -> float: ...
    def send(self, sender: str, recipient: str, data: bytes) -> Outcome: ...
    def close(self) -> None: ...


class SmtpMailer:
    """A `Mailer` over one SMTP connection, opened when first needed and used for as long as the server keeps it."""

    def __init__(
        self,
        settings: Smtp,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remember; nothing is connected yet.

        Args:
            settings: The server and how many mails a minute it may get.
            clock: Seconds, never going back.
            sleep: Used only when `send` is called in spite of `wait_seconds`.
        """
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._smtp: smtplib.SMTP | None = None
        self._begun: deque[float] = deque(maxlen=settings.per_minute)

    def wait_seconds(self) -> float:
        """How long to wait before the next mail may go; 0.0 when it may go now."""
        if len(self._begun) < self._settings.per_minute:
            return 0.0
        return max(0.0, self._begun[0] + _WINDOW_SECONDS - self._clock())

    def send(self, sender: str, recipient: str, data: bytes) -> Outcome:
        """Send one mail to one recipient.

        Args:
            sender: Address of the envelope, where bounces go; "" for none.
            recipient: One address, as it stood in a mail: checked here.
            data: The whole mail; its line ends become CR LF.

        Raises:
            SendingUnavailable: No server, or one that does not work now or not for us. The mail was not sent.
            SignInRefused: User name or password are not accepted. The mail was not sent.
        """
        try:
            envelope = _envelope(sender, recipient)
        except ValueError as error:
            return Refused(code=553, text=f"5.1.3 {error}", permanent=True)
        pause = self.wait_seconds()
        if pause > 0:
            self._sleep(pause)
        kept = self._smtp is not None
        try:
            return self._transact(envelope, data)
        except _DroppedError:
            # Servers hang up on idle connections without a word; once only, and only before DATA.
            if not kept:
                raise
        return self._transact(envelope, data)

    def close(self) -> None:
        """Say goodbye; harmless when closed already."""
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
        self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _where(self) -> str:
        return f"SMTP {self._settings.host}:{self._settings.port}"

    def _open(self) -> smtplib.SMTP:
        if self._smtp is None:
            try:
                self._smtp = self._connect()
            except smtplib.SMTPAuthenticationError as error:
                if error.smtp_code < 500:
                    raise SendingUnavailable(
                        f"{self._where()} cannot sign anybody in now ({error.smtp_code})"
                    ) from None
                raise SignInRefused(f"{self._where()} refused the sign-in") from None
            except (smtplib.SMTPException, OSError) as error:
                raise SendingUnavailable(f"{self._where()}: {_clean(str(error))}") from error
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        it = self._settings
        name = _own_name()
        context = ssl.create_default_context(cafile=str(it.ca_file) if it.ca_file else None)
        smtp: smtplib.SMTP
        if it.security == "tls":
            smtp = smtplib.SMTP_SSL(it.host, it.port, name, timeout=it.timeout_seconds, context=context)
        else:
            smtp = smtplib.SMTP(it.host, it.port, name, it.timeout_seconds)
        try:
            if it.security == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if it.username:
                smtp.login(it.username, it.password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _transact(self, envelope: _Envelope, data: bytes) -> Outcome:
        smtp = self._open()
        if envelope.needs_utf8 and not smtp.has_extn("smtputf8"):
            return Refused(code=553, text="5.6.7 the server takes no international addresses", permanent=True)
        try:
            refusal = self._announce(smtp, envelope, data)
            if refusal is None:
                code, text = smtp.docmd("DATA")
                refusal = None if code == 354 else self._refused(code, text)
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise _DroppedError(f"{self._where()}: {_clean(str(error))}") from error
        if refusal is not None:
            self._reset(smtp)
            return refusal
        return self._deliver(smtp, data)

    def _announce(self, smtp: smtplib.SMTP, envelope: _Envelope, data: bytes) -> Refused | None:
        options = ""
        if smtp.has_extn("size"):
            options += f" SIZE={len(data)}"
        if smtp.has_extn("8bitmime") and not data.isascii():
            options += " BODY=8BITMIME"
        if envelope.needs_utf8:
            options += " SMTPUTF8"
        smtp.command_encoding = "utf-8" if envelope.needs_utf8 else "ascii"
        self._begun.append(self._clock())
        code, text = smtp.docmd("MAIL", f"FROM:<{envelope.sender}>{options}")
        if code >= 500 and code not in {552, 554, 555}:
            # The sender is our own address: this is about our account, never about this one mail.
            self._drop()
            raise SendingUnavailable(
                f"{self._where()} does not let us send as {envelope.sender} ({_say(code, text)})"
            )
        if code != 250:
            return self._refused(code, text)
        code, text = smtp.docmd("RCPT", f"TO:<{envelope.recipient}>")
        return None if code in {250, 251, 252} else self._refused(code, text)

    def _refused(self, code: int, text: bytes) -> Refused:
        if code in {421, -1}:
            # The server hangs up: about the connection, not about the mail (RFC 5321, section 3.8).
            raise smtplib.SMTPServerDisconnected(_say(code, text))
        return Refused(code=code, text=_clean(text.decode("utf-8", "replace")), permanent=code >= 500)

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (smtplib.SMTPException, OSError):
            self._drop()

    def _deliver(self, smtp: smtplib.SMTP, data: bytes) -> Outcome:
        try:
            smtp.send(_dotted(data))
            code, text = smtp.getreply()
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            return Uncertain(text=_clean(str(error)))
        if code == 421:
            self._drop()
        if 200 <= code < 300:
            return Sent(text=_clean(text.decode("utf-8", "replace")))
        if code < 400:
            self._drop()
            return Uncertain(text=_say(code, text))
        return Refused(code=code, text=_clean(text.decode("utf-8", "replace")), permanent=code >= 500)


class _DroppedError(SendingUnavailable):
    __doc__ = SendingUnavailable.__doc__


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    sender: str
    recipient: str
    needs_utf8: bool


def _envelope(sender: str, recipient: str) -> _Envelope:
    sender = _address(sender) if sender else ""
    recipient = _address(recipient)
    return _Envelope(sender=sender, recipient=recipient, needs_utf8=not (sender + recipient).isascii())


def _address(address: str) -> str:
    """An address fit for an envelope; its domain in ASCII.

    Raises:
        ValueError: It is none, or holds what could end the command.
    """
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > 254 or _NO_ADDRESS.search(address):
        raise ValueError("the address cannot be used")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("the address cannot be used") from error
    return f"{local}@{domain}"


def _dotted(data: bytes) -> bytes:
    """The mail as it goes behind DATA (RFC 5321, section 4.5.2): only CR LF, dots doubled, the end marked."""
    lines = _LINE_END.sub(b"\r\n", data)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"


def _own_name() -> str:
    # Asking for the full name may wait for a name server; a literal address is as good (RFC 5321, section 4.1.4).
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _say(code: int, text: bytes) -> str:
    return f"{code} {_clean(text.decode('utf-8', 'replace'))}"


def _clean(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:300]
