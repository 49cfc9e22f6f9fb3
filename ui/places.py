"""Where the tray's own files lie."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

APPLICATION = "decorum"


def runtime_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's folder for lock and socket; a session without one gets a folder of the user's state."""
    named = environ.get("XDG_RUNTIME_DIR")
    folder = Path(named) if named else Path(f"/run/user/{os.getuid()}")
    if folder.is_dir() and os.access(folder, os.W_OK):
        return folder
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def state_folder() -> Path:
    """Return the folder for what is remembered between starts."""
    return Path(platformdirs.user_state_dir(APPLICATION, appauthor=False))
