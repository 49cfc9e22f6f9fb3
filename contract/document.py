"""The policy as text that people read and acknowledge, made from the same object as the rules that devices follow."""

from collections.abc import Callable, Iterable

from contract.ceiling import Detail, Level, Subject
from contract.hours import Interval, OfficeHours
from contract.local import Section
from contract.policy import DefaultRule, Policy, Stance
from contract.sides import SIGNALS, SideRule

NameOf = Callable[[str], str]
"""Gives a messenger's name for its id."""

_STANCES: dict[Stance, str] = {
    "approved": "may be used",
    "personal_only": "may be used personally, never for work",
    "restricted": "may be used in breaks and outside office hours only",
    "banned": "may not be used",
}
_SIDES = {
    "work": "for work",
    "personal": "for personal use",
    "unknown": "of which it cannot be told",
}
_LEAVES: dict[Detail, str] = {
    "nothing": "nothing",
    "count": "how many were used on a day, and nothing else",
    "kind": "of which kind, on which day",
    "name": "which one, on which day",
    "hour": "which one, in which hour",
    "exact": "which one, and when",
}
_SUBJECTS: dict[Subject, str] = {
    "sighting": "in use",
    "installed": "installed",
    "unretained": "files saved for work that nothing retains",
    "exposure": "for how long messengers are open at work",
    "receipt": "reminders about them",
}
_DAY_NAMES = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}


def render(policy: Policy, language: str, name_of: NameOf) -> tuple[Section, ...]:
    """Return the document's sections in reading order.

    Args:
        policy: the policy to read out.
        language: the language wanted; texts that lack it stand in the policy's own.
        name_of: the catalogue's names.
    """
    sections = (
        Section("Where this holds", tuple(_scope(policy))),
        Section("How work is told from personal use", tuple(_telling_apart(policy, name_of))),
        Section("Messengers for work", tuple(_side(policy, "work", language, name_of))),
        Section("Personal messengers", tuple(_side(policy, "personal", language, name_of))),
        Section("Office hours", tuple(_hours(policy.office_hours))),
        Section("Conduct", (policy.text(policy.reminders.conduct, language),)),
        *_clauses(policy, language),
        Section("What devices may report at most", tuple(_reported(policy))),
        Section("How long things are kept", tuple(_retention(policy))),
        Section("Whom to ask", tuple(_contacts(policy))),
    )
    return tuple(section for section in sections if section.paragraphs)


def _scope(policy: Policy) -> Iterable[str]:
    equipment = []
    if policy.scope.company_equipment:
        equipment.append(f"equipment of {policy.company}")
    if policy.scope.personal_equipment_used_for_work:
        equipment.append("personal equipment used for work")
    if equipment:
        yield f"This policy holds for messaging on {' and on '.join(equipment)}."
    for existing in policy.extends:
        where = f" ({existing.link})" if existing.link else ""
        yield f"It extends to messaging: {existing.name}{where}."


def _telling_apart(policy: Policy, name_of: NameOf) -> Iterable[str]:
    by_ownership = (
        f"Messengers on equipment of {policy.company} count as work, and none on personal equipment"
    )
    if policy.profiles is None:
        yield f"{by_ownership}."
        return
    heard = [
        one.people
        for one in SIGNALS
        if one.name != "ownership" and one.name not in policy.profiles.signals_off
    ]
    if "ownership" in policy.profiles.signals_off:
        by_ownership = "No messenger counts as work by itself"
    yield f"{by_ownership}, unless the device can tell more particularly. What it looks at: {_listing(heard) or 'nothing'}."
    if policy.profiles.company_domains:
        yield (
            f"Accounts of {_listing(list(policy.profiles.company_domains))} count as work. Of an account only its domain is looked at, and "
            "it is not kept."
        )
    for rule in policy.profiles.rules:
        yield _side_rule(rule, name_of)
    yield "Where it cannot be told, a messenger counts as personal."


