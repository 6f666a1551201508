"""A mail server of its own on this machine: a mailbox by IMAP, and SMTP both for senders and for replies.

For `practice-intake demo` and for tests: real protocols on loopback, everything in memory, nothing reaches anybody.
It does what the secretariat's own server would do for an incoming mail: removes what a sender pretends about the
authentication, writes its own finding, and puts the mail into the inbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import imaplib
import re
import smtplib
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from types import TracebackType
from typing import Any, Self

from intake.errors import DemoMissing

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One mail that the worker sent, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class ImapServer:
    """pymap with its in-memory boxes on a port of loopback, in a thread of its own; any number of users."""

    def __init__(self, *, password: str = "demo") -> None:  # noqa: S107
        """Start it.

        Args:
            password: Of every user.

        Raises:
            DemoMissing: pymap is not installed.
        """
        self.password = password
        self.loop = asyncio.new_event_loop()
        try:
            self._backend, self._server = _imap_parts()
        except ImportError as error:
            self.loop.close()
            raise DemoMissing from error
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="demo-imap", daemon=True)
        self._thread.start()
        self._ready.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._serve())
            others = asyncio.all_tasks(self.loop)
            for task in others:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*others, return_exceptions=True))
        finally:
            self.loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._backend.config.apply_context()
        server = await asyncio.start_server(self._server, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run something inside the server and wait for it; not from the server's own thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def add_user(self, user: str) -> None:
        """Make a user with an empty inbox."""
        self.call(self._add_user(user))

    async def _add_user(self, user: str) -> None:
        from pymap.user import UserMetadata

        config = self._backend.config
        hashed = config.hash_context.hash(self.password)
        self._backend.login.users_dict[user] = UserMetadata(config, user, password=hashed)

    def folder(self, user: str, name: str = "INBOX") -> Any:
        """The server's own object of a folder, for what IMAP cannot ask (a new UIDVALIDITY)."""
        return self.call(self._folder(user, name))

    async def _folder(self, user: str, name: str) -> Any:
        from pymap.backend.dict import Identity

        identity = Identity(user, self._backend.login, None, frozenset())
        async with identity.new_session() as session:
            return await session.mailbox_set.get_mailbox(name)

    def deliver(self, user: str, raw: bytes, when: datetime | None = None) -> int:
        """Put a mail into a user's inbox as delivery does: unread and recent.

        Returns:
            Its UID.
        """
        return int(self.call(self._deliver(user, raw, when or datetime.now(UTC))))

    async def _deliver(self, user: str, raw: bytes, when: datetime) -> int:
        from pymap.parsing.message import AppendMessage

        inbox = await self._folder(user, "INBOX")
        message = await inbox.append(AppendMessage(raw, when, frozenset()), recent=True)
        return int(message.uid)

    def close(self) -> None:
        """Stop serving; open connections end."""
        if self._stop is not None and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)


def _imap_parts() -> tuple[Any, Callable[..., Any]]:
    """The backend of pymap and its connection handler, put together without its command line.

    Raises:
        ImportError: pymap is not installed.
    """
    from proxyprotocol.reader import ProxyProtocolReader
    from pymap.backend.dict import Config, DictBackend, Login
    from pymap.imap import IMAPServer
    from pysasl.hashing import BuiltinHash

    class _Config(Config):
        # The full name of this machine may need a name server, which the demonstration must not wait for.
        greeting = b"demo"

    arguments = Namespace(passlib_cfg=None, proxy_protocol=None)
    config = _Config(
        arguments,
        host=LOOPBACK,
        port=0,
        tls_enabled=False,
        demo_data=False,
        demo_user="",
        demo_password="",
        # Hashed in one round, for speed; pysasl compares unhashed passwords in ASCII only.
        hash_context=BuiltinHash(rounds=1),
        invalid_user_sleep=0,
    )
    backend = DictBackend(Login(config), config)
    serve = ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))
    return backend, serve


