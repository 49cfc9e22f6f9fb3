"""Bubblewrap's words (bwrap(1)): what a messenger of one side sees of the other. Pure; Linux alone.

It keeps files apart, no more: the session's bus, the screen and the network are the same on both sides.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from agent.launching.work_profile import WorkProfile

PROGRAM = "bwrap"
_WHOLE_SYSTEM = (PROGRAM, "--dev-bind", "/", "/")
_SHOWN = (
    ".config/fontconfig",
    ".config/gtk-3.0",
    ".config/gtk-4.0",
    ".config/user-dirs.locale",
    ".local/share/fonts",
    ".local/share/icons",
    ".local/share/themes",
    ".icons",
    ".themes",
)
"""What of a home makes windows look as the person likes them, and says nothing of them."""


def for_work(
    command: Sequence[str], home: Path, profile: WorkProfile, needed: Iterable[Path] = ()
) -> tuple[str, ...]:
    """Return a command that sees another home: the work profile's, with nothing private in it.

    Args:
        command: what is run.
        home: the person's.
        profile: whose home it gets.
        needed: files and folders in the home that it must see, and may not change.
    """
    shown = [home / one for one in _SHOWN] + [
        one for one in needed if one.is_relative_to(home) and one != home
    ]
    return (
        *_WHOLE_SYSTEM,
        *("--bind", str(profile.home), str(home)),
        *("--bind", str(profile.data), str(profile.data)),
        *("--bind", str(profile.downloads), str(home / "Downloads")),
        *(word for one in shown for word in ("--ro-bind-try", str(one), str(one))),
        *("--chdir", str(home)),
        "--",
        *command,
    )


def for_private_use(command: Sequence[str], work: Path) -> tuple[str, ...]:
    """Return a command that does not see what lies in the folder of all work profiles."""
    return (*_WHOLE_SYSTEM, "--tmpfs", str(work), "--", *command)
