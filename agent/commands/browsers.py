"""`decorum browsers`: tells this device's browsers where the native host is, or takes that back."""

import argparse
import contextlib
import sys
from pathlib import Path

from agent.browsers import Placed, native_manifests
from agent.commands import exits
from agent.commands.arguments import scope_of, settings_file_of
from agent.commands.printing import print_json
from agent.errors import SettingsError
from agent.service.program import this_interpreter
from agent.settings import load
from contract.places import THIS_SYSTEM

PROGRAM = "decorum-native-host"


def execute(arguments: argparse.Namespace) -> int:
    """Write the files, or remove them, and say which."""
    extension = load(settings_file_of(arguments)).web_extension
    program = str(arguments.program or _beside_this_program())
    places = THIS_SYSTEM, scope_of(arguments), program
    home = str(Path.home())
    every = native_manifests(*places, extension or "", home)
    placed = every if arguments.remove else native_manifests(*places, extension, home)
    for one in every:
        try:
            remove_placed(one) if arguments.remove or one not in placed else _write(one)
        except OSError as error:
            raise SettingsError(f"{one.file}: {error.strerror}.", "Run it as an administrator.") from error
    if arguments.json:
        print_json(placed)
        return exits.COMPLIANT
    for one in placed:
        print(f"{one.browser}: {one.file}")
        if one.registry_key is not None:
            print(f"  {'Remove' if arguments.remove else 'Set the default value of'} {one.registry_key}")
    if extension is None and not arguments.remove:
        print("Chromium browsers: nothing, since the setting web_extension names no extension.")
    return exits.COMPLIANT


def _beside_this_program() -> Path:
    interpreter = this_interpreter()
    program = Path(interpreter.executable if interpreter.is_frozen else sys.argv[0]).absolute()
    return program.with_name(PROGRAM + (".exe" if THIS_SYSTEM == "windows" else ""))


def _write(one: Placed) -> None:
    file = Path(one.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(one.content, encoding="utf-8")


def remove_placed(one: Placed) -> None:
    """Remove a file that `decorum browsers` wrote, and folders that are empty without it.

    Raises:
        OSError: it cannot be removed.
    """
    file = Path(one.file)
    file.unlink(missing_ok=True)
    for folder in (file.parent, file.parent.parent):
        with contextlib.suppress(OSError):  # it holds what others have put there, or is gone
            folder.rmdir()
