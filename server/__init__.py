"""The central server `decorum-server`."""
