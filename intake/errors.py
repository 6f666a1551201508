"""What an operator must act on, apart from findings, which are for senders.

Each class's docstring is its default message and names the remedy; each carries the exit code of the command
that it ends. Nothing decides anything by reading these texts, and no text of a mail ever goes into one.
"""

# The names say what is the matter; "Error" behind each would add nothing.

from __future__ import annotations

import inspect
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of the command (the command contract)."""

    #: Nothing to do for anybody.
    FINE = 0
    #: The input needs correction, or something is owed past its due time.
    CORRECTION_OR_OVERDUE = 1
    #: Arguments, configuration or surroundings cannot be used, or another instance runs.
    UNUSABLE = 2
    #: A document cannot be read.
    UNREADABLE = 3


class OperatorError(Exception):
    """The program cannot go on; see the lines above for the cause."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNUSABLE
    #: True where trying again later, with nothing changed, may help.
    passing: ClassVar[bool] = False

    def __init__(self, detail: str = "") -> None:
        """Say what is wrong and what to do.

        Args:
            detail: What exactly happened, in one line; comes before the remedy.
        """
        self.detail = detail
        remedy = " ".join(inspect.getdoc(type(self)).split()) if type(self).__doc__ else ""  # type: ignore[union-attr]
        super().__init__(f"{detail.rstrip('.')}. {remedy}" if detail else remedy)


class MailboxUnavailable(OperatorError):
    """The mailbox cannot be reached now; the worker tries again by itself. If it lasts, check host, port, security and ca_file in settings.toml."""

    exit_code = ExitCode.CORRECTION_OR_OVERDUE
    passing = True


class SignInRefused(OperatorError):
    """The server refused user name or password; check username and password of this server in settings.toml or its environment."""


class SendingUnavailable(OperatorError):
    """Replies cannot be sent now; they stay owed and are sent when the server takes them. If it lasts, check [smtp] in settings.toml."""

    exit_code = ExitCode.CORRECTION_OR_OVERDUE
    passing = True


class InstanceRunning(OperatorError):
    """Another instance works on this data folder; stop it first, or leave it to do the work."""


class LedgerAdoption(OperatorError):
    """The ledger is empty but the register or the filed folders are not; bring back the ledger from its backup. To begin anew, give it an empty register and empty folders (paths.register, mailboxes.folders.root)."""


class RegisterUnreadable(OperatorError):
    """The register cannot be read; close it where it is open, or put back its last good copy. It is never rebuilt by itself."""

    exit_code = ExitCode.UNREADABLE


class DiskUnusable(OperatorError):
    """The data folder cannot be written; check free space and permissions of paths.data in settings.toml."""


class ReaderUnavailable(OperatorError):
    """The process that opens mails does not start; check free memory and that the program is installed whole. The mails wait."""

    exit_code = ExitCode.CORRECTION_OR_OVERDUE
    passing = True


class DemoMissing(OperatorError):
    """The demonstration needs the extra "demo": pip install practice-intake[demo]."""


class LedgerUnusable(OperatorError):
    """The ledger cannot be used; check that paths.data is writable and that this is the program's newest version, or bring the ledger back from its backup."""
