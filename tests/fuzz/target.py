"""What a target is: something that takes any bytes, lets out nothing but the errors it documents, and leaves no trace of them."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

Check = Callable[[bytes], None]
"""Tries one input; whatever it raises is a finding."""


class Target(msgspec.Struct, frozen=True):
    """One way in."""

    name: str
    what: str
    opened: Callable[[Path], AbstractContextManager[Check]]
    """Makes it ready, in a folder of its own."""
    words: tuple[str, ...] = ()
    """What its inputs are made of, for who changes them blindly."""


class FoundError(AssertionError):
    """Something that must not happen, although nothing was raised."""


class _Errors(logging.Handler):
    """Keeps what is logged as an error: a fault that a last resort has caught."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.caught: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.caught.append(record)


@contextlib.contextmanager
def no_fault_is_swallowed(check: Check) -> Iterator[Check]:
    """Give a check that fails, too, where a fault went to the log only."""
    listener = _Errors()
    logging.getLogger().addHandler(listener)

    def strictly(data: bytes) -> None:
        check(data)
        if listener.caught:
            record = listener.caught.pop()
            listener.caught.clear()
            cause = record.exc_info[1] if record.exc_info else None
            raise FoundError(record.getMessage()) from cause

    try:
        yield strictly
    finally:
        logging.getLogger().removeHandler(listener)


def text_of(data: bytes) -> str:
    """Return any text that Python can hold, half characters among it."""
    return data.decode("utf-8", "surrogateescape")


def head_and_rest(data: bytes) -> tuple[bytes, bytes]:
    """Return the first line, and what follows it."""
    head, _, rest = data.partition(b"\n")
    return head, rest
