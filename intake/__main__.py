"""The command `practice-intake`."""

from __future__ import annotations

import io


def main() -> None:
    """Runs the command; the exit code says how it went (the command contract)."""
    import sys

    from intake.cli import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # JSON is UTF-8 in every locale, and a file name of other bytes ends no command.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
