"""The command line of `decorum-tray`."""

import argparse
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from contract.version import VERSION

Page = Literal["status", "policy", "sees", "reminder"]
ThemeName = Literal["light", "dark", "system"]

EPILOGUE = """\
exit codes:
  0   quit, or the program runs already and has been asked to show its window
  2   wrong usage
  69  there is no screen, or Qt's system libraries are missing
"""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for."""

    socket: str | None
    theme: ThemeName
    show: Page | None


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Return the options; None for the process's own arguments. Exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(
        prog="decorum-tray",
        description="Shows in the panel whether this device is in line with the messaging policy.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--socket", metavar="PATH", help="where the agent listens, if not at the usual place")
    parser.add_argument("--theme", choices=get_args(ThemeName), default="system", help="system by default")
    parser.add_argument("--show", choices=get_args(Page), help="open this window at once")
    parser.add_argument("--version", action="version", version=f"decorum-tray {VERSION}")
    found = parser.parse_args(arguments)
    return Options(socket=found.socket, theme=found.theme, show=found.show)
