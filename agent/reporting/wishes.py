"""The server's wishes for this device's settings, kept from one sealed answer to the next, so that they hold after a start, too."""

from pathlib import Path

from agent.store import STATE_FILE, Store, peek
from contract import wire
from contract.errors import MalformedError
from contract.messages import REPLY_LIMIT_BYTES, Acknowledgement

_FACT = "server_settings"


def keep(store: Store, acknowledgement: Acknowledgement) -> None:
    """Remember what a sealed answer asks for, in the caller's transaction; an older wish that it no longer names is over."""
    asked = acknowledgement.settings | {"check_in_seconds": acknowledgement.next_check_in_seconds}
    text = wire.encode(asked).decode()
    if store.fact(_FACT) != text:
        store.remember(_FACT, text)


def kept(state: Path) -> dict[str, object]:
    """Return what was asked for last; nothing before the first answer, or where the state folder cannot be read."""
    text = peek(state / STATE_FILE, _FACT)
    try:
        return wire.decode(dict[str, object], (text or "{}").encode(), limit_bytes=REPLY_LIMIT_BYTES)
    except MalformedError:
        return {}
