"""For whom an application was made, where its maker has one for work and one for personal use, or makes it for work alone.

>>> edition_of(ProcessFacts(platform="windows", package_family="MicrosoftTeams_8wekyb3d8bbwe"), "both")
'personal'
>>> edition_of(ProcessFacts(platform="web", origin="https://app.slack.com"), "business")
'work'
"""

from typing import Literal

from contract.catalogue import MessengerKind
from contract.facts import ProcessFacts

_PERSONAL_PACKAGES = frozenset({"MicrosoftTeams_8wekyb3d8bbwe"})
"""Microsoft's page 'Deploy the Teams desktop client': the package that came with Windows 11 is Teams for personal use."""
_PERSONAL_PAGES = ("https://teams.live.com",)


def edition_of(facts: ProcessFacts, kind: MessengerKind | None) -> Literal["work", "personal"] | None:
    """Return for whom it was made; None where it is for either or not known."""
    if facts.package_family in _PERSONAL_PACKAGES:
        return "personal"
    words = (facts.origin or "", facts.start_url or "", *(facts.cmdline or ()))
    if any(word.removeprefix("--app=").startswith(_PERSONAL_PAGES) for word in words):
        return "personal"
    return "work" if kind == "business" else None
