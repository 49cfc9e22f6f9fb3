"""What the server heard of capture connectors, kept from one sealed answer to the next, so that it holds after a start, too."""

from collections.abc import Iterable

import msgspec

from agent.store import Store
from contract import wire
from contract.capture import ConnectorHeard, Word, fitting
from contract.messages import REPLY_LIMIT_BYTES, Acknowledgement
from contract.wire import Dated, Moment

_FACT = "connectors_heard"


class _Told(Dated, frozen=True, kw_only=True):
    at: Moment
    connectors: tuple[ConnectorHeard, ...]


def keep(store: Store, acknowledgement: Acknowledgement) -> None:
    """Remember what a sealed answer tells, in the caller's transaction; a connector that it no longer names is forgotten."""
    told = _Told(at=acknowledgement.at, connectors=fitting(acknowledgement.connectors))
    if told.connectors or store.fact(_FACT) is not None:
        store.remember(_FACT, wire.encode(told).decode())


class ToldConnectors:
    """A way in which connectors report: an orchestration platform's heartbeat, which the server heard.

    Args:
        store: where the last answer is kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._text: str | None = None
        self._words: tuple[Word, ...] = ()

    def words(self) -> Iterable[Word]:
        """Return what the last answer told; a time later than the answer's own counts as the answer's."""
        text = self._store.fact(_FACT)
        if text != self._text:
            self._text = text
            self._words = () if text is None else _words(text)
        return self._words


def _words(text: str) -> tuple[Word, ...]:
    told = wire.decode(_Told, text.encode(), limit_bytes=REPLY_LIMIT_BYTES)
    words = (
        Word(
            connector=one.connector,
            heard_at=one.heard_at,
            covers=frozenset(one.messengers),
            known_at=told.at,
            trouble="revoked" if one.is_revoked else None,
        )
        for one in told.connectors
    )
    return tuple(
        word if word.heard_at is None else msgspec.structs.replace(word, heard_at=min(word.heard_at, told.at))
        for word in words
    )
