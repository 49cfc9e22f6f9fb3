"""How it stands between the tray and the agent. Pure, so that texts can be decided without Qt."""

from typing import Literal

import msgspec

LinkKind = Literal[
    "connecting",
    "connected",
    "absent",
    "untrusted",
    "agent_older",
    "agent_newer",
    "malformed",
    "silent",
    "refused",
]
"""`absent`: nobody listens; `untrusted`: somebody listens who is not the agent; `agent_older`, `agent_newer`: another
version of the local interface; `malformed`: what came is not in the agreed form; `silent`: no answer in time; `refused`: the
agent does not serve this user."""


class LinkState(msgspec.Struct, frozen=True):
    """Where it stands, and what a technician would want to know."""

    kind: LinkKind
    detail: str = ""
    agent: str = ""
    """The agent's version, once it has said so."""
