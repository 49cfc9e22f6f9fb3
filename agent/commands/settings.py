"""`decorum settings`: every setting in force, and where it comes from."""

import argparse

from agent.commands import exits
from agent.commands.arguments import settings_file_of, state_of, usual_settings_file
from agent.commands.printing import print_json
from agent.managed import managed_source
from agent.reporting.wishes import kept
from agent.settings import load
from contract import wire
from contract.settings_keys import KEYS


def execute(arguments: argparse.Namespace) -> int:
    """Print them in the order of the table."""
    file = settings_file_of(arguments)
    values = load(file, server=kept(state_of(arguments))).values
    if arguments.json:
        print_json(values)
        return exits.COMPLIANT
    for key in KEYS:
        value = values[key.name]
        print(f"{key.name} = {wire.encode(value.value).decode()}  ({value.origin})")
        print(f"  {key.sentence}")
        if value.remark:
            print(f"  {value.remark}")
    own = file or usual_settings_file(arguments)
    if own is not None:
        print(f"file: {own}{'' if own.exists() else ' (absent)'}")
    source = managed_source()
    print(f"managed: {' and '.join(source.places())}{'' if source.read() is not None else ' (absent)'}")
    return exits.COMPLIANT
