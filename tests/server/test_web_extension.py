"""The extension as the server offers it: to anybody who asks, the same bytes, under a key that is kept like the others."""

import io
import json
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client

from extension.crx import extension_id
from extension.version import VERSION
from server import web_extension
from server.errors import StateError
from server.identity import KEYS_FOLDER, Identity
from server.policies import catalogues
from tests.server.conftest import Run

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
PATHS = ("chromium/updates.xml", "chromium/decorum.crx", "firefox/updates.json", "firefox/decorum.xpi")


@pytest.fixture
def offered(identity: Identity, settings: object) -> Path:
    folder = Path(settings.STATE)  # type: ignore[attr-defined]
    web_extension.establish(folder)
    return folder


@pytest.mark.parametrize("path", PATHS)
def test_anybody_gets_it_without_a_session_and_may_keep_it_for_a_while(
    offered: Path, client: Client, path: str
) -> None:
    answer = client.get(f"/extension/{path}")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=300"
    assert not answer.cookies
    assert client.get(f"/extension/{path}").content == answer.content
    assert client.post(f"/extension/{path}").status_code == 405


def test_what_the_company_publishes_is_another_edition_with_its_origins(
    offered: Path, client: Client, identity: Identity
) -> None:
    before = client.get("/extension/chromium/updates.xml").content.decode()
    assert f'version="{VERSION}"' in before
    overlay = """
[acme-chat]
name = "Acme Chat"
maker = "Acme"
kind = "business"
seen = [["web", "Acme IT", { origin = "https://chat.acme.example" }]]
"""
    catalogues.publish(overlay, "alice", identity, AT)
    after = client.get("/extension/chromium/updates.xml").content.decode()
    assert f'version="{VERSION}.1"' in after
    package = client.get("/extension/firefox/decorum.xpi").content
    with zipfile.ZipFile(io.BytesIO(package)) as files:
        manifest = json.loads(files.read("manifest.json"))
    assert manifest["version"] == f"{VERSION}.1"
    assert "https://chat.acme.example/*" in manifest["host_permissions"]


@pytest.mark.parametrize("path", ["", "chromium/", "../keys/extension.pem", "chromium/extension.pem"])
def test_nothing_else_is_there(offered: Path, client: Client, path: str) -> None:
    assert client.get(f"/extension/{path}").status_code == 404


def test_the_key_is_made_once_for_the_servers_user_alone(tmp_path: Path) -> None:
    web_extension.establish(tmp_path)
    file = tmp_path / KEYS_FOLDER / web_extension.KEY_FILE
    key = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    web_extension.establish(tmp_path)
    assert file.read_text() == key
    assert web_extension.id_in(tmp_path) == extension_id(key)


@pytest.mark.expected_warnings("Service Unavailable")
def test_a_key_that_is_missing_or_damaged_is_said_so_and_left(offered: Path, client: Client) -> None:
    file = offered / KEYS_FOLDER / web_extension.KEY_FILE
    key = file.read_text()
    try:
        file.write_text("damaged")
        with pytest.raises(StateError, match="damaged"):
            web_extension.id_in(offered)
        assert client.get("/extension/chromium/updates.xml").status_code == 503
        assert file.read_text() == "damaged"
        file.unlink()
        with pytest.raises(StateError, match="missing"):
            web_extension.id_in(offered)
    finally:
        file.write_text(key)


def test_the_commands_print_the_id_and_the_policy_of_this_server(run: Run) -> None:
    told = run("extension", "id")
    assert told.returncode == 0, told.stderr
    chromium_id = told.stdout.strip()
    assert len(chromium_id) == 32
    policy = run("extension", "policy", "chromium", environ={"DECORUM_SERVER_URL": "https://d.example.com"})
    assert f"{chromium_id};https://d.example.com/extension/chromium/updates.xml" in policy.stdout
