"""The schema of the way for connectors tells everything that answers there, and nothing else; the example client speaks by it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.records import connector_schema
from server.records.api import HEARTBEAT
from server.records.refusals import OF_HEARTBEATS
from tests.server.conftest import Environ, Run
from tests.server.running_server import Server
from tests.server.test_agent_schema import raised_in, reasons

TOLD = {(one.status, one.reason) for one in OF_HEARTBEATS}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return connector_schema.schema()


def test_every_refusal_in_the_code_is_told_and_every_one_told_is_in_the_code(
    checkout: Path, schema: dict[str, Any]
) -> None:
    shared = [checkout / "server/machines.py", checkout / "server/gate.py"]
    sources = [*shared, *(checkout / "server/records").rglob("*.py")]
    raised = {one for file in sources for one in raised_in(file.read_text(encoding="utf-8"))}
    assert len(raised) > 12
    assert raised == TOLD
    assert reasons(schema["paths"][HEARTBEAT]["post"]) == TOLD


def test_only_the_heartbeat_is_told_and_it_needs_a_token(schema: dict[str, Any]) -> None:
    assert list(schema["paths"]) == [HEARTBEAT]
    assert list(schema["paths"][HEARTBEAT]) == ["post"]
    assert schema["paths"][HEARTBEAT]["post"]["security"] == [{"token": []}]
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    text = json.dumps(schema)
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(schema["components"]["schemas"])
    assert "\\Z" not in text


def test_the_command_prints_it_without_a_state_folder(run: Run, schema: dict[str, Any]) -> None:
    told = run("schema", "connectors", folder=None)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == schema


MAKE = """
import sys
from datetime import UTC, datetime
from server.commands.frame import start_django
start_django()
from server.records import connectors
wish = connectors.Wish(name="LeapXpert", kind="orchestration_platform", days=1)
print(connectors.make(wish, "a test", "acme", datetime.now(UTC)))
"""


@pytest.mark.timeout(120)
def test_the_example_client_is_heard_by_a_real_server(
    tmp_path: Path, checkout: Path, new_database: Callable[[], Environ]
) -> None:
    server = Server(tmp_path / "state", new_database())
    environ = {**server.environ, "DJANGO_SETTINGS_MODULE": "server.settings"}
    made = subprocess.run(
        [sys.executable, "-c", MAKE], cwd=checkout, env=environ, capture_output=True, text=True, check=True
    )
    token = tmp_path / "token"
    token.write_text(made.stdout)

    def client(*words: str, given: Path = token) -> "subprocess.CompletedProcess[str]":
        command = [
            sys.executable,
            "-I",
            str(checkout / "docs/guides/heartbeat.py"),
            "--token-file",
            str(given),
        ]
        return subprocess.run(
            [*command, *words], cwd=tmp_path, env={}, capture_output=True, text=True, check=False, timeout=30
        )

    url = f"http://{server.address}"
    with server.running():
        heard = client("--server", url, "--written", str(token), "telegram")
        assert (heard.returncode, heard.stderr) == (0, "")
        assert "LeapXpert was heard at " in heard.stdout
        assert "The policy does not name it for telegram" in heard.stdout
        wrong = tmp_path / "wrong"
        wrong.write_text("acme.wrong")
        refused = client("--server", url, "telegram", given=wrong)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "(401 token_unknown)" in refused.stderr
        assert "Nobody knows this token." in refused.stderr
        assert client("--server", f"{url}/elsewhere", "telegram").returncode == 1
    assert "did not answer" in client("--server", url, "telegram").stderr
    assert "neither https:// nor http://" in client("--server", "file:///etc", "telegram").stderr
    ((covers, written),) = server.ask("SELECT covers, last_written_at IS NOT NULL FROM records_connector")
    assert (covers if isinstance(covers, list) else json.loads(covers), bool(written)) == (["telegram"], True)
