"""How the agent notices messengers; one small module per operating system, chosen in one place."""
