r"""What a program of Windows says of itself: the manifest of its package, and the version information of its file.

Each program is asked about once, and its file only where that could still decide whether it is a messenger: where links speak for one too
little, and nothing against it. A manifest counts for the package alone that Windows says the process is of.
"""

import re
from collections.abc import Callable

import msgspec

from agent.sensing import appx_manifest, version_info
from agent.sensing.appx_manifest import Manifest
from contract.facts import ProcessFacts
from contract.weighing import weigh

Read = Callable[[str], bytes]
"""Reads something of the file of a path; raises OSError where there is none or it may not be read."""

KEPT_AT_MOST = 500
LEVELS_AT_MOST = 6
"""How far above a program its package's folder is looked for."""
LINE_LIMIT = 200
_ON_A_DRIVE = re.compile(r"[a-z]:\\", re.IGNORECASE)


class Said(msgspec.Struct, frozen=True):
    """What a program says of itself."""

    url_schemes: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()


NOTHING = Said()


class WindowsDescriptions:
    """Owns what programs said of themselves.

    Args:
        manifest: how a manifest is read, given its path.
        version: how a file's version information is read, given the file's path.
    """

    def __init__(self, manifest: Read, version: Read) -> None:
        self._manifest, self._version = manifest, version
        self._kept: dict[tuple[str, str | None, tuple[str, ...]], Said] = {}

    def complete(self, facts: ProcessFacts) -> ProcessFacts:
        """Return the facts with what the program says of itself."""
        exe, schemes = facts.exe, facts.url_schemes or ()
        if not exe or not (facts.package_family or schemes) or not _ON_A_DRIVE.match(exe):
            return facts
        key = (exe.lower(), facts.package_family, schemes)
        said = self._kept.get(key)
        if said is None:
            if len(self._kept) >= KEPT_AT_MOST:
                self._kept.clear()
            said = self._kept[key] = self._ask(facts, exe)
        return _with(facts, said)

    def _ask(self, facts: ProcessFacts, exe: str) -> Said:
        said = self._package(exe, facts.package_family) if facts.package_family else NOTHING
        weighed = weigh(_with(facts, said))
        is_open = weighed.speaking and not weighed.against and not weighed.is_enough
        if not is_open or any(evidence.kind == "description" for evidence in weighed.speaking):
            return said
        try:
            texts = version_info.parse(self._version(exe))
        except OSError:
            return said
        return Said(said.url_schemes, (*said.descriptions, *_lines(texts)))

    def _package(self, exe: str, family: str) -> Said:
        folder = exe
        for _ in range(LEVELS_AT_MOST):
            folder, _, _ = folder.rpartition("\\")
            if "\\" not in folder:
                return NOTHING
            try:
                content = self._manifest(rf"{folder}\{appx_manifest.FILE_NAME}")
            except FileNotFoundError:
                continue
            except OSError:
                return NOTHING
            return _of(content, exe[len(folder) + 1 :], family)
        return NOTHING


def _of(content: bytes, executable: str, family: str) -> Said:
    try:
        manifest = appx_manifest.parse(content, executable)
    except ValueError:
        manifest = Manifest("")
    if manifest.family.lower() != family.lower():
        return NOTHING
    return Said(_lines(manifest.url_schemes), _lines(manifest.descriptions))


def _with(facts: ProcessFacts, said: Said) -> ProcessFacts:
    return msgspec.structs.replace(
        facts,
        url_schemes=tuple(dict.fromkeys((*(facts.url_schemes or ()), *said.url_schemes))) or None,
        descriptions=said.descriptions or None,
    )


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return each text as one line of bounded length that can be shown anywhere."""
    plain = ("".join(letter if letter.isprintable() else " " for letter in text) for text in texts)
    return tuple(line for text in plain if (line := " ".join(text.split())[:LINE_LIMIT]))
