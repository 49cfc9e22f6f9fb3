"""What signals come to: the most reliable ones that speak decide, and where they contradict each other it is unknown.

An unknown profile is treated as personal, for privacy and for enforcement alike.

Without a table `[profiles]` in the policy nothing but ownership counts. With one, each signal speaks for work, for personal use or not at
all; the strongest that speak decide. Those that are weak never do: they tell `unknown` from `personal`, where neither is work.
"""

from collections.abc import Iterable, Iterator
from typing import Literal

from agent.profiles.instances import absolute, lies_within
from agent.profiles.signals import Side, Signals
from contract.domains import is_within
from contract.policy import Profile
from contract.sides import (
    RELIABILITIES,
    SIGNAL_NAMES,
    Assurance,
    Profiles,
    Reliability,
    SideRule,
    SignalName,
    Spoken,
    is_too_broad,
)

_ASSURANCE: dict[Reliability, Assurance] = {
    "strong": "high",
    "fair": "medium",
    "coarse": "low",
    "weak": "low",
}
_LESS: dict[Assurance, Assurance] = {"high": "medium", "medium": "low", "low": "low"}
_OWNED = "The device belongs to the company."
_NOT_OWNED = "The device is personal, and nothing says that this is work."
_OWNERSHIP_ALONE = Profiles(signals_off=tuple(name for name in SIGNAL_NAMES if name != "ownership"))
"""What holds where the policy says nothing of sides."""


def classify(signals: Signals, profiles: Profiles | None = None) -> Side:
    """Return the side that the signals speak for.

    Args:
        signals: what was learnt.
        profiles: the policy's rules; None where it has none.
    """
    rules = _OWNERSHIP_ALONE if profiles is None else profiles
    spoke = tuple(one for one in _speaking(signals, rules) if one.signal not in rules.signals_off)
    for reliability in RELIABILITIES[:-1]:
        deciding = [one for one in spoke if one.reliability == reliability]
        if deciding:
            return _decided(deciding, reliability, spoke)
    return _left_open(signals, spoke)


def _decided(deciding: list[Spoken], reliability: Reliability, spoke: tuple[Spoken, ...]) -> Side:
    first = deciding[0]
    other = next((one for one in deciding if one.side != first.side), None)
    if other is not None:
        return Side(
            "unknown", f"Two signals contradict each other. {first.sentence} {other.sentence}", "low", spoke
        )
    assurance = _ASSURANCE[reliability]
    if any(one.side != first.side and one.signal != "ownership" for one in spoke):
        assurance = _LESS[assurance]
    return Side(first.side, first.sentence, assurance, spoke)


def _left_open(signals: Signals, spoke: tuple[Spoken, ...]) -> Side:
    """Return the side where nothing decides: it is never work."""
    profile: Profile = "unknown"
    if spoke and all(one.side == "personal" for one in spoke):
        profile = "personal"
    reason = _NOT_OWNED
    if signals.ownership == "company":
        reason = "Nothing that counts says that this is work."
    if spoke:
        reason = f"{reason} {spoke[0].sentence}"
    return Side(profile, reason, "low", spoke)


def _speaking(signals: Signals, rules: Profiles) -> Iterator[Spoken]:
    """Give what speaks, the most reliable first."""
    told = [
        *_marked(signals),
        *_by_rules(signals, rules),
        *_browser(signals, rules.domains),
        *_accounts(signals, rules.domains),
        *_edition(signals),
        *_os_account(signals, rules.domains),
        *_weak(signals, rules.domains),
    ]
    if signals.ownership == "company":
        told.append(_spoken("ownership", "work", "coarse", _OWNED))
    yield from sorted(set(told), key=_place)


def _place(one: Spoken) -> tuple[int, int, str, str]:
    return RELIABILITIES.index(one.reliability), SIGNAL_NAMES.index(one.signal), one.side, one.sentence


def _spoken(
    signal: SignalName, side: Literal["work", "personal"], reliability: Reliability, sentence: str
) -> Spoken:
    return Spoken(signal=signal, side=side, reliability=reliability, sentence=sentence)


def _marked(signals: Signals) -> Iterator[Spoken]:
    if signals.marked_for is not None and signals.marked_for == signals.messenger:
        yield _spoken("launch_marker", "work", "strong", "It was started by Decorum's work launcher.")


