"""What the agent asks of Windows that Python does not offer: thin calls of its libraries, nothing decided here."""
