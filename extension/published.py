"""Where a company's server offers the extension, and what browsers are told to install it by force. Pure.

Chromium browsers ask for a list of versions (Chrome, "Self-host for Linux"), Firefox alike (Extension Workshop, "Updating your extension").
"""

import hashlib
import json
from typing import Literal, get_args
from xml.sax.saxutils import quoteattr

import msgspec

from contract.catalogue import Catalogue
from contract.web import FIREFOX_ID, HOST_NAME
from extension.build import files_of
from extension.crx import extension_id, signed, zipped
from extension.version import VERSION

BrowserName = Literal["chrome", "chromium", "edge", "firefox"]
BROWSERS: tuple[BrowserName, ...] = get_args(BrowserName)
CHROMIUM_LIST, CHROMIUM_PACKAGE = "chromium/updates.xml", "chromium/decorum.crx"
FIREFOX_LIST, FIREFOX_PACKAGE = "firefox/updates.json", "firefox/decorum.xpi"


class File(msgspec.Struct, frozen=True):
    """What is answered at one address."""

    content: bytes
    content_type: str


def files(catalogue: Catalogue, key: str, address: str, edition: int = 0) -> dict[str, File]:
    """Return what is offered, by the path below an address.

    Args:
        catalogue: the listed messengers.
        key: the company's key for the extension.
        address: the address of all of it, without a final slash.
        edition: the version of the catalogue that the company has published; 0 for none.

    Raises:
        ValueError: the key is none.
    """
    version = f"{VERSION}.{edition}" if edition else str(VERSION)
    chromium = signed(zipped(files_of("chromium", catalogue, f"{address}/{CHROMIUM_LIST}", version)), key)
    firefox = zipped(files_of("firefox", catalogue, f"{address}/{FIREFOX_LIST}", version))
    return {
        CHROMIUM_LIST: File(_chromium_list(extension_id(key), address, version).encode(), "text/xml"),
        CHROMIUM_PACKAGE: File(chromium, "application/x-chrome-extension"),
        FIREFOX_LIST: File(_firefox_list(firefox, address, version).encode(), "application/json"),
        FIREFOX_PACKAGE: File(firefox, "application/x-xpinstall"),
    }


def policy(browser: BrowserName, chromium_id: str, address: str) -> str:
    """Return the policy, as JSON, by which a browser installs the extension and lets it speak to the native host.

    It is what stands in a file of `/etc/chromium/policies/managed`, `/etc/opt/chrome/policies/managed` or
    `/etc/opt/edge/policies/managed`, and for Firefox in `/etc/firefox/policies/policies.json`; device management takes the same names.
    """
    told: dict[str, object] = {
        "ExtensionInstallForcelist": [f"{chromium_id};{address}/{CHROMIUM_LIST}"],
        "NativeMessagingAllowlist": [HOST_NAME],
    }
    if browser == "firefox":
        install = {"installation_mode": "force_installed", "install_url": f"{address}/{FIREFOX_PACKAGE}"}
        told = {"policies": {"ExtensionSettings": {FIREFOX_ID: install}}}
    return json.dumps(told, indent=2) + "\n"


def _chromium_list(chromium_id: str, address: str, version: str) -> str:
    package = quoteattr(f"{address}/{CHROMIUM_PACKAGE}")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gupdate xmlns="http://www.google.com/update2/response" protocol="2.0">\n'
        f'  <app appid="{chromium_id}">\n'
        f'    <updatecheck codebase={package} version="{version}"/>\n'
        "  </app>\n"
        "</gupdate>\n"
    )


def _firefox_list(package: bytes, address: str, version: str) -> str:
    newest = {
        "version": version,
        "update_link": f"{address}/{FIREFOX_PACKAGE}",
        "update_hash": f"sha256:{hashlib.sha256(package).hexdigest()}",
    }
    return json.dumps({"addons": {FIREFOX_ID: {"updates": [newest]}}}, indent=2) + "\n"
