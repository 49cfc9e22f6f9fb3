"""The schema of the way for devices tells everything that answers there, and nothing else."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from contract.envelope import SealProblem
from contract.messages import CheckIn, Enrolled, SealedRequest
from server.fleet import agent_schema, refusals
from server.fleet.agent_api import HANDLERS
from tests.server.conftest import Run
from tests.server.simulated_device import Post, SimulatedDevice

RAISES = {"RefusedError", "refusal", "_NotTakenError"}
TOLD = {
    (one.status, one.reason)
    for one in (
        *refusals.ON_EVERY_WAY,
        *refusals.OF_ENROLMENT,
        *refusals.OF_CHECK_IN,
        *refusals.OF_HOLDINGS,
        *refusals.OF_LEAVING,
    )
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return agent_schema.schema()


def reasons(operation: dict[str, Any]) -> set[tuple[int, str]]:
    found = set()
    for status, response in operation["responses"].items():
        for part in response["content"]["application/json"]["schema"].get("allOf", ()):
            found |= {
                (int(status), reason)
                for reason in part.get("properties", {}).get("reason", {}).get("enum", ())
            }
    return found


def raised_in(source: str) -> Iterator[tuple[int, str]]:
    """Yield status and code of each refusal that is spelled out; a code made of a seal's problem stands for all of them."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        if name == "wait":
            yield 429, ast.literal_eval(call.args[1])
        if name not in RAISES:
            continue
        if isinstance(call.args[1], ast.JoinedStr):
            assert ast.unparse(call.args[1]) == "f'seal_{error.problem}'"
            for problem in get_args(SealProblem):
                yield (400 if problem == "malformed" else 401), f"seal_{problem}"
        elif isinstance(call.args[0], ast.Constant) and isinstance(call.args[1], ast.Constant):
            yield ast.literal_eval(call.args[0]), ast.literal_eval(call.args[1])


def test_every_handler_is_told_and_nothing_else(schema: dict[str, Any]) -> None:
    assert set(schema["paths"]) == set(HANDLERS)
    assert all(set(item) == {"post"} for item in schema["paths"].values())


def test_every_refusal_in_the_code_is_told_and_every_one_told_is_in_the_code(checkout: Path) -> None:
    sources = [
        checkout / "server/gate.py",
        checkout / "server/machines.py",
        *(checkout / "server/fleet").rglob("*.py"),
    ]
    raised = {one for file in sources for one in raised_in(file.read_text(encoding="utf-8"))}
    assert len(raised) > 20
    assert raised == TOLD


def test_each_way_tells_its_own_refusals_and_those_of_every_way(schema: dict[str, Any]) -> None:
    ways = [reasons(item["post"]) for item in schema["paths"].values()]
    assert set().union(*ways) == TOLD
    common = {(one.status, one.reason) for one in refusals.ON_EVERY_WAY}
    assert all(way >= common for way in ways)


def test_every_reference_leads_somewhere_and_patterns_are_javascripts(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert named <= set(schema["components"]["schemas"])
    assert "\\Z" not in text


def test_what_is_inside_a_seal_is_told(schema: dict[str, Any]) -> None:
    parts = schema["components"]["schemas"]
    inside = parts["SealedCheckIn"]["properties"]["sealed"]
    assert inside["contentSchema"]["$ref"].endswith(f"/{CheckIn.__name__}")
    assert parts["EnrolmentReply"]["properties"]["sealed"]["contentSchema"]["$ref"].endswith(
        f"/{Enrolled.__name__}"
    )
    assert "contentSchema" not in parts[SealedRequest.__name__]["properties"]["sealed"]
    bundle = parts["CheckInReply"]["properties"]["bundle"]["anyOf"]
    assert [
        part["contentSchema"]["$ref"].rpartition("/")[2] for part in bundle if "contentSchema" in part
    ] == ["PolicyBundle"]


def test_what_the_server_really_answers_is_told(
    schema: dict[str, Any], device: SimulatedDevice, post: Post, issue: Callable[..., str]
) -> None:
    way = schema["paths"]["/agent/v1/check-in"]["post"]
    reply = json.loads(device.send(device.request()))
    required = schema["components"]["schemas"]["CheckInReply"]["required"]
    assert set(required) <= set(reply) <= set(schema["components"]["schemas"]["CheckInReply"]["properties"])
    status, body = post("/agent/v1/check-in", b"{}")
    assert (status, json.loads(body)["reason"]) in reasons(way)


def test_the_command_prints_it_without_a_state_folder(run: Run, schema: dict[str, Any]) -> None:
    told = run("schema", folder=None)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == schema
