"""`python -m bench.simulator`: lets a made-up fleet live against a server, and says what came of it.

Without --url it makes a server of its own in a temporary folder, and checks its database afterwards.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.simulator.check import faults, sentence
from bench.simulator.connections import Connections
from bench.simulator.contacts import Rhythm
from bench.simulator.days import Rules, shipped_catalogue
from bench.simulator.drive import Drive, Plan
from bench.simulator.fleet import Figures, FleetDevice
from bench.simulator.memory import Memory
from bench.simulator.people import Wishes, person
from tests.e2e.stage import Stage, staged

MODEL = Path("server/policies/models/restrict.toml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run; return 1 if anything did not arrive as it should."""
    options = parser().parse_args(argv)
    if options.url is not None:
        return _elsewhere(options)
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        devices, figures = fleet(options, settle(stage, options.devices))
        seconds = live(options, stage, devices)
        print(told(figures, seconds))
        found = faults(stage.folder / "server" / "server.sqlite3", devices, options.clones)
        print(sentence(found, devices))
        return 1 if found else 0


def settle(stage: Stage, devices: int) -> str:
    """Start a server with a policy; return a secret for so many devices."""
    stage.environment["DECORUM_SERVER_CHECK_IN_SECONDS"] = "300"
    stage.server("migrate", "--tenant", "acme", "--company", "Acme")
    stage.publish(MODEL.read_text(encoding="utf-8"))
    secret = stage.server("enrol-secret", "--uses", str(devices)).split()[-1]
    stage.start_server()
    return secret


def live(options: argparse.Namespace, stage: Stage, devices: list[FleetDevice]) -> float:
    """Let a fleet live through its days against a server of ours; return how many seconds it took."""

    def down() -> None:
        stage.end("server", signal.SIGKILL)
        print("The server is down.", flush=True)

    def up() -> None:
        stage.start_server()
        print("The server is back.", flush=True)

    drive = _drive(options, devices, Connections(stage.url), down=down, up=up)
    return _timed(drive.run)


def _elsewhere(options: argparse.Namespace) -> int:
    memory = Memory(options.keep)
    devices, figures = fleet(options, options.secret)
    memory.resume(devices)
    drive = _drive(options, devices, Connections(options.url), began=memory.until)
    seconds = _timed(drive.run)
    print(told(figures, seconds), flush=True)
    memory.keep(devices, drive.until)
    if options.live:
        _live(options, devices, Connections(options.url), drive.until)
        memory.keep(devices, datetime.now(UTC))
    return 1 if any(device.waiting for device in devices) else 0


def _live(options: argparse.Namespace, devices: list[FleetDevice], to: Connections, since: datetime) -> None:
    """Go on in real time until asked to stop."""
    plan = Plan(first=since, last=None, workers=options.workers)
    rhythm = Rhythm(heartbeat=timedelta(seconds=options.live))
    drive = Drive(devices, _rules(devices), _wishes(options), rhythm, plan, to.post)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: drive.stop())
    thread = threading.Thread(target=drive.run)
    thread.start()
    thread.join()


def fleet(options: argparse.Namespace, secret: str | None) -> tuple[list[FleetDevice], Figures]:
    """Return the devices of a fleet, not enrolled yet, and what will be measured of them."""
    figures, wishes = Figures(), _wishes(options)
    tenant = "" if secret is None else secret.partition(".")[0]
    devices = [
        FleetDevice(person(number, wishes), tenant, secret, options.seed, figures, options.lost_answers)
        for number in range(options.devices)
    ]
    return devices, figures


def _drive(
    options: argparse.Namespace,
    devices: list[FleetDevice],
    to: Connections,
    *,
    began: datetime | None = None,
    down: Callable[[], None] = lambda: None,
    up: Callable[[], None] = lambda: None,
) -> Drive:
    now = datetime.now(UTC).replace(microsecond=0)
    first = began or now - timedelta(days=options.days)
    devices[0].speak(to.post, first)  # whoever joins first brings the policy that all are judged by
    outage = None
    if options.server_down is not None:
        half = first + (now - first) / 2
        outage = (half, half + timedelta(hours=options.server_down))
    plan = Plan(
        first=first,
        last=now,
        speed=options.speed,
        ramp=timedelta(days=options.ramp if began is None else 0),
        workers=options.workers,
        outage=outage,
    )
    heartbeat = timedelta(minutes=options.heartbeat) if options.heartbeat else None
    rhythm = Rhythm(heartbeat=heartbeat, together=timedelta(minutes=options.together))
    return Drive(devices, _rules(devices), _wishes(options), rhythm, plan, to.post, down=down, up=up)


def _rules(devices: list[FleetDevice]) -> Rules:
    bundle = next((device.bundle for device in devices if device.bundle is not None), None)
    return Rules(shipped_catalogue(), bundle)


def _wishes(options: argparse.Namespace) -> Wishes:
    return Wishes(
        seed=options.seed,
        own_devices=options.byod,
        coarse=options.coarse,
        devices_offline=options.devices_offline,
        clones=options.clones,
    )


def _timed(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def told(figures: Figures, seconds: float) -> str:
    """Return the figures for people."""
    count = len(figures.milliseconds)
    lines = [f"{figures.enrolled:,} devices enrolled, {count:,} check-ins with {figures.reported:,} reports"]
    if count > 1:
        cuts = statistics.quantiles(figures.milliseconds, n=100)
        lines.append(
            f"in {seconds:.1f} s: {count / seconds:,.0f} check-ins a second; "
            f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, p99 {cuts[98]:.1f} ms"
        )
    errors = ", ".join(f"{count:,} x {name}" for name, count in sorted(figures.errors.items()))
    lines.append(f"errors: {errors or 'none'}; answers lost on purpose: {figures.lost_answers:,}")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    made = argparse.ArgumentParser(prog="python -m bench.simulator", description=__doc__)
    add = made.add_argument
    add("--devices", type=int, default=200, metavar="N", help="how many devices (default: 200)")
    add("--days", type=float, default=5, help="how many days back the simulation begins (default: 5)")
    add("--seed", type=int, default=1, help="the same seed gives the same people and reports (default: 1)")
    add("--speed", type=float, default=0, help="simulated seconds a second; 0: as fast as it goes (default)")
    add("--ramp", type=float, default=0.5, metavar="DAYS", help="over how long devices join (default: 0.5)")
    add("--workers", type=int, default=8, help="how many devices speak at once (default: 8)")
    add("--heartbeat", type=float, default=60, metavar="MINUTES", help="0 for none (default: 60)")
    add("--together", type=float, default=0, metavar="MINUTES", help="how long reports wait for others")
    add("--byod", type=float, default=0.15, metavar="SHARE", help="devices of their users (default: 0.15)")
    add("--coarse", type=float, default=0.2, metavar="SHARE", help="low ceilings (default: 0.2)")
    add("--devices-offline", type=float, default=0.03, metavar="SHARE", help="days cut off (default: 0.03)")
    add("--clones", type=int, default=0, metavar="N", help="devices that are copied half-way, with their key")
    add("--lost-answers", type=float, default=0.0, metavar="SHARE", help="answers lost after being taken")
    add("--server-down", type=float, metavar="HOURS", help="kill the server half-way for simulated hours")
    add("--url", help="an existing server, as in http://127.0.0.1:8420; its database is not looked at")
    add("--secret", help="an enrolment secret of that server")
    add("--keep", type=Path, metavar="FILE", help="keep the devices' keys here, to go on another day")
    add("--live", type=float, metavar="SECONDS", help="then go on in real time, with heartbeats this often")
    return made


if __name__ == "__main__":
    sys.exit(main())
