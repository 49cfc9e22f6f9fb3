"""Web messengers in real browsers: the real extension, the real native host, a real agent, and a whole web on the loopback.

What reaches the native host's standard input is recorded, so that it is known what the extension said, and that it said nothing.
"""

import base64
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from agent.catalogue import load
from contract.web import web_origins
from extension.build import files_of
from extension.crx import extension_id, new_key, zipped
from tests.e2e.browsers import Browser, Chromium, Firefox, recorded
from tests.e2e.stage import Stage, policy_text, staged, wait_for
from tests.e2e.web_sites import WebSites, web_sites

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
WHATSAPP, SLACK, DISCORD = (
    "https://web.whatsapp.com/",
    "https://app.slack.com/client",
    "https://discord.com/channels/@me",
)
OTHER_SITES = 200
LOOKALIKES = (
    "web.whatsapp.com.example.org",
    "www.whatsapp.com",
    "xweb.whatsapp.com",
    "slack.com",
    "telegram.org",
)
LAST = "last.example.org"


class Scene:
    """A stage on which a browser, an agent and a server run."""

    def __init__(self, stage: Stage, sites: WebSites, browser: Browser, record: Path) -> None:
        self.stage, self.sites, self.browser, self.record = stage, sites, browser, record

    def page(self, messenger: str) -> str | None:
        """Return what the agent says of a messenger's page: focused, open, or None for neither."""
        row = self.row(messenger)
        if row is None:
            return None
        return "focused" if row["focused"] else "open"

    def row(self, messenger: str) -> dict[str, Any] | None:
        """Return the row of a messenger whose page is open; another user of this machine may have one, too."""
        rows = self.stage.status()["messengers"]
        return next((row for row in rows if row["messenger"] == messenger and row["pages"]), None)

    def wait_for(self, messenger: str, state: str | None) -> None:
        """Wait until a messenger's page is in a state."""
        try:
            wait_for(lambda: self.page(messenger) == state, f"{messenger} {state} in {self.browser.name}", 30)
        except AssertionError as error:
            error.add_note(f"It is {self.page(messenger)}; last said: {self.said()[-3:]}")
            raise

    def said(self) -> list[dict[str, object]]:
        """Return what the extension has said so far."""
        return recorded(self.record)

    def sent(self) -> str:
        """Return everything of messengers that has left the device."""
        rows = json.loads(self.stage.decorum("ledger", "--json", "--limit", "500").stdout)["rows"]
        return " ".join(row["literal"] for row in rows if row["type"] == "sighting")


