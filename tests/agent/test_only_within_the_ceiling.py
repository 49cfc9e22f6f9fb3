"""Whatever happens on a device, whatever policy and ceiling it has: nothing outside the ceiling waits, was sent, or shows in when it was sent.

Days are made up and lived through by the whole agent. What a ceiling lets through is told here once more, in plain tables that know nothing
of the program's own reckoning, and everything in the outbox, in the ledger and in the bytes on the wire is held against it.
"""

import functools
import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.compliance import Found
from agent.installations import FoundInstalled
from agent.localapi.server import Caller
from agent.profiles import Side
from agent.sensing.process_source import ProcessKey
from contract.ceiling import Ceiling
from contract.envelope import payload_of
from contract.evidence import Evidence, KnownBy, Match
from contract.policy import ChannelRule
from contract.toml_text import table_in
from tests.fakes.device import policy
from tests.fakes.running_agent import OTHER_UID, OWNER_UID, RunningAgent
from tests.markers import plainly_found


@pytest.fixture(autouse=True, scope="module")
def _read_once() -> Iterator[None]:
    """Each life begins with a new agent, which would read the same shipped catalogue again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("contract.catalogue.table_in", functools.cache(table_in))
        yield


LEVELS = ("nothing", "count", "kind", "name", "hour", "exact")
OWNERSHIPS, PROFILES = ("company", "personal"), ("work", "personal", "unknown")
INSTALLED_ON = {"company": "work", "personal": "unknown"}
"""The side that what is installed counts to."""
USERS = (OWNER_UID, OTHER_UID)
RULE = "zqx-rule-of-the-house"
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)

SUBJECTS = ("sighting", "installed", "exposure", "receipt")
Level = str | dict[str, str]
"""Of every observation alike, or of each that is named."""
Table = dict[str, dict[str, Level]]
levels: st.SearchStrategy[Level] = st.sampled_from(LEVELS) | st.dictionaries(
    st.sampled_from(SUBJECTS), st.sampled_from(LEVELS)
)
tables: st.SearchStrategy[Table] = st.fixed_dictionaries(
    {one: st.fixed_dictionaries(dict.fromkeys(PROFILES, levels)) for one in OWNERSHIPS}
)


class Use(msgspec.Struct, frozen=True):
    """A messenger in use within a day, from one minute to another."""

    profile: str
    uid: int
    start: int
    end: int
    listed: bool
    """Whether it is Telegram, which is banned at work; any other is named so that it is known by its name."""


class Day(msgspec.Struct, frozen=True):
    """What the policy allows on a day, who was told before it begins, and what happens."""

    policy: Table | None
    told: tuple[int, ...]
    uses: tuple[Use, ...]
    installed: int | None
    """In which minute an application comes, if one does."""


def _uses() -> st.SearchStrategy[Use]:
    minutes = st.tuples(st.integers(2, 700), st.integers(701, 1430))
    return st.builds(
        lambda profile, uid, span, listed: Use("work" if listed else profile, uid, span[0], span[1], listed),
        st.sampled_from(PROFILES),
        st.sampled_from(USERS),
        minutes,
        st.booleans(),
    )


days = st.builds(
    Day,
    policy=st.none() | tables,
    told=st.sets(st.sampled_from(USERS)).map(tuple),
    uses=st.lists(_uses(), max_size=3).map(tuple),
    installed=st.none() | st.integers(2, 1430),
)


class Oracle:
    """What may leave, reckoned from the tables alone."""

    def __init__(self, ownership: str, device: Table, notice: str, lived: list[Day]) -> None:
        self._ownership, self._device, self._notice, self._days = ownership, device, notice, lived

    def level(self, day: datetime, profile: str, uid: int | None, subject: str = "sighting") -> str:
        number = (day.date() - MIDNIGHT.date()).days
        told = {one for earlier in self._days[: number + 1] for one in earlier.told}
        is_told = self._notice == "given" or (bool(told) if uid is None else uid in told)
        most = LEVELS.index(_of(self._device[self._ownership][profile], subject)) if is_told else 0
        allowed = self._days[number].policy
        if allowed is not None:
            most = min(most, LEVELS.index(_of(allowed[self._ownership].get(profile, {}), subject)))
        return LEVELS[most]

    def device_is_closed(self) -> bool:
        levels = self._device[self._ownership].values()
        return {_of(level, subject) for level in levels for subject in SUBJECTS} == {"nothing"}


def _of(level: Level, subject: str) -> str:
    return level.get(subject, "nothing") if isinstance(level, dict) else level


class Happened(msgspec.Struct, frozen=True):
    """One thing that happened, as the test knows it."""

    number: int
    uid: int | None
    profile: str
    moments: tuple[datetime, ...]

    @property
    def subject(self) -> str:
        """Of which kind the reports of it are."""
        return "sighting" if len(self.moments) > 1 else "installed"

    @property
    def markers(self) -> dict[str, str]:
        """What only a report that may name the messenger may hold."""
        return {
            f"{what} {self.number}": f"zqx{what}{self.number}x" for what in ("key", "name", "says", "proof")
        }


class Life:
    """Lives through the days and keeps every byte that was sent, with its time."""

    def __init__(self, agent: RunningAgent) -> None:
        self.agent, self.clock = agent, agent.device.clock
        self.sent: list[tuple[datetime, bytes]] = []
        self.happened: dict[int, Happened] = {}
        self.listed: set[int] = set()
        self.hurried: list[datetime] = []
        """When it would have checked in at once because of what happened then."""
        self._before = self._rows("SELECT max(number) FROM ledger")[0]
        """The last row of the ledger about being enrolled, which the tables say nothing of."""
        post = agent.device.server.post

        def keep(url: str, body: bytes) -> bytes:
            self.sent.append((self.clock.at, body))
            return post(url, body)

        agent.device.server.post = keep  # type: ignore[method-assign]  # what stands on the wire is looked at

    def waiting(self) -> list[Any]:
        """Return the bodies that wait."""
        return self._rows("SELECT body FROM outbox")

    def ledger(self, *, observations: bool = False) -> list[Any]:
        """Return the lines of the ledger, or those about observations."""
        only = "AND outbox IS NOT NULL" if observations else ""
        return self._rows(f"SELECT literal FROM ledger WHERE number > {self._before} {only}")

    def _rows(self, query: str) -> list[Any]:
        return [value for (value,) in self.agent.agent._store.execute(query).fetchall()]

    def through(self, lived: list[Day]) -> None:
        """Live through all of them, and two days more in which nothing happens."""
        for number, day in enumerate(lived):
            self._go_to(MIDNIGHT + timedelta(days=number, seconds=30))
            ceiling = None if day.policy is None else msgspec.convert(day.policy, Ceiling)
            rule = ChannelRule(id=RULE, messenger="telegram", profile="work", stance="banned", rung="remind")
            self.agent.device.server.publish(policy(ceiling=ceiling, version=number + 2, channels=(rule,)))
            self.agent.check_in()
            for uid in day.told:
                answer = self.agent.ask("notice.shown", {}, Caller("owner", uid))
                assert "error" not in answer, answer
            self._events(number, day)
        for hours in (30, 3, 25):
            self._go_to(self.clock.at + timedelta(hours=hours))

    def _events(self, number: int, day: Day) -> None:
        events: list[tuple[int, str, Use | None]] = [
            *((use.start, "start", use) for use in day.uses),
            *((use.end, "end", use) for use in day.uses),
        ]
        if day.installed is not None:
            events.append((day.installed, "install", None))
        for minute, what, use in sorted(events, key=lambda one: (one[0], one[1])):
            self._go_to(MIDNIGHT + timedelta(days=number, minutes=minute, seconds=17))
            self.agent.agent._reporter._has_news = False
            if what == "install":
                self._install()
            elif use is not None and what == "start":
                self._start(use)
            elif use is not None:
                self._end(use)
            if self.agent.wants_to_check_in:
                self.hurried.append(self.clock.at)

    def _go_to(self, moment: datetime) -> None:
        """Let time go by, checking in whenever something has become due, as the agent does, and once more."""
        while (due := self.agent.agent._outbox.next_due()) is not None and self.clock.at < due <= moment:
            self.clock.advance(due - self.clock.at)
            self.agent.check_in()
        if moment > self.clock.at:
            self.clock.advance(moment - self.clock.at)
        self.agent.agent._upkeep.do()
        self.agent.check_in()
        self.agent.check_in()

    def _match(self, number: int, *, listed: bool) -> Match:
        if listed:
            return Match(messenger="telegram", name="Telegram", listed=True, confidence=1.0, evidence=())
        one = Happened(number, None, "", ()).markers
        key, name, says, proof = one.values()
        return Match(
            messenger=f"unlisted:{key}",
            name=name,
            listed=False,
            confidence=0.9,
            evidence=(Evidence("category", says, f"{proof} opens irc links."),),
            known_by=KnownBy("linux", "desktop_id", key),
        )

    def _start(self, use: Use) -> None:
        number = len(self.happened)
        start, end = (self._moment(minute) for minute in (use.start, use.end))
        self.happened[number] = Happened(number, use.uid, use.profile, (start, end))
        if use.listed:
            self.listed.add(number)
        side = Side(use.profile, f"zqxreason{number}x lies in /home/zqxfolder{number}x")  # type: ignore[arg-type]  # one of PROFILES
        found = Found(self._key(use), use.uid, self._match(number, listed=use.listed), side)
        self.agent.do(lambda: self.agent.agent._desk.take([found], []))
        for reminder in self.agent.agent._reminding.unshown(use.uid):
            answer: dict[str, object] = {"reminder": reminder.reminder, "outcome": "shown"}
            self.agent.ask("reminder.answer", answer, Caller("owner", use.uid))

    def _end(self, use: Use) -> None:
        self.agent.do(lambda: self.agent.agent._desk.take([], [self._key(use)]))

    def _install(self) -> None:
        number = len(self.happened)
        profile = INSTALLED_ON[self.agent.agent._settings.ownership]
        self.happened[number] = Happened(number, OWNER_UID, profile, (self.clock.at,))
        found = FoundInstalled(self._match(number, listed=False), OWNER_UID)
        self.agent.do(lambda: self.agent.agent._installs._keep(lambda now: self._take(found, now)))

    def _take(self, found: FoundInstalled, now: datetime) -> bool:
        return self.agent.agent._installs._installations.take([found], now)

    def _moment(self, minute: int) -> datetime:
        return datetime.combine(self.clock.at.date(), datetime.min.time(), UTC) + timedelta(
            minutes=minute, seconds=17
        )

    def _key(self, use: Use) -> ProcessKey:
        return ProcessKey(1000 + use.start, float(self.clock.at.toordinal() * 10_000 + use.end))


def _observations(life: Life) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield each observation with the time at which it was sent; one that waits or stands in the ledger, with the latest time."""
    for at, body in life.sent:
        for one in json.loads(body).get("bodies", ()):
            yield at, one["body"]
    latest = life.clock.at + timedelta(days=400)
    for text in (*life.waiting(), *life.ledger(observations=True)):
        yield latest, json.loads(text)


