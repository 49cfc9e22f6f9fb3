"""The catalogue in use: the published one once it has come and holds, otherwise the one that came with this program.

The published one is kept sealed in a file beside the state, so that its seal is asked again at each start. A file that is torn or was
changed is set aside and said so; then what came with the program is used until the server sends it again.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from agent.catalogue import shipped_entries
from agent.errors import DistrustError, StateError
from agent.journal import Journal
from agent.policy_shelf import Refused
from agent.private_file import write_private
from agent.store import Store
from agent.trust import Trust, verify_catalogue
from contract import wire
from contract.catalogue import Catalogue, Written, catalogue_of
from contract.catalogue_bundle import CatalogueBundle, is_newer
from contract.errors import MalformedError
from contract.local import CatalogueInUse
from contract.matching import Matcher
from contract.messages import REPLY_LIMIT_BYTES
from contract.observations import Trouble
from contract.overlay import merge
from contract.version import VERSION

FILE_NAME = "catalogue.json"
REFUSED = "catalogue_refused"
"""The code under which a refusal is reported."""
_HIGHEST = "catalogue_version"


class Kept(msgspec.Struct, frozen=True):
    """What stands in the file."""

    sealed: str
    certificates: tuple[str, ...]


class CatalogueShelf:
    """Owns the file and what is made of it; never changes what a catalogue says.

    Args:
        file: where the published catalogue stays.
        store: remembers the highest version and the last refusal.
        journal: told of each that is applied or refused.
        shipped: gives the entries that came with this program.
        release: this program's.
    """

    def __init__(
        self,
        file: Path,
        store: Store,
        journal: Journal,
        shipped: Callable[[], dict[str, Written]] = shipped_entries,
        release: str = VERSION,
    ) -> None:
        self._file, self._store, self._journal = file, store, journal
        self._shipped, self._release = shipped, release
        self._current = 0
        self._use_shipped()

    @property
    def version(self) -> int:
        """The version of the published catalogue in use; 0 without one."""
        return self._said.version

    @property
    def newest(self) -> int:
        """The highest version that was ever taken here; no older one is taken again."""
        return max(self.version, self._highest())

    @property
    def in_use(self) -> CatalogueInUse:
        """What is in use, as people are told."""
        return msgspec.structs.replace(self._said, current=self._current)

    def load(self, trust: Trust) -> None:
        """Use what is kept, if its seal still holds.

        Raises:
            DistrustError: it was damaged or changed, and is set aside; what came with this program is used.
        """
        try:
            bundle = self._kept(trust)
        except DistrustError as error:
            self._use_shipped()
            aside = self._set_aside()
            raise DistrustError(
                f"The company's catalogue could not be used and was set aside as {aside}: {error.detail}",
                error.reason,
            ) from error
        if bundle is None:
            self._use_shipped()
            return
        self.catalogue, is_own = laid_over(self._shipped(), bundle, self._release)
        self.matcher = Matcher(self.catalogue)
        self._said = CatalogueInUse(
            version=bundle.version,
            issued=bundle.issued_at,
            release=self._release if is_own else bundle.release,
            corrections=len(bundle.overlay.entries) + len(bundle.overlay.never),
        )

    def note_current(self, version: int) -> None:
        """Take note of the version that the server's sealed answer names."""
        self._current = version

    def keep(self, sealed: str, certificates: Sequence[str], bundle: CatalogueBundle, now: datetime) -> bool:
        """Keep a catalogue that holds, in the caller's transaction; False if it is in use already.

        It is in use once the caller has loaded it, after the transaction.

        Raises:
            StateError: the file cannot be written.
        """
        self._store.remember(REFUSED, "")
        if bundle.version == self.version:
            return False
        kept = Kept(sealed, tuple(certificates))
        try:
            write_private(self._file, wire.encode(kept).decode())
        except OSError as error:
            raise StateError(
                f"{self._file} cannot be written ({error}).", "Check its owner and the free space."
            ) from error
        self._store.remember(_HIGHEST, str(max(bundle.version, self.newest)))
        self._journal.append("agent", {"catalogue": bundle.version}, now)
        return True

    def refuse(self, sealed: str, error: DistrustError, now: datetime) -> Trouble | None:
        """Record a catalogue that does not hold, in the caller's transaction; None if it was refused before."""
        digest = wire.digest(sealed.encode())
        known = self._refusal()
        if known is not None and known.digest == digest:
            return None
        self._store.remember(REFUSED, wire.encode(Refused(digest, error.detail)).decode())
        trouble = Trouble(
            code=REFUSED, detail=f"A catalogue was refused ({error.reason}): {error.detail}"[:200], at=now
        )
        self._journal.append("trouble", trouble, now)
        return trouble

    def refused(self) -> str | None:
        """Return why the last catalogue that came was refused, unless a good one has come since."""
        known = self._refusal()
        return None if known is None else known.sentence

    def _kept(self, trust: Trust) -> CatalogueBundle | None:
        bundle = kept_in(self._file, trust)
        if bundle is not None and bundle.version < self._highest():
            raise DistrustError(f"It is version {bundle.version}, and a newer one was here.", "older")
        return bundle

    def _highest(self) -> int:
        return int(self._store.fact(_HIGHEST) or 0)

    def _refusal(self) -> Refused | None:
        text = self._store.fact(REFUSED)
        return wire.decode(Refused, text.encode(), limit_bytes=REPLY_LIMIT_BYTES) if text else None

    def _use_shipped(self) -> None:
        self.catalogue = catalogue_of(self._shipped())
        self.matcher = Matcher(self.catalogue)
        self._said = CatalogueInUse(version=0, release=self._release)

    def _set_aside(self) -> str:
        aside = self._file.with_name(f"{self._file.name}.damaged")
        try:
            self._file.replace(aside)
        except OSError:
            return f"{aside.name}, which failed"
        return aside.name


def kept_in(file: Path, trust: Trust) -> CatalogueBundle | None:
    """Return the catalogue that a file keeps; None without one. Nothing is changed.

    Raises:
        DistrustError: it cannot be read, is torn, or its seal does not hold.
    """
    try:
        with file.open("rb") as opened:
            untrusted = opened.read(REPLY_LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        # Without the path, which names a person: this sentence is reported.
        raise DistrustError(f"It cannot be read ({error.strerror}).", "unreadable") from error
    try:
        kept = wire.decode(Kept, untrusted, limit_bytes=REPLY_LIMIT_BYTES)
    except MalformedError as error:
        raise DistrustError(f"It is damaged: {error.detail}", "malformed") from error
    return verify_catalogue(kept.sealed, kept.certificates, trust, at=None)


def laid_over(
    shipped: Mapping[str, Written], bundle: CatalogueBundle, release: str = VERSION
) -> tuple[Catalogue, bool]:
    """Return the newer of two lists with the overlay over it, and whether the newer one is this program's own.

    Args:
        shipped: the list that came with this program.
        bundle: the published one, whose own parts fit together.
        release: this program's.
    """
    if is_newer(release, bundle.release):
        try:
            return merge(shipped, bundle.overlay), True
        except MalformedError:
            pass  # the newer list has no place any more for a correction; it was checked against the published one
    return bundle.catalogue(), False
