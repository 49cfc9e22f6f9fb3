"""Installed applications of macOS: the bundles in the folders for applications, each by its Info.plist."""

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.sensing.app_bundles import BundleIndex
from agent.sensing.applications import Application, CannotLookError, changed_at
from contract.facts import ProcessFacts

BUNDLES_AT_MOST = 2_000
SHARED = (Path("/Applications"), Path("/Applications/Utilities"))


class MacosApplications:
    """An `Applications` for macOS.

    Args:
        shared: folders for everybody's applications.
        own: the user's own folder for them.
    """

    def __init__(self, shared: tuple[Path, ...], own: Path) -> None:
        self._shared, self._own = shared, own
        self._as_read: tuple[int, ...] | None = None

    def folders(self) -> tuple[Path, ...]:
        """Return the folders for applications."""
        return (*self._shared, self._own)

    def has_changed(self) -> bool:
        """Tell whether a folder changed since."""
        return self._as_read != self._changed_at()

    def read(self) -> Iterator[Application]:
        """Give the bundles that say what they are."""
        self._as_read = self._changed_at()
        index = BundleIndex()
        for folder in self.folders():
            for bundle in _bundles(folder):
                facts = facts_of_bundle(index, bundle)
                if facts is not None:
                    yield Application(facts, is_own=folder == self._own)

    def _changed_at(self) -> tuple[int, ...]:
        return tuple(changed_at(folder) for folder in self.folders())


def facts_of_bundle(index: BundleIndex, bundle: str) -> ProcessFacts | None:
    """Return the facts of the process that a bundle would start; None where it says too little of itself."""
    exe = index.program_of(bundle)
    about = None if exe is None else index.for_process(exe)
    if about is None:
        return None
    return ProcessFacts(
        platform="macos",
        exe=exe,
        bundle_id=about.bundle_id,
        app_bundle=about.app_bundle,
        app_category=about.app_category,
        url_schemes=about.url_schemes or None,
    )


def _bundles(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found if entry.name.lower().endswith(".app"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise CannotLookError(f"{folder} cannot be read ({error.strerror}).") from error
    for name in islice(names, BUNDLES_AT_MOST):
        yield f"{folder}/{name}"
