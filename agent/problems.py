"""What Decorum itself cannot do just now: shown to people with its remedy, logged once, gone when it works again."""

import logging

from contract.errors import DecorumError
from contract.local import Problem

CANNOT_WRITE = "cannot_write"
"""The state cannot be written, and what was seen meanwhile waits in memory."""
_log = logging.getLogger(__name__)


class Problems:
    """Owns the list of what does not work."""

    def __init__(self) -> None:
        self._by_code: dict[str, Problem] = {}

    def report(self, code: str, error: DecorumError) -> bool:
        """Take note of a problem; tell whether it is new."""
        problem = Problem(code, f"{error.title}: {error.detail}", error.remedy)
        if self._by_code.get(code) == problem:
            return False
        self._by_code[code] = problem
        _log.error("%s", error)
        return True

    def clear(self, code: str) -> bool:
        """Take note that it works again; tell whether it had not."""
        return self._by_code.pop(code, None) is not None

    def has(self, code: str) -> bool:
        """Tell whether something does not work."""
        return code in self._by_code

    def all(self) -> tuple[Problem, ...]:
        """Return the problems, the oldest first."""
        return tuple(self._by_code.values())
