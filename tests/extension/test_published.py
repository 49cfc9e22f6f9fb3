"""What a server offers to browsers, and the policies that have browsers fetch it."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from agent.catalogue import load
from contract.web import FIREFOX_ID, HOST_NAME
from extension.crx import extension_id, new_key
from extension.published import BROWSERS, files, policy
from extension.version import VERSION
from installer.browser_policies import FOLDER, templates

KEY, ADDRESS = new_key(), "https://decorum.example.com/extension"
OFFERED = files(load(), KEY, ADDRESS)


def below(address: str) -> str:
    assert address.startswith(f"{ADDRESS}/")
    return address.removeprefix(f"{ADDRESS}/")


def test_chromiums_list_leads_to_the_package_under_its_id_and_version() -> None:
    told = ET.fromstring(OFFERED["chromium/updates.xml"].content)
    names = {"g": "http://www.google.com/update2/response"}
    app, check = told.find("g:app", names), told.find("g:app/g:updatecheck", names)
    assert app is not None
    assert check is not None
    assert app.get("appid") == extension_id(KEY)
    assert check.get("version") == str(VERSION)
    assert OFFERED[below(check.get("codebase") or "")].content.startswith(b"Cr24")


def test_firefoxs_list_leads_to_the_package_and_its_digest() -> None:
    told = json.loads(OFFERED["firefox/updates.json"].content)
    (newest,) = told["addons"][FIREFOX_ID]["updates"]
    package = OFFERED[below(newest["update_link"])].content
    assert newest["version"] == str(VERSION)
    assert newest["update_hash"] == f"sha256:{hashlib.sha256(package).hexdigest()}"


@pytest.mark.parametrize("name", ["chromium/decorum.crx", "firefox/decorum.xpi"])
def test_a_package_asks_the_companys_own_server_for_the_next(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(OFFERED[name].content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    gecko = manifest.get("browser_specific_settings", {}).get("gecko", manifest)
    assert below(gecko["update_url"]) in OFFERED


@pytest.mark.parametrize("browser", ["chrome", "chromium", "edge"])
def test_chromium_browsers_install_it_by_force_and_let_it_speak_to_the_host(browser: str) -> None:
    told = json.loads(policy(browser, extension_id(KEY), ADDRESS))  # type: ignore[arg-type]
    (forced,) = told["ExtensionInstallForcelist"]
    name, _, address = forced.partition(";")
    assert name == extension_id(KEY)
    assert below(address) in OFFERED
    assert told["NativeMessagingAllowlist"] == [HOST_NAME]


def test_firefox_installs_it_by_force() -> None:
    told = json.loads(policy("firefox", extension_id(KEY), ADDRESS))["policies"]["ExtensionSettings"]
    assert told.keys() == {FIREFOX_ID}
    assert told[FIREFOX_ID]["installation_mode"] == "force_installed"
    assert below(told[FIREFOX_ID]["install_url"]) in OFFERED


def test_the_templates_are_current() -> None:
    assert {file.name: file.read_text() for file in Path(FOLDER).iterdir()} == templates()
    assert len(templates()) == len(BROWSERS), "run `python -m installer.browser_policies`"
