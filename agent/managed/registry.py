r"""Windows: group policy in the registry, which only administrators can write.

Values are REG_SZ, REG_DWORD or REG_QWORD under the policies' key; a table such as `ceiling` is a key below it, and `ceiling\company` one
below that.
"""

from typing import Any, Protocol

from agent.errors import SettingsError

PLACE = r"SOFTWARE\Policies\Decorum"
DEEPEST = 4


class WinReg(Protocol):
    """What is used of Python's `winreg` (its documentation, 3.11)."""

    HKEY_LOCAL_MACHINE: Any
    REG_SZ: int
    REG_DWORD: int
    REG_QWORD: int

    def OpenKey(self, key: Any, sub_key: str) -> Any:  # noqa: N802 - its own name
        """Open a key."""

    def EnumValue(self, key: Any, index: int) -> tuple[str, Any, int]:  # noqa: N802 - alike
        """Return a value's name, data and type; OSError behind the last."""

    def EnumKey(self, key: Any, index: int) -> str:  # noqa: N802 - alike
        """Return the name of a key below; OSError behind the last."""

    def QueryInfoKey(self, key: Any) -> tuple[int, int, int]:  # noqa: N802 - alike
        """Return how many keys and values there are, and when the key was changed."""


class Registry:
    """A `ManagedSource`.

    Args:
        winreg: Python's module; another one in tests.
    """

    def __init__(self, winreg: WinReg | None = None) -> None:
        self._winreg = winreg or _system()

    def read(self) -> dict[str, object] | None:
        """Return the key as tables."""
        try:
            key = self._winreg.OpenKey(self._winreg.HKEY_LOCAL_MACHINE, PLACE)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsError(
                f"HKLM\\{PLACE} cannot be read ({error.strerror}).", "Check its permissions."
            ) from error
        return self._table(key, PLACE, DEEPEST)

    def stamp(self) -> object:
        """Return what was read: a change below a key does not show in the key's own time."""
        return repr(self.read())

    def places(self) -> tuple[str, ...]:
        """Return the key."""
        return (f"HKLM\\{PLACE}",)

    def _table(self, key: Any, place: str, deeper: int) -> dict[str, object]:
        keys, values, _ = self._winreg.QueryInfoKey(key)
        table: dict[str, object] = {}
        for index in range(values):
            name, data, kind = self._winreg.EnumValue(key, index)
            if kind not in {self._winreg.REG_SZ, self._winreg.REG_DWORD, self._winreg.REG_QWORD}:
                raise SettingsError(
                    f"HKLM\\{place}\\{name} is of a type that no setting has.", "Use REG_SZ or REG_DWORD."
                )
            table[name] = data
        for index in range(keys):
            name = self._winreg.EnumKey(key, index)
            if deeper == 0:
                raise SettingsError(f"HKLM\\{place} is nested too deeply.", "Write flat keys.")
            below = self._winreg.OpenKey(key, name)
            table[name] = self._table(below, f"{place}\\{name}", deeper - 1)
        return table


def _system() -> WinReg:
    import winreg  # noqa: PLC0415 - Windows only

    module: Any = winreg
    found: WinReg = module
    return found
