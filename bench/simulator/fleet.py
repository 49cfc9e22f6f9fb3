"""The devices of a fleet as they speak with a server: each numbers its reports itself, and sends them until they are taken."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from random import Random

import msgspec

from bench.simulator.device import Post, RefusedError, Report, SimulatedDevice
from bench.simulator.people import Person
from contract.envelope import SigningKey, VerifyKey
from contract.messages import OBSERVATIONS_AT_MOST, Clock, PolicyBundle
from contract.observations import NoticeRecord, Observation, PolicyAnswer

BODY_BYTES_AT_MOST = 30_000


class Kept(msgspec.Struct):
    """What a device needs to go on another day."""

    number: int
    id: str
    key: str
    root: str
    tenant: str
    sequence: int


class Figures:
    """What was measured; many threads add to it."""

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        """How long each check-in took that was answered."""
        self.reported = self.enrolled = self.lost_answers = 0
        self.errors: dict[str, int] = {}
        self._lock = threading.Lock()

    def answered(self, milliseconds: float, reports: int) -> None:
        """Count a check-in."""
        with self._lock:
            self.milliseconds.append(milliseconds)
            self.reported += reports

    def failed(self, error: Exception) -> None:
        """Count an error under its name."""
        name = error.reason if isinstance(error, RefusedError) else type(error).__name__
        with self._lock:
            self.errors[name] = self.errors.get(name, 0) + 1

    def joined(self) -> None:
        """Count an enrolment."""
        with self._lock:
            self.enrolled += 1

    def lost(self) -> None:
        """Count an answer that was thrown away."""
        with self._lock:
            self.lost_answers += 1


class FleetDevice:
    """One device of the fleet.

    Args:
        secret: what it enrols with; None for one that is enrolled already.
        lost_answers: share of answers that are lost on their way, after the server took the request.
        clock: the device's own.
    """

    def __init__(
        self,
        person: Person,
        tenant: str,
        secret: str | None,
        seed: int,
        figures: Figures,
        lost_answers: float = 0.0,
        key: SigningKey | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.person, self._secret, self._figures, self._lost = person, secret, figures, lost_answers
        self.device, self._clock = SimulatedDevice(_nowhere, tenant, key), clock
        self._salts = Random(f"{seed} salts {person.number}")
        self._losses = Random(f"{seed} losses {person.number}")
        self.waiting: list[Report] = []
        self.expected: set[tuple[int, str]] = set()
        """Every number and digest that it ever gave out."""
        self.bundle: PolicyBundle | None = None
        self._origin: FleetDevice | None = None

    def copy(self) -> "FleetDevice":
        """Return a copy, as of a copied disk: with its first report it takes over id and numbers, then goes on by itself."""
        twin = FleetDevice(
            self.person, self.device.tenant, None, -1, self._figures, 0.0, self.device.key, self._clock
        )
        twin._origin, twin.expected = self, self.expected
        return twin

    def _take_over(self, origin: "FleetDevice") -> None:
        own, other = self.device, origin.device
        own.id, own.root, own.sequence, own.serial = other.id, other.root, other.sequence, other.serial
        own.ownership, own.platform = other.ownership, other.platform

    def kept(self) -> Kept:
        """Return what it needs to go on another day."""
        root = self.device.root
        return Kept(
            self.person.number,
            self.device.id,
            self.device.key.to_text(),
            "" if root is None else root.text,
            self.device.tenant,
            self.device.sequence,
        )

    def resume(self, kept: Kept) -> None:
        """Go on from another day; the policy is asked for anew."""
        self.device.key, self.device.tenant = SigningKey.from_text(kept.key), kept.tenant
        self.device.id, self.device.root = kept.id, VerifyKey(kept.root)
        self.device.sequence = kept.sequence
        self.device.ownership, self.device.platform = self.person.ownership, self.person.platform
        self._secret = None

    def report(self, observations: Iterable[Observation]) -> None:
        """Let observations wait, each under its number."""
        if self._origin is not None:
            self._take_over(self._origin)
            self._origin = None
        for observation in observations:
            report = self.device.report(observation, salt=f"{self._salts.getrandbits(128):032x}")
            self.expected.add((report.sequence, report.digest))
            self.waiting.append(report)

    def speak(self, post: Post, at: datetime) -> bool:
        """Enrol if that is still to be done, and check in until nothing waits; tell whether the server took everything."""
        self.device.post = post
        try:
            if self._secret is not None:
                self._join(self._secret, at)
            self._check_in()
            while self.waiting:
                self._check_in()
        except (OSError, RefusedError) as error:
            self._figures.failed(error)
            return False
        return True

    def _join(self, secret: str, at: datetime) -> None:
        is_own = self.person.ownership == "personal"
        self.device.enrol(
            secret,
            device_name=self.person.device_name,
            ownership=self.person.ownership,
            assurance="self_attested" if is_own else "managed",
            platform=self.person.platform,
        )
        self._secret = None
        self._figures.joined()
        self._check_in()
        self.report([NoticeRecord(version=1, how="recorded", at=at)])
        if self.bundle is not None:
            applied = PolicyAnswer(serial=self.bundle.serial, outcome="applied", reason="", at=at)
            self.report([applied])

    def _check_in(self) -> None:
        reports = self._next()
        clock = Clock(wall=self._clock(), monotonic_seconds=time.monotonic(), boot_id="simulated")
        request = self.device.request(*reports, clock=clock, waiting=len(self.waiting))
        began = time.perf_counter()
        answer = self.device.send(request)
        milliseconds = (time.perf_counter() - began) * 1000
        if self._losses.random() < self._lost:
            self._figures.lost()
            return  # the same reports go again under the same numbers
        _, reply = self.device.answered(request, answer)
        self._figures.answered(milliseconds, len(reports))
        del self.waiting[: len(reports)]
        if reply.bundle is not None:
            self.bundle = self.device.bundle(reply)

    def _next(self) -> list[Report]:
        reports: list[Report] = []
        size_bytes = 0
        for report in self.waiting[:OBSERVATIONS_AT_MOST]:
            size_bytes += len(report.body) + 200
            if reports and size_bytes > BODY_BYTES_AT_MOST:
                break
            reports.append(report)
        return reports


def _nowhere(path: str, _body: bytes) -> tuple[int, bytes]:
    raise ConnectionError(f"no connection for {path}")
