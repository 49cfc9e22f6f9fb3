"""Each program runs with its own extra alone, from the pinned lists and a built wheel, without the checkout."""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

ROOM_NAMES = ("contract", "agent", "ui", "server", "extension")
PACKED = (*ROOM_NAMES, "pyproject.toml", "README.md", "LICENSE")


class Installed(msgspec.Struct, frozen=True):
    """An environment with one extra; `place` is a folder that knows nothing of the checkout."""

    bin: Path
    place: Path

    def run(self, *command: str, given: str = "") -> str:
        """Run a program of this environment; fail unless it ends well. Return what it printed."""
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            cwd=self.place,
            env=os.environ | {"DECORUM_SERVER_STATE": str(self.place / "server-state")},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def has(self, *libraries: str) -> list[str]:
        """Return which of the libraries are installed."""
        code = f"import importlib.util as u; print(*[n for n in {libraries!r} if u.find_spec(n)])"
        return self.run("python", "-c", code).split()


def pip(environment: dict[str, str], *arguments: str | Path) -> None:
    """Run this environment's pip; fail with what it said."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(
    checkout: Path, machine_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    for name in PACKED:
        source = checkout / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)
    pip(machine_environment, "wheel", "--no-deps", "--no-build-isolation", "-w", place / "dist", place)
    return next((place / "dist").glob("decorum-*.whl"))


def try_agent(installed: Installed) -> None:
    assert "identify" in installed.run("decorum", "--help")
    facts = json.dumps({"platform": "linux", "exe": "/usr/bin/pidgin", "name": "pidgin"})
    # The catalogue is data: a wheel without it would recognise nothing.
    assert (
        json.loads(installed.run("decorum", "identify", "--jsonl", given=facts + "\n"))["messenger"]
        == "pidgin"
    )


def try_server(installed: Installed) -> None:
    assert "enrol-secret" in installed.run("decorum-server", "--help")
    installed.run("decorum-server", "migrate", "--tenant", "acme", "--company", "Acme")
    model = installed.place / "policy.toml"
    model.write_text(installed.run("decorum-server", "policy", "template", "restrict"))
    assert "is published" in installed.run("decorum-server", "policy", "apply", str(model))


def try_ui(installed: Installed) -> None:
    assert "decorum-tray" in installed.run("decorum-tray", "--help")
    assert installed.run("decorum-tray", "--version").startswith("decorum-tray ")


class Extra(msgspec.Struct, frozen=True):
    """What an extra brings, what it must not bring, and what its program can do with it."""

    there: list[str]
    absent: list[str]
    attempt: Callable[[Installed], None]


EXTRAS = {
    "agent": Extra(["psutil", "keyring"], ["PySide6", "django", "granian", "unfold", "pytest"], try_agent),
    "server": Extra(
        ["django", "granian"], ["PySide6", "psutil", "keyring", "watchdog", "pytest"], try_server
    ),
    "ui": Extra(["PySide6"], ["psutil", "keyring", "watchdog", "urllib3", "django", "pytest"], try_ui),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_alone_is_enough_for_its_program(
    name: str, wheel: Path, checkout: Path, machine_environment: dict[str, str], tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=False, symlinks=True)
    installed = Installed(tmp_path / "venv/bin", tmp_path)
    target = ("--python", installed.bin / "python", "install")
    pins = checkout / f"requirements/{name}.txt"
    pip(machine_environment, *target, "--require-hashes", "--no-compile", "-r", pins)
    pip(machine_environment, *target, "--no-deps", wheel)
    extra = EXTRAS[name]
    assert installed.has(*extra.there) == extra.there
    assert installed.has(*extra.absent) == []
    extra.attempt(installed)
    shutil.rmtree(tmp_path / "venv")  # a quarter of a gigabyte, for Qt
