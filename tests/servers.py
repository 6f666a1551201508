"""Mail servers on loopback for tests: pymap and Dovecot as one fixture, and an SMTP server that can refuse."""

from __future__ import annotations

import contextlib
import imaplib
import itertools
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.settings import Mailbox, Smtp
from intake.demo.servers import LOOPBACK, ImapServer

PASSWORD = "geheim"
_USERS = itertools.count(1)

_DOVECOT_CONF = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
{tls}
protocols = imap
listen = 127.0.0.1
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
imap_idle_notify_interval = 2 mins
mail_max_userip_connections = 100
mail_fsync = {fsync}
auth_failure_delay = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
"""


def require(program: str) -> str:
    """The path of an installed program; without it the test is skipped, or fails where everything is required."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found:
        return found
    if os.environ.get("PRACTICE_INTAKE_REQUIRE") == "all":
        pytest.fail(f"{program} is not installed, and PRACTICE_INTAKE_REQUIRE=all", pytrace=False)
    pytest.skip(f"{program} is not installed")


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost that only those trust who are told to."""

    chain: Path
    key: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Made anew for each run: no key lies in the project."""
    folder = tmp_path_factory.mktemp("certificate")
    made = Certificate(folder / "chain.pem", folder / "key.pem")
    program = require("openssl")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    output = ["-keyout", str(made.key), "-out", str(made.chain)]
    command = [program, "req", *kind, "-subj", "/CN=localhost", "-addext", names, *output]
    subprocess.run(command, check=True, capture_output=True)
    return made


class DovecotServer:
    """Dovecot in the foreground on a port of loopback, with any user name and one password; needs no root."""

    def __init__(
        self,
        *,
        separator: str = ".",
        prefix: str = "",
        certificate: Certificate | None = None,
        fsync: str = "never",
    ) -> None:
        self._program = require("dovecot")
        # Not below pytest's own folder, which other users may not enter: as root, Dovecot runs as nobody.
        self.home = Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.password = PASSWORD
        self._values = {"separator": separator, "prefix": prefix, "fsync": fsync, "tls": "ssl = no"}
        for name in ("run", "state", "mail"):
            (self.home / name).mkdir()
        if certificate:
            chain = shutil.copy(certificate.chain, self.home / "chain.pem")
            key = shutil.copy(certificate.key, self.home / "key.pem")
            self._values["tls"] = f"ssl = yes\nssl_cert = <{chain}\nssl_key = <{key}"
        for _ in range(3):
            # Somebody else may take the port between our looking and Dovecot's listening.
            self.port = _free_port()
            self.tls_port = _free_port() if certificate else 0
            self._start()
            if self._greets():
                return
        told = f"{self._log()}{self.process.stderr.read().decode()}"
        self.close()
        raise RuntimeError(f"Dovecot does not start: {told}")

    def _start(self) -> None:
        group = subprocess.run(["id", "-gn", self.owner.pw_name], check=True, capture_output=True, text=True)
        config = _DOVECOT_CONF.format(
            home=self.home,
            user=self.owner.pw_name,
            group=group.stdout.strip(),
            password=PASSWORD,
            port=self.port,
            tls_port=self.tls_port,
            **self._values,
        )
        (self.home / "dovecot.conf").write_text(config)
        identity = {}
        if os.geteuid() == 0:
            for path in (self.home, *self.home.iterdir()):
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
            identity = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        self.process = subprocess.Popen(
            [self._program, "-F", "-c", str(self.home / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
            **identity,
        )

    def _greets(self) -> bool:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, self.port), 5) as probe:
                # Another program on this port would greet too, but not leave Dovecot running.
                if probe.recv(16).startswith(b"* OK") and "already in use" not in self._log():
                    return True
            time.sleep(0.02)
        self.process.kill()
        self.process.wait(10)
        return False

    def _log(self) -> str:
        log = self.home / "log"
        return log.read_text() if log.exists() else ""

    def maildir(self, user: str) -> Path:
        return self.home / "mail" / user / "Maildir"

    def bump_uidvalidity(self, user: str) -> None:
        """Give the inbox a higher UIDVALIDITY and count UIDs anew, as after a restored backup."""
        maildir = self.maildir(user)
        listed = maildir / "dovecot-uidlist"
        head = listed.read_text().splitlines()[0]
        validity = int(re.search(r"\bV(\d+)", head)[1])
        listed.write_text(re.sub(r"\bN\d+", "N1", re.sub(r"\bV\d+", f"V{validity + 7}", head)) + "\n")
        for index in maildir.glob("dovecot.index*"):
            index.unlink()

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)


