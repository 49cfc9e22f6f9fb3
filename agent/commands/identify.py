"""`decorum identify`: whether a process is a messenger, and why; or the same for facts from standard input."""

import argparse
import json
import os
import sys
from pathlib import Path

from agent.catalogue import load as load_catalogue
from agent.commands import exits
from agent.commands.printing import print_json
from agent.errors import NoProcessError
from agent.identify import as_weighed, bounded_lines, complete, explain, identify_lines
from contract.matching import Matcher


def execute(arguments: argparse.Namespace) -> int:
    """Answer for one process, or line by line."""
    matcher = Matcher(load_catalogue())
    if arguments.jsonl:
        for answer in identify_lines(bounded_lines(sys.stdin.buffer), matcher):
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        return exits.COMPLIANT
    return _one(arguments.pid, matcher, as_json=arguments.json)


def _one(pid: int, matcher: Matcher, *, as_json: bool) -> int:
    from agent.sensing.installed import installed_applications  # noqa: PLC0415 - --jsonl needs no system
    from agent.sensing.process_source import GoneError  # noqa: PLC0415
    from agent.sensing.this_system import process_source  # noqa: PLC0415

    source = process_source()
    try:
        reading = source.read(source.key(pid))
    except (GoneError, ValueError, OverflowError) as error:
        raise NoProcessError(f"Nothing runs under the number {pid}.", "Choose one that runs.") from error
    facts = complete(reading.facts, installed_applications(os.environ, Path.home()))
    match = matcher.match(facts)
    if as_json:
        print_json({"facts": facts, "match": match, "weighed": as_weighed(facts)})
    else:
        print(explain(facts, match))
    return exits.COMPLIANT