class DemoMail:
    """The demonstration's mailbox and post office; a context manager.

    Attributes:
        address: Where senders write to.
        user, password: For IMAP and for sending.
        authserv_id: The name under which this server writes Authentication-Results (`auth.trust` of the demo).
        imap_port, smtp_port: On 127.0.0.1, without TLS.
        sent: What the worker sent, in order.
        on_sent: Called with each of them in a thread of its own, one after the other; may call `deliver`.
    """

    def __init__(
        self,
        *,
        address: str = "practicas@demo.example",
        password: str = "demo",  # noqa: S107
        authserv_id: str = "mx.demo.example",
        sent_folder: str = "Enviados",
    ) -> None:
        self.address = address
        self.user = address
        self.password = password
        self.authserv_id = authserv_id
        self.sent_folder = sent_folder
        self.imap_port = 0
        self.smtp_port = 0
        self.sent: list[Outgoing] = []
        self.on_sent: Callable[[Outgoing], None] | None = None
        self._closing = contextlib.ExitStack()
        self._unproved: set[bytes] = set()
        self._errands: ThreadPoolExecutor | None = None
        self._imap: ImapServer | None = None

    def __enter__(self) -> Self:
        """Start both servers.

        Raises:
            DemoMissing: The extra `demo` is not installed.
        """
        with contextlib.ExitStack() as stack:
            self._imap = ImapServer(password=self.password)
            stack.callback(self._imap.close)
            self._imap.add_user(self.user)
            self.imap_port = self._imap.port
            self._errands = stack.enter_context(ThreadPoolExecutor(1, "demo-errand"))
            self.smtp_port = _start_smtp(self, stack)
            with self.client() as client:
                client.create(self.sent_folder)
            self._closing = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def client(self) -> imaplib.IMAP4:
        """A second mail program on the same mailbox, signed in; nothing is selected."""
        client = imaplib.IMAP4(LOOPBACK, self.imap_port, timeout=30)
        client.login(self.user, self.password)
        return client

    def deliver(self, raw: bytes, *, sender: str | None = None, passes: bool = True) -> None:
        """Send a mail to the mailbox by SMTP, as a sender's server would.

        Args:
            raw: The mail.
            sender: Address of the envelope; the From address by default, "" for bounces.
            passes: False leaves the sender unproved: `dmarc=none`.
        """
        if not passes:
            self._unproved.add(_bare(raw))
        if sender is None:
            sender = parseaddr(str(email.message_from_bytes(raw).get("From", "")))[1]
        # Dots at the start of a line are doubled behind CR LF only.
        wire = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
        with smtplib.SMTP(LOOPBACK, self.smtp_port, "sender.example", 30) as smtp:
            smtp.sendmail(sender, [self.address], wire)

    def receive(self, sender: str, recipients: tuple[str, ...], data: bytes) -> None:
        """What the SMTP server does with a mail: into the inbox, or kept as sent."""
        outside = tuple(each for each in recipients if each.lower() != self.address.lower())
        if len(outside) < len(recipients) and self._imap is not None:
            self._imap.deliver(self.user, self.stamped(sender, data))
        if outside:
            mail = Outgoing(sender=sender, recipients=outside, data=data)
            self.sent.append(mail)
            if self.on_sent is not None and self._errands is not None:
                self._errands.submit(self.on_sent, mail)

    def stamped(self, sender: str, data: bytes) -> bytes:
        """A mail with this server's trace fields on top, and without those that pretend to be this server's."""
        passes = _bare(data) not in self._unproved
        self._unproved.discard(_bare(data))
        domain = _from_domain(data)
        verdict = f"dmarc={'pass' if passes and domain else 'none'}"
        if domain:
            verdict += f" header.from={domain}"
        path = "".join(char for char in sender if char.isprintable() and char not in "<> ")
        now = format_datetime(datetime.now(UTC))
        trace = (
            f"Return-Path: <{path}>\r\n"
            f"Authentication-Results: {self.authserv_id}; {verdict}\r\n"
            f"Received: from sender.example by {self.authserv_id} with ESMTP; {now}\r\n"
        )
        return trace.encode() + without_results_of(data, self.authserv_id)


def without_results_of(raw: bytes, authserv_id: str) -> bytes:
    """The mail without Authentication-Results that bear this id (RFC 8601, section 5); all else byte for byte."""
    kept: list[bytes] = []
    dropping = False
    lines = raw.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not line.strip(b"\r\n"):
            return b"".join(kept + lines[number:])
        if line[:1] not in b" \t":
            name, _, value = line.partition(b":")
            following = b"".join(_folded(lines[number + 1 :]))
            claimed = (value + following).split(b";")[0].split()
            dropping = name.strip().lower() == b"authentication-results" and (
                authserv_id.encode().lower() in [word.lower() for word in claimed]
            )
        if not dropping:
            kept.append(line)
    return b"".join(kept)


def _folded(lines: list[bytes]) -> list[bytes]:
    folded: list[bytes] = []
    for line in lines:
        if line[:1] not in {b" ", b"\t"}:
            break
        folded.append(line)
    return folded


def _from_domain(raw: bytes) -> str:
    """The domain of the From address, in characters that are safe in a header; "" when there is none."""
    address = parseaddr(str(email.message_from_bytes(raw).get("From", "")))[1]
    domain = address.rpartition("@")[2].lower() if "@" in address else ""
    return "".join(char for char in domain if char.isascii() and (char.isalnum() or char in ".-"))


def _bare(raw: bytes) -> bytes:
    # Line ends change on the way through SMTP.
    return raw.replace(b"\r", b"").strip()


def _start_smtp(mail: DemoMail, stack: contextlib.ExitStack) -> int:
    """Start the SMTP server; everybody may write to the mailbox, only the mailbox's user to others.

    Returns:
        Its port.

    Raises:
        DemoMissing: aiosmtpd is not installed.
    """
    try:
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult
    except ImportError as error:
        raise DemoMissing from error

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> Any:
        good = given.login == mail.user.encode() and given.password == mail.password.encode()
        return AuthResult(success=good, handled=False)

    class Handler:
        # aiosmtpd finds these methods by their names.
        async def handle_RCPT(  # noqa: N802
            self, _server: Any, session: Any, envelope: Any, address: str, _options: list[str]
        ) -> str:
            if address.lower() != mail.address.lower() and not session.authenticated:
                return "550 5.7.1 sign in to send to others"
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            recipients = tuple(envelope.rcpt_tos)
            await asyncio.to_thread(
                mail.receive, (envelope.mail_from or "").strip("<>"), recipients, envelope.content
            )
            return "250 2.0.0 taken"

    class OnAnyPort(Controller):
        def _trigger_server(self) -> None:
            # It greets itself on the port that it was told, and that was 0: any.
            served: Any = self.server
            self.port = served.sockets[0].getsockname()[1]
            super()._trigger_server()  # type: ignore[no-untyped-call]

    controller = OnAnyPort(
        Handler(),
        hostname=LOOPBACK,
        port=0,
        ready_timeout=30,
        server_hostname=mail.authserv_id,
        authenticator=authenticate,
        auth_require_tls=False,
        data_size_limit=64_000_000,
        decode_data=False,
        enable_SMTPUTF8=True,
    )
    controller.start()
    stack.callback(controller.stop)
    return int(controller.port)
