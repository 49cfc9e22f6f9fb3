"""The extension's version: one number that rises with every change of its scripts or of the catalogue's origins.

Browsers take a new package only under a higher number. `python -m extension` raises it after a change; a test tells when that is due.
"""

VERSION = 3
DIGEST = "0e5dbcf802cd730fc71de4a0b5238070fbb1f8661c7079eb550f59ce7241baa3"
"""Of what was built under that number (`extension.build.content_digest`)."""
