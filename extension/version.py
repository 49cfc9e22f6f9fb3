"""The extension's version: one number that rises with every change of its scripts or of the catalogue's origins.

Browsers take a new package only under a higher number. `python -m extension` raises it after a change; a test tells when that is due.
"""

VERSION = 2
DIGEST = "9e78b2b545ba53f76db9feb3579c60fac62b9cdabb29354dc49bbe46eda51956"
"""Of what was built under that number (`extension.build.content_digest`)."""
