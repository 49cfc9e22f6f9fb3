"""The one folder that holds the demo's state: who may use it, what it remembers, and when it may be removed."""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dev.demo.errors import DemoError

FOLDER_VARIABLE = "DECORUM_RUN_FOLDER"
LONGEST_SOCKET_PATH_BYTES = 100
"""unix(7) allows 107."""
_MEMORY = "demo.json"
_LOCK = "decorum-run.lock"


class RunFolder:
    """Owns the folder. Nothing else may use it at the same time, and a folder that it did not make it does not touch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.server = path / "server"
        self.device = path / "device"
        self.settings = self.device / "settings.toml"
        self.logs = path / "logs"
        self.lock = -1

    def open(self) -> None:
        """Make the folder if it is not there, and keep others from it.

        Raises:
            DemoError: it is in use, or holds something else.
        """
        self._check_own()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(self.lock, 20).decode() or "unknown"
            raise DemoError(
                f"It is running already (process {pid}), with its state in {self.path}.\n"
                f"Stop it with Ctrl-C there, or set {FOLDER_VARIABLE} to another folder."
            ) from error
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, str(os.getpid()).encode(), 0)

    def make_rooms(self) -> None:
        """Make the folders inside. What a first start left unfinished is thrown away: it never was of use."""
        if not self.remembered().get("ready"):
            for folder in (self.server, self.device):
                if folder.exists():
                    shutil.rmtree(folder)
            self.remember({})
        for folder in (self.server, self.device, self.logs):
            folder.mkdir(mode=0o700, exist_ok=True)

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path)
        shutil.rmtree(self._short_place(), ignore_errors=True)

    def remembered(self) -> dict[str, object]:
        """Return what an earlier start remembered; nothing on the first."""
        try:
            memory = json.loads((self.path / _MEMORY).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise DemoError(f"{self.path / _MEMORY} cannot be read. `make clean-run` starts anew.") from error
        return dict(memory)

    def remember(self, memory: Mapping[str, object]) -> None:
        """Keep something for the next start, whole or not at all."""
        spare = self.path / f"{_MEMORY}.new"
        spare.write_text(json.dumps(memory), encoding="utf-8")
        spare.replace(self.path / _MEMORY)

    def socket(self) -> Path:
        """Return where the agent listens; elsewhere, if the folder's own path is too long for a socket."""
        usual = self.path / "agent.sock"
        if len(os.fsencode(usual)) <= LONGEST_SOCKET_PATH_BYTES:
            return usual
        short = self._short_place()
        short.mkdir(mode=0o700, exist_ok=True)
        if short.is_symlink() or short.stat().st_uid != os.getuid():
            raise DemoError(f"{short} belongs to somebody else. Set {FOLDER_VARIABLE} to a shorter path.")
        return short / "agent.sock"

    def _short_place(self) -> Path:
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"decorum-run-{digest}"

    def _check_own(self) -> None:
        if not self.path.exists():
            return
        if not self.path.is_dir() or (any(self.path.iterdir()) and not (self.path / _LOCK).exists()):
            raise DemoError(f"{self.path} holds something else; set {FOLDER_VARIABLE} to an empty folder.")
