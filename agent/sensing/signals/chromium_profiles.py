"""The domains that the profiles of a Chromium browser are signed in to, from its `Local State`; nothing else of it is kept.

The file lists the profiles (`profile.info_cache`, by the name of their folder) with the account's address (`user_name`) and, where an
organisation manages the account, its domain (`hosted_domain`, else `NO_HOSTED_DOMAIN`): Chromium 150, profile_attributes_entry.cc.

>>> told = b'{"profile":{"info_cache":{"Default":{"user_name":"me@Example.com","gaia_name":"Me"},"Profile 1":{}}}}'
>>> domains_in(told)
{'Default': 'example.com', 'Profile 1': None}
"""

from pathlib import Path

import msgspec

from contract.domains import domain_of_address, normalised
from contract.facts import Platform
from contract.programs import base_name

AT_MOST_BYTES = 4 * 1024 * 1024
FILE_NAME = "Local State"
PROFILES_AT_MOST = 32
"""In how many profiles it is looked for a page's."""
EXTENSIONS = "Local Extension Settings"
"""Where each profile keeps what extensions store, a LevelDB for each; the last writes stand in a `.log` and then in an `.ldb`."""
STORE_BYTES = 256 * 1024
STORE_FILES_AT_MOST = 8
_FOLDERS: dict[str, tuple[str, str, str]] = {
    "chromium": (".config/chromium", "Chromium", "Chromium"),
    "chrome": (".config/google-chrome", "Google/Chrome", "Google/Chrome"),
    "msedge": (".config/microsoft-edge", "Microsoft Edge", "Microsoft/Edge"),
    "brave": (
        ".config/BraveSoftware/Brave-Browser",
        "BraveSoftware/Brave-Browser",
        "BraveSoftware/Brave-Browser",
    ),
    "vivaldi": (".config/vivaldi", "Vivaldi", "Vivaldi"),
}
"""Where each keeps its profiles: below the home on Linux, below Application Support on macOS, below LOCALAPPDATA on Windows before
`User Data`."""
_ALSO_CALLED = {
    "chromium-browser": "chromium",
    "google chrome": "chrome",
    "google-chrome": "chrome",
    "google-chrome-stable": "chrome",
    "microsoft edge": "msedge",
    "microsoft-edge": "msedge",
    "microsoft-edge-stable": "msedge",
    "brave browser": "brave",
    "brave-browser": "brave",
    "vivaldi-bin": "vivaldi",
    "vivaldi-stable": "vivaldi",
}


class _Entry(msgspec.Struct):
    user_name: str = ""
    hosted_domain: str = ""


class _Profiles(msgspec.Struct):
    info_cache: dict[str, _Entry] = {}


class _LocalState(msgspec.Struct):
    profile: _Profiles = msgspec.field(default_factory=_Profiles)


_DECODER = msgspec.json.Decoder(_LocalState)


def domains_in(untrusted_local_state: bytes) -> dict[str, str | None]:
    """Return the domain of each profile, None where it is signed in nowhere; nothing of a file that is of another form."""
    try:
        profiles = _DECODER.decode(untrusted_local_state).profile.info_cache
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return {
        folder: normalised(entry.hosted_domain) or domain_of_address(entry.user_name)
        for folder, entry in profiles.items()
    }


def browser_of(exe: str | None) -> str | None:
    """Return which Chromium browser an executable is, None if it is none.

    >>> browser_of("/usr/lib/chromium/chromium"), browser_of("/usr/bin/slack")
    ('chromium', None)
    """
    base = base_name(exe or "").lower().removesuffix(".exe")
    name = _ALSO_CALLED.get(base, base)
    return name if name in _FOLDERS else None


def files_of_store(folder: Path) -> list[Path]:
    """Return the files in which an extension's store may keep a value, the newest first."""
    try:
        files = [one for one in folder.iterdir() if one.suffix in {".log", ".ldb"}]
    except (OSError, ValueError):
        return []
    return sorted(files, reverse=True)[:STORE_FILES_AT_MOST]


def usual_folder(browser: str, platform: Platform, home: str) -> str:
    r"""Return where a browser keeps its profiles unless it was told another place.

    >>> usual_folder("chrome", "linux", "/home/x"), usual_folder("chromium", "windows", r"C:\Users\x")
    ('/home/x/.config/google-chrome', 'C:\\Users\\x\\AppData\\Local\\Chromium\\User Data')
    """
    linux, macos, windows = _FOLDERS[browser]
    if platform == "windows":
        return "\\".join((home, "AppData", "Local", *windows.split("/"), "User Data"))
    if platform == "macos":
        return f"{home}/Library/Application Support/{macos}"
    return f"{home}/{linux}"
