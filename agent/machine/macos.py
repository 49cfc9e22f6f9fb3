"""macOS: the hardware's UUID from the I/O registry, and the kernel's own UUID of its boot.

Both are asked of Apple's own programs, by their whole paths: a library for one question each would cost more than it brings.
"""

import re
import subprocess
from collections.abc import Callable, Sequence

Ask = Callable[[Sequence[str]], str]
"""Runs a program and returns what it prints; raises OSError or subprocess.SubprocessError if it does not answer."""
HARDWARE = ("/usr/sbin/ioreg", "-r", "-d", "1", "-c", "IOPlatformExpertDevice")
BOOT = ("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")
PATIENCE_SECONDS = 10.0
_UUID = re.compile(r"(?!0{8}-)[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", re.IGNORECASE)
_PLATFORM_UUID = re.compile(r'^\s*"IOPlatformUUID" = "([^"]*)"$', re.MULTILINE)


def machine_id(ask: Ask | None = None) -> str | None:
    """Return the hardware's UUID as 32 hexadecimal digits; None if the system does not tell."""
    found = _PLATFORM_UUID.search(_answer(HARDWARE, ask))
    return _digits(found[1]) if found else None


def boot_id(ask: Ask | None = None) -> str | None:
    """Return the boot's UUID; None if the system does not tell."""
    return _digits(_answer(BOOT, ask).strip())


def _digits(uuid: str) -> str | None:
    return uuid.replace("-", "").lower() if _UUID.fullmatch(uuid) else None


def _answer(command: Sequence[str], ask: Ask | None) -> str:
    try:
        return (ask or _run)(command)
    except (OSError, subprocess.SubprocessError):
        return ""


def _run(command: Sequence[str]) -> str:
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="ascii",
        errors="replace",
        timeout=PATIENCE_SECONDS,
        check=True,
    ).stdout
