"""TOML in, of policies and catalogues: whatever a text holds, it is a table or a sentence about it."""

import tomllib

from contract.errors import MalformedError


def table_in(text: str, whose: str) -> dict[str, object]:
    """Return what a TOML text says.

    Args:
        text: not trusted; its size is for the caller to bound.
        whose: what it is, as a refusal begins with it.

    Raises:
        MalformedError: it is not TOML, or nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise MalformedError(f"{whose} is not TOML: {error}.", "Correct the line it names.") from error
    except RecursionError as error:
        raise MalformedError(f"{whose} is nested too deeply.", "Write flat tables.") from error
