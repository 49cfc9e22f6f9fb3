"""Folders and files of the agent's own: made with a list of who may do what from their first moment, and nobody else's."""

import ctypes
import os
import stat
import sys
import uuid
from pathlib import Path

from agent.windows import security, tokens
from contract import access
from contract.users import ADMINISTRATORS_SID, SYSTEM_SID

assert sys.platform == "win32"  # tells the type checker whose calls these are

_PROGRAM_DATA = uuid.UUID("62ab5d82-fdc1-4dc3-a9dd-070d1d495d97")
"""FOLDERID_ProgramData (Microsoft, "KNOWNFOLDERID")."""
_shell = ctypes.OleDLL("shell32")
_ole = ctypes.OleDLL("ole32")
_shell.SHGetKnownFolderPath.argtypes = ctypes.c_char_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p
_ole.CoTaskMemFree.argtypes = (ctypes.c_void_p,)
_ole.CoTaskMemFree.restype = None


def program_data() -> str:
    """Return the folder for what all users share, as Windows tells it: a variable of the environment anybody could have set."""
    text = ctypes.c_void_p()
    try:
        _shell.SHGetKnownFolderPath(_PROGRAM_DATA.bytes_le, 0, None, ctypes.byref(text))
        return ctypes.wstring_at(text.value or 0)
    finally:
        _ole.CoTaskMemFree(text)


def make_private(folder: Path) -> None:
    """Make a folder, and the one around it if that is missing, for the agent alone.

    Raises:
        PermissionError: it, or the one around it, could be another user's.
        OSError: it cannot be made.
    """
    descriptor = access.private_folder(_keeper_of(folder))
    folder.parent.parent.mkdir(parents=True, exist_ok=True)
    for one, refused_rights in ((folder.parent, access.REPLACING), (folder, access.EVERY_RIGHT)):
        if one != one.parent:
            security.make_folder(str(one), descriptor)
            _refuse_others(one, refused_rights)


def guard_file(file: Path) -> None:
    """Give a file a list of its own; raise OSError if it may not be changed."""
    security.guard_file(str(file), access.private_file(_keeper_of(file)))


def who_else_may_read(place: Path) -> tuple[str, str] | None:
    """Return who besides the agent's own user may touch a file or folder, and the command that ends that; None if nobody.

    Raises:
        OSError: it is not there, or may not be asked about.
    """
    keeper = _keeper_of(place)
    try:
        others = access.others_in(security.of_file(str(place)), {tokens.own_sid(), *access.ADMINISTRATION})
    except ValueError:
        others = ("S-1-1-0",)
    inherited = "(OI)(CI)" if place.is_dir() else ""
    remedy = f'icacls "{place}" /inheritance:r /grant:r *{keeper}:{inherited}F *{SYSTEM_SID}:{inherited}F'
    return (" and ".join(others), remedy) if others else None


def _keeper_of(place: Path) -> str:
    """Return whose a place is: what lies in the shared folder is the system's agent's, whichever administrator made it."""
    return ADMINISTRATORS_SID if place.is_relative_to(program_data()) else tokens.own_sid()


def _refuse_others(folder: Path, rights: int) -> None:
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
        raise PermissionError(f"{folder} leads elsewhere")
    complaint = access.complaint(security.of_file(str(folder)), tokens.own_sid(), rights)
    if complaint is not None:
        raise PermissionError(f"{folder} {complaint}")
