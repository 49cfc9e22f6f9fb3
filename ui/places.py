"""Where the tray's own files lie."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from contract.places import THIS_SYSTEM
from ui.this_user import own_uid


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's folder for lock and socket; a session or a system without one gets a folder of the user's state."""
    if THIS_SYSTEM == "linux":
        named = environ.get("XDG_RUNTIME_DIR")
        folder = Path(named) if named else Path(f"/run/user/{own_uid()}")
        if folder.is_dir() and os.access(folder, os.W_OK):
            return folder
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def state_folder() -> Path:
    """Return the folder for what is remembered between starts."""
    name = "decorum" if THIS_SYSTEM == "linux" else "Decorum"
    return Path(platformdirs.user_state_dir(name, appauthor=False))
