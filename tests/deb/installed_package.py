"""`make test-deb`: the package in a clean Debian 12 that really boots, from a silent installation to a purge, in this order."""

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.provisioning import SECRET_VARIABLE
from tests.deb.machine import Machine, booted, clean_root
from tests.e2e.stage import Stage, policy_text, staged, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400)]
CHECKOUT = Path(__file__).resolve().parents[2]
UNIT = CHECKOUT / "installer" / "linux" / "decorum.service"
LIMITS = """
notice = "given"
check_in_seconds = 5
poll_milliseconds = 500
[ceiling.company]
work = "exact"
personal = "exact"
unknown = "exact"
"""
"""What device management has laid down before: the settings that an installer is not given."""
CAPABILITIES = {"CAP_SYS_PTRACE": 19, "CAP_NET_ADMIN": 12, "CAP_DAC_READ_SEARCH": 2}
"""linux/capability.h, those that sensing might ask for."""
NOT_OURS = re.compile(
    r"/(var/(log|cache|tmp)|var/lib/(apt|dpkg|systemd/(random-seed|timers|catalog))|tmp|root)(/|$)|.*\.pyc$"
)
"""Where the system itself writes while packages come and go."""


class Trial:
    """A machine, and the server that it is to be enrolled with."""

    def __init__(self, machine: Machine, stage: Stage, package: Path) -> None:
        self.machine, self.stage = machine, stage
        self.package = f"/{package.name}"
        self.secret = ""
        self.before: set[str] = set()
        self.device = ""

    def given(self) -> dict[str, str]:
        """Return what the installer is given: a fresh secret, and whom to believe."""
        told = self.stage.server("enrol-secret").split()
        self.secret = next(word for word in told if "." in word and "/" not in word and len(word) > 20)
        return {
            "DECORUM_SERVER_URL": self.stage.url,
            "DECORUM_ROOT_FINGERPRINT": self.stage.server("root-fingerprint").split()[-1],
            "DECORUM_OWNERSHIP": "company",
            SECRET_VARIABLE: self.secret,
        }

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the server's database."""
        file = self.stage.folder / "server" / "server.sqlite3"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
            return database.execute(question, values).fetchall()

    def devices(self) -> list[tuple[Any, ...]]:
        """Return the devices that the server knows and has heard from, newest last."""
        columns = "id, assurance, ownership, name, taken_highest, taken_gaps, last_check_in_at"
        asked = f"SELECT {columns} FROM fleet_device WHERE last_check_in_at IS NOT NULL ORDER BY enrolled_at"
        return self.ask(asked)

    def verdicts(self, messenger: str) -> list[str]:
        """Return what the server was told of a messenger, in the order of the reports."""
        rows = self.ask("SELECT body FROM fleet_receivedobservation WHERE body IS NOT NULL ORDER BY sequence")
        bodies = [json.loads(body) for (body,) in rows]
        return [str(body["verdict"]) for body in bodies if body.get("messenger") == messenger]

    def start_messenger(self) -> None:
        """Have alice start a messenger under another name."""
        self.machine.start("bash", "-c", "exec -a something /home/alice/telegram-desktop 7200", user="alice")

    def end_all_of(self, user: str) -> None:
        """End every program of a user; the clean machine has neither ps nor pkill."""
        found = f"find /proc -maxdepth 1 -name '[1-9]*' -user {user} -printf '%f '"
        self.machine.run("bash", "-c", f"kill -TERM $({found})")
        self.machine.wait_for_started()

    def pids_of(self, user: str) -> list[str]:
        """Return the processes of a user."""
        return self.machine.tell(
            "find", "/proc", "-maxdepth", "1", "-name", "[1-9]*", "-user", user, "-printf", "%f\n"
        ).splitlines()

    def status(self) -> dict[str, Any]:
        """Return what `decorum status --json` tells root."""
        told: dict[str, Any] = json.loads(self.machine.run("decorum", "status", "--json").stdout)
        return told

    def seen(self, messenger: str) -> dict[str, Any] | None:
        """Return a messenger's row in the status."""
        rows = self.status().get("messengers", ())
        return next((row for row in rows if row["messenger"] == messenger), None)

    def doctor(self) -> dict[str, tuple[str, str]]:
        """Return grade and sentence of each check."""
        told = json.loads(self.machine.run("decorum", "doctor", "--json").stdout)
        return {one["check"]: (one["grade"], one["sentence"]) for one in told["findings"]}

    def is_active(self) -> bool:
        """Tell whether the service runs."""
        return self.machine.show("decorum", "ActiveState") == "active"

    def files(self) -> set[str]:
        """Return every file and folder of the machine's own disk, without what the system itself writes all the time."""
        told = self.machine.tell("find", "/", "-xdev", "-print").splitlines()
        return {path for path in told if not NOT_OURS.match(path)}

    def holding(self, text: str) -> list[str]:
        """Return the files that hold a text: all of the disk, and what is kept in memory for the running system."""
        told = self.machine.run(
            "grep",
            "-rlaF",
            "--exclude-dir=proc",
            "--exclude-dir=sys",
            "--exclude-dir=archives",
            "-e",
            text,
            "/",
        )
        return [line for line in told.stdout.splitlines() if line.startswith("/")]