@dataclass
class Imap:
    """A fresh, empty mailbox on a running server, as the test sees it: by an IMAP client of its own."""

    kind: str
    port: int
    user: str
    bump: Callable[[], None]
    password: str = PASSWORD
    host: str = LOOPBACK
    _open: list[imaplib.IMAP4] = field(default_factory=list)
    _writer: imaplib.IMAP4 | None = None

    def client(self) -> imaplib.IMAP4:
        """Another mail program, signed in; closed with the test."""
        client = imaplib.IMAP4(self.host, self.port, timeout=20)
        client.login(self.user, self.password)
        self._open.append(client)
        return client

    def append(
        self, raw: bytes, folder: str = "INBOX", flags: tuple[str, ...] = (), date: str | None = None
    ) -> None:
        """Put a message into a folder; `folder` as it goes on the wire."""
        if self._writer is None:
            self._writer = self.client()
            # imaplib sends a literal in two pieces, which costs 40 ms each time with Nagle's algorithm.
            self._writer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        typ, data = self._writer.append(f'"{folder}"', f"({' '.join(flags)})" if flags else None, date, raw)
        assert typ == "OK", data

    def snapshot(self, folder: str = "INBOX") -> list[tuple[int, frozenset[str], bytes]]:
        r"""UID, flags (without \\Recent, which is of a session) and bytes of every message, without changing any."""
        with self._session() as client:
            typ, data = client.select(f'"{folder}"', readonly=True)
            assert typ == "OK", data
            typ, data = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
            found = []
            for head, tail in zip(data[::2], data[1::2], strict=True) if data != [None] else ():
                words = head[0] + b" " + tail
                flags = re.search(rb"FLAGS \(([^)]*)\)", words)[1].decode().split()
                uid = int(re.search(rb"UID (\d+)", words)[1])
                found.append((uid, frozenset(flags) - {"\\Recent"}, head[1]))
            return sorted(found)

    def folders(self) -> set[str]:
        """Names of all folders, as they go on the wire."""
        with self._session() as client:
            _, data = client.list()
            found = [re.search(rb'"([^"]*)"$|(\S+)$', line) for line in data if line]
            return {(each[1] or each[2]).decode() for each in found}

    def bump_uidvalidity(self) -> None:
        """Void all UIDs of the inbox."""
        self.bump()

    def settings(self, **changes: object) -> Mailbox:
        """Settings of this mailbox for the program."""
        values = {
            "host": self.host,
            "port": self.port,
            "security": "plain",
            "username": self.user,
            "password": self.password,
            "address": "practicas@example.org",
            "timeout_seconds": 20,
        }
        return Mailbox.model_validate({**values, **changes})

    @contextlib.contextmanager
    def _session(self) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4(self.host, self.port, timeout=20)
        try:
            client.login(self.user, self.password)
            yield client
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()

    def close(self) -> None:
        for client in self._open:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                client.logout()


@pytest.fixture(scope="session")
def pymap_process() -> Iterator[ImapServer]:
    """pymap for the whole run."""
    server = ImapServer(password=PASSWORD)
    yield server
    server.close()


@pytest.fixture(scope="session")
def dovecot_process() -> Iterator[DovecotServer]:
    """Dovecot for the whole run."""
    server = DovecotServer()
    yield server
    server.close()


@pytest.fixture(name="pymap_server")
def _pymap_server(pymap_process: ImapServer) -> Iterator[Imap]:
    """A fresh mailbox on pymap."""
    user = f"user{next(_USERS)}"
    pymap_process.add_user(user)

    def bump() -> None:
        pymap_process.folder(user)._uid_validity += 7

    imap = Imap(kind="pymap", port=pymap_process.port, user=user, bump=bump)
    yield imap
    imap.close()


@pytest.fixture(name="dovecot_server")
def _dovecot_server(dovecot_process: DovecotServer) -> Iterator[Imap]:
    """A fresh mailbox on Dovecot."""
    user = f"user{next(_USERS)}"
    imap = Imap(
        kind="dovecot",
        port=dovecot_process.port,
        user=user,
        bump=lambda: dovecot_process.bump_uidvalidity(user),
    )
    yield imap
    imap.close()


