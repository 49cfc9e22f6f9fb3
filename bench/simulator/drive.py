"""Lets a fleet live: contacts of all devices in the order of time, each device's own in order, many devices at once."""

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from bench.simulator.contacts import Contact, Rhythm, contacts
from bench.simulator.days import Rules
from bench.simulator.device import Post
from bench.simulator.fleet import FleetDevice
from bench.simulator.people import Wishes

LAST_TRIES, LAST_PAUSE_SECONDS = 50, 0.1


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when, and how fast."""

    first: datetime
    last: datetime | None
    """None: on and on."""
    speed: float = 0.0
    """Simulated seconds in a second; 0 for as fast as the server takes it."""
    ramp: timedelta = timedelta()
    """Over how long the devices join."""
    workers: int = 8
    outage: tuple[datetime, datetime] | None = None
    """From when to when the server is down."""


class Drive:
    """Owns the order of events and the threads that speak for the devices.

    Args:
        down, up: take the server away, and bring it back.
    """

    def __init__(
        self,
        devices: list[FleetDevice],
        rules: Rules,
        wishes: Wishes,
        rhythm: Rhythm,
        plan: Plan,
        post: Post,
        *,
        down: Callable[[], None] = lambda: None,
        up: Callable[[], None] = lambda: None,
    ) -> None:
        self._devices, self._rules, self._wishes = devices, rules, wishes
        self._rhythm, self._plan, self._post, self._down, self._up = rhythm, plan, post, down, up
        self.twins: list[FleetDevice] = []
        self.until = plan.first
        self._last_tries = LAST_TRIES
        self._stop = threading.Event()

    def stop(self) -> None:
        """End soon; everything that was begun is finished."""
        self._stop.set()

    def run(self) -> None:
        """Live to the end of the plan, and send what still waits."""
        queues: list[queue.Queue[tuple[FleetDevice, Contact] | None]] = [
            queue.Queue(4) for _ in range(self._plan.workers)
        ]
        threads = [threading.Thread(target=self._work, args=(one,)) for one in queues]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        is_down, is_over = False, False
        for device, contact in self._in_order():
            if self._plan.outage is not None and not is_over:
                begins, ends = self._plan.outage
                if not is_down and contact.at >= begins:
                    is_down = True
                    self._down()
                if is_down and contact.at >= ends:
                    is_down, is_over = False, True
                    self._up()
            if not self._wait_until(contact.at, began):
                break
            self.until = contact.at
            queues[device.person.number % len(queues)].put((device, contact))
        if is_down:
            self._up()
        for one in queues:
            one.put(None)
        for thread in threads:
            thread.join()
        self._flush()

    def _in_order(self) -> Iterator[tuple[FleetDevice, Contact]]:
        """Yield the contacts of all devices in the order of time; a copied device's begin half-way."""
        lives: list[Iterator[tuple[FleetDevice, Contact]]] = []
        for place, device in enumerate(self._devices):
            joins = self._plan.first + self._plan.ramp * (place / len(self._devices))
            lives.append(self._life(device, joins))
            if device.person.number < self._wishes.clones and self._plan.last is not None:
                twin = device.copy()
                self.twins.append(twin)
                half_way = joins + (self._plan.last - joins) / 2
                lives.append(self._life(twin, half_way, is_copy=True))
        for device, contact in heapq.merge(*lives, key=lambda pair: pair[1].at):
            if self._plan.last is not None and contact.at >= self._plan.last:
                return
            yield device, contact

    def _life(
        self, device: FleetDevice, first: datetime, *, is_copy: bool = False
    ) -> Iterator[tuple[FleetDevice, Contact]]:
        yield device, Contact(first, ())
        lived = contacts(device.person, first, self._rules, self._wishes, self._rhythm, is_copy=is_copy)
        for contact in lived:
            yield device, contact

    def _wait_until(self, at: datetime, began: float) -> bool:
        """Wait until a moment has come at this speed; tell whether to go on."""
        if self._plan.speed > 0:
            due = began + (at - self._plan.first).total_seconds() / self._plan.speed
            return not self._stop.wait(max(0.0, due - time.monotonic()))
        if self._plan.last is None:
            return not self._stop.wait(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        return not self._stop.is_set()

    def _work(self, own: "queue.Queue[tuple[FleetDevice, Contact] | None]") -> None:
        while (job := own.get()) is not None:
            device, contact = job
            device.report(contact.observations)
            device.speak(self._post, contact.at)

    def _flush(self) -> None:
        """Send what an outage left, as devices do when the server is back."""
        for device in (*self._devices, *self.twins):
            for _ in range(self._last_tries):
                if device.speak(self._post, self.until):
                    break
                time.sleep(LAST_PAUSE_SECONDS)
