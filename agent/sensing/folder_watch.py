"""Being told by the system that something in a folder was made, changed or removed: watchdog's threads, which sleep until then."""

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Protocol

LIMIT_REMEDY = (
    "Raise fs.inotify.max_user_watches and fs.inotify.max_user_instances, then start the agent again."
)


class NoWatchError(Exception):
    """The system does not tell."""

    def __init__(self, why: str, remedy: str | None = None) -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


class FolderWatch(Protocol):
    """One way of being told."""

    def begin(self, folders: Iterable[Path], told: Callable[[], None]) -> None:
        """Watch these folders instead of those before; `told` is called in any thread; raise NoWatchError."""

    def end(self) -> None:
        """Watch nothing any more."""


class SystemFolderWatch:
    """A `FolderWatch` by the operating system: inotify, FSEvents or ReadDirectoryChangesW."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None

    def begin(self, folders: Iterable[Path], told: Callable[[], None]) -> None:
        """Watch these folders, not what lies in folders within them."""
        from watchdog.events import (  # noqa: PLC0415 - imported with the first folder that is there
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileClosedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
            FileSystemEvent,
            FileSystemEventHandler,
        )
        from watchdog.observers import Observer  # noqa: PLC0415 - alike
        from watchdog.observers.polling import PollingObserver  # noqa: PLC0415 - alike

        class Handler(FileSystemEventHandler):
            def on_any_event(self, _: FileSystemEvent) -> None:
                told()

        # It logs an error when a thread of its own ends while another hands it an event; nobody could do anything about that.
        logging.getLogger("watchdog").setLevel(logging.CRITICAL)
        self.end()
        # Not that a file was read: whoever opens a menu reads every desktop entry.
        heard: list[type[FileSystemEvent]] = [
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileClosedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileMovedEvent,
        ]
        try:
            observer = Observer()
            # What watchdog makes do with elsewhere: it would read every folder each second.
            if isinstance(observer, PollingObserver):
                raise NoWatchError("This system has no way to tell of changes in folders.")
            observer.daemon = True
            observer.start()
            self._stop = observer.stop
            for folder in folders:
                observer.schedule(Handler(), str(folder), recursive=False, event_filter=heard)
        except OSError as error:
            self.end()
            raise _explained(error) from error

    def end(self) -> None:
        """Let the threads end; each does by itself."""
        stop, self._stop = self._stop, None
        if stop is not None:
            stop()


def watch_here(watch: FolderWatch, folders: Collection[Path], told: Callable[[], None]) -> None:
    """Watch these folders and be told in the loop that this is called in; watch nothing where there are none; raise NoWatchError."""
    if not folders:
        watch.end()
        return
    loop = asyncio.get_running_loop()

    def told_in_a_thread() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed; nobody asks any more
            loop.call_soon_threadsafe(told)

    watch.begin(folders, told_in_a_thread)


def _explained(error: OSError) -> NoWatchError:
    if error.errno in {errno.ENOSPC, errno.EMFILE}:
        return NoWatchError(
            "This user may watch no more folders (a limit of inotify is reached).", LIMIT_REMEDY
        )
    return NoWatchError(f"The system refuses to watch the folders ({error.strerror or error}).")
