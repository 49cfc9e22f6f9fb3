"""The rows of the section `Messengers here`."""

from collections.abc import Iterable

import msgspec

from contract.judge import SEVERITY
from contract.local import MessengerRow, Snapshot
from ui.present.moments import exactly
from ui.present.picture import SHAPES, Picture, Shape
from ui.texts import say, words
from ui.texts.status import MUTED_JOIN


class RowView(msgspec.Struct, frozen=True, kw_only=True):
    """One messenger: a shape, its name and the word for its state above, the rest in a muted line below."""

    key: str
    shape: Shape
    name: str
    word: str
    below: str
    tooltip: str

    @property
    def spoken(self) -> str:
        """The whole row for a screen reader."""
        return f"{self.name}, {self.word}, {self.below}"


def rows(picture: Picture, snapshot: Snapshot) -> tuple[RowView, ...]:
    """Return the rows, what asks for something first, then by name."""
    ordered = sorted(snapshot.messengers, key=_rank)
    return tuple(_row(row, picture, snapshot) for row in ordered)


def _rank(row: MessengerRow) -> tuple[int, str, str]:
    return -SEVERITY.index(row.verdict), row.name.casefold(), row.sighting


def _row(row: MessengerRow, picture: Picture, snapshot: Snapshot) -> RowView:
    return RowView(
        key=row.sighting,
        shape=SHAPES[row.verdict],
        name=row.name,
        word=say(words.STATES[row.verdict]),
        below=MUTED_JOIN.join(_below(row, snapshot)),
        tooltip="\n".join(_tooltip(row, picture)),
    )


def _below(row: MessengerRow, snapshot: Snapshot) -> Iterable[str]:
    yield say(words.SIDES[row.profile])
    if row.stance is not None:
        yield say(words.STANCES[row.stance])
    if row.captured:
        yield say(words.CAPTURED)
    yield say(words.REPORTED[row.reported if snapshot.enrolled else "nothing"])


def _tooltip(row: MessengerRow, picture: Picture) -> Iterable[str]:
    yield row.name
    yield from (reason.sentence for reason in row.reasons)
    yield from row.pages
    yield row.profile_reason
    yield exactly(row.since, picture.zone)
