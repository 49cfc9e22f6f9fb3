"""`decorum identify`: whether a process is a messenger, and why; or the same for facts from standard input."""

import argparse
import json
import os
import sys
from pathlib import Path

from agent.commands import exits
from agent.commands.arguments import state_of
from agent.commands.printing import print_json
from agent.errors import NoProcessError
from agent.identify import bounded_lines, complete, explain, identify_lines
from agent.known_here import known_here
from contract.matching import Matcher


def execute(arguments: argparse.Namespace) -> int:
    """Answer for one process, or line by line."""
    catalogue, version = known_here(state_of(arguments))
    matcher = Matcher(catalogue)
    if arguments.jsonl:
        for answer in identify_lines(bounded_lines(sys.stdin.buffer), matcher):
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        return exits.COMPLIANT
    return _one(arguments.pid, matcher, version, as_json=arguments.json)


def _one(pid: int, matcher: Matcher, version: int, *, as_json: bool) -> int:
    from agent.sensing.desktop_entries import DesktopIndex, standard_folders  # noqa: PLC0415 - --jsonl needs no system
    from agent.sensing.process_source import GoneError  # noqa: PLC0415
    from agent.sensing.this_system import process_source  # noqa: PLC0415

    source = process_source()
    try:
        reading = source.read(source.key(pid))
    except (GoneError, ValueError, OverflowError) as error:
        raise NoProcessError(f"Nothing runs under the number {pid}.", "Choose one that runs.") from error
    facts = complete(reading.facts, DesktopIndex(standard_folders(os.environ, Path.home())))
    match = matcher.match(facts)
    if as_json:
        print_json({"facts": facts, "match": match})
    else:
        print(explain(facts, match))
        if version:
            print(f"Messengers are known here by version {version} of the company's catalogue.")
    return exits.COMPLIANT
