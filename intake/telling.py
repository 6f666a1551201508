"""`status` and `show`: what the ledger holds, for people and as JSON. Reads only."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from config import Config
from intake import ledger, projection
from intake.assembly import open_ledger
from intake.cases import form_json
from intake.recall import findings_json
from intake.schema import cases, deliveries, events, outbox, outbox_cases, review
from intake.terminal import command_words
from intake.worker import now_utc
from responses.telling import staff_reason


def status_of(config: Config) -> dict[str, Any]:
    """What was judged, what is owed, what waits and why.

    Raises:
        LedgerUnusable: See there.
    """
    now = now_utc()
    book = open_ledger(config)
    try:
        with book.reading() as connection:
            return _status(connection, now, patience=2 * config.settings.schedule.poll_seconds)
    finally:
        book.close()


def _status(connection: Connection, now: datetime, *, patience: float) -> dict[str, Any]:
    """`patience`: seconds past its due time after which a reply is overdue; the worker looks once a poll."""

    def count(statement: Any) -> int:
        return int(connection.scalar(statement) or 0)

    owed = select(func.count()).select_from(outbox)
    unsent = outbox.c.state.in_(("due", "sending"))
    waiting = ledger.fact(connection, "register_waiting") or ""
    why, _, since = waiting.partition(" ")
    return {
        "messages": projection.counts(connection),
        "new": count(select(func.count()).select_from(deliveries).where(deliveries.c.state == "new")),
        "unfiled": count(select(func.count()).select_from(deliveries).where(deliveries.c.state == "decided")),
        "owed": count(owed.where(unsent)),
        "overdue": count(owed.where(unsent, outbox.c.due < ledger.stamp(now - timedelta(seconds=patience)))),
        "approval": count(owed.where(outbox.c.state == "waiting")),
        "refused": count(owed.where(outbox.c.state == "refused")),
        "review": count(select(func.count()).select_from(review).where(~review.c.closed)),
        # By the number that `decide` takes; nothing of what was written.
        "lines": [
            {"line": row.id, "at": row.at, "reason": row.reason, "reference": row.reference}
            for row in connection.execute(select(review).where(~review.c.closed).order_by(review.c.id))
        ],
        "register": {
            "waiting": why or None,
            "since": since or None,
            "behind": count(
                select(func.count()).select_from(cases).where(cases.c.changed > cases.c.registered)
            ),
            "problems": ledger.fact(connection, "register_problems") or "",
        },
    }


def tell_status(found: dict[str, Any], config: Config, language: str) -> None:
    """Prints the status for people."""
    from rich.console import Console
    from rich.table import Table

    words = command_words(language)
    labels = words["status"]
    table = Table(title=labels["title"], show_header=False)
    for name, value in found["messages"].items():
        table.add_row(f"{labels['judged']}: {words['dispositions'][name]}", str(value))
    for key in ("new", "unfiled", "owed", "overdue"):
        table.add_row(labels[key], str(found[key]))
    table.add_row(labels["waiting"], str(found["approval"]))
    table.add_row(labels["review"], str(found["review"]))
    table.add_row(labels["register"], _register_words(found["register"], config, words))
    console = Console()
    console.print(table)
    for line in found["lines"]:
        reason = staff_reason(line["reason"] if "." in line["reason"] else f"held.{line['reason']}", language)
        console.print(
            f"{line['line']:>5}  {line['at'][:16]}  {line['reference'] or ''}  {reason}", markup=False
        )


def _register_words(register: dict[str, Any], config: Config, words: dict[str, Any]) -> str:
    labels = words["status"]
    if register["waiting"]:
        why = words["waits"].get(register["waiting"], register["waiting"])
        since = str(register["since"])[:16].replace("T", " ") + " UTC"
        return str(
            labels["register_waits"].format(
                since=since, why=why.format(path=config.settings.paths.register_file)
            )
        )
    if register["behind"]:
        return str(labels["register_behind"].format(count=register["behind"]))
    return str(labels["register_fine"])


def case_of(config: Config, reference: str) -> dict[str, Any] | None:
    """A case with its versions, findings, replies and events; `None` when there is none."""
    book = open_ledger(config)
    try:
        with book.reading() as connection:
            return _case(connection, reference)
    finally:
        book.close()


def _case(connection: Connection, reference: str) -> dict[str, Any] | None:
    row = connection.execute(select(cases).where(cases.c.reference == reference)).first()
    if row is None:
        return None
    told = events.c.reference == reference
    replies = select(outbox).join(outbox_cases, outbox_cases.c.outbox == outbox.c.id)
    return {
        "reference": reference,
        "disposition": row.disposition,
        "situation": row.situation,
        "title": row.title,
        "language": row.language,
        "call": row.call,
        "opened": row.opened,
        "completed": row.completed,
        "closed": row.closed,
        "joined_to": row.joined_to,
        "versions": [
            {
                "number": version.number,
                "at": version.at,
                "source": version.source,
                "disposition": version.disposition,
                "fields": form_json.validate_json(version.form).values(),
                "findings": [
                    {"code": finding.code, "field": finding.field, "severity": finding.severity}
                    for finding in findings_json.validate_json(version.findings)
                ],
                "files": json.loads(version.files),
            }
            for version in projection.versions_of(connection, reference)
        ],
        "replies": [
            {"kind": reply.kind, "state": reply.state, "due": reply.due, "settled": reply.settled}
            for reply in connection.execute(
                replies.where(outbox_cases.c.reference == reference).order_by(outbox.c.id)
            )
        ],
        "events": [
            {"at": event.at, "action": event.action, "by": event.by, **json.loads(event.detail)}
            for event in connection.execute(select(events).where(told).order_by(events.c.id))
        ],
    }


def tell_case(case: dict[str, Any], language: str) -> None:
    """Prints a case for people."""
    from rich.console import Console
    from rich.markup import escape

    words = command_words(language)
    labels = words["show"]
    console = Console()
    situation = words["dispositions"].get(case["disposition"], case["disposition"])
    console.print(f"[bold]{case['reference']}[/bold]  {escape(case['title'])}\n{situation}")
    console.print(f"[bold]{labels['versions']}[/bold]")
    for version in case["versions"]:
        shown = words["dispositions"].get(version["disposition"], version["disposition"])
        console.print(f"  {version['number']}  {version['at'][:16]}  {escape(version['source'])}  {shown}")
        for finding in version["findings"]:
            console.print(f"      {finding['severity']:7} {finding['field'] or '-'}: {finding['code']}")
    console.print(f"[bold]{labels['replies']}[/bold]")
    for reply in case["replies"]:
        kind = words["kinds"].get(reply["kind"], reply["kind"])
        console.print(f"  {(reply['settled'] or reply['due'])[:16]}  {kind}  {reply['state']}")
    console.print(f"[bold]{labels['events']}[/bold]")
    for event in case["events"]:
        by = f"  {escape(event['by'])}" if event["by"] else ""
        reason = f"  {escape(str(event.get('reason', '')))}" if event.get("reason") else ""
        console.print(f"  {event['at'][:16]}  {event['action']}{by}{reason}")
