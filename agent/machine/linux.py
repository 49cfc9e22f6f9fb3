"""Linux: machine-id(5), and the kernel's own id of its boot (random(4))."""

import re
from pathlib import Path

MACHINE_ID_FILE = Path("/etc/machine-id")
BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")


def machine_id(file: Path = MACHINE_ID_FILE) -> str | None:
    """Return the machine's id, 32 hexadecimal digits; None in a fresh image, where it is the same on every machine made from it."""
    said = _text(file)
    return said if said is not None and _MACHINE_ID.fullmatch(said) else None


def boot_id(file: Path = BOOT_ID_FILE) -> str | None:
    """Return the boot's id; None without such a kernel."""
    return _text(file) or None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