def _everything(life: Life) -> bytes:
    return b"\n".join([*(body for _, body in life.sent), *life.waiting(), *life.ledger()])


def _check_one(told: dict[str, Any], sent: datetime, oracle: Oracle, happened: dict[int, Happened]) -> None:
    """Hold one observation that names a messenger against the tables."""
    day = datetime.fromisoformat(told["day"]).replace(tzinfo=UTC)
    subject = told["type"]
    levels = {oracle.level(day, told["profile"], uid, subject) for uid in USERS}
    assert told["detail"] in levels - {"nothing", "count"}
    about = [one for one in happened.values() if told.get("name") in one.markers.values()]
    if about:
        assert told["detail"] == oracle.level(day, told["profile"], about[0].uid, subject)
        assert told["profile"] == about[0].profile
    at = None if told.get("at") is None else datetime.fromisoformat(told["at"])
    match told["detail"]:
        case "kind":
            assert all(told.get(field) is None for field in ("messenger", "name", "listed", "unlisted"))
            assert told.get("rule", "withheld") == "withheld"
            assert at is None
            assert sent.date() > day.date()
        case "name":
            assert at is None
            assert sent.date() > day.date()
        case "hour":
            assert at is not None
            assert (at.minute, at.second, at.microsecond) == (0, 0, 0)
            assert sent >= at + timedelta(hours=1)
        case "exact":
            assert at is not None
            assert sent >= at


