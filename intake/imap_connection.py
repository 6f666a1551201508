r"""One signed-in IMAP connection: how it is opened, what it can do, and what its failures mean to an operator.

imap-tools connects, signs in and knows about folder names; messages are touched by UID commands alone, because its
own `move` and `flag` send a bare EXPUNGE, which destroys what other clients have only marked `\Deleted`. No value
of a mail ever goes into a command: `imaplib` would put its line breaks on the wire (CVE-2025-15366).
"""

from __future__ import annotations

import imaplib
import re
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError, MailboxFolderCreateError, MailboxLoginError
from imap_tools.utils import encode_folder

from config.settings import Mailbox as MailboxSettings
from intake import imap_lines
from intake.errors import MailboxUnavailable, SignInRefused

_IDLE_SLICE = 0.5
#: Response codes of a refused sign-in that will pass by themselves (RFC 5530, section 3).
_PASSING = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG", "CONTACTADMIN"})


class ImapConnection:
    """The wire below a mailbox; after any failure it is closed and must be opened again.

    Attributes:
        capabilities: As told *after* signing in: Dovecot and others announce MOVE only then.
        commands: Commands sent since `open`, the greeting's CAPABILITY included.
        selected: The folder that is selected, or None.
    """

    def __init__(self, settings: MailboxSettings) -> None:
        self._settings = settings
        self._box: BaseMailBox | None = None
        self.capabilities: frozenset[str] = frozenset()
        self.commands = 0
        self.selected: str | None = None
        self._layout: tuple[str, str] | None = None

    @property
    def box(self) -> BaseMailBox:
        """The open imap-tools mailbox.

        Raises:
            MailboxUnavailable: There is none.
        """
        if self._box is None:
            raise MailboxUnavailable("The connection to the mailbox is closed")
        return self._box

    @property
    def client(self) -> imaplib.IMAP4:
        """The `imaplib` client below; its private names are used as imap-tools itself uses them."""
        return self.box.client

    @property
    def is_open(self) -> bool:
        return self._box is not None

    def open(self) -> None:
        """Connect and sign in.

        Raises:
            MailboxUnavailable: No connection, or a server that cannot serve now.
            SignInRefused: User name or password are not accepted.
        """
        self.drop()
        self.commands = 0
        with self.operating():
            self._box = self._connect()
            self._count_commands()
            self._sign_in()
            self.client.untagged_responses.pop("CAPABILITY", None)
            _, data = self.client.capability()
            words = data[-1].decode("ascii", "replace") if data and data[-1] else ""
            self.capabilities = frozenset(words.upper().split())

    def _connect(self) -> BaseMailBox:
        it = self._settings
        if it.security == "plain":
            return MailBoxUnencrypted(it.host, it.port, timeout=it.timeout_seconds)
        context = ssl.create_default_context(cafile=str(it.ca_file) if it.ca_file else None)
        if it.security == "starttls":
            if it.port == 993:
                raise MailboxUnavailable(
                    'Port 993 speaks TLS from the first byte; set security = "tls" or port 143'
                )
            return MailBoxStartTls(it.host, it.port, timeout=it.timeout_seconds, ssl_context=context)
        return MailBox(it.host, it.port, timeout=it.timeout_seconds, ssl_context=context)

    def _count_commands(self) -> None:
        # Every command takes one tag. imaplib compares the type of its own `_command` with that of a literal, so
        # that one must stay a method.
        client: Any = self.client
        new_tag = client._new_tag  # noqa: SLF001

        def counted() -> Any:
            self.commands += 1
            return new_tag()

        client._new_tag = counted  # noqa: SLF001
        self.commands = 1

    def _sign_in(self) -> None:
        name, password = self._settings.username, self._settings.password.get_secret_value()
        plain = "LOGINDISABLED" not in self.client.capabilities and (name + password).isascii()
        try:
            if plain:
                self.box.login(name, password, initial_folder=None)
            else:
                self.box.login_utf8(name, password, initial_folder=None)
        except MailboxLoginError as error:
            answer = error.command_result[1]
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            answer = [str(error).encode()]
        else:
            return
        self.drop()
        code = imap_lines.response_code(answer)
        if code in _PASSING:
            raise MailboxUnavailable(f"{self._where()} cannot sign anybody in now ({code})")
        raise SignInRefused(f"{self._where()} refused the sign-in")

    def close(self) -> None:
        """Say goodbye. Never CLOSE, which would expunge what others marked."""
        if self._box is not None:
            with suppress(imaplib.IMAP4.error, ImapToolsError, OSError):
                self._box.logout()
        self.drop()

    def drop(self) -> None:
        """Let go of the socket without a word."""
        box, self._box = self._box, None
        self.selected = None
        self._layout = None
        if box is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                box.client.shutdown()

    @contextmanager
    def operating(self) -> Iterator[None]:
        """Turns what libraries and sockets raise into `MailboxUnavailable`, and drops the connection."""
        try:
            yield
        except (imaplib.IMAP4.error, ImapToolsError, OSError) as error:
            self.drop()
            raise MailboxUnavailable(f"{self._where()}: {one_line(error)}") from error

    def _where(self) -> str:
        return f"IMAP {self._settings.host}:{self._settings.port}"

    def uid(self, name: str, *args: str | bytes) -> tuple[str, list[Any]]:
        """One UID command; the answer's word (OK, NO) and its data.

        Args:
            name: FETCH, SEARCH, STORE, COPY, MOVE, EXPUNGE.
            args: Made of numbers and settings only.
        """
        with self.operating():
            self._forget_news()
            typ, data = self.client.uid(name, *args)  # type: ignore[arg-type]
            return typ, data

    def noop(self) -> None:
        """Let the server tell what is new."""
        with self.operating():
            self._forget_news()
            self.client.noop()

    def _forget_news(self) -> None:
        # imaplib gathers EXISTS, EXPUNGE and FETCH lines for ever in a connection that lives for weeks.
        kept = {"READ-ONLY"} & self.client.untagged_responses.keys()
        self.client.untagged_responses = {name: self.client.untagged_responses[name] for name in kept}

    def told(self, name: str) -> list[Any]:
        """What the last command brought under this name besides its answer, such as COPYUID."""
        return list(self.client.untagged_responses.get(name, []))

    def select(self, folder: str, *, readonly: bool = False) -> tuple[int, int | None]:
        """Open a folder.

        Returns:
            UIDVALIDITY, and UIDNEXT where the server tells it.

        Raises:
            MailboxUnavailable: It cannot be opened, or has no UIDVALIDITY.
        """
        self.selected = None
        with self.operating():
            self.box.folder.set(folder, readonly)
        validity = imap_lines.numbers(self.told("UIDVALIDITY"))
        following = imap_lines.numbers(self.told("UIDNEXT"))
        if not validity:
            self.drop()
            raise MailboxUnavailable(f"{self._where()} tells no UIDVALIDITY of {folder!r}")
        self.selected = folder
        return validity[-1], following[-1] if following else None

    def status(self, folder: str) -> dict[str, int]:
        """MESSAGES, UIDVALIDITY and UIDNEXT of a folder without opening it."""
        with self.operating():
            self._forget_news()
            return self.box.folder.status(folder, ["MESSAGES", "UIDVALIDITY", "UIDNEXT"])

    def layout(self) -> tuple[str, str]:
        """Prefix and separator of the user's own folders (`INBOX.` and `.` on some servers)."""
        if self._layout is None:
            with self.operating():
                self._layout = self._ask_layout()
        return self._layout

    def _ask_layout(self) -> tuple[str, str]:
        if "NAMESPACE" in self.capabilities:
            _, data = self.client.namespace()
            told = imap_lines.namespace(data)
            if told is not None:
                return told
        for folder in self.box.folder.list("", ""):
            if folder.delim not in {"", "NIL"}:
                return "", folder.delim
        return "", "/"

    def folders(self, pattern: str) -> set[str]:
        """Names of the folders that can be opened and match (`*` any characters)."""
        with self.operating():
            found = self.box.folder.list("", pattern)
        unusable = {"\\nonexistent", "\\noselect"}
        return {folder.name for folder in found if not unusable & {flag.lower() for flag in folder.flags}}

    def create(self, folder: str) -> None:
        """Make a folder and subscribe to it; one that is there already is left as it is."""
        with self.operating():
            try:
                self.box.folder.create(folder)
            except MailboxFolderCreateError as error:
                if imap_lines.response_code(error.command_result[1]) == "ALREADYEXISTS":
                    return
                raise
            self.box.folder.subscribe(folder, value=True)

    def idle(self, deadline: float, stop: threading.Event) -> bool:
        """One IDLE from its start to its end (RFC 2177).

        Args:
            deadline: Until when, on the clock of `time.monotonic`.
            stop: Ends it within a second.

        Returns:
            True when something arrived. False too when the server merely spoke: then ask again.
        """
        with self.operating():
            return self._idle(deadline, stop)

    def _idle(self, deadline: float, stop: threading.Event) -> bool:
        client, idle = self.client, self.box.idle
        tag = client._command("IDLE")  # noqa: SLF001
        lines: list[bytes] = []
        # News may come before the server says that it idles; imap-tools takes that for a refusal.
        while (line := client._get_response()) is not None:  # noqa: SLF001
            if client.tagged_commands.get(tag):
                raise imaplib.IMAP4.error("IDLE refused")
            lines.append(line)
        idle._idle_tag = tag  # noqa: SLF001
        while not _news(lines) and not stop.is_set():
            left = min(_IDLE_SLICE, deadline - time.monotonic())
            if left <= 0:
                break
            before = time.monotonic()
            told = idle.poll(timeout=left)
            lines += told
            if not told and time.monotonic() - before < left / 2:
                # Readable, yet nothing to read: the server hung up, or TLS spoke to itself. Ending the IDLE tells.
                break
        try:
            _, rest = idle.stop()  # type: ignore[no-untyped-call]
        except ImapToolsError as error:
            raise imaplib.IMAP4.abort(str(error)) from error
        return _news(lines + rest)

    def append(self, folder: str, raw: bytes, date: datetime) -> None:
        """Put a message of our own into a folder, as read."""
        with self.operating():
            typ, data = self.client.append(encoded(folder), "(\\Seen)", date, raw)  # type: ignore[arg-type]
        if typ != "OK":
            raise MailboxUnavailable(
                f"{self._where()} does not take a copy into {folder!r}: {one_line(data)}"
            )


def encoded(folder: str) -> bytes:
    """A folder's name as it goes on the wire: modified UTF-7 (RFC 3501, section 5.1.3) in quotes."""
    return bytes(encode_folder(folder))


def one_line(what: object) -> str:
    """An error's own words, fit for one line of a log."""
    text = "".join(char if char.isprintable() else " " for char in str(what))
    return " ".join(text.split())[:200] or type(what).__name__


def _news(lines: Iterable[bytes]) -> bool:
    return any(re.match(rb"\* [1-9]\d* (EXISTS|RECENT)", line) for line in lines)


def must(typ: str, what: str) -> None:
    """Raise `MailboxUnavailable` unless the server's answer is OK.

    Args:
        typ: The answer's word.
        what: What was asked, behind "The server refuses to".
    """
    if typ != "OK":
        raise MailboxUnavailable(f"The server refuses to {what}")
