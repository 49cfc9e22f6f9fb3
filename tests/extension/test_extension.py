"""The extension's packages: the catalogue's origins and no other, no permission that shows more, the same bytes for the same catalogue."""

import doctest
import io
import json
import re
import struct
import zipfile
from typing import Any, get_args

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from agent.catalogue import load
from contract.catalogue import Catalogue
from contract.web import FIREFOX_ID, HOST_NAME, web_origins
from extension import __main__ as raising
from extension.build import Kind, content_digest, files_of
from extension.crx import extension_id, new_key, signed, zipped
from extension.version import DIGEST, VERSION

CATALOGUE = load()
KINDS: tuple[Kind, ...] = get_args(Kind)
KEY = new_key()


def manifest(kind: Kind, update_url: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(files_of(kind, CATALOGUE, update_url)["manifest.json"])
    return told


@pytest.mark.parametrize("kind", KINDS)
def test_it_holds_the_catalogues_origins_and_no_other(kind: Kind) -> None:
    patterns = {f"{origin}/*" for origin in web_origins(CATALOGUE)}
    assert len(patterns) >= 40
    told = manifest(kind)
    assert set(told["host_permissions"]) == patterns
    (script,) = told["content_scripts"]
    assert set(script["matches"]) == patterns
    assert all(re.fullmatch(r"https://(\*\.)?[a-z0-9.-]+\.[a-z]+/\*", pattern) for pattern in patterns)
    assert {pattern for pattern in patterns if "*." in pattern} >= {"https://*.zulipchat.com/*"}
    assert "https://zulipchat.com/*" in script["exclude_matches"], "its maker's own pages"
    assert not patterns & set(script["exclude_matches"])


@pytest.mark.parametrize("kind", KINDS)
def test_it_asks_for_nothing_that_shows_other_pages(kind: Kind) -> None:
    told = manifest(kind)
    assert set(told["permissions"]) == {"nativeMessaging", "scripting", "storage"}
    assert told["incognito"] == "not_allowed"
    assert "default-src 'none'" in told["content_security_policy"]["extension_pages"], "it reaches no network"
    (script,) = told["content_scripts"]
    assert set(script) == {"matches", "exclude_matches", "js", "run_at"}, "neither frames nor blank pages"
    asked = set(told) & {
        "optional_permissions",
        "optional_host_permissions",
        "externally_connectable",
        "commands",
    }
    assert asked == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_script_that_the_manifest_names_is_there_and_no_other(kind: Kind) -> None:
    told, files = manifest(kind), files_of(kind, CATALOGUE)
    background = told["background"]
    named = {
        *told["content_scripts"][0]["js"],
        *background.get("scripts", [background.get("service_worker")]),
    }
    assert named == files.keys() - {"manifest.json"}


def test_pages_know_their_messenger_by_their_origin() -> None:
    script = files_of("chromium", CATALOGUE)["messengers.js"].decode()
    table = json.loads(script[script.index("{") : script.rindex("}") + 1])
    assert table == web_origins(CATALOGUE)
    assert table["https://web.whatsapp.com"] == "whatsapp"


def test_the_scripts_use_nothing_that_reads_a_page_or_a_tabs_address() -> None:
    for name in ("page.js", "background.js"):
        text = files_of("chromium", CATALOGUE)[name].decode()
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
        for banned in (
            *("innerHTML", "textContent", "querySelector", "title", "href", "cookie"),
            *(r"fetch\(", r"\.url\b", "onUpdated", "onActivated"),
        ):
            assert not re.search(banned, code), f"{name}: {banned}"
        assert re.findall(r"location\.\w+", code) in ([], ["location.origin"])
    assert f'"{HOST_NAME}"' in files_of("chromium", CATALOGUE)["background.js"].decode()


def test_each_browser_gets_its_own_kind_of_background_and_address_for_updates() -> None:
    chromium, firefox = manifest("chromium", "https://a/c.xml"), manifest("firefox", "https://a/f.json")
    assert chromium["background"] == {"service_worker": "background.js"}
    assert chromium["update_url"] == "https://a/c.xml"
    assert firefox["background"] == {"scripts": ["background.js"]}
    gecko = firefox["browser_specific_settings"]["gecko"]
    assert (gecko["id"], gecko["update_url"]) == (FIREFOX_ID, "https://a/f.json")
    assert "update_url" not in manifest("chromium")


def test_whatever_changed_has_another_version() -> None:
    assert content_digest(CATALOGUE) == DIGEST, "the extension changed: run `python -m extension`"
    assert manifest("chromium")["version"] == manifest("firefox")["version"] == str(VERSION)


def test_a_new_origin_is_another_content() -> None:
    fewer = {name: entry for name, entry in CATALOGUE.messengers.items() if name != "whatsapp"}
    assert content_digest(Catalogue(fewer)) != content_digest(CATALOGUE)


def test_examples_run() -> None:
    assert doctest.testmod(raising) == doctest.TestResults(0, 2)


def test_the_same_files_make_the_same_package() -> None:
    files = files_of("chromium", CATALOGUE)
    package = zipped(files)
    assert zipped(dict(reversed(files.items()))) == package
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def fields(message: bytes) -> dict[int, bytes]:
    """Return the fields of a protocol buffer that has nothing but bytes in it."""
    found: dict[int, bytes] = {}
    while message:
        tag, message = varint(message)
        assert tag & 7 == 2
        length, message = varint(message)
        found[tag >> 3], message = message[:length], message[length:]
    return found


def varint(message: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for index, byte in enumerate(message):
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, message[index + 1 :]
    raise AssertionError("cut short")


def test_a_signed_package_is_verified_by_its_key_whose_id_it_carries() -> None:
    archive = zipped(files_of("chromium", CATALOGUE))
    package = signed(archive, KEY)
    magic, form, length = struct.unpack("<4sII", package[:12])
    header, rest = package[12 : 12 + length], package[12 + length :]
    assert (magic, form, rest) == (b"Cr24", 3, archive)
    told = fields(header)
    proof = fields(told[2])
    public = serialization.load_der_public_key(proof[1])
    assert isinstance(public, rsa.RSAPublicKey)
    covered = b"CRX3 SignedData\0" + struct.pack("<I", len(told[10_000])) + told[10_000] + archive
    public.verify(proof[2], covered, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(proof[2], covered + b" ", padding.PKCS1v15(), hashes.SHA256())
    letters = fields(told[10_000])[1].hex().translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))
    assert letters == extension_id(KEY)


def test_an_id_is_what_chromium_makes_of_a_key() -> None:
    assert re.fullmatch("[a-p]{32}", extension_id(KEY))
    assert extension_id(KEY) != extension_id(new_key())
    with pytest.raises(ValueError, match="PEM"):
        extension_id("no key")
