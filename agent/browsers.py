r"""Where each browser looks for its native hosts, and what has to stand there. Pure.

| | for everybody | for one user |
|---|---|---|
| Linux | a file in the browser's folder below /etc, for Firefox /usr/lib/mozilla | a file in the browser's own folder at home |
| macOS | a file in the browser's folder below /Library | alike in ~/Library |
| Windows | a file beside the program, named by a key of HKEY_LOCAL_MACHINE | alike, HKEY_CURRENT_USER |

Sources: Chrome, "Native messaging"; Microsoft, "Native messaging" for Edge; MDN, "Native manifests"; read in November 2026.
"""

import json
import ntpath
from typing import Literal

import msgspec

from contract.places import Scope, System
from contract.web import FIREFOX_ID, HOST_NAME

Family = Literal["chromium", "firefox"]


class Placed(msgspec.Struct, frozen=True):
    """One browser's manifest and where it stands."""

    browser: str
    file: str
    content: str
    registry_key: str | None = None
    """On Windows the key whose default value is the file's path."""


class _Browser(msgspec.Struct, frozen=True):
    name: str
    family: Family
    linux: tuple[str, str]
    """Folders for everybody and at home."""
    macos: str
    """Folder below /Library or ~/Library."""
    windows: str | None
    """Key below SOFTWARE."""


_HOSTS = "NativeMessagingHosts"
BROWSERS = (
    _Browser(
        "Chrome",
        "chromium",
        ("/etc/opt/chrome/native-messaging-hosts", f".config/google-chrome/{_HOSTS}"),
        f"Google/Chrome/{_HOSTS}",
        rf"Google\Chrome\{_HOSTS}",
    ),
    _Browser(
        "Chromium",
        "chromium",
        ("/etc/chromium/native-messaging-hosts", f".config/chromium/{_HOSTS}"),
        f"Application Support/Chromium/{_HOSTS}",
        rf"Chromium\{_HOSTS}",
    ),
    _Browser(
        "Edge",
        "chromium",
        ("/etc/opt/edge/native-messaging-hosts", f".config/microsoft-edge/{_HOSTS}"),
        f"Microsoft/Edge/{_HOSTS}",
        rf"Microsoft\Edge\{_HOSTS}",
    ),
    _Browser(
        "Firefox",
        "firefox",
        ("/usr/lib/mozilla/native-messaging-hosts", ".mozilla/native-messaging-hosts"),
        f"Application Support/Mozilla/{_HOSTS}",
        rf"Mozilla\{_HOSTS}",
    ),
)
_AT_HOME_ON_MACOS = {
    "Chrome": f"Application Support/Google/Chrome/{_HOSTS}",
    "Edge": f"Application Support/Microsoft Edge/{_HOSTS}",
}
"""Where a user's folder is another one than everybody's."""


def native_manifests(
    system: System, scope: Scope, program: str, extension: str | None, home: str
) -> tuple[Placed, ...]:
    """Return each browser's manifest.

    Args:
        system: which system's places.
        scope: for everybody, or for one user.
        program: the native host's path.
        extension: the id allowed in Chromium browsers; without it those are told nothing.
        home: the user's folder.
    """
    return tuple(
        _placed(browser, system, scope, program, home, _content(browser.family, program, extension))
        for browser in BROWSERS
        if browser.family == "firefox" or extension is not None
    )


def _placed(browser: _Browser, system: System, scope: Scope, program: str, home: str, content: str) -> Placed:
    if system == "windows":
        root = "HKEY_LOCAL_MACHINE" if scope == "system" else "HKEY_CURRENT_USER"
        file = ntpath.join(ntpath.dirname(program), f"{HOST_NAME}.{browser.family}.json")
        return Placed(browser.name, file, content, rf"{root}\SOFTWARE\{browser.windows}\{HOST_NAME}")
    if system == "macos":
        below = browser.macos
        folder = f"/Library/{below}"
        if scope == "user":
            folder = f"{home}/Library/{_AT_HOME_ON_MACOS.get(browser.name, below)}"
    else:
        folder = browser.linux[0] if scope == "system" else f"{home}/{browser.linux[1]}"
    return Placed(browser.name, f"{folder}/{HOST_NAME}.json", content)


def _content(family: Family, program: str, extension: str | None) -> str:
    allowed: dict[str, object] = {"allowed_origins": [f"chrome-extension://{extension}/"]}
    if family == "firefox":
        allowed = {"allowed_extensions": [FIREFOX_ID]}
    told = {
        "name": HOST_NAME,
        "description": "Tells Decorum which messengers' pages are open.",
        "path": program,
        "type": "stdio",
        **allowed,
    }
    return json.dumps(told, indent=2) + "\n"
