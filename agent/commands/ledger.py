"""`decorum ledger`: the literal list of everything that was sent from this device, and whether the server holds the same."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TextIO

from agent.commands import exits
from agent.commands.printing import print_json
from agent.localapi.client import LocalClient
from contract import wire
from contract.errors import MalformedError
from contract.local import (
    ComparisonPage,
    ComparisonQuery,
    LedgerComparison,
    LedgerPage,
    LedgerQuery,
    LedgerRow,
)
from contract.wire import convert

AT_ONCE = 500
ASK_AGAIN_SECONDS = 0.2


def execute(arguments: argparse.Namespace) -> int:
    """Ask the agent and print, newest first."""
    with LocalClient(arguments.socket, os.environ) as client:
        if arguments.compare:
            return _compare(client, as_json=arguments.json)
        if arguments.export:
            return _export(client, arguments.export)
        if arguments.day:
            rows = tuple(_rows_of(client, arguments.day))
        else:
            query = convert(LedgerQuery, {"before": arguments.before, "limit": arguments.limit})
            rows = client.ask("ledger", query, LedgerPage).rows
    if arguments.json:
        print_json(LedgerPage(rows))
    elif not rows:
        print(
            f"Nothing was sent on {arguments.day}." if arguments.day else "Nothing was sent from this device."
        )
    else:
        _print(rows)
    return exits.COMPLIANT


def _all_rows(client: LocalClient) -> Iterator[LedgerRow]:
    before: int | None = None
    while rows := client.ask("ledger", LedgerQuery(before=before, limit=AT_ONCE), LedgerPage).rows:
        yield from rows
        before = rows[-1].number


def _rows_of(client: LocalClient, day: date) -> Iterator[LedgerRow]:
    for row in _all_rows(client):
        its_day = row.first_attempt.astimezone().date()
        if its_day == day:
            yield row
        elif its_day < day:
            return


def _export(client: LocalClient, target: str) -> int:
    """Write every row as one JSON object a line, newest first; a file that is there is left as it is."""
    with ExitStack() as stack:
        out: TextIO = sys.stdout
        if target != "-":
            try:
                out = stack.enter_context(Path(target).open("x", encoding="utf-8"))
            except OSError as error:
                raise MalformedError(
                    f"{target} cannot be made ({error.strerror}).", "Name another file."
                ) from error
        count = 0
        for row in _all_rows(client):
            out.write(wire.encode(row).decode() + "\n")
            count += 1
    if target != "-":
        print(f"{count} rows are in {target}.")
    return exits.COMPLIANT


def _print(rows: tuple[LedgerRow, ...]) -> None:
    day: date | None = None
    for row in rows:
        at = row.first_attempt.astimezone()
        if at.date() != day:
            day = at.date()
            print(f"{day:%A}, {day}")
        arrived = (
            f"arrived {row.acknowledged.astimezone():%H:%M:%S}" if row.acknowledged else _tried(row.attempts)
        )
        print(f"{row.number:>6}  {at:%H:%M:%S}  {row.sentence}  ({arrived})")
        print(f"        {row.literal}")


def _tried(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"


def _compare(client: LocalClient, *, as_json: bool, pause: Callable[[float], None] = time.sleep) -> int:
    page = client.ask("ledger.compare", ComparisonQuery(begin=True), ComparisonPage)
    while page.is_running:
        pause(ASK_AGAIN_SECONDS)
        page = client.ask("ledger.compare", ComparisonQuery(), ComparisonPage)
    if as_json:
        print_json(page)
    elif page.result is not None:
        print("\n".join(_in_words(page.result)))
    elif page.problem is not None:
        print(f"decorum: {page.problem.sentence} {page.problem.remedy}", file=sys.stderr)
    if page.result is None:
        return exits.FAULT
    return exits.COMPLIANT if page.result.is_equal else exits.ATTENTION


def _in_words(result: LedgerComparison) -> Iterator[str]:
    yield (
        "The server holds what this ledger says, and nothing else."
        if result.is_equal
        else ("The server does not hold the same as this ledger says.")
    )
    counts = (
        (result.equal_reports, "reports are the same there, byte for byte"),
        (result.equal_check_ins, "check-ins are kept there as they were sealed here"),
        (result.erased_there, "reports were erased there; only a digest of each is left"),
        (result.forgotten_here, "texts there are older than this ledger"),
        (result.not_arrived, "reports were sent and are not known to have arrived"),
        (result.missing_there, "reports arrived, and are not held there"),
        (result.unknown_here, "texts are held there, and do not stand in this ledger"),
    )
    for count, words in counts:
        if count:
            yield f"{count:>6}  {words}"
    if result.about is not None:
        about = result.about
        told = f"as {about.name}, " if about.name else "without a name, "
        yield (
            f"Of the device itself it keeps that it joined {about.enrolled_at.astimezone():%Y-%m-%d} {told}"
            f"its system ({about.platform}), its version, who owns it ({about.ownership}), its public key, "
            f"{'a fingerprint of the machine' if about.hardware else 'no fingerprint of the machine'}, and when it was last heard."
        )
        yield (
            f"It has made {about.sightings + about.installed + about.requests + about.exposure} rows of your reports, which show how things stand, and "
            f"{about.audit_entries} entries of its audit log name this device."
        )
    for one in result.differences:
        yield f"Only {'here' if one.side == 'here' else 'there'}: {one.literal}"
