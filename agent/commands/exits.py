"""Exit codes of `decorum`, each with the sentence that `--help` shows."""

from typing import Final

from contract.judge import VerdictState

COMPLIANT: Final = 0
USAGE: Final = 2
ATTENTION: Final = 10
VIOLATION: Final = 20
NOT_ENROLLED: Final = 30
NOT_RUNNING: Final = 31
FAULT: Final = 70

MEANINGS: dict[int, str] = {
    COMPLIANT: "done; for `status`: in line with the policy, or exempt",
    USAGE: "wrong usage, or input that cannot be used",
    ATTENTION: "needs attention, or cannot be told yet",
    VIOLATION: "not in line with the policy; for `doctor`: something is broken",
    NOT_ENROLLED: "this device is not enrolled",
    NOT_RUNNING: "the agent is not running",
    FAULT: "a fault of Decorum's, or something it needs does not work",
}


def for_state(state: VerdictState) -> int:
    """Return the exit code for a device's state."""
    if state in {"compliant", "exempt"}:
        return COMPLIANT
    return VIOLATION if state == "violation" else ATTENTION


def epilog() -> str:
    """Return the list of codes as `--help` shows it."""
    return "exit codes:\n" + "\n".join(f"  {code:3}  {meaning}" for code, meaning in MEANINGS.items())
