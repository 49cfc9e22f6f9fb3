"""`decorum open`: opens a messenger for work, in a profile of its own, or privately without sight of what is for work."""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from agent.commands import exits
from agent.commands.arguments import state_of
from agent.commands.printing import print_json
from agent.errors import CannotOpenError, NotForWorkError
from agent.folders import work_folder
from agent.known_here import known_here
from agent.launching import menu_entry, sandbox
from agent.launching.programs import Opening, command_of, opening
from agent.launching.this_system import startable
from agent.launching.work_profile import WorkProfile, prepare, variables_of, view_of_config
from agent.localapi.client import LocalClient
from contract.catalogue import Catalogue, Messenger
from contract.errors import MalformedError
from contract.local import WorkAnswer, WorkQuery
from contract.matching import Matcher
from contract.places import THIS_SYSTEM

SETTLED_SECONDS = 1.0
"""A program that has not failed by then is taken to run; one that shows another copy's window ends before, and well."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What was opened, as `--json` prints it."""

    messenger: str
    name: str
    side: str
    command: tuple[str, ...]
    downloads: str | None
    """The folder of its downloads, as far as it can be told; None for a private copy."""
    because: str = ""
    """Why it is not what was asked for."""


def execute(arguments: argparse.Namespace) -> int:
    """Open it, and say what was opened."""
    catalogue, _ = known_here(state_of(arguments))
    asked = _named(arguments.messenger, catalogue)
    opened = _for_work(arguments, asked, catalogue) if arguments.work else _for_private_use(asked, catalogue)
    if arguments.json:
        print_json(opened)
    else:
        print(_said(opened))
    return exits.COMPLIANT


def _named(text: str, catalogue: Catalogue) -> str:
    messenger = catalogue.called(text)
    if messenger is None:
        raise MalformedError(
            f"No messenger is called {text!r}.", "Write it as the menu has it, as in telegram."
        )
    return messenger


def _for_work(arguments: argparse.Namespace, asked: str, catalogue: Catalogue) -> Opened:
    with LocalClient(arguments.socket, os.environ) as client:
        answer = client.ask("work", WorkQuery(asked), WorkAnswer)
    if not answer.opens:
        raise NotForWorkError(answer.sentence, answer.remedy)
    matcher, home = Matcher(catalogue), Path.home()
    installed = tuple(startable(os.environ, home))
    for messenger in answer.opens:
        entry = catalogue.messengers.get(messenger)
        if entry is None:
            continue
        profile = WorkProfile(work_folder() / messenger)
        found = opening(
            messenger,
            entry,
            installed,
            matcher.match,
            THIS_SYSTEM,
            str(profile.data),
            at_any_rate=arguments.sandbox or messenger != asked,
        )
        if found is not None:
            return _open(found, entry, profile, answer.sentence, sandboxed=arguments.sandbox)
    names = " or ".join(catalogue.name_of(one) for one in answer.opens)
    raise CannotOpenError(
        f"{answer.sentence} {names} can be opened in no way that is known here.".strip(),
        "Install it, or a browser for its page" + (", or add --sandbox." if THIS_SYSTEM == "linux" else "."),
    )


def _open(found: Opening, entry: Messenger, profile: WorkProfile, because: str, *, sandboxed: bool) -> Opened:
    prepare(profile, found.kind)
    variables = variables_of(found.messenger)
    command = command_of(found, variables, str(profile.folder))
    home, downloads = Path.home(), profile.downloads
    if sandboxed:
        _need_sandbox()
        command = sandbox.for_work(command, home, profile, _needed(command[0]))
    elif THIS_SYSTEM == "linux":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        view_of_config(profile, config, _own_names(found.messenger, entry))
        variables["XDG_CONFIG_HOME"] = str(profile.config)
    if THIS_SYSTEM == "linux":
        again = (_own_program(), "open", "--work", found.messenger, *(("--sandbox",) if sandboxed else ()))
        picture = menu_entry.picture_of(found.icon, os.environ, home)
        menu_entry.place(menu_entry.own_menu(os.environ, home), found.messenger, found.name, again, picture)
    _start(found.name, command, {**os.environ, **variables})
    return Opened(
        messenger=found.messenger,
        name=found.name,
        side="work",
        command=command,
        downloads=str(downloads),
        because=because,
    )


def _for_private_use(asked: str, catalogue: Catalogue) -> Opened:
    if THIS_SYSTEM != "linux":
        raise CannotOpenError("Only Linux has the sandbox that this takes.", "Start the messenger as usual.")
    _need_sandbox()
    matcher, entry = Matcher(catalogue), catalogue.messengers[asked]
    installed = tuple(startable(os.environ, Path.home()))
    found = opening(asked, entry, installed, matcher.match, THIS_SYSTEM, "", at_any_rate=True)
    if found is None or found.kind not in {"program", "flatpak"}:
        raise CannotOpenError(f"{entry.name} is not installed here.", "Install it.")
    work = work_folder()
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = sandbox.for_private_use(found.command, work)
    _start(entry.name, command, os.environ)
    return Opened(messenger=asked, name=entry.name, side="personal", command=command, downloads=None)


def _need_sandbox() -> None:
    if shutil.which(sandbox.PROGRAM) is None:
        raise CannotOpenError("There is no bubblewrap on this device.", "Install the package bubblewrap.")


def _needed(program: str) -> list[Path]:
    """Return what of the home a program needs to be started at all: where it lies, and the right to the screen."""
    found = shutil.which(program)
    needed = [Path(found).parent, Path(found).resolve().parent] if found else []
    if authority := os.environ.get("XAUTHORITY"):
        needed.append(Path(authority))
    return needed


def _own_names(messenger: str, entry: Messenger) -> frozenset[str]:
    """Return the names under which a messenger's own configuration is likely to lie, in lower case."""
    named = {one.value for one in entry.seen if one.kind in {"executable", "desktop_id"}}
    return frozenset(name.lower() for name in {messenger, entry.name, *named})


def _own_program() -> str:
    """Return what starts this very program again, by its name where that is enough."""
    this = Path(sys.executable).with_name("decorum")
    usual = shutil.which("decorum")
    return "decorum" if usual is not None and Path(usual).resolve() == this.resolve() else str(this)


def _start(name: str, command: Sequence[str], environ: Mapping[str, str]) -> None:
    """Start a program that goes on when this one ends."""
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
            creationflags=flags,
        )
    except OSError as error:
        raise CannotOpenError(f"{name} cannot be started ({error.strerror}).", "Install it anew.") from error
    try:
        code = process.wait(SETTLED_SECONDS)
    except subprocess.TimeoutExpired:
        return
    if code != 0:
        words = " ".join(command)
        raise CannotOpenError(f"{name} ended at once (exit code {code}).", f"See what it says: {words}")


def _said(opened: Opened) -> str:
    if opened.side == "personal":
        return f"{opened.name} is open, and sees nothing of what is for work."
    said = f"{opened.name} is open for work. What is saved goes to {opened.downloads}."
    return f"{opened.because} {said}" if opened.because else said
