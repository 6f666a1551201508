"""Answers of servers that are not at hand, as bytes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from intake import imap_lines
from intake.errors import (
    DemoMissing,
    DiskUnusable,
    ExitCode,
    InstanceRunning,
    LedgerAdoption,
    MailboxUnavailable,
    OperatorError,
    RegisterUnreadable,
    SendingUnavailable,
    SignInRefused,
)


def test_attributes_may_stand_before_or_behind_the_bytes():
    """Dovecot puts the UID in front, pymap and Exchange behind."""
    data = [
        (b"1 (UID 5 RFC822.SIZE 3 BODY[] {3}", b"abc"),
        b")",
        (b"2 (BODY[] {3}", b"def"),
        b' INTERNALDATE " 5-Mar-2026 23:30:00 -0500" UID 6)',
    ]

    first, second = imap_lines.fetch_lines(data)

    assert (first.uid, first.size, first.literals) == (5, 3, (b"abc",))
    assert (second.uid, second.size, second.literals) == (6, None, (b"def",))
    assert datetime(2026, 3, 6, 4, 30, tzinfo=UTC) == second.internal_date


def test_words_of_a_mail_are_never_read_as_the_servers():
    """A body that looks like an answer stays a body."""
    [line] = imap_lines.fetch_lines([(b"1 (UID 5 BODY[] {30}", b"2 (UID 99 RFC822.SIZE 1 BODY[] {"), b")"])

    assert (line.uid, line.size) == (5, None)


def test_news_of_flags_between_the_answers_is_passed_over():
    """Another client marked something meanwhile; without a UID it is nobody's."""
    data = [b"3 (FLAGS (\\Seen))", (b"1 (UID 5 BODY[] {1}", b"a"), b")", b"2 (FLAGS (\\Deleted) UID 6)", None]

    found = list(imap_lines.fetch_lines(data))

    assert [(line.uid, line.literals) for line in found] == [(5, (b"a",)), (6, ())]


def test_an_empty_message_may_come_in_quotes():
    """No literal, but a message all the same."""
    [line] = imap_lines.fetch_lines([b'1 (UID 5 BODY[] "")'])

    assert line.literals == (b"",)


@pytest.mark.parametrize(
    "words", [b"30-Feb-2026 00:00:00 +0000", b"01-Ene-2026 00:00:00 +0000", b"01-Jan-2026 10:00:60 +0000"]
)
def test_a_date_that_does_not_exist_hides_no_message(words):
    """The message is there; its date is not known."""
    [line] = imap_lines.fetch_lines([b'1 (UID 5 INTERNALDATE "' + words + b'")'])

    assert (line.uid, line.internal_date) == (5, None)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # One message, as both answers write it.
        ([b"38505 304 3956"], (38505, 3956)),
        # The last one told counts.
        ([b"1 1 1", b"38505 304 3956"], (38505, 3956)),
        # Several messages are not what was asked.
        ([b"38505 304,319 3956:3957"], None),
        ([], None),
        ([None], None),
    ],
)
def test_where_a_copy_went(data, expected):
    """COPYUID names UIDVALIDITY, old and new UID (RFC 4315)."""
    assert expected == imap_lines.copied_to(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ([b'(("" "/")) NIL NIL'], ("", "/")),
        ([b'(("INBOX." ".")) NIL (("shared." "."))'], ("INBOX.", ".")),
        ([b'(("" "\\\\")) NIL NIL'], ("", "\\")),
        ([b"NIL NIL NIL"], None),
        ([None], None),
    ],
)
def test_where_folders_begin(data, expected):
    """Prefix and separator of the user's own folders (RFC 2342)."""
    assert expected == imap_lines.namespace(data)


def test_the_reason_of_a_refusal():
    """The code in brackets, and nothing of the text behind it."""
    assert imap_lines.response_code([b"[TRYCREATE] No such mailbox"]) == "TRYCREATE"
    assert imap_lines.response_code([b" [UNAVAILABLE] later"]) == "UNAVAILABLE"
    assert imap_lines.response_code([b"no [CODE] in front", None]) == ""


def test_numbers_come_sorted_as_numbers():
    """Not as text, and from however many lines."""
    assert imap_lines.numbers([b"100 2", b"10 2", None]) == [2, 10, 100]
    assert imap_lines.numbers([b""]) == []


def test_runs_of_uids_are_folded():
    """Commands stay short, and only UIDs that were asked are in the set."""
    assert imap_lines.uid_set([12, 3, 5, 6, 7, 8, 9, 11, 5]) == "3,5:9,11:12"
    assert imap_lines.uid_set([]) == ""


def test_a_day_is_written_in_english_whatever_the_locale():
    """SEARCH knows no other months."""
    assert imap_lines.day(date(2026, 1, 3)) == "3-Jan-2026"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MailboxUnavailable, ExitCode.CORRECTION_OR_OVERDUE),
        (SendingUnavailable, ExitCode.CORRECTION_OR_OVERDUE),
        (SignInRefused, ExitCode.UNUSABLE),
        (InstanceRunning, ExitCode.UNUSABLE),
        (LedgerAdoption, ExitCode.UNUSABLE),
        (DiskUnusable, ExitCode.UNUSABLE),
        (DemoMissing, ExitCode.UNUSABLE),
        (RegisterUnreadable, ExitCode.UNREADABLE),
    ],
)
def test_every_operator_error_has_a_remedy_and_an_exit_code(error, code):
    """The docstring is the message; what exactly happened stands before it."""
    assert code == error.exit_code
    assert issubclass(error, OperatorError)
    assert " ".join(error.__doc__.split()) == str(error())
    assert str(error("Port 1")).startswith("Port 1. ")
    assert str(error("Port 1")).endswith(str(error()))
