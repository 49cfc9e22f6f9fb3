"""A machine for a test: a clean Debian 12 root that boots its own systemd in a container and shares this machine's network."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.e2e.stage import wait_for

RELEASE = "bookworm"
ROOT_AGE_SECONDS = 14 * 86_400
"""How long a root that was made once is taken for the newest."""
MIRROR_VARIABLE = "DECORUM_TEST_MIRROR"
UP = ("running", "degraded")
PLAIN_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


def mirror(environ: Mapping[str, str]) -> str:
    """Return where Debian 12 comes from: what the environment names, or else this machine's own mirror."""
    if named := environ.get(MIRROR_VARIABLE):
        return named
    form = "$(REPO_URI) $(CODENAME) $(LABEL) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", form, "Created-By: Packages"]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        address, *rest = line.split()
        if rest == [RELEASE, "Debian", "main"]:
            return address
    raise LookupError(f"This machine's apt has no Debian 12: name a mirror with {MIRROR_VARIABLE}.")


def clean_root(archive: Path, environ: Mapping[str, str]) -> Path:
    """Return an archive of a root with nothing but apt and systemd; it is made if it is missing or old."""
    if not archive.exists() or time.time() - archive.stat().st_mtime > ROOT_AGE_SECONDS:
        archive.parent.mkdir(parents=True, exist_ok=True)
        source = f"deb {mirror(environ)} {RELEASE} main"
        options = ["--variant=minbase", "--include=systemd-sysv,dbus", "--quiet"]
        fresh = archive.with_name(f"fresh-{archive.name}")
        subprocess.run(["mmdebstrap", *options, RELEASE, str(fresh), source], check=True)
        fresh.replace(archive)
    return archive


class Machine:
    """Owns a booted container.

    Args:
        root: its file system.
        leader: the pid of its first process, as this machine sees it.
    """

    def __init__(self, root: Path, leader: int) -> None:
        self.root, self._leader = root, leader
        self._started: list[subprocess.Popen[bytes]] = []

    def run(
        self, *command: str, user: str | None = None, environ: Mapping[str, str] = {}, seconds: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run a program in it to its end; what it prints comes back, standard error included."""
        return subprocess.run(
            [*self._inside(), *_as(user), *command],
            env={**PLAIN_ENVIRONMENT, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )

    def tell(self, *command: str, user: str | None = None, environ: Mapping[str, str] = {}) -> str:
        """Return what a program prints that must succeed."""
        done = self.run(*command, user=user, environ=environ)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout.strip()

    def start(self, *command: str, user: str, environ: Mapping[str, str] = {}) -> "subprocess.Popen[bytes]":
        """Start a program in it that is left running until the test ends it."""
        started = subprocess.Popen(
            [*self._inside(), *_as(user), *command],
            env={**PLAIN_ENVIRONMENT, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._started.append(started)
        return started

    def wait_for_started(self) -> None:
        """Wait until everything has ended that was left running."""
        while self._started:
            self._started.pop().wait(30)

    def show(self, unit: str, what: str) -> str:
        """Return a property of a unit."""
        return self.tell("systemctl", "show", unit, "--property", what, "--value")

    def install(self, *packages: str, environ: Mapping[str, str] = {}) -> "subprocess.CompletedProcess[str]":
        """Have apt install, without asking anything."""
        options = ("-y", "--no-install-recommends", "--allow-downgrades", "--reinstall")
        silent = {"DEBIAN_FRONTEND": "noninteractive", **environ}
        return self.run("apt-get", "install", *options, *packages, environ=silent, seconds=1500)

    def _inside(self) -> tuple[str, ...]:
        return ("nsenter", "--all", "--target", str(self._leader))


def _as(user: str | None) -> tuple[str, ...]:
    return () if user is None else ("runuser", "--user", user, "--")


@contextlib.contextmanager
def booted(archive: Path, folder: Path, packages: Path) -> Iterator[Machine]:
    """Give a machine that has booted, and turn it off afterwards.

    Args:
        archive: its file system.
        folder: an empty folder to unpack it in.
        packages: a folder that keeps what its apt fetches.
    """
    root = folder / "root"
    root.mkdir()
    packages.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(root), "--exclude=./dev/*"], check=True)
    (root / "etc" / "machine-id").write_text("")
    command = [
        "systemd-nspawn",
        "--quiet",
        "--keep-unit",
        "--register=no",
        "--boot",
        "--capability=CAP_NET_ADMIN",
        f"--directory={root}",
    ]
    command += [f"--machine=decorum-{os.getpid()}", "--resolv-conf=bind-host", "--link-journal=no"]
    command += [f"--bind={packages}:/var/cache/apt/archives"]
    with (folder / "boot.log").open("wb") as log:
        container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        machine = wait_for(lambda: _if_booted(root, container), "the boot", 180)
        yield machine
        machine.run("systemctl", "poweroff")
        container.wait(60)
    finally:
        if container.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(_first_child(container) or container.pid, 9)
            container.kill()
            container.wait(30)


def _if_booted(root: Path, container: "subprocess.Popen[bytes]") -> Machine | None:
    """Return the machine once it has booted; while it is set up, another process than its first is the container's child."""
    leader = _first_child(container)
    if leader is None:
        return None
    machine = Machine(root, leader)
    return machine if machine.run("systemctl", "is-system-running").stdout.strip() in UP else None


def _first_child(container: "subprocess.Popen[bytes]") -> int | None:
    assert container.poll() is None, "systemd-nspawn ended at once: see boot.log"
    children = Path(f"/proc/{container.pid}/task/{container.pid}/children").read_text().split()
    return int(children[0]) if children else None
