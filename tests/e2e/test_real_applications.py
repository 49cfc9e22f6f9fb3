"""Real messengers and real neighbours of theirs, all running at once: each messenger is one sighting, and nothing else is any.

Terminal clients run inside a terminal's window; a Tcl program and a mail client, a browser, an IDE are among them.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agent.identify import complete
from agent.sensing.installed import installed_applications
from agent.sensing.linux_source import LinuxSource
from contract.catalogue import Catalogue
from contract.facts import ProcessFacts
from contract.matching import Matcher
from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

GRAPHICAL = {
    "pidgin": ("pidgin", "--multiple"),
    "telegram": ("telegram-desktop",),
    "hexchat": ("hexchat",),
    "iptux": ("iptux",),
    "loqui": ("loqui",),
    "srain": ("srain",),
    "tkabber": ("tkabber",),
    "psi": ("psi",),
}
IN_A_TERMINAL = {name: ("xterm", "-e", name) for name in ("irssi", "weechat", "mcabber")}
OTHERS = {name: (name,) for name in ("xterm", "mousepad", "galculator", "claws-mail", "dillo", "geany")}
SECONDS = 60.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("real-applications")) as one:
        one.begin(policy_text())
        one.start_screen()
        for name, command in (GRAPHICAL | IN_A_TERMINAL | OTHERS).items():
            program = command[-1] if command[0] == "xterm" else command[0]
            assert shutil.which(program), f"{program} must be installed: see dev/bootstrap"
            one.start(name, *command)
        wait_for(
            lambda: GRAPHICAL.keys() | IN_A_TERMINAL.keys() <= _sightings(one).keys(), "them all", SECONDS
        )
        yield one


def _sightings(stage: Stage) -> dict[str, int]:
    """Return how many rows of the status each messenger has."""
    rows = [row["messenger"] for row in stage.status()["messengers"]]
    return {messenger: rows.count(messenger) for messenger in rows}


def _facts(stage: Stage, name: str) -> list[ProcessFacts]:
    """Return the facts of what was started under a name, and of all that it started itself."""
    source, home = LinuxSource(), Path(stage.environment["HOME"])
    index = installed_applications({}, home)
    first = psutil.Process(stage.pid_of(name))
    return [
        complete(source.read(source.key(one.pid)).facts, index)
        for one in (first, *first.children(recursive=True))
    ]


def test_each_messenger_is_one_sighting_and_nothing_else_is_any(stage: Stage) -> None:
    assert _sightings(stage) == dict.fromkeys(GRAPHICAL | IN_A_TERMINAL, 1)


@pytest.mark.parametrize("name", GRAPHICAL)
def test_a_graphical_messenger_is_known_without_any_list(stage: Stage, name: str) -> None:
    alone = Matcher(Catalogue({}))
    matches = [match for facts in _facts(stage, name) if (match := alone.match(facts))]
    assert len({match.messenger for match in matches}) == 1
    assert not matches[0].listed


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_messenger_is_explained(stage: Stage, name: str) -> None:
    told = stage.decorum("identify", "--pid", str(stage.pid_of(name)))
    assert told.returncode == 0
    assert " is not a messenger" in told.stdout
    as_json = json.loads(stage.decorum("identify", "--pid", str(stage.pid_of(name)), "--json").stdout)
    assert as_json["match"] is None
    assert as_json["facts"]["desktop_id"], "it has a desktop entry that was read"
    weighed = as_json["weighed"]
    assert weighed is None or weighed["confidence"] < weighed["threshold"]
