"""Figures: what Decorum costs and how fast it is. Never a test, never shipped."""
