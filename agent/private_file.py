"""A small file that only its owner can read, written whole or not at all; and the folder for such files.

On Linux and macOS the mode says who may, on Windows the access list (`contract.access`).
"""

import os
import stat
import sys
from pathlib import Path

from contract import access
from contract.users import ADMINISTRATORS_SID, SYSTEM_SID, TRUSTED_INSTALLER_SID

if sys.platform == "win32":
    from agent.windows import security, tokens

ADMINISTRATION = frozenset({SYSTEM_SID, ADMINISTRATORS_SID, TRUSTED_INSTALLER_SID})


def write_private(file: Path, text: str) -> None:
    """Write a text beside the old file and swap them, lastingly.

    Raises:
        OSError: the folder cannot be written.
    """
    fresh = file.with_name(f"{file.name}.new")
    make_private_folder(file.parent)
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        if sys.platform == "win32":
            # Before the first byte of it is written.
            security.guard_file(str(fresh), access.private_file(tokens.own_sid()))
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    fresh.replace(file)
    _sync_folder(file.parent)


def make_private_folder(folder: Path) -> None:
    """Make a folder for the agent alone, if it is missing.

    Raises:
        PermissionError: on Windows, where anybody may make folders beside it: it is somebody else's.
        OSError: it cannot be made.
    """
    if sys.platform == "win32":
        folder.parent.mkdir(parents=True, exist_ok=True)
        security.make_folder(str(folder), access.private_folder(tokens.own_sid()))
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder")
        owner = access.owner_in(security.of_file(str(folder)))
        if owner not in {tokens.own_sid(), *ADMINISTRATION}:
            raise PermissionError(f"it belongs to {owner}")
    else:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def who_else_may_read(file: Path) -> tuple[str, str] | None:
    """Return who besides the owner may touch a file, and the command that ends that; None if nobody.

    Raises:
        OSError: it is not there, or may not be asked about.
    """
    if sys.platform == "win32":
        own = tokens.own_sid()
        try:
            others = access.others_in(security.of_file(str(file)), {own, *ADMINISTRATION})
        except ValueError:
            others = ("S-1-1-0",)
        remedy = f'icacls "{file}" /inheritance:r /grant:r *{own}:F *{SYSTEM_SID}:F'
        return (" and ".join(others), remedy) if others else None
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        is_open = stat.S_IMODE(file.stat().st_mode) & 0o077
        return ("Others", f"chmod 600 {file}") if is_open else None


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut; Windows has no such thing."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