def _by_rules(signals: Signals, rules: Profiles) -> Iterator[Spoken]:
    for rule in rules.rules:
        if rule.messenger is not None and rule.messenger != signals.messenger:
            continue
        if rule.folder is not None and _is_in_folder(signals, rule):
            sentence = f"It keeps its data in {rule.folder}, which the policy calls {rule.side}."
            yield _spoken("instance", rule.side, "strong", sentence)
        if rule.name is not None and rule.name in {signals.instance.name, signals.sandbox}:
            sentence = f"It runs as {rule.name!r}, which the policy calls {rule.side}."
            yield _spoken("instance", rule.side, "strong", sentence)
        if rule.program is not None and _is_program(signals, rule):
            sentence = f"It is installed in {rule.program}, which the policy calls {rule.side}."
            yield _spoken("program", rule.side, "weak" if rule.side == "work" else "fair", sentence)


def _is_in_folder(signals: Signals, rule: SideRule) -> bool:
    folder, place = signals.instance.folder or signals.data_home, rule.folder
    if folder is None or place is None or (rule.side == "work" and _holds_homes(place, signals)):
        return False
    return lies_within(folder, place, signals.home, signals.platform)


def _holds_homes(place: str, signals: Signals) -> bool:
    """Tell whether a folder is anybody's whole home, or one that homes lie in: a rule about it would make everything work."""
    home, platform = signals.home, signals.platform
    if is_too_broad(place) or home is None:
        return True
    return lies_within(home, place, home, platform) and (
        place.startswith("~") or not lies_within(place, home, home, platform)
    )


def _is_program(signals: Signals, rule: SideRule) -> bool:
    if signals.program is None or rule.program is None:
        return False
    path = absolute(signals.program, None, signals.platform)
    return path is not None and lies_within(path, rule.program, signals.home, signals.platform)


def _browser(signals: Signals, companys: frozenset[str]) -> Iterator[Spoken]:
    """Speak only where every profile that it may be says the same."""
    ours = _of_company(signals.browser_domains, companys)
    if not companys or not signals.browser_domains or signals.browser_has_others:
        return
    if ours == signals.browser_domains:
        sentence = f"The browser's profile is signed in to {min(_named(ours, companys))}."
        yield _spoken("browser_profile", "work", "strong", sentence)
    elif not ours:
        sentence = "The browser's profile is signed in, and not to the company."
        yield _spoken("browser_profile", "personal", "fair", sentence)


def _accounts(signals: Signals, companys: frozenset[str]) -> Iterator[Spoken]:
    if not companys:
        return
    ours = _of_company(signals.account_domains, companys)
    if ours:
        sentence = f"It has an account at {min(_named(ours, companys))}."
        yield _spoken("accounts", "work", "fair", sentence)
    if signals.account_domains - ours:
        yield _spoken("accounts", "personal", "fair", "It has an account that is not the company's.")


def _edition(signals: Signals) -> Iterator[Spoken]:
    if signals.edition == "personal":
        yield _spoken("edition", "personal", "fair", "Its maker made it for personal use.")
    elif signals.edition == "work":
        yield _spoken("edition", "work", "weak", "Its maker made it for use at work.")


def _os_account(signals: Signals, companys: frozenset[str]) -> Iterator[Spoken]:
    account = signals.os_account
    if account is None or account.kind == "local" or account.domain is None:
        return
    ours = _of_company({account.domain}, companys)
    if ours:
        named = min(_named(ours, companys))
        yield _spoken("os_account", "work", "coarse", f"The account on this computer is one of {named}.")


def _weak(signals: Signals, companys: frozenset[str]) -> Iterator[Spoken]:
    if signals.installer == "management":
        yield _spoken("installer", "work", "weak", "A management put it on this device.")
    elif signals.installer == "person":
        yield _spoken("installer", "personal", "weak", "It is installed in a person's own folder.")
    if signals.browser_is_managed:
        yield _spoken("browser_policy", "work", "weak", "An administrator's policy holds for the browser.")
    ours = _of_company(signals.work_accounts, companys)
    if ours:
        named = min(_named(ours, companys))
        yield _spoken("work_account", "work", "weak", f"This computer knows an account of {named}.")
    elif signals.is_managed:
        yield _spoken("work_account", "work", "weak", "A management looks after this computer.")


def _of_company(domains: Iterable[str], companys: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in domains if any(is_within(one, whole) for whole in companys))


def _named(ours: frozenset[str], companys: frozenset[str]) -> list[str]:
    """Return the company's domains as the policy has them: a sentence tells nothing that the policy does not."""
    return [whole for whole in companys if any(is_within(one, whole) for one in ours)]