def _check_receipt(told: dict[str, Any], sent: datetime, oracle: Oracle) -> None:
    """A receipt is about work here, since only its rule reminds."""
    at = datetime.fromisoformat(told["at"])
    levels = {oracle.level(at, "work", uid, "receipt") for uid in USERS} - {"nothing", "count"}
    assert levels
    if told["rule"] == "withheld":
        assert "kind" in levels
        assert told["text_digest"] == "0" * 64
        assert (at.hour, at.minute, at.second) == (0, 0, 0)
        assert sent.date() > at.date()
    elif (at.hour, at.minute, at.second) == (0, 0, 0):
        assert levels & {"name", "hour"}
        assert sent >= at + timedelta(hours=1)
    elif (at.minute, at.second) == (0, 0):
        assert "hour" in levels
        assert sent >= at + timedelta(hours=1)
    else:
        assert "exact" in levels


def _check_exposure(told: dict[str, Any], sent: datetime, oracle: Oracle) -> None:
    """What was open at work for how long is told of a day that is over, and no finer than that day allowed."""
    day = datetime.fromisoformat(told["day"]).replace(tzinfo=UTC)
    assert sent >= day + timedelta(days=1)
    most = max(LEVELS.index(oracle.level(day, "work", uid, "exposure")) for uid in USERS)
    assert LEVELS.index("count") < LEVELS.index(told["detail"]) <= most
    if told["detail"] == "kind":
        assert all(told.get(one) is None for one in ("messenger", "name", "listed", "seconds"))
    elif told["detail"] != "exact":
        assert told["seconds"] % 900 == 0


