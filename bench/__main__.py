"""`python -m bench [NAME ...]`: measures everything, or what is named, and prints one table against the budgets."""

import argparse
import importlib
import os
import sys
import time
import traceback
from collections.abc import Sequence

from bench.figures import Line, table

PARTS = (
    "catalogue_match",
    "idle_cost",
    "start_to_verdict",
    "noticing",
    "memory",
    "frozen",
    "status_cold",
    "growth",
    "server_load",
    "console",
)
SIZED = ("console",)
"""Those that are small unless `--full` is said."""
QUIET_LOAD = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; figures are never a test, so a budget that is missed is said and nothing fails."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="NAME", help=", ".join(PARTS))
    parser.add_argument(
        "--full", action="store_true", help="fill the console's fleet to 100,000 devices first"
    )
    options = parser.parse_args(argv)
    parts = options.parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    noise = _noise()
    lines: list[Line] = []
    for part in parts:
        print(f"{part} ...", file=sys.stderr, flush=True)
        try:
            measure = importlib.import_module(f"bench.{part}").lines
            lines.extend(measure(full=True) if options.full and part in SIZED else measure())
        except Exception:  # noqa: BLE001 - what fails is told in full, and must not cost the figures of the others
            traceback.print_exc()
            lines.append(Line(what=part, budget="", measured="could not be measured, see above", met=""))
    print(f"\n{os.cpu_count()} cores, Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}\n")
    print(table(lines))
    if noise:
        print(f"\n{noise}")
    return 0


def _noise() -> str:
    """Return a warning if others use this machine; asked before anything of ours runs."""
    load = os.getloadavg()[0]
    if load <= QUIET_LOAD:
        return ""
    warning = f"The machine was not quiet when this began (load average {load:.1f}): figures are worse than they could be."
    print(warning, file=sys.stderr)
    return warning


if __name__ == "__main__":
    sys.exit(main())
