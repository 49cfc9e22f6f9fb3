"""Capture connectors that report to this server."""
