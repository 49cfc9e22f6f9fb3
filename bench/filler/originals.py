"""The originals: a small fleet of the simulator that enrols and checks in for real, in this process, with time as an argument.

Everything is what the server makes of what devices say: seals, digests, sightings, forks, gaps. People work up to the last afternoon
of a working day, so that a filled console looks the same whenever it is filled; the devices that are still heard of say so now.
"""

import heapq
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bench.simulator.contacts import Contact, Rhythm, contacts
from bench.simulator.days import Rules, shipped_catalogue
from bench.simulator.fleet import Figures, FleetDevice
from bench.simulator.people import Wishes, person
from contract import wire
from contract.messages import LIMIT_BYTES, SealedRequest
from server.fleet import revocation, secrets
from server.fleet.agent_api import HANDLERS
from server.fleet.models import Device
from server.identity import Identity
from server.policies import publishing

POLICY = Path("server/policies/models/restrict.toml")
AFTERNOON = time(14, tzinfo=UTC)
JOINING = timedelta(hours=20)
"""Over how long the devices join."""
RHYTHM = Rhythm(heartbeat=None, together=timedelta(minutes=5))
SILENT_OF, REVOKED_OF, COPIED_OF = 25, 60, 80
"""One device in so many falls silent, is revoked, has a copy of it in use."""
ACTOR = "alice"


class InProcess:
    """Answers devices as the server does, without HTTP, at a time of our choosing."""

    def __init__(self, identity: Identity, now: datetime) -> None:
        self.now, self._identity = now, identity

    def post(self, path: str, untrusted_body: bytes) -> tuple[int, bytes]:
        """Take a body as the server would.

        Raises:
            server.errors.RefusedError: it refuses.
        """
        message = wire.decode(SealedRequest, untrusted_body, limit_bytes=LIMIT_BYTES)
        return 200, wire.encode(HANDLERS[path](message, self._identity, self.now, "127.0.0.1"))


class Originals:
    """Owns the small fleet while it lives.

    Args:
        count: how many devices.
        days: for how many days up to now.
        now: the end.
    """

    def __init__(self, count: int, days: float, identity: Identity, now: datetime) -> None:
        self.last = last_afternoon(now)
        self.first = self.last - timedelta(days=days)
        self._half, self._now = self.first + timedelta(days=days / 2), now
        self._wishes = Wishes()
        self._identity, self._server = identity, InProcess(identity, self.first)
        wish = secrets.Wish(uses=count, days=366, note="The fleet")
        secret = secrets.issue(wish, ACTOR, identity.tenant.id, self.first)
        self.devices = [
            FleetDevice(
                person(number, self._wishes),
                identity.tenant.id,
                secret,
                self._wishes.seed,
                Figures(),
                clock=lambda: self._server.now,
            )
            for number in range(count)
        ]
        self._twins: list[FleetDevice] = []

    def live(self) -> None:
        """Live to the end: a first policy, and from half-time on its next version."""
        text = POLICY.read_text(encoding="utf-8")
        self._phase(text, self.first, self._half)
        self._twins = [device.copy() for device in self.devices[1::COPIED_OF]]
        self._phase(text.replace("version = 1\n", "version = 2\n", 1), self._half, self.last)
        for device in self.devices:
            if self._ends(device) > self.last:
                self._say(device, Contact(self._now, ()))
        for device in self.devices[2::REVOKED_OF]:
            revocation.revoke(Device.objects.get(pk=device.device.id), ACTOR, self._now)

    def _phase(self, text: str, first: datetime, last: datetime) -> None:
        publishing.publish(text, ACTOR, self._identity, first)
        self._say(self.devices[0], Contact(first, ()))  # it brings the policy that all are judged by
        rules = Rules(shipped_catalogue(), self.devices[0].bundle)
        lives = [self._life(device, rules, first) for device in self.devices]
        lives += [self._life(twin, rules, first, is_copy=True) for twin in self._twins]
        for device, contact in heapq.merge(*lives, key=lambda pair: pair[1].at):
            if contact.at >= last:
                return
            self._say(device, contact)

    def _life(
        self, device: FleetDevice, rules: Rules, first: datetime, *, is_copy: bool = False
    ) -> Iterator[tuple[FleetDevice, Contact]]:
        place = device.person.number / len(self.devices)
        begins, ends = max(first, self.first + JOINING * place), self._ends(device)
        yield device, Contact(begins, ())
        for contact in contacts(device.person, begins, rules, self._wishes, RHYTHM, is_copy=is_copy):
            if contact.at >= ends:
                return
            yield device, contact

    def _ends(self, device: FleetDevice) -> datetime:
        """Return when a device is heard of for the last time; for most that is after the end."""
        number = device.person.number
        if number % SILENT_OF != SILENT_OF - 1:
            return self._now + timedelta(days=1)
        return self._half + (self.last - self._half) * (number % 7 / 8)

    def _say(self, device: FleetDevice, contact: Contact) -> None:
        self._server.now = contact.at
        device.report(contact.observations)
        if not device.speak(self._server.post, contact.at):
            raise RuntimeError(f"device {device.person.number} was not taken at {contact.at}")


def last_afternoon(now: datetime) -> datetime:
    """Return the latest moment at which most people of the simulated company are at work.

    >>> last_afternoon(datetime(2026, 3, 2, 9, tzinfo=UTC))
    datetime.datetime(2026, 2, 27, 14, 0, tzinfo=datetime.timezone.utc)
    """
    day = now.astimezone(UTC).date()
    while day.weekday() > 4 or datetime.combine(day, AFTERNOON) > now:
        day -= timedelta(days=1)
    return datetime.combine(day, AFTERNOON)
