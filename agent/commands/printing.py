"""JSON as the command line prints it: the contract's own, indented."""

import msgspec

from contract import wire


def print_json(value: object) -> None:
    """Print a struct or plain data."""
    print(msgspec.json.format(wire.encode(value), indent=2).decode())
