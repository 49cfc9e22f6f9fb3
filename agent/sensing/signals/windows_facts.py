r"""What follows from Windows' registry and a process's variables about accounts and managements. Pure: the registry is an argument.

* `HKLM\SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo\{id}`, `UserEmail`: the device has joined Microsoft Entra.
* `HKCU\Software\Microsoft\Windows NT\CurrentVersion\WorkplaceJoin\JoinInfo\{id}`, `UserEmail`: a work or school account was added.
  Both are what `dsregcmd /status` shows as AzureAdJoined and WorkplaceJoined (Microsoft Learn, "Troubleshoot devices by using the dsregcmd
  command").
* `HKLM\SOFTWARE\Microsoft\Enrollments\{id}`, `UPN` and `ProviderID`: a management looks after the device.
* `HKLM\SOFTWARE\Microsoft\EnterpriseDesktopAppManagement\{SID}\MSI\{code}`: what that management has installed (Microsoft Learn,
  "EnterpriseDesktopAppManagement CSP"); where to stands below Uninstall.
* Variables of a person's processes: `USERDNSDOMAIN` for a domain's account, `USERDOMAIN` is `AzureAD` for one of Entra.

>>> account_of({"USERDNSDOMAIN": "CORP.EXAMPLE.COM"}, frozenset())
OsAccount(kind='directory', domain='corp.example.com')
>>> account_of({"USERDOMAIN": "PC-7", "COMPUTERNAME": "PC-7"}, frozenset())
OsAccount(kind='local', domain=None)
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from agent.profiles.instances import lies_within
from agent.profiles.signals import OsAccount
from contract.domains import domain_of_address, normalised

VARIABLES = frozenset({"USERDNSDOMAIN", "USERDOMAIN", "COMPUTERNAME", "USERPROFILE"})
KEYS_AT_MOST = 200
_JOINED = r"SYSTEM\CurrentControlSet\Control\CloudDomainJoin\JoinInfo"
_ADDED = r"Software\Microsoft\Windows NT\CurrentVersion\WorkplaceJoin\JoinInfo"
_ENROLLED = r"SOFTWARE\Microsoft\Enrollments"
_DEPLOYED = r"SOFTWARE\Microsoft\EnterpriseDesktopAppManagement"
_INSTALLED = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"


class WinReg(Protocol):
    """What is used of Python's `winreg`."""

    HKEY_LOCAL_MACHINE: Any
    HKEY_CURRENT_USER: Any

    def OpenKey(self, key: Any, sub_key: str) -> Any:  # noqa: N802 - its own name
        """Open a key."""

    def EnumKey(self, key: Any, index: int) -> str:  # noqa: N802 - alike
        """Return the name of a key below; OSError behind the last."""

    def QueryValueEx(self, key: Any, name: str) -> tuple[Any, int]:  # noqa: N802 - alike
        """Return a value and its type; OSError where there is none."""


def joined_domains(winreg: WinReg) -> frozenset[str]:
    """Return the domains of who joined the device to Entra."""
    return _domains(_values(winreg, winreg.HKEY_LOCAL_MACHINE, _JOINED, "UserEmail"))


def work_domains(winreg: WinReg) -> frozenset[str]:
    """Return the domains of work or school accounts that were added, and of those by which the device is managed."""
    added = _values(winreg, winreg.HKEY_CURRENT_USER, _ADDED, "UserEmail")
    managed = _values(winreg, winreg.HKEY_LOCAL_MACHINE, _ENROLLED, "UPN")
    return _domains((*added, *managed))


def is_managed(winreg: WinReg) -> bool:
    """Tell whether a management looks after the device."""
    return any(_values(winreg, winreg.HKEY_LOCAL_MACHINE, _ENROLLED, "ProviderID"))


def is_deployed(winreg: WinReg, exe: str) -> bool:
    """Tell whether the management has installed a program."""
    for sid in _keys(winreg, winreg.HKEY_LOCAL_MACHINE, _DEPLOYED):
        for code in _keys(winreg, winreg.HKEY_LOCAL_MACHINE, rf"{_DEPLOYED}\{sid}\MSI"):
            place = _value(winreg, winreg.HKEY_LOCAL_MACHINE, rf"{_INSTALLED}\{code}", "InstallLocation")
            if place and lies_within(exe, place, None, "windows"):
                return True
    return False


def account_of(variables: Mapping[str, str], joined: frozenset[str]) -> OsAccount | None:
    """Return whose a person's account is.

    Args:
        variables: those of one of their processes.
        joined: domains of who joined the device to Entra.
    """
    named, machine = variables.get("USERDOMAIN", "").upper(), variables.get("COMPUTERNAME", "").upper()
    if domain := normalised(variables.get("USERDNSDOMAIN", "")):
        return OsAccount("directory", domain)
    if named == "AZUREAD":
        return OsAccount("directory", next(iter(joined)) if len(joined) == 1 else None)
    return OsAccount("local") if named and named == machine else None


def _domains(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(domain for one in addresses if (domain := domain_of_address(one)) is not None)


def _values(winreg: WinReg, hive: Any, place: str, name: str) -> Iterator[str]:
    for key in _keys(winreg, hive, place):
        value = _value(winreg, hive, rf"{place}\{key}", name)
        if value:
            yield value


def _keys(winreg: WinReg, hive: Any, place: str) -> Iterator[str]:
    try:
        key = winreg.OpenKey(hive, place)
        for index in range(KEYS_AT_MOST):
            yield winreg.EnumKey(key, index)
    except OSError:
        return


def _value(winreg: WinReg, hive: Any, place: str, name: str) -> str | None:
    try:
        value, _ = winreg.QueryValueEx(winreg.OpenKey(hive, place), name)
    except OSError:
        return None
    return value if isinstance(value, str) else None
