"""Fixtures of all tests; shared test code lies beside it and is imported by its plain name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hard_days import _office_with, _quick_office
from servers import (
    _dovecot_server,
    _imap_server,
    _pymap_server,
    _smtp_sink,
    certificate,
    dovecot_process,
    pymap_process,
)

__all__ = [
    "_dovecot_server",
    "_imap_server",
    "_office_with",
    "_pymap_server",
    "_quick_office",
    "_smtp_sink",
    "certificate",
    "dovecot_process",
    "pymap_process",
]