@pytest.fixture(scope="module")
def trial(
    tmp_path_factory: pytest.TempPathFactory, machine_environment: Mapping[str, str]
) -> Iterator[Trial]:
    assert os.geteuid() == 0, "A container is booted, so this is run as root: sudo make test-deb"
    (package,) = (CHECKOUT / "dist").glob("decorum_*.deb")
    build = CHECKOUT / "build"
    folder = tmp_path_factory.mktemp("machine")
    archive = clean_root(build / "debian-12.tar", machine_environment)
    with (
        booted(archive, folder, build / "packages") as machine,
        staged(tmp_path_factory.mktemp("server")) as stage,
    ):
        (machine.root / package.name).write_bytes(package.read_bytes())
        stage.server("migrate")
        stage.server("create-admin", "admin", "--password-stdin", feed="a-long-password-for-tests\n")
        stage.publish(policy_text("telegram", "banned"))
        stage.start_server()
        one = Trial(machine, stage, package)
        machine.tell("apt-get", "update", "-qq")
        machine.tell("useradd", "--create-home", "--shell", "/bin/bash", "alice")
        machine.tell("chmod", "700", "/home/alice")
        machine.tell("cp", "/usr/bin/sleep", "/home/alice/telegram-desktop")
        one.before = one.files()
        machine.tell("mkdir", "-p", "/etc/decorum/settings.d")
        (machine.root / "etc/decorum/settings.d/20-limits.toml").write_text(LIMITS)
        yield one
        one.end_all_of("alice")


def declared_capabilities() -> set[str]:
    """Return what the unit file asks for."""
    (found,) = re.findall(r"^AmbientCapabilities=(.*)$", UNIT.read_text(), re.MULTILINE)
    return set(found.split())


def test_it_installs_without_a_question_and_is_ready(trial: Trial) -> None:
    done = trial.machine.install(trial.package, environ=trial.given())
    print(done.stdout)
    assert done.returncode == 0, done.stdout
    assert trial.secret not in done.stdout
    assert trial.is_active()
    assert trial.machine.show("decorum", "SubState") == "running"


def test_it_runs_as_a_user_of_its_own_with_the_declared_capabilities_and_no_other(trial: Trial) -> None:
    pid = trial.machine.show("decorum", "MainPID")
    told = trial.machine.tell("cat", f"/proc/{pid}/status")
    status = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    uid = trial.machine.tell("id", "-u", "decorum")
    assert set(status["Uid"].split()) == {uid}
    assert 0 < int(uid) < 1000
    declared = sum(1 << CAPABILITIES[name] for name in declared_capabilities())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind], 16) == declared, f"{kind} {status[kind]}"
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_it_enrols_and_the_console_shows_it_as_managed(trial: Trial) -> None:
    ((device, assurance, ownership, name, *_),) = wait_for(trial.devices, "the first check-in", 60)
    assert (assurance, ownership) == ("managed", "company")
    assert name == trial.machine.tell("uname", "-n")
    assert name in trial.stage.console()("/fleet/device/")
    trial.device = device


def test_the_secret_is_erased_and_nowhere(trial: Trial) -> None:
    wait_for(
        lambda: trial.machine.run("test", "!", "-e", "/var/lib/decorum/enrolment-secret").returncode == 0,
        "it",
    )
    assert "/etc/decorum/settings.d/50-install.toml" in trial.holding(trial.stage.url), (
        "the search finds things"
    )
    assert trial.holding(trial.secret) == []
    assert trial.secret not in trial.machine.tell("journalctl", "--no-pager", "--all", "-o", "verbose")
    running = trial.machine.tell(
        "bash", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'"
    )
    assert "/usr/lib/decorum/decorum" in running
    assert trial.secret not in running


