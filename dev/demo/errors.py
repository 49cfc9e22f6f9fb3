"""What goes wrong with the demo, as a sentence for whoever started it."""


class DemoError(Exception):
    """The demo cannot go on; the message says why and what helps."""