def _check_heartbeats(life: Life) -> None:
    """A sign of life counts nothing that still waits for its hour, and numbers have no gap that would tell of it."""
    numbers: set[int] = set()
    for _, body in life.sent:
        request = json.loads(body)
        heartbeat = json.loads(payload_of(request["sealed"]))
        assert heartbeat["waiting"] == len(heartbeat["observations"])
        numbers |= {sequence for sequence, _ in heartbeat["observations"]}
    assert numbers == set(range(min(numbers, default=0), max(numbers, default=-1) + 1))


def _check(life: Life, oracle: Oracle) -> None:
    _check_heartbeats(life)
    for sent, told in _observations(life):
        match told["type"]:
            case "sighting" | "installed":
                _check_one(told, sent, oracle, life.happened)
            case "receipt":
                _check_receipt(told, sent, oracle)
            case "daily_count":
                day = datetime.fromisoformat(told["day"]).replace(tzinfo=UTC)
                assert sent >= day + timedelta(days=1)
            case "exposure":
                _check_exposure(told, sent, oracle)
            case "policy" | "notice" | "trouble":
                assert not oracle.device_is_closed()
            case other:
                raise AssertionError(f"nothing here makes a {other}")
    _check_markers(life, oracle)
    _check_that_it_leaves(life, oracle)
    _check_counts(life, oracle)
    exact = {
        moment
        for one in life.happened.values()
        for moment in one.moments
        if "exact" in {oracle.level(moment, one.profile, one.uid, kind) for kind in (one.subject, "receipt")}
    }
    assert set(life.hurried) <= exact, "only what may tell its time hurries a check-in"