def _side_rule(rule: SideRule, name_of: NameOf) -> str:
    subject = "A messenger" if rule.messenger is None else name_of(rule.messenger)
    counts = "counts as work" if rule.side == "work" else "counts as personal"
    if rule.folder is not None:
        return f"{subject} that keeps its data in {rule.folder} {counts}."
    if rule.name is not None:
        return f"{subject} that runs as {rule.name} {counts}."
    return f"{subject} that is installed in {rule.program} {counts}."


def _side(policy: Policy, side: str, language: str, name_of: NameOf) -> Iterable[str]:
    for rule in policy.channels:
        if rule.profile == side:
            yield _rule_sentence(name_of(rule.messenger), rule.stance, policy, rule.text, language)
    default = policy.defaults.work if side == "work" else policy.defaults.personal
    yield _default_sentence(default, policy, language)
    if side == "work":
        if policy.use_instead:
            yield f"Use {_listing([name_of(one) for one in policy.use_instead])} instead."
        for capture in policy.capture:
            yield f"Messages in {name_of(capture.messenger)} are retained by {capture.connector}."


def _rule_sentence(
    name: str, stance: Stance, policy: Policy, text: dict[str, str] | None, language: str
) -> str:
    sentence = f"{name} {_STANCES[stance]}."
    return f"{sentence} {policy.text(text, language)}" if text else sentence


def _default_sentence(default: DefaultRule, policy: Policy, language: str) -> str:
    name = "Every other messenger, known or not yet known,"
    return _rule_sentence(name, default.stance, policy, default.text, language)


def _hours(hours: OfficeHours) -> Iterable[str]:
    for interval in hours.work:
        yield f"Office hours: {_interval(interval)}."
    for interval in hours.breaks:
        yield f"Break: {_interval(interval)}."
    if hours.holidays:
        yield f"Free: {_listing([f'{day:%Y-%m-%d}' for day in hours.holidays])}."
    if hours.work:
        zone = "the device's own time zone" if hours.time_zone == "local" else hours.time_zone
        yield f"Times are in {zone}."


def _interval(interval: Interval) -> str:
    until = f"{interval.end} of the next day" if interval.end <= interval.start else interval.end
    return f"{_listing([_DAY_NAMES[day] for day in interval.days])}, {interval.start} to {until}"


def _clauses(policy: Policy, language: str) -> Iterable[Section]:
    for clause in policy.clauses:
        paragraphs = [policy.text(clause.text, language)]
        if clause.link:
            paragraphs.append(clause.link)
        yield Section(policy.text(clause.heading, language), tuple(paragraphs))


def _reported(policy: Policy) -> Iterable[str]:
    """Yield what the policy's own ceiling lets leave; the device's may be lower."""
    if policy.ceiling is None:
        return
    for equipment, profiles in (
        (f"equipment of {policy.company}", policy.ceiling.company),
        ("personal equipment", policy.ceiling.personal),
    ):
        for side, words in _SIDES.items():
            yield f"From {equipment}, of messengers {words}: {_level(getattr(profiles, side))}."
    yield "A device's own settings may allow less, and never more by this policy."


def _level(level: Level) -> str:
    if isinstance(level, str):
        return _LEAVES[level]
    return "; ".join(f"{words}: {_LEAVES[getattr(level, subject)]}" for subject, words in _SUBJECTS.items())


def _retention(policy: Policy) -> Iterable[str]:
    yield f"Business records are kept for at least {policy.retention.records_days} days."
    yield f"{policy.company} keeps what Decorum reports about a person for {policy.retention.personal_data_days} days at most."


def _contacts(policy: Policy) -> Iterable[str]:
    yield f"Questions: {policy.contacts.questions}."
    yield f"Concerns about conduct: {policy.contacts.concerns}."
    yield f"Exemptions and approvals: {policy.contacts.approvals}."


def _listing(words: list[str]) -> str:
    if not words:
        return ""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
