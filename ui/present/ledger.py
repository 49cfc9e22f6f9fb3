"""The lines of `What was sent`. Signs of life in a row stand as one line, so that reports are not lost among them."""

import itertools
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

import msgspec

from contract.local import ComparisonPage, LedgerRow
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
    is_sign_of_life: bool = False

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
        is_sign_of_life=row.type == "heartbeat",
    )


def comparison_sentence(page: ComparisonPage) -> str:
    """Return what came of comparing the list with what the server holds."""
    result = page.result
    if result is None:
        problem = page.problem
        sentence, remedy = ("", "") if problem is None else (problem.sentence, problem.remedy)
        return say(texts.NOT_COMPARED, sentence=sentence, remedy=remedy).strip()
    if not result.is_equal:
        return say(texts.COMPARED_DIFFERENT, missing=result.missing_there, unknown=result.unknown_here)
    said = say(texts.COMPARED_EQUAL, count=result.equal_reports)
    if result.erased_there:
        said += " " + say(texts.COMPARED_ERASED, count=result.erased_there)
    return said


class LedgerFold(msgspec.Struct, frozen=True):
    """Lines that stand as one; each can still be opened."""

    lines: tuple[LedgerLine, ...]
    """Newest first, at least one."""

    @property
    def is_one(self) -> bool:
        """Whether there is nothing to fold."""
        return len(self.lines) == 1

    @property
    def sentence(self) -> str:
        """What they say."""
        newest = self.lines[0]
        return newest.sentence if self.is_one else say_many(*texts.SIGNS_OF_LIFE, len(self.lines))

    @property
    def when(self) -> str:
        """When: the first and the last time."""
        newest, oldest = self.lines[0].when, self.lines[-1].when
        return newest if newest == oldest else say(texts.FROM_TO, first=oldest, last=newest)

    @property
    def state(self) -> str:
        """The state of all, or how many were not received."""
        states = {line.state for line in self.lines}
        if len(states) == 1:
            return self.lines[0].state
        open_count = sum(line.state != say(texts.ACKNOWLEDGED) for line in self.lines)
        return say_many(*texts.NOT_RECEIVED, open_count)

    @property
    def spoken(self) -> str:
        """The whole line for a screen reader."""
        return f"{self.when}, {self.sentence}, {self.state}"


def folded(lines: Iterable[LedgerLine], before: LedgerFold | None = None) -> Sequence[LedgerFold]:
    """Return the lines, those that are signs of life in a row as one.

    Args:
        lines: newest first.
        before: the fold that stands above them; the first fold returned goes on with it if it can.
    """
    above = () if before is None else before.lines
    folds = []
    for is_sign, group in itertools.groupby((*above, *lines), key=lambda line: line.is_sign_of_life):
        if is_sign:
            folds.append(LedgerFold(tuple(group)))
        else:
            folds.extend(LedgerFold((line,)) for line in group)
    return folds
