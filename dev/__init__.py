"""Tools for people who work on Decorum: the demo, the pins, pictures. Never shipped."""
