"""What the agent asks of macOS that Python does not offer at once: thin calls of its libraries, nothing decided here."""
