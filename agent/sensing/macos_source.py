"""What macOS tells of a process besides psutil's facts: the application bundle that its executable lies in."""

import msgspec

from agent.sensing.app_bundles import BundleIndex
from agent.sensing.process_source import ProcessKey, Reading
from agent.sensing.psutil_source import PsutilSource


class MacosSource(PsutilSource):
    """A `ProcessSource` for macOS. Paths are told for every user's processes, command lines for one's own unless run as root."""

    def __init__(self) -> None:
        self._bundles = BundleIndex()

    def read(self, key: ProcessKey) -> Reading:
        """Return psutil's facts with what the bundle says."""
        reading = super().read(key)
        bundle = self._bundles.for_process(reading.image.exe or "")
        if bundle is None:
            return reading
        facts = msgspec.structs.replace(
            reading.facts,
            bundle_id=bundle.bundle_id,
            app_bundle=bundle.app_bundle,
            app_category=bundle.app_category,
            url_schemes=bundle.url_schemes or None,
        )
        return msgspec.structs.replace(reading, facts=facts)
