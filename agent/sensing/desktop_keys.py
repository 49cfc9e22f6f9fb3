"""Keys: by what a desktop entry and the processes it starts are brought together.

What starts is often not what the entry names: an interpreter, a sandbox, a program that D-Bus starts, a helper in the application's own
folder. Each of them gives keys of its own, the surest first.
"""

from collections.abc import Iterator

from agent.sensing.desktop_files import DesktopEntry, Locate
from contract import programs
from contract.matching import NAME_LIMIT

_OWN_FOLDERS = (
    ("usr", "share"),
    ("usr", "lib"),
    ("usr", "local", "share"),
    ("usr", "local", "lib"),
    ("opt",),
)
"""Where a folder is named after the one application that lies in it (Filesystem Hierarchy Standard 3.0)."""
_SHARED = frozenset(
    {"bin", "sbin", "games", "libexec", "lib", "lib64", "x86_64-linux-gnu", "aarch64-linux-gnu"}
)


def keys_of_entry(entry: DesktopEntry, locate: Locate) -> Iterator[str]:
    """Give what a process of an entry may be found by."""
    if entry.flatpak_id:
        yield f"flatpak:{entry.flatpak_id.lower()}"
        for word in entry.command:
            if word.startswith("--command="):
                yield f"app:{programs.base_name(word.partition('=')[2])}"
        return
    if entry.snap:
        yield f"snap:{entry.snap.lower()}"
        return
    for command in (entry.command, entry.bus_command):
        if command:
            yield from _keys_of_command(command, locate)


def _keys_of_command(command: tuple[str, ...], locate: Locate) -> Iterator[str]:
    program = command[0]
    base = programs.base_name(program)
    interpreter = programs.interpreter_of(base.lower())
    if interpreter is not None:
        script = programs.script_of(interpreter, command)
        if script and "/" in script:
            yield script
        return
    real = locate(program)
    if "/" in program:
        yield program
    yield f"base:{base}"
    if len(base) > NAME_LIMIT:
        yield f"cut:{base[:NAME_LIMIT]}"
    if real:
        yield real
    if not any(":/" in word for word in command[1:]):
        for path in (program, real or ""):
            folder = path.rpartition("/")[0]
            if folder and programs.base_name(folder) not in _SHARED:
                yield f"folder:{folder}"


def keys_of_process(path: str, words: tuple[str, ...], flatpak_id: str | None = None) -> Iterator[str]:
    """Give what the entry of a process may be found by.

    Args:
        path: its executable.
        words: its command line.
        flatpak_id: the Flatpak application that it runs in, where that is known.
    """
    if flatpak_id:
        yield f"flatpak:{flatpak_id.lower()}"
        return
    for kind, value in programs.container_of("linux", path):
        yield f"{kind.removesuffix('_id')}:{value}"
    base = programs.base_name(path)
    launched = programs.launched_by(base, words)
    if launched:
        yield f"{launched[0].removesuffix('_id')}:{launched[1]}"
        return
    interpreter = programs.interpreter_of(base.lower())
    if interpreter is not None:
        yield from _keys_of_script(programs.script_of(interpreter, words) if words else None)
        return
    if path.startswith("/app/"):
        # What Flatpak mounts at /app is one application; only its command tells which.
        yield f"app:{base}"
        return
    if base.lower() in programs.HELPERS:
        yield f"folder:{path.rpartition('/')[0]}"
        return
    yield path
    yield f"base:{base}"


def keys_of_name(name: str) -> Iterator[str]:
    """Give what the entry of a process may be found by of which nothing is known but its name, which Linux cuts."""
    yield f"base:{name}"
    yield f"cut:{name}"


def _keys_of_script(script: str | None) -> Iterator[str]:
    if not script or "/" not in script:
        return
    yield script
    if programs.is_program_folder(script):
        yield f"base:{programs.base_name(script)}"
    parts = tuple(script.split("/")[1:])
    for folder in _OWN_FOLDERS:
        if parts[: len(folder)] == folder and len(parts) > len(folder) + 1:
            yield f"base:{parts[len(folder)]}"