def test_what_is_laid_down_is_whose_it_should_be(trial: Trial) -> None:
    told = trial.machine.tell(
        "stat", "-c", "%U %a %n", "/var/lib/decorum", "/run/decorum", "/etc/decorum/settings.d/50-install.toml",
        "/var/lib/decorum/device-key.jwk",
    )  # fmt: skip
    assert told.splitlines() == [
        "decorum 700 /var/lib/decorum",
        "decorum 755 /run/decorum",
        "root 644 /etc/decorum/settings.d/50-install.toml",
        "decorum 600 /var/lib/decorum/device-key.jwk",
    ]


def test_another_users_messenger_is_seen_by_its_executable_alone_and_judged(trial: Trial) -> None:
    """It calls itself otherwise and lies in a folder that only its user can enter: just the kernel's link tells."""
    assert trial.seen("telegram") is None
    trial.start_messenger()
    row = wait_for(lambda: trial.seen("telegram"), "the messenger here")
    assert (row["profile"], row["verdict"]) == ("work", "violation")
    verdicts = wait_for(lambda: trial.verdicts("telegram"), "the messenger at the server", 60)
    assert set(verdicts) == {"violation"}


def test_a_messenger_whose_file_was_replaced_by_an_update_is_still_told_apart(trial: Trial) -> None:
    """The kernel says "(deleted)" then; whether that belongs to the name can be asked without seeing anybody's files."""
    trial.machine.tell("rm", "/home/alice/telegram-desktop")
    trial.machine.tell("cp", "/usr/bin/sleep", "/home/alice/telegram-desktop")
    trial.machine.tell("systemctl", "restart", "decorum")
    wait_for(lambda: trial.seen("telegram"), "the messenger", 60)


def test_alice_is_told_and_a_stranger_is_not(trial: Trial) -> None:
    hers = json.loads(trial.machine.run("decorum", "status", "--json", user="alice").stdout)
    assert [row["messenger"] for row in hers["messengers"]] == ["telegram"]
    assert trial.machine.run("cat", "/var/lib/decorum/state.sqlite3", user="alice").returncode != 0


def test_a_browser_finds_the_native_host_and_its_pages_are_seen(trial: Trial) -> None:
    """A shell stands for the browser: it starts what the manifest names, as Firefox would, and says what its extension says."""
    manifest = json.loads(
        trial.machine.tell("cat", "/usr/lib/mozilla/native-messaging-hosts/decorum.web.json")
    )
    picture = '{"pages":[{"focused":true,"messenger":"whatsapp"}],"profile":"00112233445566aa"}'
    told = f"printf '\\x{len(picture):02x}\\0\\0\\0%s' '{picture}'; sleep 7200"
    host = f"{manifest['path']} /usr/lib/mozilla/native-messaging-hosts/decorum.web.json web@decorum"
    trial.machine.start("bash", "-c", f"({told}) | {host}", user="alice")
    row = wait_for(lambda: trial.seen("whatsapp"), "the page", 60)
    assert (row["profile"], row["listed"]) == ("work", True)
    trial.end_all_of("alice")
    wait_for(lambda: trial.seen("whatsapp") is None, "its end", 60)
    trial.start_messenger()
    wait_for(lambda: trial.seen("telegram"), "the messenger")


def test_doctor_finds_nothing_but_that_a_container_is_told_of_no_starts(trial: Trial) -> None:
    wait_for(lambda: trial.status()["policy_serial"] == 1, "the policy")
    wait_for(lambda: "is being tried" not in trial.doctor()["starts"][1], "what is told of starts", 60)
    done = trial.machine.run("decorum", "doctor")
    print(done.stdout)
    amiss = {check: said for check, (grade, said) in trial.doctor().items() if grade != "fine"}
    assert set(amiss) == {"starts"}
    assert "tells nothing of a child" in amiss["starts"], (
        "the capability is there, the machine's own processes are not"
    )
    assert done.returncode == 10, done.stdout
    assert f"Enrolled with Our company at {trial.stage.url}" in done.stdout
    assert "The device's key is in /var/lib/decorum/device-key.jwk" in done.stdout


