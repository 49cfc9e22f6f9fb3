"""A working day of somebody: which messenger was open from when to when, and what their device says of it. Pure.

Verdicts are the judge's, under the policy that the server gave; what may leave, and when, follows the ceilings as `agent.privacy` does.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from random import Random
from zoneinfo import ZoneInfo

import msgspec

from bench.simulator.people import Habit, Person, Wishes
from contract.catalogue import Catalogue, parse
from contract.ceiling import Ceiling, Detail, ProfileCeiling, allowed
from contract.judge import Circumstances, Subject, Verdict, judge
from contract.messages import PolicyBundle
from contract.observations import Observation, ReminderReceipt, SightingObserved
from contract.wire import digest


class Use(msgspec.Struct, frozen=True):
    """A messenger that was open."""

    habit: Habit
    start: datetime
    end: datetime


class Due(msgspec.Struct, frozen=True):
    """An observation, and when it may leave."""

    at: datetime
    observation: Observation


class Rules(msgspec.Struct, frozen=True):
    """What a device knows: the catalogue, and the policy if there is one."""

    catalogue: Catalogue
    bundle: PolicyBundle | None


class Day(msgspec.Struct, frozen=True):
    """A person's day: from when to when the device is on, when it is cut off, and what becomes due."""

    on: datetime
    off: datetime
    cut_off: tuple[datetime, datetime] | None
    due: tuple[Due, ...]


def shipped_catalogue() -> Catalogue:
    """Return the catalogue as it ships."""
    folder = resources.files("contract").joinpath("catalogue_data")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda f: f.name)
    return parse({file.name: file.read_text(encoding="utf-8") for file in files})


def day_of(person: Person, day: date, rules: Rules, wishes: Wishes, *, is_copy: bool = False) -> Day | None:
    """Return a day; None if the person does not work. A copy of a device lives another life with the same habits."""
    luck = Random(f"{wishes.seed} day {person.number} {day} {is_copy}")
    if not person.works_on(day, luck):
        return None
    midnight = datetime.combine(day, time(), ZoneInfo(person.zone))
    on = midnight + timedelta(minutes=person.start_minutes + luck.gauss(0, 12))
    off = on + timedelta(minutes=person.work_minutes + luck.gauss(20, 20))
    cut_off = None
    if luck.random() < wishes.devices_offline:
        begins = on + (off - on) * luck.random()
        cut_off = (begins, begins + timedelta(hours=luck.uniform(1, 20)))
    life = _Life(person, rules, luck)
    for use in _uses(person, on, off, luck):
        life.live(use)
    return Day(on, off, cut_off, tuple(sorted(life.due, key=lambda due: due.at)))


def _uses(person: Person, on: datetime, off: datetime, luck: Random) -> Iterator[Use]:
    lunch = on + (off - on) * 0.45
    for habit in person.habits:
        if luck.random() > habit.chance:
            continue
        if habit.turns == 1 and not habit.is_for_breaks:
            yield Use(habit, on + timedelta(minutes=luck.uniform(1, 15)), off)
            continue
        free_from = on
        for _ in range(luck.randint(1, habit.turns)):
            start = free_from + (off - free_from) * luck.random()
            if habit.is_for_breaks and free_from <= lunch:
                start = lunch + timedelta(minutes=luck.gauss(0, 20))
            end = start + timedelta(minutes=luck.lognormvariate(2.6, 0.9))
            start = max(start, free_from)
            if start >= off or end <= start:
                break
            yield Use(habit, start, end)
            free_from = end + timedelta(minutes=1)


