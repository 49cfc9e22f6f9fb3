"""What goes into the extension: its scripts, the catalogue's origins, and a manifest for either kind of browser.

| | Chromium, Chrome, Edge | Firefox |
|---|---|---|
| background | a service worker | an event page |
| id | follows from the key it is signed with | `contract.web.FIREFOX_ID` |
| package | `.crx`, signed by the company's server | `.xpi` |

The manifest asks for the catalogue's origins and no other, and for no permission that shows tabs, histories or requests.
"""

import json
from importlib import resources
from typing import Literal

from contract.catalogue import Catalogue
from contract.web import FIREFOX_ID, web_origins
from contract.wire import digest, encode
from extension.version import VERSION

Kind = Literal["chromium", "firefox"]
SCRIPTS = ("messengers.js", "page.js")
"""What runs in a messenger's page, in this order."""
BACKGROUND = "background.js"
PERMISSIONS = ("nativeMessaging", "scripting", "storage")
"""To speak to the agent; to report pages that were open when it was installed; to keep its profile's number."""
_OLDEST = {"chromium": "116", "firefox": "128.0"}
"""Since when an open native host keeps a service worker awake, and content scripts of the second manifest's successor run without being asked."""


def files_of(
    kind: Kind, catalogue: Catalogue, update_url: str | None = None, version: str = str(VERSION)
) -> dict[str, bytes]:
    """Return the extension's files by name.

    Args:
        kind: the kind of browser.
        catalogue: the listed messengers.
        update_url: where the browser looks for newer versions; None for nowhere.
        version: the extension's.
    """
    origins = web_origins(catalogue)
    table = json.dumps(origins, indent=2, sort_keys=True)
    asked = manifest(kind, tuple(origins), update_url, version)
    return {
        "manifest.json": json.dumps(asked, indent=2).encode() + b"\n",
        "messengers.js": f'"use strict";\nglobalThis.decorumMessengers = {table};\n'.encode(),
        **{name: _source(name) for name in ("page.js", BACKGROUND)},
    }


def manifest(kind: Kind, origins: tuple[str, ...], update_url: str | None, version: str) -> dict[str, object]:
    """Return the manifest."""
    patterns = [f"{origin}/*" for origin in origins]
    # To a browser `*.zulipchat.com` means that very host, too, which is its maker's own pages.
    makers = [pattern.replace("*.", "", 1) for pattern in patterns if pattern.startswith("https://*.")]
    return {
        "manifest_version": 3,
        "name": "Decorum",
        "version": version,
        "description": "Tells Decorum on this device whether a messenger's page is open. It runs in no other page.",
        "incognito": "not_allowed",
        "permissions": list(PERMISSIONS),
        "host_permissions": patterns,
        "content_scripts": [
            {
                "matches": patterns,
                "exclude_matches": [pattern for pattern in makers if pattern not in patterns],
                "js": list(SCRIPTS),
                "run_at": "document_start",
            }
        ],
        "content_security_policy": {"extension_pages": "default-src 'none'; script-src 'self'"},
        **_of_kind(kind, update_url),
    }


def _of_kind(kind: Kind, update_url: str | None) -> dict[str, object]:
    where = {} if update_url is None else {"update_url": update_url}
    if kind == "chromium":
        return {
            "minimum_chrome_version": _OLDEST[kind],
            "background": {"service_worker": BACKGROUND},
            **where,
        }
    return {
        "background": {"scripts": [BACKGROUND]},
        "browser_specific_settings": {
            "gecko": {"id": FIREFOX_ID, "strict_min_version": _OLDEST[kind], **where}
        },
    }


def content_digest(catalogue: Catalogue) -> str:
    """Return a digest over everything but the version's own number."""
    kinds: tuple[Kind, ...] = ("chromium", "firefox")
    everything = {
        kind: {name: digest(content) for name, content in files_of(kind, catalogue, version="0").items()}
        for kind in kinds
    }
    return digest(encode(everything))


def _source(name: str) -> bytes:
    return resources.files("extension").joinpath("sources", name).read_bytes()