@pytest.fixture(scope="module", params=["Chromium", "Firefox"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp(request.param.lower())
    with web_sites(folder) as sites, staged(folder) as stage:
        stage.server("migrate")
        stage.publish(policy_text("discord", "banned"))
        stage.start_server()
        key = new_key()
        with stage.settings.open("r+") as settings:
            rest = settings.read()
            settings.seek(0)
            settings.write(f'web_extension = "{extension_id(key)}"\n{rest}')
        stage.enrol()
        stage.start_agent()
        stage.start_screen()
        browser: Chromium | Firefox
        if request.param == "Chromium":
            browser = Chromium(stage, sites, unpacked(folder, key), extension_id(key))
        else:
            package = folder / "extension.xpi"
            package.write_bytes(zipped(files_of("firefox", load())))
            browser = Firefox(stage, sites, package)
        yield Scene(stage, sites, browser, browser.record)


def unpacked(folder: Path, key_text: str) -> Path:
    """Return a folder with the extension, whose manifest carries the public key: so it has the id that the signed package has."""
    extension = folder / "extension"
    extension.mkdir()
    for name, content in files_of("chromium", load()).items():
        (extension / name).write_bytes(content)
    key = serialization.load_pem_private_key(key_text.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    manifest = extension / "manifest.json"
    told = json.loads(manifest.read_text()) | {"key": base64.b64encode(public).decode()}
    manifest.write_text(json.dumps(told))
    return extension


def test_two_hundred_other_sites_say_nothing_at_all(scene: Scene) -> None:
    """First of all, so that nothing has been said before either. Each page leads to the next, under a name of its own."""
    others = [f"site{number}.example.org" for number in range(OTHER_SITES)]
    hosts = [*others[:100], *LOOKALIKES, *others[100:], LAST]
    for host, following in pairwise(hosts):
        scene.sites.pages[host] = (
            f"<!doctype html><title>{host}</title><script>location = 'https://{following}/'</script>"
        )
    frame = '<!doctype html><title>A frame</title><iframe src="https://web.whatsapp.com/"></iframe>'
    scene.sites.pages[LAST] = frame
    tab = scene.browser.open(f"https://{hosts[0]}/")
    wait_for(lambda: "web.whatsapp.com" in scene.sites.visited, "the frame in the last site", 60)
    assert set(hosts) <= set(scene.sites.visited)
    # The extension works, and its first word is of the first page that it is for: before it there was none.
    scene.sites.pages.clear()
    probe = scene.browser.open(SLACK)
    scene.wait_for("slack", "focused")
    first = scene.said()[0]["pages"]
    assert [page["messenger"] for page in first] == ["slack"]  # type: ignore[attr-defined]
    scene.browser.close(probe)
    scene.browser.close(tab)
    scene.wait_for("slack", None)
    assert scene.page("whatsapp") is None
    assert "example" not in scene.record.read_text(errors="replace")
    assert "whatsapp" not in scene.record.read_text(errors="replace") + scene.sent()


def test_a_page_is_seen_as_started_in_front_behind_and_ended(scene: Scene) -> None:
    whatsapp = scene.browser.open(WHATSAPP)
    scene.wait_for("whatsapp", "focused")
    row = scene.row("whatsapp")
    assert row is not None
    assert row["pages"] == [f"The page of WhatsApp is open in {scene.browser.name}."]
    other = scene.browser.open("https://elsewhere.example.org/")
    scene.wait_for("whatsapp", "open")
    slack = scene.browser.open(SLACK)
    scene.wait_for("slack", "focused")
    assert scene.page("whatsapp") == "open"
    scene.browser.show(whatsapp)
    scene.wait_for("whatsapp", "focused")
    scene.wait_for("slack", "open")
    for tab in (whatsapp, slack, other):
        scene.browser.close(tab)
    scene.wait_for("whatsapp", None)
    scene.wait_for("slack", None)
    wait_for(lambda: scene.sent().count('"ended"') >= 2, "the ends in the ledger")
    assert '"whatsapp"' in scene.sent()


def test_a_customers_own_host_counts_and_its_makers_pages_do_not(scene: Scene) -> None:
    maker = scene.browser.open("https://zulipchat.com/")
    wait_for(lambda: "zulipchat.com" in scene.sites.visited, "the maker's page")
    said = len(scene.said())
    customer = scene.browser.open("https://our.team.zulipchat.com/")
    scene.wait_for("zulip", "focused")
    assert all("zulip" in str(message["pages"]) for message in scene.said()[said:])
    for tab in (customer, maker):
        scene.browser.close(tab)
    scene.wait_for("zulip", None)


def test_two_tabs_are_one_sighting_until_the_last_is_closed(scene: Scene) -> None:
    first = scene.browser.open(DISCORD)
    scene.wait_for("discord", "focused")
    row = scene.row("discord")
    assert row is not None
    assert row["verdict"] == "violation", "judged as any other"
    # The second page says that it is loaded; by then the extension runs in it, since it begins before any script of a page.
    scene.sites.pages["discord.com"] = '<!doctype html><script>fetch("https://loaded.example.org/")</script>'
    second = scene.browser.open(DISCORD)
    wait_for(lambda: "loaded.example.org" in scene.sites.visited, "the second page")
    said = len(scene.said())
    scene.browser.close(first)
    scene.browser.show(second)
    scene.wait_for("discord", "focused")
    again = scene.row("discord")
    assert again is not None
    assert again["sighting"] == row["sighting"]
    assert all(message["pages"] for message in scene.said()[said:]), "it was never said to be over"
    scene.browser.close(second)
    scene.wait_for("discord", None)


def test_nothing_but_ids_and_what_has_the_keyboard_was_ever_said(scene: Scene) -> None:
    known = set(web_origins(load()).values())
    messages = scene.said()
    assert messages
    assert len({message["profile"] for message in messages}) == 1
    for message in messages:
        assert message.keys() == {"profile", "pages"}
        for page in message["pages"]:  # type: ignore[attr-defined]
            assert page.keys() == {"messenger", "focused"}
            assert page["messenger"] in known
    assert "://" not in scene.record.read_text(errors="replace")


def test_a_browser_that_is_killed_takes_its_pages_along(scene: Scene) -> None:
    """Last, since the browser is gone then."""
    scene.browser.open(WHATSAPP)
    scene.wait_for("whatsapp", "focused")
    scene.browser.kill()
    scene.wait_for("whatsapp", None)
    assert (scene.stage.folder / "native-host.log").read_text() == ""
