"""Whether people were told what is collected: the record of it. Before that, nothing but a heartbeat leaves."""

from datetime import datetime

from agent.journal import Journal
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract.observations import NoticeRecord

VERSION = 1
"""Version of the notice's text, `contract.observations.DISCLOSURES`; a higher one is shown anew."""
_PREFIX = f"notice:{VERSION}:"
_GIVEN = f"{_PREFIX}given"


class Notice:
    """Owns the record of who was told, and how."""

    def __init__(self, store: Store, journal: Journal, outbox: Outbox) -> None:
        self._store, self._journal, self._outbox = store, journal, outbox

    def told(self) -> frozenset[int]:
        """Return the users who have been shown the notice."""
        names = self._store.execute("SELECT name FROM facts WHERE name GLOB ?", f"{_PREFIX}[0-9]*")
        return frozenset(int(str(name).removeprefix(_PREFIX)) for (name,) in names)

    def record_given(self, door: Door, now: datetime) -> None:
        """Record, once, that the administrator says it was given otherwise."""
        if self._store.fact(_GIVEN) is None:
            self._write(_GIVEN, NoticeRecord(version=VERSION, how="recorded", at=now), door)

    def record_shown(self, door: Door, uid: int, now: datetime, language: str | None = None) -> None:
        """Record that a user has been shown it, in which language, and open the door for them."""
        door.tell(uid)
        record = NoticeRecord(version=VERSION, how="shown", language=language, at=now)
        self._write(f"{_PREFIX}{uid}", record, door)

    def _write(self, name: str, record: NoticeRecord, door: Door) -> None:
        with self._store.transaction():
            self._store.remember(name, record.at.isoformat())
            self._journal.append("notice", record, record.at)
            cleared = door.clear_device(record, record.at)
            if cleared is not None:
                self._outbox.add(cleared)
