"""What a server asks for beyond its powers: it gets nothing of it, the person sees that, and its administrators are told once.

Three things can be too much: a wish for a setting that no server may change, a policy that lets more leave than this device's own
ceiling, and a field of an answer that this version knows nothing of. What a server goes on to ask for is told no second time; what it asked
for, took back and asks for again is told anew.
"""

import itertools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, get_args

import msgspec

from agent.journal import Journal
from agent.privacy import Door
from agent.reporting.outbox import Outbox
from agent.store import Store
from contract import wire
from contract.ceiling import Ceiling, exceeding
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES
from contract.observations import ASKED_FOR_MORE, Trouble, fitted
from contract.policy import Ownership
from contract.settings_keys import refuse_wishes
from contract.spelling import unknown_keys

Kind = Literal["wish", "ceiling", "field"]
KINDS: tuple[Kind, ...] = get_args(Kind)
AT_ONCE = 10
"""So many of one kind are told; a server that asks for thousands of things fills no journal."""
_FACT = "asked_for_more:"


class Asked(msgspec.Struct, frozen=True):
    """One thing that was asked for and not granted."""

    kind: Kind
    sentence: str


class Overreach:
    """Owns the record of what was not granted, and of what has been told of it."""

    def __init__(self, store: Store, journal: Journal, outbox: Outbox, door: Door) -> None:
        self._store, self._journal, self._outbox, self._door = store, journal, outbox, door

    def all(self) -> tuple[Asked, ...]:
        """Return what the server asks for now and does not get."""
        return tuple(Asked(kind, sentence) for kind in KINDS for sentence in self._known(kind))

    def take(self, kind: Kind, sentences: Iterable[str], now: datetime) -> None:
        """Take all of one kind that is asked for now, in the caller's transaction; tell what is new."""
        known = self._known(kind)
        asked = {_trouble(sentence, now).detail for sentence in itertools.islice(sentences, AT_ONCE)}
        for new in sorted(asked - known.keys()):
            self._journal.append("trouble", _trouble(new, now), now)
        after = {
            sentence: known.get(sentence, False) or self._tell(sentence, now) for sentence in sorted(asked)
        }
        if after != known:
            self._store.remember(f"{_FACT}{kind}", wire.encode(after).decode())

    def _tell(self, sentence: str, now: datetime) -> bool:
        """Tell the server; while the door lets nothing through, it is tried again with each answer."""
        cleared = self._door.clear_device(_trouble(sentence, now), now)
        if cleared is not None:
            self._outbox.add(cleared)
        return cleared is not None

    def _known(self, kind: Kind) -> dict[str, bool]:
        """Return each sentence, and whether the server has been told of it."""
        text = self._store.fact(f"{_FACT}{kind}")
        return wire.decode(dict[str, bool], text.encode(), limit_bytes=REPLY_LIMIT_BYTES) if text else {}


def _trouble(sentence: str, now: datetime) -> Trouble:
    return fitted(Trouble(code=ASKED_FOR_MORE, detail=sentence, at=now))


def in_wishes(asked: Mapping[str, object]) -> Iterable[str]:
    """Yield a sentence for each wish that no server may have, or that is out of its bounds."""
    for name, wanted in asked.items():
        try:
            refuse_wishes({name: wanted})
        except MalformedError as error:
            yield f"The server asked for the setting {name!r}, which it did not get: {error.detail}"


def in_ceiling(device: Ceiling, policy: Ceiling | None, serial: int, ownership: Ownership) -> Iterable[str]:
    """Yield a sentence if a policy lets more leave than the device's own ceiling."""
    more = () if policy is None else tuple(exceeding(device, policy, ownership))
    if more:
        yield (
            f"Policy number {serial} would let more leave than this device does ({', '.join(more)}); "
            "the device's own ceiling holds."
        )


def in_fields(what: str, typed: msgspec.Struct, said: bytes) -> Iterable[str]:
    """Yield a sentence for each field of an answer that this version knows nothing of.

    Args:
        what: how to call the answer.
        typed: what was taken of it.
        said: all of it, as it came.
    """
    try:
        # What no field was found for was passed over, and may be no text.
        written = msgspec.json.decode(said.decode(errors="replace"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        yield f"{what} holds more than was heeded, and that cannot be read."
        return
    for error in unknown_keys(typed, written):
        yield f"{what} has a field that this version does not know and did not heed: {error.path}"
