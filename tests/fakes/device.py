"""A device for tests: the agent's real parts on a real database, around a clock that is set by hand and a server in memory."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from agent.catalogue_shelf import FILE_NAME, CatalogueShelf
from agent.clock import ServerTime
from agent.daily_counts import DailyCounts
from agent.journal import Journal
from agent.managed.files import Files
from agent.notice import Notice
from agent.policy_shelf import PolicyShelf
from agent.privacy import Door
from agent.reporting.check_in import CheckIns
from agent.reporting.enrolment import Enroller, Enrolment, current_enrolment
from agent.reporting.ledger import Ledger
from agent.reporting.outbox import Outbox
from agent.reporting.overreach import Overreach
from agent.reporting.seals import Seals
from agent.reporting.transport import CHECK_IN_PATH
from agent.settings import Settings, load
from agent.store import Store
from contract.ceiling import Ceiling, ProfileCeiling
from contract.envelope import SigningKey
from contract.messages import Acknowledgement
from contract.observations import SightingObserved, Trouble
from contract.policy import Policy, parse
from tests.fakes.central_server import SECRET, START, URL, CentralServer

EVERYTHING = Ceiling(company=ProfileCeiling(work="exact", personal="exact", unknown="exact"))
POLICY_TEXT = """
id = "messaging"
company = "Acme"
model = "restrict"
version = 1
title = { en = "Messaging policy" }
use_instead = ["microsoft-teams"]
defaults.work = { stance = "restricted", rung = "remind" }
defaults.personal = { stance = "personal_only" }
contacts = { questions = "IT desk", concerns = "HR", approvals = "Compliance" }
reminders.conduct = { en = "Be kind." }
office_hours.work = [{ days = ["mon", "tue", "wed", "thu", "fri"], start = "09:00", end = "17:00" }]
channels = [
  { id = "teams", messenger = "microsoft-teams", profile = "work", stance = "approved" },
  { id = "telegram", messenger = "telegram", profile = "work", stance = "personal_only", rung = "remind" },
]
"""


def policy(**changes: object) -> Policy:
    """Return the tests' policy, changed."""
    return msgspec.structs.replace(parse(POLICY_TEXT), **changes)


class HandClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at
        self.seconds = 1000.0
        self.slept = 0.0
        self.boot = "boot-1"

    def now(self) -> datetime:
        """Return the wall time."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds since boot."""
        return self.seconds

    def awake(self) -> float:
        """Return seconds since boot, sleep not counted."""
        return self.monotonic() - self.slept

    def boot_id(self) -> str:
        """Return this boot's id."""
        return self.boot

    def sleep(self, by: timedelta) -> None:
        """Let time go by while the machine sleeps."""
        self.advance(by)
        self.slept += by.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time go by on both clocks."""
        self.at += by
        self.seconds += by.total_seconds()


class KeyInMemory:
    """Keeps the key as its text, as a real store would."""

    def __init__(self) -> None:
        self._text: str | None = None

    def load(self) -> SigningKey | None:
        """Return the key."""
        return None if self._text is None else SigningKey.from_text(self._text)

    def keep(self, key: SigningKey) -> None:
        """Keep the key."""
        self._text = key.to_text()

    def forget(self) -> None:
        """Forget the key."""
        self._text = None

    def describe(self) -> str:
        """Return where it is."""
        return "in memory"


class Device:
    """Everything between an observation and the server."""

    def __init__(self, folder: Path, *, told: bool = True, ceiling: Ceiling = EVERYTHING) -> None:
        self.clock = HandClock()
        self.server = CentralServer(lambda: self.clock.at)
        self.credentials = KeyInMemory()
        self.store = Store(folder / "state.sqlite3")
        self.journal, self.outbox, self.ledger = Journal(self.store), Outbox(self.store), Ledger(self.store)
        self.shelf = PolicyShelf(self.store, self.journal)
        self.catalogues = CatalogueShelf(folder / FILE_NAME, self.store, self.journal)
        self.door = Door(ceiling, "company", everybody_told=told)
        self.notice = Notice(self.store, self.journal, self.outbox)
        self.seals = Seals(self.store, self.credentials)
        self.check_ins = CheckIns(
            self.store,
            self.journal,
            self.ledger,
            self.outbox,
            self.shelf,
            self.catalogues,
            self.seals,
            self.door,
            self.clock,
            "company",
            Overreach(self.store, self.journal, self.outbox, self.door),
        )
        self.counts = DailyCounts(
            self.store, self.journal, self.outbox, self.door, lambda: self.check_ins.takes("daily_count")
        )

    def enrol(self, secret: str = SECRET, settings: Settings | None = None) -> Enrolment:
        """Enrol at the server in memory."""
        enroller = Enroller(self.store, self.journal, self.ledger, self.credentials, self.server, self.clock)
        return enroller.enrol(
            URL, secret, settings or load(None, Files(Path("/nonexistent"))), "self_attested"
        )

    def check_in(self) -> Acknowledgement:
        """Check in once."""
        enrolment = current_enrolment(self.store)
        assert enrolment is not None
        prepared = self.check_ins.prepare(enrolment)
        answer = self.server.post(URL + CHECK_IN_PATH, prepared.request)
        return self.check_ins.apply(prepared, answer)

    def report(self, detail: str) -> None:
        """Put something that is told apart by its words into the outbox."""
        trouble = Trouble(code="test", detail=detail, at=self.clock.at)
        cleared = self.door.clear_device(trouble, self.clock.at)
        assert cleared is not None
        with self.store.transaction():
            self.outbox.add(cleared)

    def seen(self, messenger: str = "telegram", at: datetime | None = None) -> SightingObserved:
        """Return a sighting's start with every detail."""
        moment = at or self.clock.at
        return SightingObserved(
            sighting="ab" * 16,
            transition="started",
            detail="exact",
            profile="work",
            messenger=messenger,
            name=messenger.title(),
            listed=True,
            day=moment.date(),
            at=moment,
            verdict="violation",
            rule="telegram",
            policy_serial=1,
        )


def server_time(at: datetime, clock: HandClock) -> ServerTime:
    """Return what the clocks would have shown at a sealed answer."""
    return ServerTime(at.astimezone(UTC), clock.monotonic(), clock.boot_id())
