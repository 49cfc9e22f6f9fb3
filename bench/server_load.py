"""Check-ins a second that a server takes, each with ten observations, its seal verified, durable; against a bare Django view.

Both run on the same database server, with the same settings, and take turns, so that what else the machine does hits both alike.
All check-ins are sealed before the clock starts; a process of its own sends them (`bench.sender`) and says how little it takes.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.figures import Line, at_least, spread
from bench.processes import processor_seconds_with_children
from bench.sender import Sent
from bench.simulator.__main__ import settle
from bench.simulator.connections import Connections
from bench.simulator.device import SimulatedDevice
from contract import wire
from contract.observations import NoticeRecord, SightingObserved
from server import databases
from tests.e2e.stage import Stage, free_port, staged, wait_for
from tests.postgresql import running_postgresql

DEVICES, CHECK_INS, OBSERVATIONS, ROUNDS = 64, 8, 10, 6
"""A round is each device's next `CHECK_INS`; the first round warms up and does not count."""
AT_ONCE = (8, 64)
"""How many devices wait for an answer at the same time."""
AT_LEAST_OF_BARE, STRETCH_OF_BARE = 0.8, 1.5
_HEAD = "POST /agent/v1/check-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


class Round(msgspec.Struct, frozen=True):
    """What a round took."""

    sent: Sent
    processor_milliseconds: float
    """Of the server's processes, for each check-in; the database's own not among them."""

    @property
    def a_second(self) -> float:
        """Check-ins a second."""
        return len(self.sent.milliseconds) / self.sent.seconds


def lines() -> list[Line]:
    """Measure."""
    found: list[Line] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, address in (("PostgreSQL", _postgresql), ("SQLite", _sqlite)):
            place = Path(folder) / name
            place.mkdir()
            with address() as environment:
                found += _lines_on(name, place, environment)
    return found


@contextlib.contextmanager
def _postgresql() -> Iterator[Mapping[str, str]]:
    with running_postgresql(durable=True) as one:
        yield {databases.VARIABLE: one.new_database(), "BARE_DATABASE": one.new_database()}


@contextlib.contextmanager
def _sqlite() -> Iterator[Mapping[str, str]]:
    yield {}


def _lines_on(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Line]:
    with staged(folder) as stage:
        stage.environment |= environment
        secret = settle(stage, DEVICES)
        devices = [SimulatedDevice(Connections(stage.url).post) for _ in range(DEVICES)]
        for device in devices:
            device.enrol(secret)
            device.check_in(device.report(NoticeRecord(version=1, how="recorded", at=datetime.now(UTC))))
        bare_port = _start_bare(stage, devices)
        for at_once in AT_ONCE:
            ours, bare = _rounds(stage, (stage.port, bare_port), devices, at_once)
            yield from _told(name, at_once, ours, bare)


def _rounds(
    stage: Stage, ports: tuple[int, int], devices: Sequence[SimulatedDevice], at_once: int
) -> tuple[list[Round], list[Round]]:
    """Return what each round but the first took, at the two servers in turn."""
    ours: list[Round] = []
    bare: list[Round] = []
    turn = list(zip(ports, ("server", "bare"), (ours, bare), strict=True))
    for _ in range(ROUNDS):
        file = stage.folder / "requests.json"
        sealed = [_sealed(device) for device in devices]
        lanes = [[one for device in sealed[start::at_once] for one in device] for start in range(at_once)]
        file.write_bytes(msgspec.json.encode(lanes))
        for port, name, rounds in turn:
            before = processor_seconds_with_children(stage.pid_of(name))
            sent = _send(port, file)
            seconds = processor_seconds_with_children(stage.pid_of(name)) - before
            rounds.append(Round(sent, seconds * 1000 / len(sent.milliseconds)))
        turn.reverse()
    return ours[1:], bare[1:]


def _send(port: int, file: Path) -> Sent:
    command = [sys.executable, "-m", "bench.sender", str(port), str(file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    sent = msgspec.json.decode(done.stdout, type=Sent)
    if len(sent.milliseconds) != DEVICES * CHECK_INS:
        raise RuntimeError(f"{DEVICES * CHECK_INS - len(sent.milliseconds)} check-ins were not taken.")
    return sent


def _told(name: str, at_once: int, ours: Sequence[Round], bare: Sequence[Round]) -> Iterator[Line]:
    rates, bare_rates = ([one.a_second for one in rounds] for rounds in (ours, bare))
    ratios = [mine / other for mine, other in zip(rates, bare_rates, strict=True)]
    sender = statistics.median(one.sent.processor_seconds / one.sent.seconds for one in ours)
    yield Line(
        what=f"check-ins on {name}, {OBSERVATIONS} observations each, {at_once} at once",
        budget=">= 0.8 x bare view",
        stretch="1.5 x",
        measured=spread(rates, "a second"),
        compared=f"bare Django view {spread(bare_rates, 'a second')}: {spread(ratios, 'x', 2)}",
        met=at_least(statistics.median(ratios), AT_LEAST_OF_BARE, STRETCH_OF_BARE),
    )
    yield Line(
        what="the same: how long one takes",
        budget="none",
        measured=_costs(ours),
        compared=f"bare Django view {_costs(bare)}; whoever sends takes {sender:.0%} of a core",
        met="",
    )


def _costs(rounds: Sequence[Round]) -> str:
    milliseconds = [one for each in rounds for one in each.sent.milliseconds]
    cuts = statistics.quantiles(milliseconds, n=100)
    processor = statistics.median(one.processor_milliseconds for one in rounds)
    return f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f} ms, {processor:.2f} ms of processor"


def _sealed(device: SimulatedDevice) -> list[bytes]:
    """Return a device's next check-ins, as they go over the wire."""
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
        body = wire.encode(device.request(*reports))
        found.append(f"{_HEAD}X-Device: {device.id}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    return found


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
