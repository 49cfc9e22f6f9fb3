"""A text that a command is given, from a file or from standard input; not trusted, and never read beyond its bound."""

import sys
from pathlib import Path

from server.errors import RequestError

_MEBIBYTE = 1024 * 1024


def given_text(file: str, kind: str, mebibytes: int) -> str:
    """Return the text.

    Args:
        file: its path; `-` for standard input.
        kind: what it should be, as in "policy".
        mebibytes: how large it may be.

    Raises:
        RequestError: it cannot be read, is too large, or is no text.
    """
    at_most = mebibytes * _MEBIBYTE
    try:
        untrusted_bytes = (
            sys.stdin.buffer.read(at_most + 1) if file == "-" else _beginning(Path(file), at_most + 1)
        )
        if len(untrusted_bytes) > at_most:
            raise RequestError(f"{file} is too large for a {kind}.", f"Shorten it to {mebibytes} MiB.")
        return untrusted_bytes.decode()
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}.", "Check its path.") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{file} is not text in UTF-8.", "Save it as UTF-8.") from error


def _beginning(file: Path, size_bytes: int) -> bytes:
    with file.open("rb") as source:
        return source.read(size_bytes)