@pytest.fixture(name="imap_server", params=["pymap", pytest.param("dovecot", marks=pytest.mark.dovecot)])
def _imap_server(request: pytest.FixtureRequest) -> Imap:
    """A fresh mailbox, once on pymap and once on Dovecot."""
    return request.getfixturevalue(f"{request.param}_server")


@dataclass(frozen=True)
class Received:
    """One mail that the sink took."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    connection: int
    options: tuple[str, ...] = ()


class SmtpSink:
    """An SMTP server that keeps what it gets, and refuses or hangs up where the test says so.

    Attributes:
        received: Mails taken, in order.
        mail, rcpt, data: Answers to give to the next commands of that name instead of "250 OK", first in first
            out; None answers as usual; "hang up" closes the connection without an answer.
        connections: How many were opened.
    """

    def __init__(
        self,
        *,
        user: str = "",
        password: str = "",
        smtputf8: bool = True,
        starttls: ssl.SSLContext | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        from aiosmtpd.controller import Controller
        from aiosmtpd.smtp import AuthResult

        self.received: list[Received] = []
        self.mail: list[str | None] = []
        self.rcpt: list[str | None] = []
        self.data: list[str | None] = []
        self.connections = 0
        self.transactions = 0
        self._sessions: list[object] = []
        self._lock = threading.Lock()
        self.user, self.password = user, password

        class OnAnyPort(Controller):
            def _trigger_server(self) -> None:
                self.port = self.server.sockets[0].getsockname()[1]
                super()._trigger_server()

        def authenticate(_server, _session, _envelope, _mechanism, given):
            good = given.login == user.encode() and given.password == password.encode()
            return AuthResult(success=good, handled=False)

        self._controller = OnAnyPort(
            self,
            hostname=LOOPBACK,
            port=0,
            ready_timeout=20,
            server_hostname="sink.example",
            authenticator=authenticate if user else None,
            auth_require_tls=False,
            ssl_context=tls,
            tls_context=starttls,
            enable_SMTPUTF8=smtputf8,
            decode_data=False,
        )
        self._controller.start()
        self.connections = 0

    @property
    def port(self) -> int:
        return self._controller.port

    def settings(self, **changes: object) -> Smtp:
        """Settings of this server for the program."""
        values = {
            "host": LOOPBACK,
            "port": self.port,
            "security": "plain",
            "username": self.user,
            "password": self.password,
            "timeout_seconds": 10,
        }
        return Smtp.model_validate({**values, **changes})

    def hang_up(self) -> None:
        """Close every open connection, as servers do with idle ones."""
        loop = self._controller.loop
        for server in self._sessions:
            loop.call_soon_threadsafe(server.transport.close)
        self._sessions.clear()

    def _answer(self, script: list[str | None], server: object, usual: str) -> str:
        told = script.pop(0) if script else None
        if told == "hang up":
            server.transport.abort()
            return "421 gone"
        return told or usual

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        with self._lock:
            self.connections += 1
            session.number = self.connections
            self._sessions.append(server)
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.transactions += 1
        if self.user and not session.authenticated:
            return "530 5.7.0 sign in first"
        told = self._answer(self.mail, server, "250 OK")
        if told.startswith("250"):
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return told

    async def handle_RCPT(self, server, session, envelope, address, options):
        told = self._answer(self.rcpt, server, "250 OK")
        if told.startswith("25"):
            envelope.rcpt_tos.append(address)
        return told

    async def handle_DATA(self, server, session, envelope):
        told = self._answer(self.data, server, "250 queued as 42")
        if told.startswith("250"):
            self.received.append(
                Received(
                    # aiosmtpd tells the null path with its brackets.
                    envelope.mail_from.strip("<>"),
                    tuple(envelope.rcpt_tos),
                    envelope.content,
                    session.number,
                    tuple(envelope.mail_options),
                )
            )
        return told

    def close(self) -> None:
        self._controller.stop()


@pytest.fixture(name="smtp_sink")
def _smtp_sink() -> Iterator[SmtpSink]:
    """An SMTP server of this test alone, without sign-in."""
    sink = SmtpSink()
    yield sink
    sink.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
