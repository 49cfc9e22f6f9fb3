"""What every input is held to: it is done in time, and memory does not grow with their number."""

import faulthandler
import mmap
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import msgspec

from tests.fuzz.target import Check, FoundError

SECONDS_AT_MOST = 30.0
"""One input, and a tenth more; generous, since others may use the machine. Most take a thousandth of a second."""
GROWTH_MB_AT_MOST = 150.0
"""From when every part has been used to the highest; the engine's own records are in it."""
WARM_INPUTS = 1000
SHORT_AT_MOST = 5
"""libFuzzer counts what it tries on its own account among the inputs."""
_LAST_BYTES = 4 * 1024 * 1024
_HEAD = 8


class Figures(msgspec.Struct):
    """What was measured."""

    inputs: int = 0
    seconds: float = 0.0
    slowest_ms: float = 0.0
    warm_mb: float = 0.0
    peak_mb: float = 0.0


class Bounds:
    """Owns the watch over one process. Keeps the input at work in a file, so that it is known even after the process has died.

    Args:
        check: what is watched.
        place: a folder for the input at work and the figures.
        wanted: how many inputs there will be; the figures are written by then, since libFuzzer ends a process at once.
    """

    def __init__(self, check: Check, place: Path, wanted: int) -> None:
        self._check, self._figures_file, self._wanted = check, place / "figures.json", wanted
        with (place / "input").open("w+b") as last:
            last.truncate(_HEAD + _LAST_BYTES)
            self._last = mmap.mmap(last.fileno(), _HEAD + _LAST_BYTES)
        self._begun = time.monotonic()
        self._armed_at = -SECONDS_AT_MOST
        self.figures = Figures()

    def __call__(self, data: bytes) -> None:
        """Try one input within the bounds; raise what it raises.

        Raises:
            FoundError: memory has grown too much.
        """
        kept = data[:_LAST_BYTES]
        self._last[: _HEAD + len(kept)] = len(kept).to_bytes(_HEAD, "big") + kept
        began = time.perf_counter()
        self._arm(began)
        try:
            self._check(data)
        finally:
            self._note(time.perf_counter() - began)
        if self.figures.peak_mb - self.figures.warm_mb > GROWTH_MB_AT_MOST:
            raise FoundError(f"memory grew from {self.figures.warm_mb:.0f} to {self.figures.peak_mb:.0f} MB")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        self.write()
        self._last.close()

    def rest(self) -> None:
        """Stop the watch until the next input: what comes between may take its time."""
        faulthandler.cancel_dump_traceback_later()
        self._armed_at = -SECONDS_AT_MOST

    def _arm(self, now: float) -> None:
        """Let the process end if it stays with this input, in whichever language; each arming starts a thread, hence not for each."""
        if now - self._armed_at > SECONDS_AT_MOST / 10:
            faulthandler.dump_traceback_later(SECONDS_AT_MOST * 1.1, exit=True)
            self._armed_at = now

    def write(self) -> None:
        """Write the figures as they are now."""
        self.figures.seconds = time.monotonic() - self._begun
        self._figures_file.write_bytes(msgspec.json.encode(self.figures))

    def _note(self, seconds: float) -> None:
        figures = self.figures
        figures.inputs += 1
        figures.slowest_ms = max(figures.slowest_ms, seconds * 1000)
        figures.peak_mb = peak_mb()
        if figures.inputs <= WARM_INPUTS:
            figures.warm_mb = figures.peak_mb
        if figures.inputs % WARM_INPUTS == 0 or figures.inputs >= self._wanted - SHORT_AT_MOST:
            self.write()


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def input_at_work(place: Path) -> bytes | None:
    """Return the last input that a process had at work; None if it did not come so far."""
    file = place / "input"
    if not file.exists():
        return None
    content = file.read_bytes()
    return content[_HEAD : _HEAD + int.from_bytes(content[:_HEAD], "big")]


def figures_in(place: Path) -> Figures:
    """Return the figures that a process left."""
    file = place / "figures.json"
    return msgspec.json.decode(file.read_bytes(), type=Figures) if file.exists() else Figures()


def summed(runs: Sequence[Figures]) -> Figures:
    """Return the figures of processes that tried one part after each other; memory is that of whichever grew most."""
    grew_most = max(runs, key=lambda one: one.peak_mb - one.warm_mb)
    return Figures(
        inputs=sum(one.inputs for one in runs),
        seconds=sum(one.seconds for one in runs),
        slowest_ms=max(one.slowest_ms for one in runs),
        warm_mb=grew_most.warm_mb,
        peak_mb=grew_most.peak_mb,
    )
