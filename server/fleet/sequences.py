"""Which sequence numbers of a device have been taken: the highest, and the gaps below it. Pure.

>>> taken = Taken().take(1).take(2).take(6)
>>> taken.up_to, taken.gaps
(2, ((3, 5),))
>>> taken.has(2), taken.has(4), taken.has(7)
(True, False, False)
>>> taken.take(4).gaps, taken.take(2) == taken
(((3, 3), (5, 5)), True)
"""

import msgspec

Gap = tuple[int, int]
"""First and last number that lack."""
GAPS_AT_MOST = 1000
"""An honest device sends in order and leaves few; one that leaves more is refused."""
GAPS_TOLD = 50
"""How many gaps an acknowledgement names; the later ones follow once these are closed."""


class Taken(msgspec.Struct, frozen=True):
    """The numbers taken so far."""

    highest: int = 0
    gaps: tuple[Gap, ...] = ()
    """In rising order, never touching each other."""

    @property
    def up_to(self) -> int:
        """Every number up to here has been taken."""
        return self.gaps[0][0] - 1 if self.gaps else self.highest

    @property
    def missing(self) -> tuple[Gap, ...]:
        """The first gaps, for the acknowledgement."""
        return self.gaps[:GAPS_TOLD]

    def has(self, number: int) -> bool:
        """Tell whether a number has been taken."""
        return number <= self.highest and not any(first <= number <= last for first, last in self.gaps)

    def take(self, number: int) -> "Taken":
        """Return what is taken with this number too."""
        if number > self.highest:
            opened = ((self.highest + 1, number - 1),) if number > self.highest + 1 else ()
            return Taken(number, (*self.gaps, *opened))
        gaps: list[Gap] = []
        for first, last in self.gaps:
            if not first <= number <= last:
                gaps.append((first, last))
                continue
            if first < number:
                gaps.append((first, number - 1))
            if number < last:
                gaps.append((number + 1, last))
        return Taken(self.highest, tuple(gaps))