def test_the_tray_has_all_it_needs_and_shows_its_window(trial: Trial) -> None:
    folder = "/usr/lib/decorum/_internal/PySide6/Qt"
    for library in (
        "plugins/platforms/libqxcb.so",
        "plugins/platforms/libqwayland.so",
        "lib/libQt6Network.so.6",
    ):
        assert "not found" not in trial.machine.tell("ldd", f"{folder}/{library}")
    display = open_screen(trial.stage)
    trial.stage.environment |= {"DISPLAY": display}
    trial.stage.start("panel", "trayer", "--edge", "bottom", "--align", "left", "--widthtype", "request")
    screen = {"DISPLAY": display, "HOME": "/home/alice", "QT_QPA_PLATFORM": "xcb"}
    tray = trial.machine.start("decorum-tray", "--show", "status", user="alice", environ=screen)
    search = ["xdotool", "search", "--onlyvisible", "--name", "^Decorum"]

    def window() -> bool:
        return (
            subprocess.run(search, env=trial.stage.environment, capture_output=True, check=False).returncode
            == 0
        )

    wait_for(window, "the tray's window", 60)
    assert tray.poll() is None
    trial.end_all_of("alice")
    trial.start_messenger()


def open_screen(stage: Stage) -> str:
    """Start a screen on which every user of the machine may draw; return its name."""
    stage.start("screen", "Xvfb", "-ac", "-displayfd", "1", "-screen", "0", "1024x700x24", "-nolisten", "tcp")
    number = wait_for(lambda: re.search(r"^(\d+)$", stage.log("screen"), re.MULTILINE), "the screen's number")
    return f":{number[1]}"


def test_the_log_has_no_warning(trial: Trial) -> None:
    assert "Started" in trial.machine.tell("journalctl", "-u", "decorum", "--no-pager"), "the log is written"
    told = trial.machine.tell("journalctl", "-u", "decorum", "-p", "warning", "-q", "--no-pager")
    assert told == ""
    assert trial.machine.run("systemd-analyze", "verify", "--man=no", "decorum.service").stdout == ""
    print(trial.machine.run("systemd-analyze", "security", "decorum.service", "--no-pager").stdout)


def test_a_killed_agent_is_started_anew_and_is_the_same_device(trial: Trial) -> None:
    before = trial.machine.show("decorum", "MainPID")
    trial.machine.tell("bash", "-c", f"kill -KILL {before}")
    wait_for(
        lambda: trial.is_active() and trial.machine.show("decorum", "MainPID") not in {before, "0"}, "it", 60
    )
    assert trial.machine.show("decorum", "NRestarts") == "1"
    assert wait_for(lambda: trial.seen("telegram"), "the messenger")["verdict"] == "violation"
    assert [device for device, *_ in trial.devices()] == [trial.device]


def test_an_agent_that_hangs_is_started_anew(trial: Trial) -> None:
    """A stopped process tells systemd nothing; the period is shortened for this, as an administrator would."""
    folder = trial.machine.root / "etc/systemd/system/decorum.service.d"
    folder.mkdir(parents=True)
    (folder / "soon.conf").write_text("[Service]\nWatchdogSec=4\nRestartSec=1\n")
    trial.machine.tell("systemctl", "daemon-reload")
    trial.machine.tell("systemctl", "restart", "decorum")
    before = trial.machine.show("decorum", "MainPID")
    trial.machine.tell("bash", "-c", f"kill -STOP {before}")
    wait_for(
        lambda: trial.is_active() and trial.machine.show("decorum", "MainPID") not in {before, "0"}, "it", 90
    )
    (folder / "soon.conf").unlink()
    folder.rmdir()
    trial.machine.tell("systemctl", "daemon-reload")
    trial.machine.tell("systemctl", "restart", "decorum")


def test_a_version_over_it_while_it_runs_loses_nothing(trial: Trial, tmp_path: Path) -> None:
    newer = another_version(trial, tmp_path, "9.0.0")
    ((*_, taken_before, _, _),) = trial.devices()
    done = trial.machine.install(newer)
    assert done.returncode == 0, done.stdout
    assert trial.is_active()
    assert "9.0.0" in trial.machine.tell("dpkg-query", "-W", "decorum")
    row = wait_for(lambda: trial.seen("telegram"), "the messenger")
    assert row["verdict"] == "violation"
    trial.end_all_of("alice")
    wait_for(lambda: trial.seen("telegram") is None, "its end")
    wait_for(lambda: trial.devices()[0][4] > taken_before and not trial.status()["waiting"], "every report")
    ((device, assurance, *_, gaps, _),) = trial.devices()
    assert (device, assurance, json.loads(gaps)) == (trial.device, "managed", [])


