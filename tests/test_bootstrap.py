"""`dev/bootstrap` on machines that lack this or that. Python, apt-get and the linker's list are stand-ins that note what is asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ("cat", "cksum", "dirname", "ln", "mkdir", "rm", "sh", "touch")
PYTHON = """#!/bin/sh
echo "python $*" >>"$NOTES"
case "$*" in
*version_info\\ \\<*) exit "$TOO_OLD" ;;
*ensurepip*) [ -e "$PLACE/venv-package" ] ;;
*print*) echo python3.11-venv ;;
"-m venv .venv"*) mkdir -p "$3/bin" && ln -s "$0" "$3/bin/python" ;;
esac
"""
APT_GET = """#!/bin/sh
echo "apt-get $* ($DEBIAN_FRONTEND)" >>"$NOTES"
case "$*" in
update*) touch "$PLACE/lists" ;;
install*) [ -e "$PLACE/lists" ] && touch "$PLACE/venv-package" "$PLACE/qt" ;;
esac
"""
LDCONFIG = """#!/bin/sh
for name in $LIBRARIES; do echo "	$name (libc6) => /lib/$name"; done
[ ! -e "$PLACE/qt" ] || echo "	libxcb-cursor.so.0 (libc6) => /lib/libxcb-cursor.so.0"
"""


class Machine:
    """A copy of what bootstrap reads, and a PATH that holds nothing but what is put there."""

    def __init__(self, checkout: Path, place: Path) -> None:
        self.place = place
        self.tree = place / "tree"
        self._bin = place / "bin"
        self._bin.mkdir()
        shutil.copytree(checkout / "requirements", self.tree / "requirements")
        (self.tree / "dev").mkdir()
        shutil.copy(checkout / "dev/bootstrap", self.tree / "dev")
        shutil.copy(checkout / "pyproject.toml", self.tree)
        for name in TOOLS:
            (self._bin / name).symlink_to(str(shutil.which(name)))
        self.add("python3", PYTHON)
        self.add("ldconfig", LDCONFIG)
        self.add("uname", "#!/bin/sh\necho Linux\n")
        self.add("id", "#!/bin/sh\necho 1000\n")
        self.environment = {
            "PATH": str(self._bin),
            "NOTES": str(place / "notes"),
            "PLACE": str(place),
            "TOO_OLD": "0",
            "LIBRARIES": " ".join(self._libraries()),
        }
        (place / "venv-package").touch()
        (place / "qt").touch()

    def _libraries(self) -> list[str]:
        text = (self.tree / "dev/bootstrap").read_text().partition("qt_libraries='")[2].partition("'")[0]
        return [line.split()[0] for line in text.split("\n") if line and "xcb-cursor" not in line]

    def add(self, name: str, script: str) -> None:
        """Put a program on the PATH."""
        (self._bin / name).write_text(script)
        (self._bin / name).chmod(0o755)

    def become_debian_root(self, *, with_lists: bool = True) -> None:
        """Let bootstrap install packages."""
        self.add("id", "#!/bin/sh\necho 0\n")
        self.add("dpkg", "#!/bin/sh\n")
        self.add("apt-get", APT_GET)
        if with_lists:
            (self.place / "lists").touch()

    def bootstrap(self, purpose: str = "run", **environment: str) -> tuple[int, str, list[str]]:
        """Run it; return exit code, what it said, and what was asked of the stand-ins this time."""
        notes = self.place / "notes"
        notes.write_text("")
        done = subprocess.run(
            [self.tree / "dev/bootstrap", purpose],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stderr, notes.read_text().splitlines()


@pytest.fixture
def machine(checkout: Path, tmp_path: Path) -> Machine:
    return Machine(checkout, tmp_path)


def test_the_first_call_installs_hashed_pins_and_the_second_nothing(machine: Machine) -> None:
    code, said, notes = machine.bootstrap()
    assert code == 0, said
    assert "python -m venv .venv" in notes
    (pins,) = [note for note in notes if "--require-hashes" in note]
    assert all(f"requirements/{name}.txt" in pins for name in ("build", "agent", "ui", "server"))
    assert "dev.txt" not in pins
    assert any("--no-deps --no-build-isolation -e ." in note for note in notes)
    assert machine.bootstrap() == (0, "", [])


def test_tests_need_more_than_a_run_does(machine: Machine) -> None:
    machine.bootstrap("run")
    notes = machine.bootstrap("lint")[2]
    assert any("requirements/dev.txt" in note for note in notes)
    assert "python -m venv .venv" not in notes


def test_fuzzing_has_an_environment_of_its_own(machine: Machine) -> None:
    machine.bootstrap("test")
    code, said, notes = machine.bootstrap("fuzz")
    assert code == 0, said
    assert "python -m venv .venv-fuzz" in notes
    (pins,) = [note for note in notes if "--require-hashes" in note]
    assert "requirements/fuzz.txt" in pins
    assert "requirements/dev.txt" not in pins
    assert machine.bootstrap("fuzz") == (0, "", [])


@pytest.mark.parametrize("changed", ["requirements/server.txt", "pyproject.toml"])
def test_a_changed_list_is_installed_into_the_same_environment(machine: Machine, changed: str) -> None:
    machine.bootstrap()
    with (machine.tree / changed).open("a") as file:
        file.write("# changed\n")
    notes = machine.bootstrap()[2]
    assert any("--require-hashes" in note for note in notes)
    assert "python -m venv .venv" not in notes


def test_a_half_made_environment_is_made_anew(machine: Machine) -> None:
    machine.bootstrap()
    (machine.tree / ".venv/.unfinished").touch()
    (machine.tree / ".venv/leftover").touch()
    assert "python -m venv .venv" in machine.bootstrap()[2]
    assert not (machine.tree / ".venv/leftover").exists()


def test_a_moved_checkout_gets_an_environment_of_its_own(machine: Machine) -> None:
    machine.bootstrap()
    machine.tree = machine.tree.rename(machine.place / "elsewhere")
    assert "python -m venv .venv" in machine.bootstrap()[2]


def test_an_install_that_fails_is_not_taken_for_done(machine: Machine) -> None:
    machine.add("python3", PYTHON.replace("esac", "*require-hashes*) exit 1 ;;\nesac"))
    assert machine.bootstrap()[0] == 1
    machine.add("python3", PYTHON)
    assert any("--require-hashes" in note for note in machine.bootstrap()[2])


def test_no_python_that_is_new_enough_is_said_with_a_remedy(machine: Machine) -> None:
    code, said, _ = machine.bootstrap(TOO_OLD="1")
    assert code == 69
    assert "needs Python 3.11 or newer" in said
    assert "sudo apt-get install -y --no-install-recommends python3 python3-venv" in said


def test_a_python_without_its_venv_package_is_said_with_a_remedy(machine: Machine) -> None:
    (machine.place / "venv-package").unlink()
    code, said, _ = machine.bootstrap()
    assert code == 69
    assert "    sudo apt-get install -y --no-install-recommends python3.11-venv\n" in said
    assert not (machine.tree / ".venv").exists()


def test_root_on_debian_has_it_installed(machine: Machine) -> None:
    (machine.place / "venv-package").unlink()
    machine.become_debian_root()
    code, said, notes = machine.bootstrap()
    assert code == 0, said
    asked = [note for note in notes if note.startswith("apt-get")]
    assert len(asked) == 1  # with good lists there is no need to fetch them
    assert asked[0].endswith("python3.11-venv (noninteractive)")


def test_lists_of_packages_are_fetched_only_when_they_are_missing(machine: Machine) -> None:
    (machine.place / "venv-package").unlink()
    machine.become_debian_root(with_lists=False)
    code, said, notes = machine.bootstrap()
    assert code == 0, said
    assert [note.split()[1] for note in notes if note.startswith("apt-get")] == [
        "install",
        "update",
        "install",
    ]


def test_qt_is_needed_only_where_something_can_be_shown(machine: Machine) -> None:
    (machine.place / "qt").unlink()
    assert machine.bootstrap("run")[0] == 0
    code, said, _ = machine.bootstrap("run", DISPLAY=":0")
    assert code == 69
    assert (
        "    sudo apt-get install -y --no-install-recommends libxcb-cursor0\n" in said
    )  # and not those that are there


def test_another_system_is_not_asked_for_debians_packages(machine: Machine) -> None:
    (machine.place / "qt").unlink()
    machine.add("uname", "#!/bin/sh\necho Darwin\n")
    assert machine.bootstrap("run", DISPLAY=":0")[0] == 0


def test_programs_that_only_tests_need_are_asked_for_only_then(machine: Machine) -> None:
    assert machine.bootstrap("lint")[0] == 0
    code, said, _ = machine.bootstrap("test")
    assert code == 69
    assert "xvfb" in said
    machine.add("Xvfb", "#!/bin/sh\n")
    assert "xvfb" not in machine.bootstrap("test")[1]
    assert "firefox-esr" in machine.bootstrap("test")[1]
    assert "openbox" not in machine.bootstrap("test")[1]
    assert "openbox" in machine.bootstrap("screenshots")[1]


def test_wine_is_asked_for_only_by_the_tests_that_run_in_it(machine: Machine) -> None:
    (machine.place / "qt").unlink()
    assert "wine" not in machine.bootstrap("test")[1]
    code, said, _ = machine.bootstrap("test-windows")
    assert code == 69
    needed = "wine gcc-mingw-w64-x86-64-win32 bubblewrap"
    assert f"    sudo apt-get install -y --no-install-recommends {needed}\n" in said
    for name in ("wine", "x86_64-w64-mingw32-gcc", "bwrap"):
        machine.add(name, "#!/bin/sh\n")
    assert machine.bootstrap("test-windows")[0] == 0


def test_what_is_asked_for_is_what_linux_calls_it(machine: Machine) -> None:
    """Two words a line: a library or program, and a package in Debian's spelling."""
    text = (machine.tree / "dev/bootstrap").read_text()
    for table in ("qt_libraries", "test_programs", "test_windows_programs", "screenshot_programs"):
        rows = [
            line.split() for line in text.partition(f"{table}='")[2].partition("'")[0].split("\n") if line
        ]
        assert rows
        assert all(len(row) == 2 and row[1] == row[1].lower() for row in rows)
    assert os.access(machine.tree / "dev/bootstrap", os.X_OK)
