"""The work profile of a messenger: one folder with its data, its downloads and, on Linux, what else is its own.

| in the folder | |
|---|---|
| `data` | what the messenger keeps |
| `Downloads` | what it saves; a browser is told so before its first start, on Linux every program by `user-dirs.dirs` |
| `config` | Linux: the person's own configuration by links, all but where downloads go and what the messenger itself keeps there |
| `home` | Linux: its home where it runs in a sandbox |
"""

import json
import os
from pathlib import Path

import msgspec

from agent.errors import StateError
from agent.launching.programs import Kind
from agent.profiles.signals import LAUNCH_MARKER

_USER_DIRS = "user-dirs.dirs"


class WorkProfile(msgspec.Struct, frozen=True):
    """Where one messenger's work profile lies."""

    folder: Path

    @property
    def data(self) -> Path:
        """What the messenger keeps."""
        return self.folder / "data"

    @property
    def downloads(self) -> Path:
        """What it saves."""
        return self.folder / "Downloads"

    @property
    def config(self) -> Path:
        """Its view of the person's configuration."""
        return self.folder / "config"

    @property
    def home(self) -> Path:
        """Its home in a sandbox."""
        return self.folder / "home"


def prepare(profile: WorkProfile, kind: Kind) -> None:
    """Make the folders, nobody else's, and say where downloads go as far as a program can be told.

    Raises:
        StateError: they cannot be made.
    """
    try:
        for folder in (profile.folder, profile.data, profile.downloads, profile.home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if kind == "chromium":
            _tell_chromium(profile)
        elif kind == "firefox":
            _tell_firefox(profile)
    except OSError as error:
        raise StateError(
            f"{profile.folder} cannot be made ({error.strerror}).", "Make room, or give it to yourself."
        ) from error


def view_of_config(profile: WorkProfile, own: Path, left_out: frozenset[str]) -> None:
    """Make a configuration folder that is the person's own but for where downloads go.

    Args:
        profile: whose.
        own: the person's.
        left_out: names, in lower case, under which the messenger itself keeps things there.

    Raises:
        StateError: it cannot be made.
    """
    try:
        profile.config.mkdir(mode=0o700, exist_ok=True)
        there = {entry.name for entry in os.scandir(own)} if own.is_dir() else set()
        for link in [one for one in profile.config.iterdir() if one.is_symlink()]:
            if link.name not in there:
                link.unlink()
        for name in there - {_USER_DIRS}:
            link = profile.config / name
            if name.lower() not in left_out and not os.path.lexists(link):
                link.symlink_to(own / name)
        (profile.config / _USER_DIRS).write_text(_user_dirs(own / _USER_DIRS, profile.downloads))
    except OSError as error:
        raise StateError(
            f"{profile.config} cannot be made ({error.strerror}).", "Make room, or give it to yourself."
        ) from error


def variables_of(messenger: str) -> dict[str, str]:
    """Return what a messenger finds in its environment: the mark of the work launcher."""
    return {LAUNCH_MARKER: messenger}


def _user_dirs(own: Path, downloads: Path) -> str:
    """Return the person's own list of folders with another one for downloads (xdg-user-dirs, user-dirs.dirs)."""
    lines = own.read_text(errors="replace").splitlines() if own.is_file() else []
    kept = [line for line in lines if not line.lstrip().startswith("XDG_DOWNLOAD_DIR")]
    quoted = "".join(f"\\{letter}" if letter in '"\\$`' else letter for letter in str(downloads))
    return "\n".join([*kept, f'XDG_DOWNLOAD_DIR="{quoted}"', ""])


def _tell_chromium(profile: WorkProfile) -> None:
    preferences = profile.data / "Default" / "Preferences"
    if not preferences.exists():
        preferences.parent.mkdir(mode=0o700, exist_ok=True)
        place = {"default_directory": str(profile.downloads)}
        preferences.write_text(json.dumps({"download": place, "savefile": place}))


def _tell_firefox(profile: WorkProfile) -> None:
    file = profile.data / "user.js"
    if not file.exists():
        told = {
            "browser.download.folderList": 2,
            "browser.download.dir": str(profile.downloads),
            "browser.shell.checkDefaultBrowser": False,
        }
        file.write_text(
            "".join(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n" for key, value in told.items())
        )