def test_an_older_version_is_refused_with_a_remedy_and_the_newer_goes_on(trial: Trial) -> None:
    done = trial.machine.install(trial.package)
    assert done.returncode != 0
    assert "cannot read what version 9.0.0 has written" in done.stdout
    assert "purge it first" in done.stdout
    assert "9.0.0" in trial.machine.tell("dpkg-query", "-W", "decorum")
    wait_for(trial.is_active, "the newer one")


def test_removing_stops_it_and_keeps_its_state(trial: Trial) -> None:
    trial.machine.tell("apt-get", "remove", "-y", "-qq", "decorum")
    assert trial.machine.run("systemctl", "is-active", "decorum").stdout.strip() != "active"
    assert trial.pids_of("decorum") == []
    trial.machine.tell("test", "-s", "/var/lib/decorum/state.sqlite3")


def test_purging_leaves_nothing_but_what_others_laid_down(trial: Trial) -> None:
    trial.machine.tell("apt-get", "purge", "-y", "-qq", "decorum")
    assert trial.machine.run("getent", "passwd", "decorum").returncode == 2
    assert trial.machine.run("getent", "group", "decorum").returncode == 2
    owned = set(trial.machine.tell("bash", "-c", "cat /var/lib/dpkg/info/*.list").splitlines())
    left = {path for path in trial.files() - trial.before - owned if "decorum" in path.lower()}
    assert left == {
        "/etc/decorum",
        "/etc/decorum/settings.d",
        "/etc/decorum/settings.d/20-limits.toml",
        "/decorum-9.0.0.deb",
        "/home/alice/.local/state/decorum",  # what her tray remembers is hers
    }
    assert trial.machine.tell("systemctl", "list-units", "--all", "--no-legend", "decorum*") == ""


def test_what_cannot_be_used_is_said_everywhere_and_installs_all_the_same(trial: Trial) -> None:
    done = trial.machine.install(trial.package, environ=trial.given() | {"DECORUM_OWNERSHIP": "compny"})
    assert done.returncode == 0, done.stdout
    assert "DECORUM_OWNERSHIP" in done.stdout
    wait_for(trial.is_active, "the service")
    assert "DECORUM_OWNERSHIP" in trial.machine.tell(
        "journalctl", "-u", "decorum", "-p", "warning", "--no-pager"
    )
    grade, sentence = trial.doctor()["installation"]
    assert (grade, "DECORUM_OWNERSHIP" in sentence) == ("broken", True)
    assert trial.holding(trial.secret) == []
    assert len(trial.devices()) == 1


def test_an_administrator_enrols_it_by_hand_and_the_state_stays_the_services(trial: Trial) -> None:
    secret = trial.given()[SECRET_VARIABLE]
    settings = trial.machine.root / "etc/decorum/settings.d/30-server.toml"
    settings.write_text(f'server_url = "{trial.stage.url}"\nownership = "company"\n')
    command = f"printf %s {secret} | decorum enrol --secret -"
    print(trial.machine.tell("bash", "-c", command))
    wait_for(lambda: len(trial.devices()) == 2, "its first check-in", 60)
    told = trial.machine.tell("bash", "-c", "stat -c %U /var/lib/decorum/*")
    assert set(told.splitlines()) == {"decorum"}


def test_lintian_has_nothing_to_say(trial: Trial) -> None:
    package = CHECKOUT / "dist" / trial.package.strip("/")
    done = subprocess.run(
        ["lintian", "--fail-on", "error,warning", "--allow-root", str(package)],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert (done.returncode, done.stdout) == (0, "")


def another_version(trial: Trial, place: Path, version: str) -> str:
    """Lay the same package down under another version; return its path in the machine."""
    tree = place / "tree"
    subprocess.run(
        ["dpkg-deb", "-R", str(trial.machine.root / trial.package.strip("/")), str(tree)], check=True
    )
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    made = trial.machine.root / f"decorum-{version}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(made)]
    subprocess.run(command, check=True, capture_output=True)
    return f"/{made.name}"
