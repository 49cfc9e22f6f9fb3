"""`decorum identify`: whether a process or an application is a messenger, and why; or the same for facts from standard input."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import state_of
from agent.commands.printing import print_json
from agent.errors import AgentError, NoApplicationError, NoProcessError
from agent.identify import as_weighed, bounded_lines, complete, explain, identify_lines
from agent.known_here import known_here
from contract.facts import ProcessFacts
from contract.local import IdentifyQuery, IdentifyReply, SideTold
from contract.matching import Matcher


def execute(arguments: argparse.Namespace) -> int:
    """Answer for one process, or line by line."""
    catalogue, version = known_here(state_of(arguments))
    matcher = Matcher(catalogue)
    if arguments.jsonl:
        for answer in identify_lines(bounded_lines(sys.stdin.buffer), matcher):
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        return exits.COMPLIANT
    if arguments.application is not None:
        return _applications(arguments.application, matcher, as_json=arguments.json)
    return _one(arguments, matcher, version)


def _applications(name: str, matcher: Matcher, *, as_json: bool) -> int:
    from agent.sensing.installed import facts_of_application, installed_applications  # noqa: PLC0415

    entries = installed_applications(os.environ, Path.home()).named(name)
    if not entries:
        raise NoApplicationError(
            f"No desktop entry of this machine is called {name!r}.",
            "Give its name as the menu shows it, or the number of a process with --pid.",
        )
    facts = [facts_of_application(entry) for entry in entries]
    if as_json:
        print_json({"applications": [_told(one, matcher) for one in facts]})
    else:
        print("\n\n".join(explain(one, matcher.match(one)) for one in facts))
    return exits.COMPLIANT


def _one(arguments: argparse.Namespace, matcher: Matcher, version: int) -> int:
    from agent.sensing.installed import installed_applications  # noqa: PLC0415 - --jsonl needs no system
    from agent.sensing.process_source import GoneError  # noqa: PLC0415
    from agent.sensing.this_system import process_source  # noqa: PLC0415

    source, pid = process_source(), arguments.pid
    try:
        reading = source.read(source.key(pid))
    except (GoneError, ValueError, OverflowError) as error:
        raise NoProcessError(f"Nothing runs under the number {pid}.", "Choose one that runs.") from error
    facts = complete(reading.facts, installed_applications(os.environ, Path.home()))
    match = matcher.match(facts)
    side = None if match is None else _side(arguments)
    if arguments.json:
        print_json(_told(facts, matcher) | {"side": side})
    else:
        print(explain(facts, match))
        if match is not None:
            print("\n".join(side_in_words(side)))
        if version:
            print(f"Messengers are known here by version {version} of the company's catalogue.")
    return exits.COMPLIANT


def _side(arguments: argparse.Namespace) -> SideTold | None:
    """Return whose side the running agent says it is; it alone has the policy and what was learnt."""
    from agent.localapi.client import LocalClient  # noqa: PLC0415 - --jsonl asks nobody

    try:
        with LocalClient(arguments.socket, os.environ) as client:
            return client.ask("identify", IdentifyQuery(arguments.pid), IdentifyReply).side
    except AgentError:
        return None


def side_in_words(side: SideTold | None) -> Iterable[str]:
    """Yield whose side it is, for a person."""
    if side is None:
        yield "Whose side it is on, only the running agent tells; it could not be asked."
        return
    yield f"Side: {side.profile} (assurance {side.assurance}). {side.reason}"
    if side.signals:
        yield "Signals:"
    for one in side.signals:
        yield f"  - {one.signal} ({one.reliability}, {one.side}): {one.sentence}"


def _told(facts: ProcessFacts, matcher: Matcher) -> dict[str, object]:
    return {"facts": facts, "match": matcher.match(facts), "weighed": as_weighed(facts)}
