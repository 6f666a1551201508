"""The SMTP server of the benchmarks as a process: tells its port, then how much it took each time it is asked."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers import SmtpSink


def main() -> None:
    """Serves until standard input ends."""
    sink = SmtpSink()
    try:
        print(sink.port, flush=True)
        for _question in sys.stdin:
            mails, connections = len(sink.received), sink.connections
            sink.received.clear()
            sink.connections = 0
            print(mails, connections, flush=True)
    finally:
        sink.close()


if __name__ == "__main__":
    main()
