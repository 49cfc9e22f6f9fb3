"""The schema of the way for capture connectors, as OpenAPI 3.1: made from what answers, and nothing of it written twice."""

from typing import Any

import msgspec

from contract.messages import Refusal
from contract.version import VERSION
from server.openapi import PLACE, content, for_javascript, reference, refusals
from server.records.api import HEARTBEAT
from server.records.heartbeats import LIMIT_BYTES, Heartbeat, HeartbeatReply
from server.records.refusals import OF_HEARTBEATS


def schema() -> dict[str, Any]:
    """Return the whole document, plain and ready for JSON."""
    _, parts = msgspec.json.schema_components(
        [Heartbeat, HeartbeatReply, Refusal], ref_template=PLACE + "{name}"
    )
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Decorum: the way for capture connectors",
            "version": VERSION,
            "description": f"A heartbeat has {LIMIT_BYTES:,} bytes at most. A channel counts as captured only while its connector "
            "is heard within the time that the policy allows: send one every few minutes, and none while nothing is retained.",
        },
        "paths": {
            HEARTBEAT: {
                "post": {
                    "operationId": "heartbeat",
                    "summary": "A connector says that it is there, and whose messages it retains.",
                    "security": [{"token": []}],
                    "requestBody": {"required": True, "content": content(reference(Heartbeat.__name__))},
                    "responses": {
                        "200": {
                            "description": "It was heard.",
                            "content": content(reference(HeartbeatReply.__name__)),
                        },
                        **refusals(OF_HEARTBEATS),
                    },
                }
            }
        },
        "components": {
            "schemas": parts,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Shown once when a connector is made.",
                }
            },
        },
    }
    made: dict[str, Any] = for_javascript(whole)
    return made
