"""The agent's side of the local interface."""
