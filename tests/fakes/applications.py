"""What is installed on a made-up device, and a folder watch that tells when a test says so."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agent.sensing.applications import Application, CannotLookError
from agent.sensing.folder_watch import NoWatchError
from contract.facts import ProcessFacts


class FakeApplications:
    """An `Applications` in memory: a test installs and removes, and counts the looks."""

    def __init__(self) -> None:
        self.installed: dict[str, Application] = {}
        self.is_unreadable = False
        self.looks = 0
        self._folders: tuple[Path, ...] = ()
        self._changes = 0
        self._read_at: int | None = None

    def install(self, name: str, *, is_own: bool = False, **facts: object) -> None:
        """Install an application, or renew it."""
        whole = {"platform": "linux", "exe": f"/usr/bin/{name}"} | facts
        self.installed[name] = Application(ProcessFacts(**whole), is_own)  # type: ignore[arg-type]  # a test's own
        self._changes += 1

    def remove(self, name: str) -> None:
        """Remove an application."""
        del self.installed[name]
        self._changes += 1

    def lie_in(self, *folders: Path) -> None:
        """Say where applications lie."""
        self._folders = folders

    def folders(self) -> tuple[Path, ...]:
        """Return where they lie."""
        return self._folders

    def has_changed(self) -> bool:
        """Tell whether anything was installed or removed since it was read."""
        return self._read_at != self._changes

    def read(self) -> Iterator[Application]:
        """Give what is installed."""
        self._read_at = self._changes
        self.looks += 1
        if self.is_unreadable:
            raise CannotLookError("/usr/share/applications cannot be read (Input/output error).")
        yield from self.installed.values()


class FakeFolderWatch:
    """A `FolderWatch` in memory, of which a test can say that the system refuses it."""

    def __init__(self, refusal: NoWatchError | None = None) -> None:
        self.refusal = refusal
        self.begun: list[list[Path]] = []
        self.tell: Callable[[], None] = lambda: None

    def begin(self, folders: Iterable[Path], told: Callable[[], None]) -> None:
        """Watch, or refuse to."""
        self.begun.append(list(folders))
        if self.refusal is not None:
            raise self.refusal
        self.tell = told

    def end(self) -> None:
        """Tell nothing any more."""
        self.tell = lambda: None
