"""macOS: managed preferences, which an MDM profile lays down and only the system can write.

It has not run on macOS yet: its translation is tested with property lists written here.
"""

import plistlib
from pathlib import Path
from xml.parsers.expat import ExpatError

from agent.errors import SettingsError
from agent.managed.files import stamp_of

DOMAIN = "org.decorum.agent"
PLACE = Path("/Library/Managed Preferences") / f"{DOMAIN}.plist"
_APPLES_OWN = "Payload"
"""Keys that the profile itself brings along begin so."""


class Preferences:
    """A `ManagedSource`.

    Args:
        file: the property list, in XML or binary form.
    """

    def __init__(self, file: Path = PLACE) -> None:
        self._file = file

    def read(self) -> dict[str, object] | None:
        """Return the property list as tables."""
        try:
            said = plistlib.loads(self._file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsError(
                f"{self._file} cannot be read ({error.strerror}).", "Check the profile."
            ) from error
        except (
            ValueError,
            ExpatError,
            OverflowError,
            RecursionError,
            AttributeError,
            TypeError,
            KeyError,
        ) as error:
            raise SettingsError(f"{self._file} is no property list.", "Install the profile again.") from error
        if not isinstance(said, dict):
            raise SettingsError(f"{self._file} holds no dictionary.", "Install the profile again.")
        return {str(name): value for name, value in said.items() if not str(name).startswith(_APPLES_OWN)}

    def stamp(self) -> object:
        """Return the file's stamp."""
        return stamp_of(self._file)

    def places(self) -> tuple[str, ...]:
        """Return the file."""
        return (str(self._file),)
