"""The lines of `What was sent`."""

from datetime import datetime, tzinfo

import msgspec

from contract.local import LedgerRow
from ui.present.moments import exactly, when
from ui.texts import say, say_many
from ui.texts import sees as texts


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line; `literal` is the very text that left."""

    number: int
    when: str
    sentence: str
    state: str
    tooltip: str
    literal: str

    @property
    def spoken(self) -> str:
        """The whole line for a screen reader."""
        return f"{self.when}, {self.sentence}, {self.state}"


def ledger_line(row: LedgerRow, now: datetime, zone: tzinfo | None) -> LedgerLine:
    """Return how a row of the ledger is shown."""
    first = exactly(row.first_attempt, zone)
    if row.acknowledged is None:
        state = say_many(*texts.ATTEMPTED, row.attempts)
        tooltip = say(texts.TOOLTIP_ATTEMPTED, first=first)
    else:
        state = say(texts.ACKNOWLEDGED)
        tooltip = say(texts.TOOLTIP_ACKNOWLEDGED, first=first, received=exactly(row.acknowledged, zone))
    return LedgerLine(
        number=row.number,
        when=when(row.first_attempt, now, zone),
        sentence=row.sentence,
        state=state,
        tooltip=f"{row.sentence}\n{tooltip}",
        literal=row.literal,
    )
