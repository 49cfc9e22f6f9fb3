"""Several places of managed settings as one: on macOS an administrator's file, and what MDM lays down, which wins."""

from agent.managed.interface import ManagedSource


class Layers:
    """A `ManagedSource`.

    Args:
        sources: later ones win, key by key.
    """

    def __init__(self, *sources: ManagedSource) -> None:
        self._sources = sources

    def read(self) -> dict[str, object] | None:
        """Return what all of them say together; None if none says anything."""
        said = [layer for layer in (source.read() for source in self._sources) if layer is not None]
        return {name: value for layer in said for name, value in layer.items()} if said else None

    def stamp(self) -> object:
        """Return each one's own stamp."""
        return tuple(source.stamp() for source in self._sources)

    def places(self) -> tuple[str, ...]:
        """Return where each looks."""
        return tuple(place for source in self._sources for place in source.places())