def _check_markers(life: Life, oracle: Oracle) -> None:
    """What names a messenger stands nowhere unless some moment of it may be told by name; what says why never does."""
    wire = _everything(life)
    may_name = {"name", "hour", "exact"}
    forbidden: dict[str, str] = {}
    for number, one in life.happened.items():
        days_it_was_there = one.moments if len(one.moments) > 1 else _from(one.moments[0], life.clock.at)
        if not any(
            oracle.level(at, one.profile, one.uid, one.subject) in may_name for at in days_it_was_there
        ):
            forbidden |= one.markers
        forbidden |= {f"reason {number}": f"zqxreason{number}x", f"folder {number}": f"zqxfolder{number}x"}
    at_work = [at for one in life.happened.values() if one.profile == "work" for at in one.moments]
    named = {
        subject
        for subject in ("sighting", "receipt")
        if any(oracle.level(at, "work", uid, subject) in may_name for at in at_work for uid in USERS)
    }
    if not named:
        forbidden["rule"] = RULE
    if "sighting" not in named:
        forbidden["text"] = "telegram"
    assert plainly_found(forbidden, wire) == set()


def _check_that_it_leaves(life: Life, oracle: Oracle) -> None:
    """What may be told by name has been, in the end: a door that is always shut would pass everything else here."""
    told = {(one.get("type"), one.get("name")) for _, one in _observations(life)}
    for number, one in life.happened.items():
        name = "Telegram" if number in life.listed else one.markers[f"name {number}"]
        if oracle.level(one.moments[0], one.profile, one.uid, one.subject) in {"name", "hour", "exact"}:
            assert (one.subject, name) in told


def _check_counts(life: Life, oracle: Oracle) -> None:
    """Each day and side of which no more may be told is counted, once."""
    expected: dict[tuple[str, str], set[object]] = {}
    for number, one in life.happened.items():
        if len(one.moments) > 1 and oracle.level(one.moments[0], one.profile, one.uid) == "count":
            what = "telegram" if number in life.listed else number
            expected.setdefault((str(one.moments[0].date()), one.profile), set()).add(what)
    literal = [json.loads(text) for text in life.ledger(observations=True)]
    told = [
        (one["day"], one["profile"], one["messengers"]) for one in literal if one["type"] == "daily_count"
    ]
    assert sorted(told) == sorted((*key, len(names)) for key, names in expected.items())


def _from(first: datetime, last: datetime) -> Iterator[datetime]:
    end = MIDNIGHT + timedelta(days=_LIVED_AT_MOST)
    while first <= min(last, end):
        yield first
        first += timedelta(days=1)


_LIVED_AT_MOST = 3


def _live(ownership: str, device: Table, notice: str, lived: list[Day]) -> tuple[Life, Oracle]:
    """Live through days, and hold against the tables what became of them."""
    # The days after, in which nothing happens, are like the last.
    oracle = Oracle(ownership, device, notice, [*lived, *(lived[-1:] * 10)])
    ceiling = msgspec.convert(device, Ceiling)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningAgent(Path(folder), ceiling=ceiling, notice=notice, ownership=ownership) as agent,  # type: ignore[arg-type]  # one of OWNERSHIPS
    ):
        agent.check_in()  # what the device sent to be enrolled is not looked at
        agent.check_in()
        life = Life(agent)
        life.through(lived)
        _check(life, oracle)
        return life, oracle


ALL: Table = {one: dict.fromkeys(PROFILES, "exact") for one in OWNERSHIPS}
BOTH_USE_IT = tuple(Use("work", uid, 100 + uid % 7, 900 + uid % 7, listed=False) for uid in USERS)


@settings(max_examples=25)
@example("company", ALL, "show", [Day(None, (OWNER_UID,), BOTH_USE_IT, 300)])
@example(
    "personal",
    ALL,
    "given",
    [Day(ALL, (), BOTH_USE_IT, 300), Day({**ALL, "personal": {}}, (), BOTH_USE_IT, None)],
)
@given(
    st.sampled_from(OWNERSHIPS),
    tables,
    st.sampled_from(["given", "show"]),
    st.lists(days, min_size=1, max_size=_LIVED_AT_MOST),
)
def test_nothing_outside_the_ceiling_waits_was_sent_or_shows_in_when_it_was_sent(
    ownership: str, device: Table, notice: str, lived: list[Day]
) -> None:
    _live(ownership, device, notice, lived)
