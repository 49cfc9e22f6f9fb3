"""Web messengers: the origins that count, and all that a browser's extension can tell of them.

The extension runs in pages of these origins and nowhere else. It tells its native host whole pictures, never a history, and a picture has no
room for an address, a title or another site:

>>> from contract import wire
>>> told = b'{"pages":[{"focused":true,"messenger":"whatsapp"}],"profile":"00112233445566aa"}'
>>> wire.decode(Picture, told, limit_bytes=PICTURE_LIMIT_BYTES).pages[0].messenger
'whatsapp'
>>> wire.decode(Picture, told.replace(b'"focused"', b'"url":"https://example.com","focused"'), limit_bytes=PICTURE_LIMIT_BYTES)
Traceback (most recent call last):
contract.errors.MalformedError: Not in the agreed form: Object contains unknown field `url` at $.pages[0]. Correct this field.

A page that was installed as an application shows in the command line of the browser that opens it, as an address or as an id made of one:

>>> app_ids("https://web.whatsapp.com")
('hnpfjngllnobngcgfapefoaidbinmjnm',)
>>> opened_as_application(["chrome", "--profile-directory=Default", "--app=https://web.whatsapp.com/?x=1"])
('origin', 'https://web.whatsapp.com/?x=1')
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from contract.catalogue import Catalogue, MessengerId
from contract.programs import base_name

HOST_NAME = "decorum.web"
"""What browsers know the native host by."""
FIREFOX_ID = "web@decorum"
"""The extension's id in Firefox. In Chromium browsers it follows from the key of the company's server."""
PICTURE_LIMIT_BYTES = 16 * 1024
"""The longest message of an extension."""
PAGES_AT_MOST = 200
BROWSER_NAMES = {
    "chromium": "Chromium",
    "chromium-browser": "Chromium",
    "chrome": "Chrome",
    "google chrome": "Chrome",
    "msedge": "Edge",
    "microsoft edge": "Edge",
    "brave": "Brave",
    "brave browser": "Brave",
    "vivaldi": "Vivaldi",
    "vivaldi-bin": "Vivaldi",
    "opera": "Opera",
    "firefox": "Firefox",
    "firefox-esr": "Firefox",
    "firefox-bin": "Firefox",
    "librewolf": "LibreWolf",
}
"""By the base name of the executable."""
FURTHER_STARTS = {
    "https://web.telegram.org": ("/a/", "/k/"),
    "https://messages.google.com": ("/web/",),
}
"""Where an installed page starts, besides at its origin's root."""

ExtensionId = Annotated[str, msgspec.Meta(pattern=r"^[a-p]{32}\Z")]
"""An extension in Chromium browsers."""
BrowserProfile = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
"""Random, made by the extension in each of a browser's profiles; tells one from another and nothing else."""


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A messenger's pages in one profile of a browser, however many."""

    messenger: MessengerId
    focused: bool
    """Whether one of them has the keyboard."""


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that an extension tells: which messengers' pages are open now."""

    profile: BrowserProfile
    pages: Annotated[tuple[Page, ...], msgspec.Meta(max_length=PAGES_AT_MOST)]


def web_origins(catalogue: Catalogue) -> dict[str, str]:
    """Return the messenger of each origin in the catalogue, in the order of the origins; `https://*.zulipchat.com` stands for every host below it."""
    return {
        address.value: address.messenger for address in catalogue.web_addresses() if address.kind == "origin"
    }


def browser_name(exe: str | None) -> str:
    """Return what people call the browser that is run by an executable.

    >>> browser_name("/usr/lib/firefox-esr/firefox-esr"), browser_name(None)
    ('Firefox', 'a browser')
    """
    base = base_name(exe or "").lower().removesuffix(".exe")
    return BROWSER_NAMES.get(base, "a browser")


def app_ids(origin: str) -> tuple[str, ...]:
    """Return the ids that Chromium browsers give a page of an origin that was installed as an application.

    The id stands for the manifest's id, by default its start address: hashed twice with SHA-256, the first 32 hexadecimal digits written
    as letters from a to p (Chromium 150, web_app_helpers.cc and crx_file/id_util.cc).
    """
    return tuple(_app_id(origin + path) for path in ("/", *FURTHER_STARTS.get(origin, ())))


def _app_id(manifest_id: str) -> str:
    twice = hashlib.sha256(hashlib.sha256(manifest_id.encode()).digest()).hexdigest()
    return twice[:32].translate(_LETTERS)


_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def opened_as_application(cmdline: Sequence[str]) -> tuple[Literal["origin", "app_id"], str] | None:
    """Return what a browser was started to show in a window of its own, None if it is an ordinary one."""
    for word in cmdline[1:]:
        name, _, value = word.partition("=")
        if name == "--app-id" and value:
            return "app_id", value
        if name == "--app" and value:
            return "origin", value
    return None
