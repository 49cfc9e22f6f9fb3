"""The current picture: which messengers run, and how each is judged.

One application on one side is one sighting, with all its processes and pages; one that changes sides ends there, and begins on the other.

Takes readings and a verdict function; gives transitions, never samples.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal

import msgspec

from agent.profiles import Side
from agent.sensing.process_source import ProcessKey
from contract.evidence import Match
from contract.judge import Subject, Verdict
from contract.policy import Profile

TransitionKind = Literal["started", "judged", "ended"]
Judge = Callable[[Subject], Verdict]


class PageKey(msgspec.Struct, frozen=True, order=True):
    """What tells a messenger's pages in one profile of a running browser from every other; a browser that ends takes them along."""

    browser: ProcessKey
    browser_name: str
    browser_profile: str
    messenger: str


class Found(msgspec.Struct, frozen=True):
    """A process or a page that was recognised as a messenger's."""

    key: ProcessKey | PageKey
    uid: int
    match: Match
    side: Side


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A messenger in use."""

    id: str
    match: Match
    side: Side
    uid: int
    processes: tuple[ProcessKey, ...]
    """In the order in which they were noticed; empty where only a page is open."""
    pages: tuple[PageKey, ...] = ()
    started: datetime
    verdict: Verdict
    judged_since: datetime

    @property
    def pids(self) -> tuple[int, ...]:
        """The pids that it lives by, its browsers' among them."""
        return tuple(key.pid for key in (*self.processes, *(page.browser for page in self.pages)))

    @property
    def subject(self) -> Subject:
        """What the judge is asked about."""
        return Subject(
            messenger=self.match.messenger,
            name=self.match.name,
            listed=self.match.listed,
            profile=self.side.profile,
        )

    @property
    def channel(self) -> str:
        """The channel, as the policy speaks of it."""
        return f"{self.match.messenger}/{self.side.profile}"


class Transition(msgspec.Struct, frozen=True):
    """Something changed about a sighting."""

    kind: TransitionKind
    sighting: Sighting
    at: datetime


class Compliance:
    """Owns the open sightings; never asks the system, never writes.

    Args:
        resumed: sightings that were open when the agent last ran and whose processes still run.
    """

    def __init__(self, resumed: Iterable[Sighting] = ()) -> None:
        self._open: dict[str, Sighting] = {sighting.id: sighting for sighting in resumed}

    def sightings(self) -> tuple[Sighting, ...]:
        """Return what runs now, in the order in which it started."""
        return tuple(sorted(self._open.values(), key=lambda sighting: sighting.started))

    def tracked_pids(self) -> frozenset[int]:
        """Return the pids of everything that runs."""
        return frozenset(pid for sighting in self._open.values() for pid in sighting.pids)

    def take(
        self,
        found: Iterable[Found],
        gone: Iterable[ProcessKey | PageKey],
        judge: Judge,
        at: datetime,
        became_other: Iterable[ProcessKey] = (),
    ) -> list[Transition]:
        """Take what was noticed; return what changed.

        Args:
            found: what was recognised.
            gone: what has ended.
            judge: gives the verdict.
            at: when.
            became_other: processes that run something else now; what lives in them as a page goes on.
        """
        ended = frozenset(gone)
        transitions = self._end(ended | frozenset(became_other), ended, at)
        for one in found:
            transitions.extend(self._start(one, judge, at))
        return transitions

    def rejudge(self, judge: Judge, at: datetime) -> list[Transition]:
        """Judge everything again, after a new policy or as time goes by; return what is judged differently now."""
        transitions = []
        for sighting in self.sightings():
            verdict = judge(sighting.subject)
            if verdict == sighting.verdict:
                continue
            changed = (verdict.state, verdict.rule) != (sighting.verdict.state, sighting.verdict.rule)
            since = at if changed else sighting.judged_since
            fresh = msgspec.structs.replace(sighting, verdict=verdict, judged_since=since)
            self._open[sighting.id] = fresh
            if changed:
                transitions.append(Transition("judged", fresh, at))
        return transitions

    def _start(self, one: Found, judge: Judge, at: datetime) -> list[Transition]:
        for sighting in self._open.values():
            if one.key in sighting.processes or one.key in sighting.pages:
                if _channel(sighting) == _channel(one):
                    self._call(sighting, one)
                    return []
                # It is another messenger now, or on another side: what it was is over.
                left = frozenset({one.key})
                gone = left if isinstance(one.key, PageKey) else frozenset()
                return [*self._end(left, gone, at), *self._start(one, judge, at)]
        for sighting in self._open.values():
            if (sighting.uid, _channel(sighting)) == (one.uid, _channel(one)):
                self._open[sighting.id] = _joined(sighting, one.key)
                return []
        subject = Subject(
            messenger=one.match.messenger,
            name=one.match.name,
            listed=one.match.listed,
            profile=one.side.profile,
        )
        sighting = Sighting(
            id=secrets.token_hex(16),
            match=one.match,
            side=one.side,
            uid=one.uid,
            processes=(),
            started=at,
            verdict=judge(subject),
            judged_since=at,
        )
        sighting = _joined(sighting, one.key)
        self._open[sighting.id] = sighting
        return [Transition("started", sighting, at)]

    def _call(self, sighting: Sighting, one: Found) -> None:
        """Say of a messenger what is known now: catalogue and policy may have changed since it was recognised.

        Why it is on its side is said of what it began with.
        """
        match = one.match
        if (match.name, match.listed) == (sighting.match.name, sighting.match.listed):
            match = sighting.match
        is_first = one.key == (*sighting.processes, *sighting.pages)[0]
        side = one.side if is_first else sighting.side
        if (match, side) != (sighting.match, sighting.side):
            self._open[sighting.id] = msgspec.structs.replace(sighting, match=match, side=side)

    def _end(
        self, over: frozenset[ProcessKey | PageKey], gone: frozenset[ProcessKey | PageKey], at: datetime
    ) -> list[Transition]:
        """Take away the processes that are over and the pages that are gone, themselves or with their browser."""
        transitions = []
        for sighting in self.sightings():
            processes = tuple(key for key in sighting.processes if key not in over)
            pages = tuple(page for page in sighting.pages if not {page, page.browser} & gone)
            if (processes, pages) == (sighting.processes, sighting.pages):
                continue
            if processes or pages:
                self._open[sighting.id] = msgspec.structs.replace(sighting, processes=processes, pages=pages)
            else:
                del self._open[sighting.id]
                transitions.append(Transition("ended", sighting, at))
        return transitions


def _channel(one: Found | Sighting) -> tuple[str, Profile]:
    return one.match.messenger, one.side.profile


def _joined(sighting: Sighting, key: ProcessKey | PageKey) -> Sighting:
    if isinstance(key, PageKey):
        return msgspec.structs.replace(sighting, pages=(*sighting.pages, key))
    return msgspec.structs.replace(sighting, processes=(*sighting.processes, key))
