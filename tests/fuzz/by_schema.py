"""`python -m tests.fuzz.by_schema PLACE INPUTS SEED`: what the server's own schema allows, and what it forbids, sent to the whole application.

The answer must be one that the schema declares: status, type, headers, body; and never a fault. Half of the good requests are really sealed.
Drawing a request takes ten times as long as answering it, so each that is drawn is sent again with members changed by chance.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi import checks

from contract import wire
from contract.envelope import Address
from contract.messages import (
    CheckIn,
    EnrolmentRequest,
    HoldingsRequest,
    LeaveRequest,
    ObservationDigest,
    salted_digest,
)
from tests.contract.strategies import values_of
from tests.fuzz.bounds import Bounds
from tests.fuzz.fixed import (
    CHECK_IN,
    CHECK_IN_PATH,
    ENROL_PATH,
    ENROLMENT,
    HOLDINGS,
    HOLDINGS_PATH,
    LEAVE,
    LEAVE_PATH,
    NEXT_KEY,
    SECRET,
    sealed_text,
)
from tests.fuzz.shapes import few, spoiled_by_chance
from tests.fuzz.target import FoundError, no_fault_is_swallowed
from tests.fuzz.targets import django_in_memory
from tests.fuzz.tried import try_slice

SLICE = 250
"""As in `by_shape`; requests are larger, and what is remembered of 2,000 of them takes 150 MB."""
CHANGED = 9
"""How often each request is sent again, changed."""
CHECKS = (
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
)


def main(words: list[str]) -> None:
    """Try so many requests, in equal parts for each address, allowed and forbidden ones."""
    place, inputs, first_seed = words
    folder, number = Path(place), int(first_seed)
    django_in_memory()
    # Imported when Django has started.
    from server.fleet.agent_schema import schema
    from server.wsgi import application
    from tests.fuzz.of_server import server_in, undone

    api = schemathesis.openapi.from_dict(schema())
    operations = [found.ok() for found in api.get_all_operations()]
    ways = [(operation, mode) for operation in operations for mode in GenerationMode]
    (folder / "state").mkdir()
    tally: Counter[str] = Counter()
    with server_in(folder / "state"):
        now: list[tuple[Case, bool]] = []
        """The request under way, and whether it is as it was drawn."""

        def check(_: bytes) -> None:
            with undone():
                response = now[0][0].call(app=application, base_url="http://localhost")
            case, is_as_drawn = now[0]
            # What was changed by chance may have become right again.
            rejected = (checks.negative_data_rejection,) if is_as_drawn else ()
            case.validate_response(response, checks=[*CHECKS, *rejected])
            tally[f"{response.status_code} {response.json().get('reason', '')}".strip()] += 1

        with no_fault_is_swallowed(check) as strictly, Bounds(strictly, folder, int(inputs)) as bounds:

            def send(case: Case) -> None:
                as_drawn = case.body
                text = json.dumps(as_drawn, default=repr)
                now[:] = [(case, True)]
                bounds(text.encode())
                if not isinstance(as_drawn, dict | list):
                    return
                chance = Random(text)
                now[:] = [(case, False)]
                for _ in range(CHANGED):
                    case.body = spoiled_by_chance(as_drawn, chance)
                    bounds(json.dumps(case.body, default=repr).encode())
                case.body = as_drawn

            for turn, (operation, mode) in enumerate(ways, start=1):
                wanted = int(inputs) * turn // len(ways)
                while bounds.figures.inputs < wanted:
                    number += 1
                    cases = _cases(operation, mode, number)
                    left = wanted - bounds.figures.inputs
                    try_slice(cases, send, min(SLICE, -(-left // (1 + CHANGED))), number)
                    bounds.rest()
    (folder / "answers.json").write_bytes(msgspec.json.encode(dict(sorted(tally.items()))))
    if not any(told.startswith("200") for told in tally):
        raise FoundError("no request was ever taken, so that nothing behind the seal was reached")


def _cases(operation: Any, mode: GenerationMode, number: int) -> st.SearchStrategy[Case]:
    cases: st.SearchStrategy[Case] = operation.as_strategy(generation_mode=mode)
    if mode is not GenerationMode.POSITIVE:
        return cases
    kind, seal_it = _SEALED[operation.path]
    payloads = few(values_of(kind), number)
    return st.tuples(cases, payloads, st.booleans()).map(
        lambda drawn: seal_it(drawn[0], drawn[1]) if drawn[2] else drawn[0]
    )


def _enrolment(case: Case, payload: Any) -> Case:
    said = {**payload, "secret": SECRET, "public_key": NEXT_KEY.public.text}
    case.body = {**case.body, "sealed": sealed_text(wire.encode(said), ENROLMENT)}
    return case


def _check_in(case: Case, payload: Any) -> Case:
    bodies = list(_numbered(case.body.get("bodies", ())))
    digests = [
        ObservationDigest(body["sequence"], salted_digest(body["salt"], json.dumps(body["body"]).encode()))
        for body in bodies
    ]
    said = {**payload, "observations": digests, "next_key": None}
    case.body = {"sealed": sealed_text(wire.encode(said), CHECK_IN), "bodies": bodies}
    return case


def _holdings(case: Case, payload: Any) -> Case:
    return _question(case, payload, HOLDINGS)


def _leaving(case: Case, payload: Any) -> Case:
    return _question(case, payload, LEAVE)


def _question(case: Case, payload: Any, address: Address) -> Case:
    """Most are of this moment; what is drawn hardly ever is."""
    at = payload["at"] if len(str(payload)) % 8 == 0 else datetime.now(UTC)
    case.body = {**case.body, "sealed": sealed_text(wire.encode({**payload, "at": at}), address)}
    return case


def _numbered(bodies: Iterable[Any]) -> Iterable[Any]:
    """Yield each number once, written as the server takes it: JSON Schema holds 1.0 for an integer, too."""
    by_number = {int(body["sequence"]): body for body in bodies}
    return ({**body, "sequence": number} for number, body in by_number.items())


_SEALED: dict[str, tuple[type, Callable[[Case, Any], Case]]] = {
    ENROL_PATH: (EnrolmentRequest, _enrolment),
    CHECK_IN_PATH: (CheckIn, _check_in),
    HOLDINGS_PATH: (HoldingsRequest, _holdings),
    LEAVE_PATH: (LeaveRequest, _leaving),
}
"""What stands inside the sealed text that is sent to each address, and what seals it."""

if __name__ == "__main__":
    main(sys.argv[1:])
