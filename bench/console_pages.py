"""How long the console's pages take with a fleet that the simulator made."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Line, spread
from bench.simulator.__main__ import fleet, live, parser, settle
from tests.e2e.stage import staged

DEVICES, DAYS, TIMES = 300, 5, 9
PAGES = (("first page", "/"), ("list of devices", "/fleet/device/"))


def lines() -> list[Line]:
    """Measure."""
    options = parser().parse_args(
        [
            "--devices",
            str(DEVICES),
            "--days",
            str(DAYS),
            "--heartbeat",
            "0",
            "--together",
            "720",
            "--ramp",
            "1",
        ]
    )
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        devices, _ = fleet(options, settle(stage, DEVICES))
        live(options, stage, devices)
        stage.server("create-admin", "admin")
        read = stage.console()
        reports = sum(len(device.expected) for device in devices)
        return [
            Line(
                what=f"console, {what}",
                budget="<= 300 ms",
                stretch="100 ms",
                measured=spread(_times(read, address), "ms"),
                compared=f"{DEVICES:,} devices, {reports:,} observations; the budget is for 100,000 and 10 million",
                met="",
            )
            for what, address in PAGES
        ]


def _times(read: Callable[[str], str], address: str) -> list[float]:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        read(address)
        took.append((time.perf_counter() - began) * 1000)
    return took
