"""An administrator's policy is all that it takes: the browser fetches the extension from the server, and its pages are seen."""

import subprocess
from pathlib import Path

import pytest

from tests.e2e.browsers import MANAGED, Chromium
from tests.e2e.stage import policy_text, staged, wait_for
from tests.e2e.web_sites import web_sites

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def _may_be_managed(folder: Path) -> bool:
    """Tell whether this system lets us give one process a policy of its own."""
    policy = folder / "none.json"
    policy.write_text("{}")
    return subprocess.run([*MANAGED, str(policy), "true"], capture_output=True, check=False).returncode == 0


def test_chromium_installs_it_by_policy_and_tells_of_a_messengers_page(tmp_path: Path) -> None:
    if not _may_be_managed(tmp_path):
        pytest.skip("this system gives no namespaces to be managed in")
    with web_sites(tmp_path) as sites, staged(tmp_path) as stage:
        stage.server("migrate")
        stage.publish(policy_text("discord", "banned"))
        stage.start_server()
        extension_id = stage.server("extension", "id").strip()
        stage.settings.write_text(f'web_extension = "{extension_id}"\n{stage.settings.read_text()}')
        stage.enrol()
        stage.start_agent()
        stage.start_screen()
        managed = tmp_path / "decorum.json"
        managed.write_text(stage.server("extension", "policy", "chromium"))
        browser = Chromium(stage, sites, None, extension_id, managed)
        folder = tmp_path / "chromium" / "Default" / "Extensions" / extension_id
        wait_for(folder.exists, "the extension", 90)
        browser.open("https://web.whatsapp.com/")
        wait_for(
            lambda: any(
                row["messenger"] == "whatsapp" and row["pages"] for row in stage.status()["messengers"]
            ),
            "the messenger's page",
            30,
        )
