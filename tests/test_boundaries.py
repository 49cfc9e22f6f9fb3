"""Who may know whom, each with its reason (docs/ARCHITECTURE.md shows the same as a picture)."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.boundaries import (
    Module,
    called_in,
    environment_read_at_import,
    imports_of,
    is_within,
    modules_of,
    named_in,
    parse,
)


class Room(msgspec.Struct, frozen=True):
    """What a room may import besides the standard library and itself."""

    may_import: frozenset[str]
    why: str


class Ban(msgspec.Struct, frozen=True):
    """What some modules must not import."""

    where: tuple[str, ...]
    what: tuple[str, ...]
    why: str
    but: tuple[str, ...] = ()
    """The modules that may."""


PYWIN32 = frozenset(
    {"pywintypes", "servicemanager", "win32api", "win32con", "win32file", "win32pipe", "win32security"}
    | {"win32service", "win32serviceutil", "winerror", "_win32typing"}
)
"""The modules of pywin32 that Windows' own files use; it is installed nowhere else."""
PYOBJC = frozenset({"AppKit", "CoreFoundation", "Foundation", "objc"})
"""The modules of PyObjC that macOS' own file uses; it is installed nowhere else."""
ROOMS = {
    "contract": Room(
        frozenset({"msgspec"}),
        "three programs rest on it: whatever it needed, all of them would install",
    ),
    "agent": Room(
        frozenset(
            {
                "contract",
                "msgspec",
                "psutil",
                "watchdog",
                "keyring",
                "platformdirs",
                "truststore",
                "urllib3",
                "cryptography",
            }
            | PYWIN32
            | PYOBJC
        ),
        "it runs without a screen and without Django, on every device: small and alone",
    ),
    "ui": Room(
        frozenset({"contract", "msgspec", "PySide6", "platformdirs"} | PYWIN32),
        "it knows only what the agent tells it through the local interface, so it can see no more than its user may",
    ),
    "server": Room(
        frozenset(
            {
                "contract",
                "extension",
                "msgspec",
                "django",
                "psycopg",
                "unfold",
                "granian",
                "whitenoise",
                "tomlkit",
            }
        ),
        "it never runs on a device: nothing that looks at processes or screens belongs there",
    ),
    "extension": Room(
        frozenset({"contract", "msgspec"}),
        "the server makes packages of it: whatever it needed, every server would install",
    ),
}
EXTRA_IMPORTS = {"contract.envelope": frozenset({"joserfc"}), "extension.crx": frozenset({"cryptography"})}
"""Libraries that one module has to itself."""

IMPURE = (
    *("asyncio", "concurrent", "http", "importlib.resources", "io", "logging", "os", "pathlib", "platform"),
    *(
        "random",
        "select",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
    ),
    *("time", "urllib.request", "psutil", "keyring", "urllib3"),
)
"""What reaches the disk, the network, the system, the log or the clock."""

BANS = (
    Ban(
        ("contract",),
        (*IMPURE, "secrets", "uuid"),
        "pure: the server previews with the very function the agent judges with",
    ),
    Ban(
        ("agent.compliance", "agent.profiles", "agent.reminders"),
        (*IMPURE, "agent.clock", "agent.store", "agent.journal", "agent.reporting", "agent.localapi"),
        "judging is pure: time, sightings and the past are arguments, so a test can set each of them",
    ),
    Ban(
        ("agent.sensing",),
        (
            "agent.reporting",
            "agent.privacy",
            "agent.journal",
            "agent.store",
            "agent.compliance",
            "agent.localapi",
        ),
        "sensing notices; whether anything is kept, judged or told is not its business",
    ),
    Ban(
        ("agent.reporting",),
        ("agent.sensing", "agent.compliance", "agent.snapshot", "agent.localapi"),
        "reporting sees only what the privacy door let through, never a process or a sighting",
    ),
    Ban(
        ("agent",),
        ("sqlite3",),
        "one module owns the file, the schema and the transactions; another only what is damaged of it",
        ("agent.store", "agent.rescue"),
    ),
    Ban(
        ("agent",),
        ("keyring",),
        "loading it costs 150 ms and 15 MB, so only who really opens the user's keyring pays",
        ("agent.credentials.keyring_store",),
    ),
    Ban(
        ("agent",),
        tuple(sorted(PYOBJC)),
        "loading it takes some megabytes, so only who is in a session with a screen pays",
        ("agent.macos.observer",),
    ),
    Ban(
        ("agent",),
        ("select",),
        "its kqueue is on macOS alone, and what it tells is decided where it can be tested anywhere",
        ("agent.macos.kernel_queue",),
    ),
    Ban(
        ("agent",),
        ("urllib3", "truststore", "http.client", "urllib.request"),
        "one way out to the network",
        ("agent.reporting.transport",),
    ),
    Ban(("ui.present",), ("PySide6",), "what is said is decided without Qt, and tested without a screen"),
    Ban(
        ("contract", "agent", "ui", "server"),
        ("pickle", "shelve", "marshal", "requests"),
        "what comes from outside is typed, bounded JSON; the network goes through urllib3 with truststore",
    ),
)

IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "now", "utcnow", "today"}
PURE_MODULES = ("contract", "agent.compliance", "agent.profiles", "agent.reminders")

READS_ENVIRONMENT_AT_IMPORT = {
    "server.settings": "Django's settings are a module by design; it hands the environment to server.configuration",
    "server.wsgi": "the production server loads the application by importing this module",
}

