"""`make test-deb`: the frozen programs do their work from their folders alone, and hold nothing that is not theirs."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deb.frozen_stage import DIST, FrozenStage
from tests.e2e.stage import policy_text, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
CHECKOUT = Path(__file__).resolve().parents[2]
FOLDERS = ("decorum", "decorum-agent")
ICON_PIXELS = 16
NEVER = {
    "server",
    "django",
    "dev",
    "tests",
    "bench",
    "installer",
    "pytest",
    "_pytest",
    "hypothesis",
    "tkinter",
    "pip",
}
"""Rooms and libraries that are on no device; of `installer`, only where the programs begin is there, and not as a module of that name."""


@pytest.fixture(scope="module", params=FOLDERS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrozenStage]:
    program = DIST / request.param / "decorum"
    assert program.exists(), "Freeze the programs first: make build"
    one = FrozenStage(tmp_path_factory.mktemp(request.param), program)
    try:
        one.server("migrate")
        one.publish(policy_text("telegram", "banned"))
        one.start_server()
        one.enrol()
        one.start_agent()
        wait_for(lambda: one.status()["policy_serial"] == 1, "the policy")
        yield one
    finally:
        one.end_all()


def test_it_explains_itself(stage: FrozenStage) -> None:
    assert "exit codes:" in stage.decorum("--help").stdout
    assert stage.decorum("--version").stdout.startswith("decorum ")


def test_a_messenger_is_seen_judged_and_explained(stage: FrozenStage, tmp_path: Path) -> None:
    messenger = tmp_path / "telegram-desktop"
    messenger.write_bytes(Path("/usr/bin/sleep").read_bytes())
    messenger.chmod(0o755)
    process = stage.start("messenger", str(messenger), "600")
    row = wait_for(lambda: stage.seen("telegram"), "the messenger")
    assert (row["listed"], row["verdict"]) == (True, "violation")
    told = stage.decorum("identify", "--pid", str(process.pid), "--json")
    assert json.loads(told.stdout)["match"]["messenger"] == "telegram"
    stage.end("messenger")
    wait_for(lambda: stage.seen("telegram") is None, "its end")


def test_doctor_misses_nothing_of_what_was_frozen(stage: FrozenStage) -> None:
    told = stage.decorum("doctor", "--json", *stage.places(), "--socket", str(stage.socket))
    grades = {one["check"]: one["grade"] for one in json.loads(told.stdout)["findings"]}
    # The root was met, not given; everything that rests on a library is fine.
    assert {check for check, grade in grades.items() if grade != "fine"} <= {"root key"}
    assert {"time zones", "device key", "server", "agent", "database"} <= set(grades)
    assert stage.log("agent") == ""


def test_the_keyring_is_there_and_says_what_it_misses(stage: FrozenStage, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('key_store = "keyring"\n')
    told = stage.decorum("doctor", "--json", "--state", str(tmp_path), "--settings", str(settings))
    (key,) = [one for one in json.loads(told.stdout)["findings"] if one["check"] == "device key"]
    assert "no keyring that can be trusted" in key["sentence"]


@pytest.mark.parametrize(
    "program",
    ["decorum/decorum", "decorum/decorum-tray", "decorum-agent/decorum", "decorum/decorum-native-host"],
)
def test_nothing_is_in_it_that_is_not_its_own(program: str) -> None:
    viewer = CHECKOUT / ".venv-build" / "bin" / "pyi-archive_viewer"
    told = subprocess.run(
        [str(viewer), "--list", "--recursive", str(DIST / program)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    modules = set(re.findall(r"^ \w+, \d+, \d+, '([\w.]+)'$", told, re.MULTILINE))
    rooms = {name.partition(".")[0] for name in modules}
    assert {"contract", "msgspec"} <= rooms, "the list was understood"
    foreign = NEVER - {"installer"} | (
        {"agent"} if program.endswith("tray") else {"ui", "PySide6", "shiboken6"}
    )
    assert rooms & foreign == set()
    assert {name for name in modules if name.startswith("installer.")} <= {
        "installer.entry",
        "installer.entry.surroundings",
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_tells_where_it_was_built_or_is_open_to_others(folder: str) -> None:
    names = [file.relative_to(DIST).as_posix() for file in (DIST / folder).rglob("*")]
    assert [name for name in names if re.search(r"(^|/)(tests?|django|server|pytest)(/|$)", name)] == []
    assert folder == "decorum" or [name for name in names if re.search(r"Qt[0-9A-Z.]|PySide", name)] == []
    for library in (DIST / folder).rglob("*.so*"):
        told = subprocess.run(
            ["chrpath", "-l", str(library)], capture_output=True, text=True, check=False
        ).stdout
        places = told.strip().partition("PATH=")[2]
        assert all(place.startswith("$ORIGIN") for place in places.split(":") if place), told
        assert not library.stat().st_mode & 0o022, library


class Desk(FrozenStage):
    """A stage with a screen, and the frozen tray on it."""

    def tray(self, *options: str) -> "subprocess.Popen[bytes]":
        """Start the frozen tray."""
        return self.start(
            "tray", str(DIST / "decorum" / "decorum-tray"), "--socket", str(self.socket), *options
        )

    def end_tray(self) -> None:
        """End the tray, if it still runs."""
        if "tray" in self._running:
            self.end("tray")

    def screen(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Ask or move something on the screen."""
        command = ["xdotool", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def has_window(self) -> bool:
        """Tell whether a window of Decorum's is on the screen."""
        return self.screen("search", "--onlyvisible", "--name", "^Decorum").returncode == 0

    def panel(self) -> dict[str, int]:
        """Return where the panel is; it is as wide as the icons in it."""
        window = self.screen("search", "--class", "trayer").stdout.split()[-1:]
        told = self.screen("getwindowgeometry", "--shell", *window).stdout.splitlines()
        pairs = dict(line.split("=", 1) for line in told if "=" in line)
        return {name: int(pairs.get(name, 0)) for name in ("X", "Y", "WIDTH", "HEIGHT")}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    one = Desk(tmp_path_factory.mktemp("desk"), DIST / "decorum" / "decorum")
    try:
        one.start_agent()
        one.start_screen()
        one.start("panel", "trayer", "--edge", "bottom", "--align", "left", "--widthtype", "request")
        yield one
    finally:
        one.end_all()


@pytest.fixture(autouse=True)
def _no_tray_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """One that a failed test left running would answer for the next."""
    yield
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk").end_tray()


def test_the_tray_is_in_the_panel_and_opens_its_window_when_it_is_clicked(desk: Desk) -> None:
    desk.tray()
    wait_for(lambda: desk.panel()["WIDTH"] >= ICON_PIXELS, "the icon in the panel", 60)
    assert not desk.has_window()
    panel = desk.panel()
    x, y = panel["X"] + panel["WIDTH"] // 2, panel["Y"] + panel["HEIGHT"] // 2
    desk.screen("mousemove", str(x), str(y), "click", "1")
    wait_for(desk.has_window, "the window", 60)
    assert desk.end("tray") == 0
    assert desk.log("tray") == ""


def test_the_tray_runs_without_a_screen_and_without_a_complaint(desk: Desk) -> None:
    environment, desk.environment = desk.environment, desk.environment | {"QT_QPA_PLATFORM": "offscreen"}
    try:
        desk.tray()
        wait_for(lambda: _is_spoken_to(desk.pid_of("agent")), "the tray's connection to the agent", 60)
        assert desk.end("tray") == 0
        assert desk.log("tray") == ""
    finally:
        desk.environment = environment


def _is_spoken_to(pid: int) -> bool:
    """Tell whether somebody is connected to a unix socket of a process (proc(5), `/proc/net/unix`: state 03)."""
    open_files = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return any(row[5] == "03" and len(row) > 7 and f"socket:[{row[6]}]" in open_files for row in rows)
