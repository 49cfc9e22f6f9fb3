"""The extension's version: one number that rises with every change of its scripts or of the catalogue's origins.

Browsers take a new package only under a higher number. `python -m extension` raises it after a change; a test tells when that is due.
"""

VERSION = 1
DIGEST = "fbfb4f8ea9790890f8dff50b12aef0cbc574de3eea63852ae70f7f4a97cac6d2"
"""Of what was built under that number (`extension.build.content_digest`)."""
