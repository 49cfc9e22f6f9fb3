"""What is odd about a device: said, never acted upon."""

from collections.abc import Iterable

import msgspec

from server.fleet.models import Device

CLOCK_DOUBT_SECONDS = 600
"""As on the device: a clock further off than this is in doubt."""


class Flag(msgspec.Struct, frozen=True):
    """A short word for lists, and a sentence."""

    word: str
    sentence: str


def flags(device: Device, current_serial: int) -> tuple[Flag, ...]:
    """Return what stands out, gravest first."""
    return tuple(_flags(device, current_serial))


def _flags(device: Device, current_serial: int) -> Iterable[Flag]:
    if device.forked_at is not None:
        yield Flag(
            "two devices?",
            "It reported two different things under one number: a copy of it may be in use. Both reports are kept.",
        )
    if device.shares_hardware:
        yield Flag("shares hardware", "Another device told the same hardware: a copy, or this machine anew.")
    if device.last_check_in_at is None:
        yield Flag("never heard", "It has been enrolled, but has not checked in yet.")
        return
    if device.policy_serial < current_serial:
        yield Flag(
            "older policy", f"It holds policy number {device.policy_serial}; {current_serial} is current."
        )
    if device.policy_serial > current_serial:
        yield Flag(
            "newer policy",
            f"It holds policy number {device.policy_serial}, which this server has not published: "
            "was the server restored from a backup? Then run decorum-server after-restore.",
        )
    if abs(device.clock_behind_seconds) > CLOCK_DOUBT_SECONDS:
        minutes = round(abs(device.clock_behind_seconds) / 60)
        side = "behind" if device.clock_behind_seconds > 0 else "ahead"
        yield Flag("clock off", f"Its clock is {minutes} minutes {side}.")
    lost = device.lost_in_restore
    if lost:
        yield Flag(
            "lost in a restore",
            f"{lost} of its reports came after the backup that this server was restored from, and are lost. "
            "The device holds the sealed acknowledgements.",
        )
    missing = sum(last - first + 1 for first, last in device.taken_gaps) - lost
    if missing:
        yield Flag("reports missing", f"{missing} of its reports have not arrived; it was asked for them.")
    if device.assurance == "self_attested":
        yield Flag("self-attested", "Its user owns agent and key, so its reports are the user's own word.")
