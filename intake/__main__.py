"""The command `practice-intake`."""

from __future__ import annotations


def main() -> None:
    """Runs the command; the exit code says how it went (the command contract)."""
    from intake.cli import app

    app()


if __name__ == "__main__":
    main()
