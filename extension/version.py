"""The extension's version: one number that rises with every change of its scripts or of the catalogue's origins.

Browsers take a new package only under a higher number. `python -m extension` raises it after a change; a test tells when that is due.
"""

VERSION = 4
DIGEST = "67f008055a8ccc501f31f6636eb467bcaa5b141af7876e6e8ae19388b782a220"
"""Of what was built under that number (`extension.build.content_digest`)."""
