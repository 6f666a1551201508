"""One log line a state change, as JSON on standard error; never addresses, subjects or values of fields."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog


def configure(level: int = logging.INFO) -> None:
    """Sets up logging for a command."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def fault(error: BaseException) -> str:
    """An unforeseen exception for the log: its type and where, never its text, which may hold a sender's words."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
