"""`decorum identify`: whether a process or an application is a messenger, and why; or the same for facts from standard input."""

import argparse
import json
import os
import sys
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import state_of
from agent.commands.printing import print_json
from agent.errors import NoApplicationError, NoProcessError
from agent.identify import as_weighed, bounded_lines, complete, explain, identify_lines
from agent.known_here import known_here
from contract.facts import ProcessFacts
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
    return _one(arguments.pid, matcher, version, as_json=arguments.json)


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


def _one(pid: int, matcher: Matcher, version: int, *, as_json: bool) -> int:
    from agent.sensing.installed import installed_applications  # noqa: PLC0415 - --jsonl needs no system
    from agent.sensing.process_source import GoneError  # noqa: PLC0415
    from agent.sensing.this_system import process_source  # noqa: PLC0415

    source = process_source()
    try:
        reading = source.read(source.key(pid))
    except (GoneError, ValueError, OverflowError) as error:
        raise NoProcessError(f"Nothing runs under the number {pid}.", "Choose one that runs.") from error
    facts = complete(reading.facts, installed_applications(os.environ, Path.home()))
    if as_json:
        print_json(_told(facts, matcher))
    else:
        print(explain(facts, matcher.match(facts)))
        if version:
            print(f"Messengers are known here by version {version} of the company's catalogue.")
    return exits.COMPLIANT


def _told(facts: ProcessFacts, matcher: Matcher) -> dict[str, object]:
    return {"facts": facts, "match": matcher.match(facts), "weighed": as_weighed(facts)}
