"""Every text that the tray shows, in English; a translation is a gettext catalogue of the domain `decorum`.

The modules of this package hold the English sentences; `say` looks each up with the standard library's gettext.
"""

import gettext

DOMAIN = "decorum"
ENGLISH = "en"


def language() -> str:
    """Return the language in which the texts are shown (BCP 47): English where no translation is found."""
    translated = gettext.translation(DOMAIN, fallback=True)
    return translated.info().get("language", ENGLISH).replace("_", "-")


def say(text: str, **values: object) -> str:
    """Return the text in the user's language, with its values filled in.

    >>> say("Continue in {name}", name="Slack")
    'Continue in Slack'
    """
    return gettext.dgettext(DOMAIN, text).format(**values)


def say_many(one: str, many: str, count: int) -> str:
    """Return the form of a text that its count asks for.

    >>> say_many("{count} report", "{count} reports", 2)
    '2 reports'
    """
    return gettext.dngettext(DOMAIN, one, many, count).format(count=count)
