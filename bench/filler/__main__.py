"""`python -m bench.filler`: fills the PostgreSQL of a server that was set up (`decorum-server migrate`) and has no devices yet.

The server is named by its environment, as for `decorum-server`. Nothing of it is real: never fill a server that people use.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from server.commands.frame import ready_identity

OBSERVATIONS_A_DAY = 4.6
"""What a device of the simulator reports in the mean, weekends among the days."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    made = argparse.ArgumentParser(prog="python -m bench.filler", description=__doc__)
    add = made.add_argument
    add("--devices", type=int, default=2_000, metavar="N", help="how many devices (default: 2000)")
    add("--observations", type=int, default=100, metavar="N", help="how many of each, about (default: 100)")
    add("--originals", type=int, default=50, metavar="N", help="how many different people (default: 50)")
    add("--audit", type=int, default=20_000, metavar="N", help="entries of the audit log (default: 20000)")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Fill; say what there is now."""
    options = parser().parse_args(argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
    identity = ready_identity()
    from bench.filler.copies import multiply, settle  # noqa: PLC0415 - Django's models cannot be imported before it has started
    from bench.filler.originals import Originals  # noqa: PLC0415 - alike
    from bench.filler.surroundings import audit_log, secrets_of_the_past  # noqa: PLC0415 - alike
    from server.fleet import partitions  # noqa: PLC0415 - alike
    from server.fleet.models import Device, ReceivedObservation, Sighting  # noqa: PLC0415 - alike

    if Device.objects.exists():
        raise SystemExit("This server has devices already: only an empty one is filled.")
    began, now = time.perf_counter(), datetime.now(UTC)
    audit_log(options.audit, now)
    secrets_of_the_past(now)
    Originals(options.originals, options.observations / OBSERVATIONS_A_DAY, identity, now).live()
    partitions.ensure(now)
    print(f"The originals have lived: {time.perf_counter() - began:,.0f} s", flush=True)
    multiply(options.devices // options.originals)
    settle()
    print(
        f"{Device.objects.count():,} devices, {ReceivedObservation.objects.count():,} observations, "
        f"{Sighting.objects.count():,} sightings, {options.audit:,} audit entries: {time.perf_counter() - began:,.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