PROGRAMS = {
    "agent.cli": ("PySide6", "django", "ui", "server", "keyring"),
    "agent.runtime": ("PySide6", "django", "ui", "server", "keyring"),
    "ui.app": ("agent", "server", "PySide6", "django", "psutil", "keyring", "urllib3"),
    "ui.program": ("agent", "server", "django", "psutil", "keyring", "urllib3"),
    "server.cli": ("agent", "ui", "PySide6", "psutil", "keyring"),
}
"""What must not be loaded once a program's first module is: a fresh interpreter sees what no syntax tree shows."""


def offences(module: Module) -> Iterator[str]:
    """Yield a sentence for each boundary that a module crosses."""
    imported = imports_of(module)
    yield from _foreign_imports(module, imported)
    for ban in BANS:
        if _is_in(module, ban.where) and module.name not in ban.but:
            for name in sorted(imported):
                if any(is_within(name, banned) for banned in ban.what):
                    yield f"{module.name} imports {name}, but {ban.why}"
    if _is_in(module, PURE_MODULES):
        for name in sorted(IMPURE_CALLS & called_in(module)):
            yield f"{module.name} calls {name}(), but it is pure: no disk, no output, no clock"
    if module.name != "agent.privacy":
        yield from _ways_around_the_door(module)
    if module.name not in READS_ENVIRONMENT_AT_IMPORT:
        for line in environment_read_at_import(module):
            yield f"{module.name} line {line} reads the environment while it is imported; pass it as an argument"


def _is_in(module: Module, places: tuple[str, ...]) -> bool:
    return any(is_within(module.name, place) for place in places)


def _ways_around_the_door(module: Module) -> Iterator[str]:
    if "Cleared" in called_in(module):
        yield f"{module.name} makes a Cleared, but agent.privacy is the only door out"
    if "_PASS" in named_in(module):
        yield f"{module.name} takes the door's pass, but agent.privacy is the only door out"


def _foreign_imports(module: Module, imported: set[str]) -> Iterator[str]:
    room = ROOMS[module.room]
    allowed = room.may_import | EXTRA_IMPORTS.get(module.name, frozenset()) | {module.room}
    for name in sorted(imported):
        root = name.partition(".")[0]
        if root not in allowed and root not in sys.stdlib_module_names:
            yield f"{module.name} imports {name}, but {room.why}"


def test_no_module_crosses_a_boundary(checkout: Path) -> None:
    modules = list(modules_of(checkout))
    assert {module.room for module in modules} == set(ROOMS)
    assert [offence for module in modules for offence in offences(module)] == []


def test_every_place_in_the_tables_exists(checkout: Path) -> None:
    """A renamed module must not slip out of its ban."""
    names = {module.name for module in modules_of(checkout)}
    places = {place for ban in BANS for place in (*ban.where, *ban.but)}
    places |= {*PURE_MODULES, *EXTRA_IMPORTS, *READS_ENVIRONMENT_AT_IMPORT, *PROGRAMS}
    assert {place for place in places if not any(is_within(name, place) for name in names)} == set()


@pytest.mark.parametrize(
    ("name", "source", "crossed"),
    [
        ("contract.judge", "import django.db", "contract.judge imports django.db"),
        ("contract.judge", "from joserfc import jws", "contract.judge imports joserfc.jws"),
        ("contract.judge", "def f():\n    import logging", "contract.judge imports logging"),
        ("contract.judge", "from datetime import datetime\nNOW = datetime.now()", "calls now()"),
        ("contract.catalogue", "TEXT = open('catalogue.toml').read()", "calls open()"),
        (
            "agent.cli",
            "import importlib\nimportlib.import_module('PySide6.QtCore')",
            "imports PySide6.QtCore",
        ),
        ("agent.cli", "import importlib\nimportlib.import_module(f'ui.{x}')", "agent.cli imports ui"),
        (
            "agent.sensing.processes",
            "from ..reporting.outbox import Outbox",
            "imports agent.reporting.outbox",
        ),
        ("agent.sensing.processes", "from agent import reporting", "imports agent.reporting"),
        ("agent.reminders", "import time", "agent.reminders imports time"),
        ("agent.journal", "import sqlite3", "one module owns the file"),
        ("agent.recorder", "from agent import privacy\nprivacy.Cleared(1, 2, 3, 4)", "makes a Cleared"),
        ("agent.recorder", "from agent.privacy import _PASS as key", "takes the door's pass"),
        ("agent.settings", "import os\nHOME = os.environ['HOME']", "line 2 reads the environment"),
        ("agent.settings", "import os\ndef f(home=os.getenv('HOME')): ...", "line 2 reads the environment"),
        ("agent.settings", "from os import environ\nclass A:\n    home = environ.get('HOME')", "line 3"),
        ("ui.app", "from agent.store import Store", "ui.app imports agent.store.Store"),
        ("ui.app", "import psutil", "ui.app imports psutil"),
        (
            "agent.macos.workspace",
            "def f():\n    import AppKit",
            "only who is in a session with a screen pays",
        ),
        ("server.cli", "if x:\n    import keyring", "server.cli imports keyring"),
    ],
)
def test_a_crossing_is_seen(name: str, source: str, crossed: str) -> None:
    assert any(crossed in offence for offence in offences(parse(name, source))), source


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("contract.envelope", "from joserfc import jws"),
        ("agent.store", "import sqlite3"),
        ("agent.cli", "import os\ndef main():\n    return os.environ['HOME']"),
        ("server.settings", "import os\nSTATE = os.environ['HOME']"),
        ("agent.recorder", "from agent.privacy import Cleared\ndef f(x: Cleared) -> Cleared: return x"),
    ],
)
def test_what_is_allowed_is_not_taken_for_a_crossing(name: str, source: str) -> None:
    assert list(offences(parse(name, source))) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_starts_without_the_other_rooms(program: str, checkout: Path) -> None:
    code = f"import sys, {program}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert program.partition(".")[0] in loaded
    assert loaded.isdisjoint(PROGRAMS[program])
