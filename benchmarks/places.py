"""Where measured things run: the servers of the tests, a mailbox filled on disk, an SMTP server in a process.

Puts `tests/` on the path, so that a benchmark meets the same servers as the tests. Measures nothing.
"""

from __future__ import annotations

import hashlib
import imaplib
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TESTS = Path(__file__).resolve().parent.parent / "tests"
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))

from servers import PASSWORD, DovecotServer, Imap  # noqa: E402

AUTHSERV = "mx.oficina.example"


class Post:
    """Dovecot with as many mailboxes as are asked for; mail is put on its disk before anything is measured."""

    def __init__(self) -> None:
        self._server = DovecotServer(fsync="optimized")
        self._users = 0
        self.owner = self._server.owner

    def new_box(self, *, folders: Iterable[str] = ()) -> Imap:
        """An empty mailbox of a user of its own."""
        self._users += 1
        user = f"user{self._users}"
        box = Imap(kind="dovecot", port=self._server.port, user=user, bump=lambda: None)
        client = box.client()
        client.select()
        for folder in folders:
            client.create(folder)
        return box

    def fill(self, box: Imap, mails: Iterable[bytes]) -> int:
        """Puts mails into the inbox as delivery does, and lets the server index them.

        Returns:
            How many.
        """
        inbox = self._server.maildir(box.user) / "new"
        count = 0
        for raw in mails:
            lines = raw.replace(b"\r\n", b"\n")
            wire = len(lines) + lines.count(b"\n")
            mark = hashlib.sha256(raw).hexdigest()[:12]
            path = inbox / f"{int(time.time())}.M{count:06d}P{mark}.bench,S={len(lines)},W={wire}"
            path.write_bytes(lines)
            if os.geteuid() == 0:
                os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
            count += 1
        client = imaplib.IMAP4(box.host, box.port, timeout=60)
        client.login(box.user, PASSWORD)
        client.select()
        _, data = client.uid("FETCH", "1:*", "(RFC822.SIZE INTERNALDATE)")
        client.logout()
        indexed = len([line for line in data if line])
        if indexed < count:
            raise RuntimeError(f"the server found {indexed} of {count} mails")
        # What was prepared is on the disk: nobody's own flushing has to wait for it.
        os.sync()
        return count

    def close(self) -> None:
        """Ends the server."""
        self._server.close()


class Sink:
    """An SMTP server that takes everything, in a process of its own: it steals no one's interpreter."""

    # As the tests' own sink tells its settings: nobody signs in.
    username = ""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("sink.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.host = "127.0.0.1"
        self.port = int(self._ask(""))

    def taken(self) -> tuple[int, int]:
        """Mails taken since the last question, and connections opened for them."""
        mails, connections = self._ask("taken\n").split()
        return int(mails), int(connections)

    def _ask(self, words: str) -> str:
        stdin, stdout = _pipes(self._process)
        stdin.write(words)
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError("the SMTP server ended")
        return line

    def settings(self) -> object:
        """Settings of this server for `offices.make_office`."""
        from config.settings import Smtp

        return Smtp(host=self.host, port=self.port, security="plain")

    def close(self) -> None:
        """Ends the process."""
        stdin, _stdout = _pipes(self._process)
        stdin.close()
        self._process.wait(20)


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    return process.stdin, process.stdout


@contextmanager
def servers() -> Iterator[tuple[Post, Sink]]:
    """Both servers, ended at the end."""
    post = Post()
    try:
        sink = Sink()
        try:
            yield post, sink
        finally:
            sink.close()
    finally:
        post.close()
