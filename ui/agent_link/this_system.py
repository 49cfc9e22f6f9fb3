"""The one place where it is chosen how this system's agent is reached."""

import sys

if sys.platform == "win32":
    from ui.agent_link.windows_pipe import connect, peer_uid
else:
    from ui.agent_link.unix_socket import connect, peer_uid

__all__ = ["connect", "peer_uid"]
