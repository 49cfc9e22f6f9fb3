"""The versions that programs tell each other."""

VERSION = "0.1.0"
"""Version of the programs, as in pyproject.toml."""
PROTOCOL_VERSION = 1
"""Version of what agent and server say to each other."""
LOCAL_VERSION = 1
"""Version of what agent and tray say to each other."""
