"""Whose side is it: work, personal or unknown, with the reason in a sentence. Pure.

An unknown profile is treated as personal, for privacy and for enforcement alike.
"""

import msgspec

from contract.policy import Ownership, Profile


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks for one side or the other."""

    ownership: Ownership


class Side(msgspec.Struct, frozen=True):
    """The profile, and why."""

    profile: Profile
    reason: str


def classify(signals: Signals) -> Side:
    """Return the side that the signals speak for.

    Ownership is reliable (it comes from the administrator) but coarse: a private chat on a company's device counts as work.
    """
    if signals.ownership == "company":
        return Side("work", "The device belongs to the company.")
    return Side("unknown", "The device is personal, and nothing says that this is work.")
