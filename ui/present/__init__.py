"""Turns what the agent says into what is shown. Pure: no Qt, no clock; every function can be tested without a screen."""
