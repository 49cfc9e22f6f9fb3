"""By which program of this device a messenger is opened, and with which words it keeps its data apart. Pure.

Its own application comes first, where the catalogue says how that keeps a second set of data; then its page in a browser's profile of its own.
A snap keeps its data where snapd says, and a package of the Microsoft Store takes no words, so both are passed over.
"""

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from agent.sensing.signals.chromium_profiles import browser_of
from agent.sensing.signals.firefox_profiles import is_firefox
from contract.catalogue import Messenger
from contract.evidence import Match
from contract.facts import Platform, ProcessFacts
from contract.programs import base_name

Kind = Literal["program", "flatpak", "bundle", "chromium", "firefox"]
_LIKE_FIREFOX = frozenset({"librewolf"})
"""Takes Firefox' words, and keeps its list of profiles elsewhere."""
_PREFERRED: tuple[Kind, ...] = ("program", "bundle", "flatpak", "chromium", "firefox")


class Startable(msgspec.Struct, frozen=True, kw_only=True):
    """An installed application, and what starts it."""

    facts: ProcessFacts
    command: tuple[str, ...]
    icon: str = ""
    """Its icon's name or file (Desktop Entry Specification 1.5)."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """A messenger with the program that opens it."""

    messenger: str
    name: str
    kind: Kind
    command: tuple[str, ...]
    apart: tuple[str, ...]
    """The words that make it keep its data in the folder; empty where none are known."""
    icon: str = ""


def opening(
    messenger: str,
    entry: Messenger,
    installed: Iterable[Startable],
    recognise: Callable[[ProcessFacts], Match | None],
    platform: Platform,
    folder: str,
    *,
    at_any_rate: bool = False,
) -> Opening | None:
    """Return how a messenger is opened with its data in a folder; None where no way is known on this device.

    Args:
        messenger: its id.
        entry: what the catalogue says of it.
        installed: what there is.
        recognise: tells which messenger an application is.
        platform: this system.
        folder: where its data shall be.
        at_any_rate: whether its own application is taken although no words keep its data apart: something else does.
    """
    words = entry.apart_on(platform, folder)
    found: list[Opening] = []
    address = _address(entry)
    for one in installed:
        kind = None if one.facts.snap else _browser(one.command)
        if kind is None and (words is not None or at_any_rate) and _is(messenger, one.facts, recognise):
            own = _own_kind(one.facts, platform)
            if own is not None:
                found.append(_opened(messenger, entry, own, _bare(one, own), words or ()))
        elif kind is not None and address is not None:
            found.append(_opened(messenger, entry, kind, one, _page(kind, folder, address)))
    return min(found, key=lambda one: _PREFERRED.index(one.kind), default=None)


def command_of(opened: Opening, variables: dict[str, str], folder: str) -> tuple[str, ...]:
    """Return the whole command line.

    Args:
        opened: what is opened.
        variables: what the program is to find in its environment; only some ways of starting hand it on by themselves.
        folder: where its data are, for a container to let it in.
    """
    if opened.kind == "flatpak":
        told = (f"--env={name}={value}" for name, value in sorted(variables.items()))
        words = tuple(word for word in opened.command if word not in {"@@u", "@@", "@@f"})
        return (*words[:2], f"--filesystem={folder}:create", *told, *words[2:], *opened.apart)
    if opened.command[0].endswith(".app"):
        told = (word for name, value in sorted(variables.items()) for word in ("--env", f"{name}={value}"))
        return ("open", "-n", *told, "-a", opened.command[0], "--args", *opened.apart)
    return (*opened.command, *opened.apart)


def _opened(messenger: str, entry: Messenger, kind: Kind, one: Startable, apart: tuple[str, ...]) -> Opening:
    icon = "" if kind in {"chromium", "firefox"} else one.icon
    return Opening(
        messenger=messenger, name=entry.name, kind=kind, command=one.command, apart=apart, icon=icon
    )


def _bare(one: Startable, kind: Kind) -> Startable:
    """Leave out a program's own options, which may send it to the copy that runs already (`hexchat --existing`)."""
    if kind == "program" and all(word.startswith("-") for word in one.command[1:]):
        return msgspec.structs.replace(one, command=one.command[:1])
    return one


def _is(messenger: str, facts: ProcessFacts, recognise: Callable[[ProcessFacts], Match | None]) -> bool:
    """Tell whether an application is the messenger's own: an unofficial client takes other words."""
    match = recognise(facts)
    return match is not None and match.messenger == messenger and match.client is None


def _own_kind(facts: ProcessFacts, platform: Platform) -> Kind | None:
    if facts.snap or facts.package_family:
        return None
    if facts.flatpak_id:
        return "flatpak"
    return "bundle" if platform == "macos" else "program"


def _browser(command: tuple[str, ...]) -> Kind | None:
    """Return which kind of browser a command starts; None for anything else, and where it opens a page already."""
    if len(command) > 1 and not all(word.startswith("-") for word in command[1:]):
        return None
    if any(word.startswith("--app") for word in command):
        return None
    program = command[0].removesuffix(".app")
    if browser_of(program) is not None:
        return "chromium"
    return (
        "firefox"
        if is_firefox(program) or base_name(program).lower().removesuffix(".exe") in _LIKE_FIREFOX
        else None
    )


def _address(entry: Messenger) -> str | None:
    """Return where its page is; where it lives at a host of each customer's own, nobody knows."""
    web = [one for one in entry.seen if one.platform == "web" and "*" not in one.value]
    starts = [one.value for one in web if one.kind == "start_url"]
    origins = [one.value for one in web if one.kind == "origin"]
    return next(iter((*starts, *origins)), None)


def _page(kind: Kind, folder: str, address: str) -> tuple[str, ...]:
    if kind == "firefox":
        return ("--new-instance", "--profile", folder, address)
    return (f"--user-data-dir={folder}", "--no-first-run", "--no-default-browser-check", f"--app={address}")