class _Life:
    """Says of each use what the device would."""

    def __init__(self, person: Person, rules: Rules, luck: Random) -> None:
        self._person, self._rules, self._luck = person, rules, luck
        self.due: list[Due] = []
        self._reminded = 0

    def live(self, use: Use) -> None:
        """Take one use."""
        identity = f"{self._luck.getrandbits(128):032x}"
        verdict, end = self._verdict(use.habit, use.start), use.end
        self._see(use, identity, "started", use.start, verdict)
        end = self._remind(use, verdict, use.start, end)
        for moment in _boundaries(use, end, self._rules):
            if moment >= end:
                break
            later = self._verdict(use.habit, moment)
            if (later.state, later.rule) != (verdict.state, verdict.rule):
                verdict = later
                self._see(use, identity, "judged", moment, verdict)
                end = self._remind(use, verdict, moment, end)
        self._see(use, identity, "ended", end, verdict)

    def _verdict(self, habit: Habit, at: datetime) -> Verdict:
        bundle = self._rules.bundle
        subject = Subject(
            messenger=habit.messenger,
            name=self._rules.catalogue.name_of(habit.messenger),
            listed=not habit.messenger.startswith("unlisted:"),
            profile=habit.profile,
        )
        circumstances = Circumstances(at=at, ownership=self._person.ownership, highest_rung="remind")
        return judge(subject, None if bundle is None else bundle.policy, circumstances)

    def _detail(self, habit: Habit) -> Detail:
        most, bundle = self._person.detail, self._rules.bundle
        everything = ProfileCeiling(work=most, personal=most, unknown=most)
        return allowed(
            Ceiling(company=everything, personal=everything),
            None if bundle is None else bundle.policy.ceiling,
            self._person.ownership,
            habit.profile,
            "sighting",
        )

    def _see(self, use: Use, identity: str, transition: str, at: datetime, verdict: Verdict) -> None:
        detail = self._detail(use.habit)
        if detail == "nothing":
            return
        entry = self._rules.catalogue.messengers.get(use.habit.messenger)
        is_named = detail != "kind"
        observed = SightingObserved(
            sighting=identity,
            transition=transition,  # type: ignore[arg-type]  # one of the three
            detail=detail,
            profile=use.habit.profile,
            messenger=use.habit.messenger if is_named else None,
            name=self._rules.catalogue.name_of(use.habit.messenger) if is_named else None,
            kind=None if entry is None else entry.kind,
            listed=entry is not None if is_named else None,
            day=at.date(),
            at={"exact": at, "hour": at.replace(minute=0, second=0, microsecond=0)}.get(detail),
            verdict=verdict.state,
            rule=verdict.rule if is_named else "withheld",
            policy_serial=0 if self._rules.bundle is None else self._rules.bundle.serial,
        )
        self._add(observed, at, detail)

    def _remind(self, use: Use, verdict: Verdict, at: datetime, end: datetime) -> datetime:
        """Remind, if the policy has it so; return when the use ends then."""
        bundle, detail = self._rules.bundle, self._detail(use.habit)
        if bundle is None or verdict.state not in {"violation", "attention"} or verdict.rung == "report":
            return end
        if self._reminded >= bundle.policy.reminders.a_day_at_most:
            return end
        self._reminded += 1
        reminder = f"{self._luck.getrandbits(128):032x}"
        heeds = self._luck.random() < self._person.obedience
        answered = at + timedelta(seconds=self._luck.lognormvariate(3, 1))
        outcomes = [("shown", at), ("acknowledged" if heeds else "deferred", answered)]
        for outcome, moment in outcomes[: 2 if self._luck.random() < 0.8 else 1]:
            if detail == "exact":
                receipt = ReminderReceipt(
                    reminder=reminder,
                    rule=verdict.rule,
                    policy_serial=bundle.serial,
                    language=bundle.policy.language,
                    text_digest=digest(verdict.rule.encode()),
                    outcome=outcome,  # type: ignore[arg-type]  # one of the four
                    at=moment,
                )
                self._add(receipt, moment, detail)
        return min(end, answered + timedelta(minutes=self._luck.uniform(0.2, 8))) if heeds else end

    def _add(self, observation: Observation, at: datetime, detail: Detail) -> None:
        self.due.append(Due(_earliest(at, detail).astimezone(UTC), observation))


def _boundaries(use: Use, end: datetime, rules: Rules) -> Iterator[datetime]:
    """Yield the quarters of an hour while a messenger is open: policies begin and end things then."""
    if rules.bundle is None:
        return
    moment = use.start.replace(minute=use.start.minute // 15 * 15, second=0, microsecond=0)
    while (moment := moment + timedelta(minutes=15)) < end:
        yield moment


def _earliest(at: datetime, detail: Detail) -> datetime:
    """Return when a report may be sent without its sending telling more than it says."""
    if detail == "exact":
        return at
    if detail == "hour":
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
