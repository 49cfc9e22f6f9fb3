"""Devices: how they are taken in, what they report, and what that says. Written by devices only."""
