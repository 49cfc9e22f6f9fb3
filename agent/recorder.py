"""Writes down what changed in one transaction: the journal, what is open and for how long and, through the privacy door, the outbox."""

from collections.abc import Callable, Iterable
from datetime import datetime

from agent.compliance import Sighting, Transition
from agent.exposure_book import ExposureBook
from agent.journal import Journal
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract import wire
from contract.catalogue import Catalogue
from contract.errors import MalformedError
from contract.evidence import Match
from contract.local import LINE_LIMIT_BYTES
from contract.observations import SENTENCES, SightingObserved, Unlisted


class Recorder:
    """Owns the table of open sightings; what could not be written waits here and is written first the next time."""

    def __init__(
        self,
        store: Store,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        catalogue: Callable[[], Catalogue],
        exposure: ExposureBook,
    ) -> None:
        self._store, self._journal, self._outbox = store, journal, outbox
        self._door, self._catalogue, self._exposure = door, catalogue, exposure
        self._unwritten: list[tuple[Transition, int]] = []

    def open_sightings(self) -> list[Sighting]:
        """Return the sightings that were open when the agent last ran; a damaged one is forgotten."""
        sightings = []
        for (body,) in self._store.execute("SELECT body FROM open_sighting ORDER BY id"):
            try:
                sightings.append(wire.decode(Sighting, bytes(body), limit_bytes=LINE_LIMIT_BYTES))
            except MalformedError:
                continue
        return sightings

    def record(self, transitions: Iterable[Transition], policy_serial: int) -> bool:
        """Write transitions, and for how long what they are about was open; tell whether any of them now waits to be reported.

        What is told of a day that is over leaves with the next regular check-in: all devices have the same midnight.

        Raises:
            StateError: nothing can be written now; nothing is lost.
        """
        new = list(transitions)
        self._unwritten.extend((transition, policy_serial) for transition in new)
        self._exposure.take(new)
        counted = self._exposure.news()
        reported = False
        if self._unwritten or counted is not None:
            with self._store.transaction():
                for transition, serial in self._unwritten:
                    reported = self._write(transition, serial) or reported
                if counted is not None:
                    self._exposure.write(counted)
            self._unwritten.clear()
            if counted is not None:
                self._exposure.written(counted)
        return reported

    def report_open(self, sightings: Iterable[Sighting], policy_serial: int, at: datetime) -> None:
        """Report what runs already as started now: before, its user had not been told."""
        with self._store.transaction():
            for sighting in sightings:
                self._report(Transition("started", sighting, at), policy_serial)

    def _write(self, transition: Transition, policy_serial: int) -> bool:
        sighting = transition.sighting
        full = _observed(transition, policy_serial)
        self._journal.append("sighting", full, transition.at)
        if transition.kind == "ended":
            self._store.execute("DELETE FROM open_sighting WHERE id = ?", sighting.id)
        else:
            self._store.execute(
                "INSERT INTO open_sighting VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                sighting.id,
                wire.encode(sighting),
            )
        return self._report(transition, policy_serial)

    def _report(self, transition: Transition, policy_serial: int) -> bool:
        entry = self._catalogue().messengers.get(transition.sighting.match.messenger)
        cleared = self._door.clear_sighting(
            _observed(transition, policy_serial),
            None if entry is None else entry.kind,
            transition.at,
            transition.sighting.uid,
        )
        if cleared is not None:
            self._outbox.add(cleared)
        return cleared is not None


def _observed(transition: Transition, policy_serial: int) -> SightingObserved:
    sighting = transition.sighting
    return SightingObserved(
        sighting=sighting.id,
        transition=transition.kind,
        detail="exact",
        profile=sighting.side.profile,
        messenger=sighting.match.messenger,
        name=sighting.match.name,
        listed=sighting.match.listed,
        day=transition.at.date(),
        at=transition.at,
        verdict=sighting.verdict.state,
        rule=sighting.verdict.rule,
        policy_serial=policy_serial,
        unlisted=_unlisted(sighting.match) if transition.kind == "started" else None,
    )


def _unlisted(match: Match) -> Unlisted | None:
    known_by = match.known_by
    if known_by is None:
        return None
    return Unlisted(
        platform=known_by.platform,
        kind=known_by.kind,
        value=known_by.value,
        evidence=tuple(one.sentence for one in match.evidence[:SENTENCES]),
    )
