"""Check-ins a second that a server takes, each with ten observations, its seal verified, durable; against a bare Django view.

All check-ins are sealed before the clock starts, so that this process costs as little as it can of the two cores that both share.
"""

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.figures import Line, at_least, spread
from bench.simulator.__main__ import settle
from bench.simulator.connections import Connections
from bench.simulator.device import SimulatedDevice
from contract import wire
from contract.observations import NoticeRecord, SightingObserved
from tests.e2e.stage import Stage, free_port, staged, wait_for

DEVICES, CHECK_INS, OBSERVATIONS, THREADS, ROUNDS = 32, 8, 10, 8, 4
"""A round is each device's next `CHECK_INS`; the first round warms up and does not count."""
AT_LEAST_OF_BARE, STRETCH_OF_BARE = 0.8, 1.5


class Sealed(msgspec.Struct, frozen=True):
    """A check-in that is ready to leave."""

    device: str
    body: bytes


def lines() -> list[Line]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        secret = settle(stage, DEVICES)
        devices = [SimulatedDevice(Connections(stage.url).post) for _ in range(DEVICES)]
        for device in devices:
            device.enrol(secret)
            device.check_in(device.report(NoticeRecord(version=1, how="recorded", at=datetime.now(UTC))))
        rounds = [[_sealed(device) for device in devices] for _ in range(ROUNDS)]
        rates, milliseconds = _rounds(stage.port, rounds)
        stage.end("server")
        bare, _ = _rounds(_start_bare(stage, devices), rounds)
    ratio = statistics.median(rates) / statistics.median(bare)
    cuts = statistics.quantiles(milliseconds, n=100)
    return [
        Line(
            what="check-ins on SQLite, 10 observations each",
            budget=">= 0.8 x bare view",
            stretch="1.5 x",
            measured=spread(rates, "a second"),
            compared=f"bare Django view {statistics.median(bare):,.0f}: {ratio:.2f} x",
            met=at_least(ratio, AT_LEAST_OF_BARE, STRETCH_OF_BARE),
        ),
        Line(
            what="the same: how long one takes",
            budget="none",
            measured=f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f} ms (n={len(milliseconds)})",
            compared=f"{THREADS} devices at once",
            met="",
        ),
    ]


def _sealed(device: SimulatedDevice) -> list[Sealed]:
    found = []
    for _ in range(CHECK_INS):
        now = datetime.now(UTC)
        reports = [
            device.report(
                SightingObserved(
                    sighting=f"{device.sequence - number % 2:032x}",
                    transition="ended" if number % 2 else "started",
                    detail="exact",
                    profile="work",
                    messenger="telegram",
                    name="Telegram",
                    kind="consumer",
                    listed=True,
                    day=now.date(),
                    at=now,
                    verdict="violation",
                    rule="telegram-at-work",
                    policy_serial=1,
                )
            )
            for number in range(OBSERVATIONS)
        ]
        found.append(Sealed(device.id, wire.encode(device.request(*reports))))
    return found


def _rounds(port: int, rounds: Sequence[Sequence[Sequence[Sealed]]]) -> tuple[list[float], list[float]]:
    """Return check-ins a second for each round but the first, and how long each check-in took, in milliseconds."""
    rates, milliseconds = [], []
    for number, one in enumerate(rounds):
        took: list[float] = []
        shares = [[lane for device in one[start::THREADS] for lane in device] for start in range(THREADS)]
        threads = [threading.Thread(target=_send, args=(port, share, took)) for share in shares]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        if len(took) != DEVICES * CHECK_INS:
            raise RuntimeError(f"{DEVICES * CHECK_INS - len(took)} check-ins were not taken.")
        if number:
            rates.append(len(took) / seconds)
            milliseconds.extend(took)
    return rates, milliseconds


def _send(port: int, share: Sequence[Sealed], took: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for one in share:
        began = time.perf_counter()
        headers = {"content-type": "application/json", "x-device": one.device}
        connection.request("POST", "/agent/v1/check-in", one.body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            took.append((time.perf_counter() - began) * 1000)
    connection.close()


def _start_bare(stage: Stage, devices: Sequence[SimulatedDevice]) -> int:
    folder, port = stage.folder / "bare", free_port()
    folder.mkdir()
    (folder / "keys.json").write_text(json.dumps({one.id: one.key.public.text for one in devices}))
    stage.start("bare", sys.executable, "-m", "bench.bare_view", str(port), str(folder))

    def answers() -> bool:
        try:
            return Connections(f"http://127.0.0.1:{port}").post("/", b"")[0] == 404
        except OSError:
            return False

    wait_for(answers, "the bare view's first answer")
    return port
