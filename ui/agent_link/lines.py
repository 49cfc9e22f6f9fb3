"""Cuts a stream of bytes into lines, none of them too long."""

from collections.abc import Iterator


class LineTooLongError(Exception):
    """The other side sent more in one line than was agreed."""


class LineBuffer:
    r"""Owns the bytes that are not yet a line.

    >>> lines = LineBuffer(limit_bytes=10)
    >>> list(lines.feed(b"one\ntw"))
    [b'one']
    >>> list(lines.feed(b"o\n"))
    [b'two']
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._rest = b""

    def feed(self, untrusted_bytes: bytes) -> Iterator[bytes]:
        """Yield the lines that are whole now, without their ends.

        Raises:
            LineTooLongError: a line is over the limit, whether its end has come or not.
        """
        *lines, self._rest = (self._rest + untrusted_bytes).split(b"\n")
        for line in (*lines, self._rest):
            if len(line) > self._limit_bytes:
                raise LineTooLongError
        yield from lines
