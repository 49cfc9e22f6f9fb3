"""Whose side it is: work, personal or unknown, with the reason in a sentence. Pure."""

from agent.profiles.classifying import classify
from agent.profiles.signals import Side, Signals

__all__ = ["Side", "Signals", "classify"]
