"""The headless daemon `decorum` and its command line."""
