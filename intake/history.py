"""What the ledger knows that bears on one mail, as values, so that judging stays pure.

Filled by `intake.ledger`; holds no connection and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Link = Literal["document", "thread", "token", "address"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A finding that staff let pass for a case: its code, field and the value it was said of."""

    code: str
    field: str | None
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case as it stands before this mail.

    Attributes:
        reference: E.g. `PMM-2026-0042`.
        disposition: Of its last judged version: `accepted`, `needs_correction` or `held`.
        title: Title of its last version.
        rounds: Correction requests sent or waiting so far.
        versions: Number of versions.
        accepted_version: The last version that was complete, `None` if none was.
        noticed: Whether the notice that a person will read it went out already.
        frozen: Words of withdrawal froze its outgoing mail.
        closed: Staff closed or withdrew it.
        waivers: What staff let pass.
        corrections: Field key to the value staff typed, which stands over later versions.
        errors: `(code, field)` of the errors of the last version.
    """

    reference: str
    disposition: str
    title: str = ""
    rounds: int = 0
    versions: int = 1
    accepted_version: int | None = None
    noticed: bool = False
    frozen: bool = False
    closed: bool = False
    waivers: tuple[Waiver, ...] = ()
    corrections: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FormHistory:
    """Where one form of the mail belongs.

    Attributes:
        case: The case it continues, `None` for a new one.
        link: How the case was found.
        allowed: Whether this sender may speak for that case.
        foreign: A reference was given that is unknown or whose token is wrong.
        same: The very same bytes are already the case's last version.
        other_practice: It tells another practice than the complete one of that case.
    """

    case: KnownCase | None = None
    link: Link | None = None
    allowed: bool = True
    foreign: bool = False
    same: bool = False
    other_practice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The same message as judged before, when a person put it back into the inbox."""

    disposition: str
    errors: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that bears on one mail.

    Attributes:
        forms: One entry for each of `Reading.forms`, in order.
        thread_case: Case that a mail without a form speaks of (thread, token; for words of withdrawal also
            the bare reference or the sender's address).
        may_freeze: Whether this sender may speak for that case, so that words of withdrawal stop its mail.
        ours: The mail names a Message-ID or token of ours.
        answered_by_person: A person already answered it from the mailbox.
        replies_today: Replies to this address since midnight of the office.
        replies_this_hour: Replies to anybody within the hour.
        cases_today: Cases this address began today.
        noticed: This address got the notice "a person will read it" for a mail without a case.
        language: Language last used with this address.
        earlier: Set when the message is looked at again.
    """

    forms: tuple[FormHistory, ...] = ()
    thread_case: KnownCase | None = None
    may_freeze: bool = False
    ours: bool = False
    answered_by_person: bool = False
    replies_today: int = 0
    replies_this_hour: int = 0
    cases_today: int = 0
    noticed: bool = False
    language: str | None = None
    earlier: Earlier | None = None
