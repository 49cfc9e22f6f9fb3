"""Afterwards: is everything that the devices ever numbered in the server's database, exactly once, and nothing else?"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.simulator.fleet import FleetDevice

SHOWN_AT_MOST = 10


def faults(database: Path, devices: Sequence[FleetDevice], clones: int) -> list[str]:
    """Return a sentence for each thing that is not as it should be.

    Args:
        database: the server's SQLite file.
        devices: each device once; a copied one has what both said among its expected.
        clones: how many of the devices, the first ones, were copied.
    """
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return list(_faults(connection, devices, clones))


def _faults(connection: sqlite3.Connection, devices: Sequence[FleetDevice], clones: int) -> Iterator[str]:
    (count,) = connection.execute("SELECT count(*) FROM fleet_device").fetchone()
    if count != len(devices):
        yield f"{len(devices)} devices enrolled, and the server has {count}"
    for device in devices:
        name = f"device {device.person.number}"
        stored = connection.execute(
            "SELECT sequence, digest, is_fork FROM fleet_receivedobservation WHERE device_id = ?",
            (device.device.id,),
        ).fetchall()
        found = [(sequence, digest) for sequence, digest, _ in stored]
        if len(found) != len(set(found)):
            yield f"{name}: something is stored twice"
        if lost := device.expected - set(found):
            yield f"{name}: {len(lost)} reports were lost, the first {min(lost)[0]}"
        if foreign := set(found) - device.expected:
            yield f"{name}: {len(foreign)} reports that it never made"
        firsts = [sequence for sequence, _, is_fork in stored if not is_fork]
        if sorted(firsts) != list(range(1, len(firsts) + 1)):
            yield f"{name}: its numbers are not each taken once"
        yield from _flagged(connection, device, name, is_copied=device.person.number < clones)


def _flagged(
    connection: sqlite3.Connection, device: FleetDevice, name: str, *, is_copied: bool
) -> Iterator[str]:
    row = connection.execute(
        "SELECT forked_at, taken_highest, taken_gaps FROM fleet_device WHERE id = ?", (device.device.id,)
    ).fetchone()
    if row is None:
        yield f"{name}: the server does not know it"
        return
    forked_at, highest, gaps = row
    numbers = [sequence for sequence, _ in device.expected]
    has_forked = _has_forked(device)
    if (forked_at is not None) != has_forked:
        yield f"{name}: {'a copy was not noticed' if has_forked else 'taken for a copy'}"
    if has_forked and not is_copied:
        yield f"{name}: it numbered two things alike by itself"
    if (highest, gaps) != (max(numbers, default=0), "[]"):
        yield f"{name}: the server counts {highest} with gaps {gaps}"


def sentence(found: Sequence[str], devices: Sequence[FleetDevice]) -> str:
    """Return the outcome for people."""
    if found:
        shown = "\n".join(f"  {fault}" for fault in found[:SHOWN_AT_MOST])
        return f"NOT as it should be, {len(found):,} faults:\n{shown}"
    reports = sum(len(device.expected) for device in devices)
    forked = sum(_has_forked(device) for device in devices)
    copies = f" {forked:,} copied devices were flagged." if forked else ""
    return f"Exactly once: all {reports:,} reports of {len(devices):,} devices are in the database, none twice.{copies}"


def _has_forked(device: FleetDevice) -> bool:
    numbers = [sequence for sequence, _ in device.expected]
    return len(numbers) != len(set(numbers))
