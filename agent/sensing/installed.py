"""Installed applications of this system: desktop entries, with what AppStream and the package system add to them.

More is read of an application only when it starts, once, and the package system is asked only where that could still decide whether it is
a messenger: an entry that speaks for one too little, and says nothing against it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent.sensing.appstream import component_of
from agent.sensing.debian_packages import DebianPackages
from agent.sensing.desktop_entries import DesktopIndex, locate_program, standard_folders
from agent.sensing.desktop_files import DesktopEntry, Locate
from contract import programs
from contract.facts import ProcessFacts
from contract.weighing import weigh


def installed_applications(environ: Mapping[str, str], home: Path) -> DesktopIndex:
    """Return the index of this system.

    Args:
        environ: environment variables.
        home: the user's folder.
    """
    folders = standard_folders(environ, home)
    described = Described([folder.parent for folder in folders], DebianPackages())
    return DesktopIndex(folders, describe=described.complete)


class Described:
    """Adds to a desktop entry what else the system says of the application.

    Args:
        shares: folders in which `metainfo` and `appdata` lie, most important first.
        packages: Debian's packages.
    """

    def __init__(self, shares: Sequence[Path], packages: DebianPackages) -> None:
        self._metainfo = [share / name for share in shares for name in ("metainfo", "appdata")]
        self._packages = packages

    def complete(self, entry: DesktopEntry) -> DesktopEntry:
        """Return the entry with all that is said."""
        component = component_of(entry.desktop_id, self._metainfo)
        entry = msgspec.structs.replace(
            entry,
            categories=_joined(entry.categories, component.categories),
            url_schemes=_joined(entry.url_schemes, component.url_schemes),
            descriptions=_joined(entry.descriptions, (component.summary,) if component.summary else ()),
        )
        weighed = weigh(facts_of(entry))
        is_open = weighed.speaking and not weighed.against and not weighed.is_enough
        if not is_open or entry.flatpak_id or entry.snap:
            return entry
        names = (programs.base_name(entry.command[0]), entry.desktop_id.rpartition(".")[2])
        package = self._packages.of_file(entry.file, names)
        if package is None:
            return entry
        return msgspec.structs.replace(
            entry, section=package.section, descriptions=_joined(entry.descriptions, (package.description,))
        )


def facts_of(entry: DesktopEntry) -> ProcessFacts:
    """Return the facts that an entry gives by itself."""
    return ProcessFacts(
        platform="linux",
        desktop_id=entry.desktop_id,
        categories=entry.categories,
        url_schemes=entry.url_schemes or None,
        descriptions=entry.descriptions or None,
        section=entry.section,
        flatpak_id=entry.flatpak_id,
        snap=entry.snap,
    )


def facts_of_application(entry: DesktopEntry, locate: Locate = locate_program) -> ProcessFacts:
    """Return the facts of the process that an entry would start."""
    exe = None if entry.flatpak_id or entry.snap else locate(entry.command[0])
    return msgspec.structs.replace(facts_of(entry), exe=exe, cmdline=entry.bus_command or entry.command)


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
