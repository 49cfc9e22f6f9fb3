"""Which messengers are installed here, as far as that was noticed, and what of it was reported: one row for each messenger.

What is told follows from two things, what is there and what was told of it, and both stand in the row. So it makes no difference why
something could not be told yet (nobody knows of it, the ceiling, an older server, a crash): the next settling tells it, once.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from agent.journal import Journal
from agent.privacy import Cleared, Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract import wire
from contract.catalogue import Catalogue
from contract.ceiling import DETAILS
from contract.errors import MalformedError
from contract.evidence import Match
from contract.local import LINE_LIMIT_BYTES
from contract.observations import InstalledObserved
from contract.policy import Profile

Change = Literal["found", "removed"]


class FoundInstalled(msgspec.Struct, frozen=True):
    """An installed application that was recognised as a messenger's."""

    match: Match
    uid: int | None
    """The user who has it; None where the device has it for everybody."""


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """A messenger that is installed, or was until a moment ago, with all its applications."""

    id: str
    messenger: str
    name: str
    listed: bool
    uid: int | None
    is_there: bool = True
    told: InstalledObserved | None = None
    """The last report of it, as it was cleared."""


class Installations:
    """Owns the table of what is installed; never asks the system.

    Args:
        catalogue: gives what is known of listed messengers.
        profile: the side that everything installed here counts to.
        takes: tells whether the server takes such reports.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        outbox: Outbox,
        door: Door,
        catalogue: Callable[[], Catalogue],
        profile: Profile,
        takes: Callable[[], bool],
    ) -> None:
        self._store, self._journal, self._outbox, self._door = store, journal, outbox, door
        self._catalogue, self._profile, self._takes = catalogue, profile, takes
        self._by_messenger = {one.messenger: one for one in self._read()}

    def there(self) -> tuple[Installation, ...]:
        """Return what is installed, by name."""
        found = (one for one in self._by_messenger.values() if one.is_there)
        return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.messenger)))

    def take(self, found: Iterable[FoundInstalled], now: datetime) -> bool:
        """Take all that is installed now; tell whether anything waits to be reported because of it.

        Raises:
            StateError: nothing can be written now; what is taken again later is taken as if for the first time.
        """
        there = _one_each(found)
        picture = {
            messenger: _as_found(self._by_messenger.get(messenger), one) for messenger, one in there.items()
        }
        picture |= {
            messenger: msgspec.structs.replace(one, is_there=False)
            for messenger, one in self._by_messenger.items()
            if messenger not in there
        }
        return self._settle(picture, now)

    def settle(self, now: datetime) -> bool:
        """Report what could not be reported before, and can be now; tell whether there was any.

        Raises:
            StateError: nothing can be written now; nothing is lost.
        """
        return self._settle(self._by_messenger, now)

    def _settle(self, picture: Mapping[str, Installation], now: datetime) -> bool:
        reports = self._reports(picture, now) if self._takes() else {}
        after = dict(picture)
        for messenger, cleared in reports.items():
            told = cleared.observation
            if isinstance(told, InstalledObserved):
                after[messenger] = msgspec.structs.replace(picture[messenger], told=told)
        after = {messenger: one for messenger, one in after.items() if not _is_settled(one)}
        if after == self._by_messenger:
            return False
        with self._store.transaction():
            self._write_down(picture, now)
            for cleared in reports.values():
                self._outbox.add(cleared)
            self._keep(after)
        self._by_messenger = after
        return bool(reports)

    def _reports(self, picture: Mapping[str, Installation], now: datetime) -> dict[str, Cleared]:
        return {
            messenger: cleared
            for messenger, one in picture.items()
            if (cleared := self._report(one, now)) is not None
        }

    def _report(self, one: Installation, now: datetime) -> Cleared | None:
        """Return what is to be told of an installation now; None where nothing is new, or nothing may be told."""
        if not one.is_there and one.told is None:
            return None
        entry = self._catalogue().messengers.get(one.messenger)
        change: Change = "found" if one.is_there else "removed"
        cleared = self._door.clear_installed(
            self._observed(one, change, now), None if entry is None else entry.kind, now, one.uid
        )
        if cleared is None or not one.is_there or one.told is None:
            return cleared
        new = cleared.observation
        if not isinstance(new, InstalledObserved) or DETAILS.index(new.detail) < DETAILS.index(
            one.told.detail
        ):
            return None
        return None if _said(new) == _said(one.told) else cleared

    def _observed(self, one: Installation, change: Change, now: datetime) -> InstalledObserved:
        return InstalledObserved(
            installation=one.id,
            change=change,
            detail="exact",
            profile=self._profile,
            messenger=one.messenger,
            name=one.name,
            listed=one.listed,
            day=now.date(),
            at=now,
        )

    def _write_down(self, picture: Mapping[str, Installation], now: datetime) -> None:
        """Put into the journal what came and what went, each once, whether or not it may be told."""
        for messenger, one in picture.items():
            before = self._by_messenger.get(messenger)
            if one.is_there != (before is not None and before.is_there):
                change: Change = "found" if one.is_there else "removed"
                self._journal.append("installed", self._observed(one, change, now), now)

    def _keep(self, after: Mapping[str, Installation]) -> None:
        for messenger, one in self._by_messenger.items():
            if messenger not in after or after[messenger].id != one.id:
                self._store.execute("DELETE FROM installed WHERE id = ?", one.id)
        for messenger, one in after.items():
            if one != self._by_messenger.get(messenger):
                self._store.execute(
                    "INSERT INTO installed VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
                    one.id,
                    wire.encode(one),
                )

    def _read(self) -> Iterable[Installation]:
        """Give what was there when the agent last ran; a damaged row is forgotten."""
        for (body,) in self._store.execute("SELECT body FROM installed ORDER BY id"):
            try:
                yield wire.decode(Installation, bytes(body), limit_bytes=LINE_LIMIT_BYTES)
            except MalformedError:
                continue


def _one_each(found: Iterable[FoundInstalled]) -> dict[str, FoundInstalled]:
    """Return one for each messenger; what the device has for everybody goes before what one user has."""
    there: dict[str, FoundInstalled] = {}
    for one in found:
        before = there.get(one.match.messenger)
        if before is None or (before.uid is not None and one.uid is None):
            there[one.match.messenger] = one
    return there


def _as_found(before: Installation | None, one: FoundInstalled) -> Installation:
    match = one.match
    if before is None:
        return Installation(
            id=secrets.token_hex(16),
            messenger=match.messenger,
            name=match.name,
            listed=match.listed,
            uid=one.uid,
        )
    return msgspec.structs.replace(before, name=match.name, listed=match.listed, uid=one.uid, is_there=True)


def _is_settled(one: Installation) -> bool:
    """Tell whether nothing is left to be said of what is gone: nothing was told of it, or that it is gone."""
    return not one.is_there and (one.told is None or one.told.change == "removed")


def _said(told: InstalledObserved) -> tuple[object, ...]:
    return told.messenger, told.name, told.kind, told.listed
