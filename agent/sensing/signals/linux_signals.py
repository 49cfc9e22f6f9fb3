"""What Linux tells of an instance: its variables and folder, the machine's own list of accounts, browsers' profiles and policies.

A person's account is local if the machine's own list has it (passwd(5)); asking the name services instead could wait for a directory that
is not there. Any other is a directory's, and its domain is the realm that the machine has joined: `default_realm` in krb5.conf(5), which
realmd, sssd and winbind all need, or `realm` in smb.conf(5). sssd's own file is for root alone. Accounts of systemd's making and those
within containers (subuid(5)) are nobody's directory's.
"""

import re
from pathlib import Path
from typing import Literal

from msgspec import structs

from agent.profiles.signals import LAUNCH_MARKER, OsAccount, Signals
from agent.sensing.process_source import ProcessSource
from agent.sensing.signals.chromium_profiles import browser_of
from agent.sensing.signals.firefox_profiles import is_firefox
from agent.sensing.signals.interface import Asked
from agent.sensing.signals.own_files import OwnFiles
from agent.sensing.signals.small_files import read_small
from contract.domains import normalised

_VARIABLES = frozenset({LAUNCH_MARKER, "HOME"})
_LIST_BYTES = 1024 * 1024
_FIRST_PERSON = 1000
_SYSTEMDS = range(60_000, 65_536)
"""Numbers that systemd gives away (systemd.io, "Users, Groups, UIDs and GIDs on systemd Systems")."""
_REALMS = (
    ("etc/krb5.conf", re.compile(r"^\s*default_realm\s*=\s*(\S+)\s*$", re.MULTILINE)),
    ("etc/samba/smb.conf", re.compile(r"^\s*realm\s*=\s*(\S+)\s*$", re.MULTILINE | re.IGNORECASE)),
)
_POLICIES = {
    "chromium": "etc/chromium/policies/managed",
    "chrome": "etc/opt/chrome/policies/managed",
    "msedge": "etc/opt/edge/policies/managed",
    "brave": "etc/brave/policies/managed",
    "vivaldi": "etc/opt/vivaldi/policies/managed",
}
_FIREFOX_POLICIES = "etc/firefox/policies/policies.json"
_SYSTEMS = ("/usr/", "/opt/", "/snap/", "/var/lib/flatpak/", "/app/", "/bin/")
_PERSONS = ("/home/", "/var/home/", "/root/")


class LinuxSignals:
    """A `SignalSource` for Linux.

    Args:
        source: tells what a process was started with.
        root: where the file system begins.
    """

    def __init__(self, source: ProcessSource, root: Path = Path("/")) -> None:
        self._source, self._root = source, root
        self._files = OwnFiles(source, "linux", root, checks_owner=True)

    def read(self, asked: Asked) -> Signals:
        """Return what was learnt of an instance."""
        facts, off = asked.reading.facts, asked.off
        variables = self._source.variables(asked.reading.key.pid, _VARIABLES)
        listed_home = self._listed_home(asked.uid)
        home = variables.get("HOME") or listed_home
        return structs.replace(
            self._files.signals(asked, variables.get(LAUNCH_MARKER), home),
            home=listed_home or home,
            sandbox=facts.flatpak_id or facts.snap,
            installer=None if asked.of_page else installer_of(facts.exe),
            browser_is_managed="browser_policy" not in off and self._is_managed(facts.exe),
            os_account=None if "os_account" in off else self._account(asked.uid),
        )

    def _is_managed(self, exe: str | None) -> bool:
        if is_firefox(exe):
            return (self._root / _FIREFOX_POLICIES).is_file()
        place = _POLICIES.get(browser_of(exe) or "")
        try:
            return place is not None and any((self._root / place).glob("*.json"))
        except OSError:
            return False

    def _account(self, uid: int) -> OsAccount | None:
        if self._listed_home(uid) is not None:
            return OsAccount("local")
        if uid < _FIRST_PERSON or uid in _SYSTEMDS or self._is_of_container(uid):
            return None
        return OsAccount("directory", self._realm())

    def _is_of_container(self, uid: int) -> bool:
        for fields in self._table("etc/subuid"):
            if len(fields) == 3 and fields[1].isdecimal() and fields[2].isdecimal():
                first, many = int(fields[1]), int(fields[2])
                if first <= uid < first + many:
                    return True
        return False

    def _realm(self) -> str | None:
        for place, form in _REALMS:
            content = read_small(self._root / place, _LIST_BYTES) or b""
            found = form.search(content.decode(errors="replace"))
            if found and (domain := normalised(found[1])) is not None:
                return domain
        return None

    def _listed_home(self, uid: int) -> str | None:
        """Return the home folder of an account in the machine's own list; None if it is not in there."""
        for fields in self._table("etc/passwd"):
            if len(fields) == 7 and fields[2] == str(uid):
                return fields[5]
        return None

    def _table(self, place: str) -> list[list[str]]:
        content = read_small(self._root / place, _LIST_BYTES) or b""
        return [line.split(":") for line in content.decode(errors="replace").splitlines()]


def installer_of(exe: str | None) -> Literal["system", "person"] | None:
    """Return who put a program there: packages need an administrator, a person's own folder does not.

    >>> installer_of("/usr/bin/telegram-desktop"), installer_of("/home/x/Telegram/Telegram")
    ('system', 'person')
    """
    if exe is None:
        return None
    if exe.startswith(_SYSTEMS):
        return "system"
    return "person" if exe.startswith(_PERSONS) else None
