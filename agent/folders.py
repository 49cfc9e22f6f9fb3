"""Where this agent keeps its things; the one place where each system's folders are chosen (`contract.places` lists them)."""

import sys
from pathlib import Path

import msgspec

from contract.places import THIS_SYSTEM, Places, Scope, System, places_on

if sys.platform == "win32":
    from agent.windows.folders import program_data


class Folders(msgspec.Struct, frozen=True):
    """What a scope's agent has of its own."""

    state: Path
    settings: Path | None
    """The usual file of settings; None where there is none."""


class UserFolders(msgspec.Struct, frozen=True):
    """What a user's applications keep where; on macOS and Windows it is one folder for all."""

    data: Path
    state: Path
    config: Path


def folders_of(scope: Scope) -> Folders:
    """Return the folders of this system."""
    if scope == "system":
        found = system_places()
        return Folders(Path(found.state), None if found.settings is None else Path(found.settings))
    import platformdirs  # noqa: PLC0415 - the system's agent needs none

    name = "decorum" if THIS_SYSTEM == "linux" else "Decorum"
    own = platformdirs.PlatformDirs(name, appauthor=False)
    return user_folders_on(
        THIS_SYSTEM, UserFolders(own.user_data_path, own.user_state_path, own.user_config_path)
    )


def work_folder() -> Path:
    """Return this user's folder of work profiles, one for each messenger."""
    import platformdirs  # noqa: PLC0415 - the system's agent needs none

    name, last = ("decorum", "work") if THIS_SYSTEM == "linux" else ("Decorum", "Work")
    return platformdirs.PlatformDirs(name, appauthor=False).user_data_path / last


def user_folders_on(system: System, own: UserFolders) -> Folders:
    """Return a user's own folders on a system, from what that system calls them. Pure."""
    if system == "linux":
        return Folders(own.state, own.config / "settings.toml")
    return Folders(own.data / "State", own.data / "settings.toml")


def system_places() -> Places:
    """Return the places of this system's agent, as this machine has them."""
    if sys.platform == "win32":
        return places_on("windows", program_data())
    else:  # noqa: RET505  # the type checker passes over a branch, not over what follows one
        return places_on(THIS_SYSTEM)
