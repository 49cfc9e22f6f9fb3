"""Domains of the accounts within an application, where it keeps them readable without secrets beside: Slack's workspaces.

Slack lists the workspaces that a person is signed in to in `storage/root-state.json`, each with its place below slack.com; no token is in
that file. Pidgin, Psi and others keep accounts and passwords in one file, which is not opened.

>>> sorted(slack_domains_in(b'{"workspaces":{"T1":{"domain":"acme","name":"Acme"},"T2":{"url":"https://b.enterprise.slack.com/"}}}'))
['acme.slack.com', 'b.enterprise.slack.com']
"""

from urllib.parse import urlsplit

import msgspec

from contract.domains import is_within, normalised
from contract.facts import Platform

AT_MOST_BYTES = 2 * 1024 * 1024
SLACK = "slack"
"""Its id in the catalogue."""
SLACK_FILE = ("storage", "root-state.json")
_SLACK = "slack.com"


class _Workspace(msgspec.Struct):
    domain: str = ""
    url: str = ""


class _RootState(msgspec.Struct):
    workspaces: dict[str, _Workspace] = {}


_DECODER = msgspec.json.Decoder(_RootState)


def slack_domains_in(untrusted_root_state: bytes) -> frozenset[str]:
    """Return the domains of the workspaces; nothing of a file that is of another form."""
    try:
        workspaces = _DECODER.decode(untrusted_root_state).workspaces.values()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return frozenset()
    found = (
        _host(one.url) or (normalised(f"{one.domain}.{_SLACK}") if one.domain else None) for one in workspaces
    )
    return frozenset(domain for domain in found if domain is not None)


def _host(url: str) -> str | None:
    try:
        host = normalised(urlsplit(url).hostname or "")
    except ValueError:
        return None
    return host if host is not None and is_within(host, _SLACK) else None


def slack_folder(platform: Platform, home: str) -> str:
    """Return where Slack keeps its data unless it was told another place."""
    if platform == "windows":
        return f"{home}\\AppData\\Roaming\\Slack"
    if platform == "macos":
        return f"{home}/Library/Application Support/Slack"
    return f"{home}/.config/Slack"
