"""Devices' keys as they were last read, so that a check-in need not ask for them first.

Remembered ones are good for opening a seal only: a key may have been changed or a device taken out since, by another replica too. Who
opens a seal with one must compare it with the device's row once that is locked, and ask anew where the seal does not hold.
"""

from collections.abc import Callable, Iterable, Mapping

Keys = tuple[str, str | None]
"""A device's key, and the next one that it changes to."""
REMEMBERED = 50_000


class RememberedKeys:
    """Owns the keys of the devices heard of lately."""

    def __init__(self) -> None:
        self._keys: dict[str, Keys] = {}

    def of(
        self, devices: Iterable[str], read: Callable[[Iterable[str]], Mapping[str, Keys]]
    ) -> dict[str, Keys]:
        """Return devices' keys; those not remembered are read, all at once."""
        found = {device: keys for device in devices if (keys := self._keys.get(device)) is not None}
        lacking = [device for device in devices if device not in found]
        if lacking:
            fresh = read(lacking)
            if len(self._keys) + len(fresh) > REMEMBERED:
                self._keys = {}
            self._keys.update(fresh)
            found.update(fresh)
        return found

    def forget(self, device: str) -> None:
        """Read a device's keys anew the next time."""
        self._keys.pop(device, None)
