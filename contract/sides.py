"""How a policy tells work from personal use, what each signal is worth, and what spoke for a verdict.

>>> from contract.wire import convert
>>> profiles = convert(Profiles, {"company_domains": ["example.com"], "rules": [{"side": "work", "folder": "~/Work"}]})
>>> [problem.detail for problem in problems(profiles)]
[]
>>> [problem.detail for problem in problems(convert(Profiles, {"company_domains": ["com"], "rules": [{"side": "work"}]}))]
["'com' is no domain of two parts or more.", 'This rule says nothing of what it is about.']
"""

from collections.abc import Iterable
from typing import Annotated, Literal, get_args

import msgspec

from contract.domains import normalised, why_not_a_companys
from contract.errors import MalformedError

SignalName = Literal[
    "launch_marker",
    "instance",
    "browser_profile",
    "accounts",
    "program",
    "edition",
    "os_account",
    "ownership",
    "installer",
    "browser_policy",
    "work_account",
]
SIGNAL_NAMES: tuple[SignalName, ...] = get_args(SignalName)
"""The most reliable first."""
Reliability = Literal["strong", "fair", "coarse", "weak"]
RELIABILITIES: tuple[Reliability, ...] = get_args(Reliability)
"""The most reliable first. `coarse`: true of a whole device or account, so anything more particular outweighs it;
`weak`: decides nothing by itself."""
Assurance = Literal["high", "medium", "low"]

Place = Annotated[
    str, msgspec.Meta(min_length=1, max_length=400, pattern=r"^(~|/|[A-Za-z]:[\\/])[^\x00-\x1f\x7f]*\Z")
]
"""A folder: absolute, or below a person's own home with `~`."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


_BROAD = frozenset({"~", "home", "users", "root"})


class SideRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policy says of a way in which a messenger is run; it is about exactly one of folder, name and program."""

    side: Literal["work", "personal"]
    messenger: Name | None = None
    """A catalogue id; None for any."""
    folder: Place | None = None
    """Where the application keeps its data."""
    name: Name | None = None
    """How the profile is called that it was started with, or its Flatpak application."""
    program: Place | None = None
    """Where it is installed."""


class Profiles(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How sides are told apart."""

    company_domains: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=253)], ...], msgspec.Meta(max_length=100)
    ] = ()
    """Domains of the company's own accounts; what lies below one belongs to it."""
    rules: Annotated[tuple[SideRule, ...], msgspec.Meta(max_length=100)] = ()
    signals_off: tuple[SignalName, ...] = ()
    """Signals that are neither read nor heard."""

    @property
    def domains(self) -> frozenset[str]:
        """The company's domains as they are compared; what is no company's is left out."""
        return frozenset(
            domain
            for text in self.company_domains
            if why_not_a_companys(text) is None and (domain := normalised(text)) is not None
        )


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """One signal that spoke for a side."""

    signal: SignalName
    side: Literal["work", "personal"]
    reliability: Reliability
    sentence: str
    """What it says, without any account."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A signal, for those who rely on it and for those whom it is about."""

    name: SignalName
    people: str
    """What it looks at, as the policy's document says it."""
    reads: str
    says: str
    """What follows from it, and how reliable that is."""
    fooled: str
    where: str


SIGNALS: tuple[Signal, ...] = (
    Signal(
        name="launch_marker",
        people="whether Decorum's work launcher started it",
        reads="the variable `DECORUM_WORK` among those that the process was started with, and no other; where that may not be read, as of Chromium, "
        "whether it keeps its data in a folder of Decorum's work profiles",
        says="work, strong, where its value, or the folder's, is the id of that very messenger",
        fooled="any program of the same person can set it, or name the folder; what a marked messenger starts inherits it, and counts only as the same messenger",
        where="Linux, macOS, Windows; `decorum open --work` sets it",
    ),
    Signal(
        name="instance",
        people="the folder it keeps its data in, and the name of its profile",
        reads="command line, working folder and `HOME` of the process, Firefox' `profiles.ini`, the Flatpak application or snap",
        says="what the policy's rule says of that `folder` or `name`, strong; a folder that is a whole home, or holds homes, is passed over unless "
        "it is that very home, written out",
        fooled="whoever starts it chooses the folder; links are not followed; `XDG_CONFIG_HOME` and the like are not looked at",
        where="Linux, macOS, Windows",
    ),
    Signal(
        name="browser_profile",
        people="the domain that the browser's profile is signed in to",
        reads="`Local State` of a Chromium browser, of which the domains alone are kept while it is read; for a page also what the company's own "
        "extension keeps, to know which profile it is in",
        says="a domain of the company: work, strong; another one: personal, fair. Profiles that differ, where it is not known which: nothing",
        fooled="its owner can write that file; who signs in to the company in a private profile makes it work",
        where="Linux, macOS, Windows; in Chromium, Chrome, Edge, Brave and Vivaldi. The system's agent reads no files of people's own",
    ),
    Signal(
        name="accounts",
        people="the domains of the accounts within it",
        reads="Slack's list of workspaces; files that hold passwords or tokens are not opened",
        says="a domain of the company: work, fair; another: personal, fair; both: they contradict each other",
        fooled="its owner can write that file; a workspace of a client is not the company's unless the policy names it",
        where="Linux, macOS, Windows; alike",
    ),
    Signal(
        name="program",
        people="where it is installed",
        reads="path of the executable",
        says="what the policy's rule says of that `program` folder: personal, fair; work, weak",
        fooled="whoever may write into that folder can put another program there",
        where="Linux, macOS, Windows",
    ),
    Signal(
        name="edition",
        people="whether its maker made it for work",
        reads="the catalogue's kind, package and page",
        says="made for personal use: personal, fair; made for businesses alone: work, weak",
        fooled="an application for businesses may be used privately, and for another company",
        where="Linux, macOS, Windows, installed pages",
    ),
    Signal(
        name="os_account",
        people="whether the account on the computer is one of the company",
        reads="Linux: `/etc/passwd`, `/etc/subuid`, the realm in `krb5.conf` or `smb.conf`; Windows: `USERDNSDOMAIN`, `USERDOMAIN`, who joined "
        "the device to Entra",
        says="an account of a directory whose domain is the company's: work, coarse; a local one: nothing",
        fooled="an administrator can write those files; on Windows any program of the same person can set the variables",
        where="Linux, Windows",
    ),
    Signal(
        name="ownership",
        people="whose device it is",
        reads="the setting `ownership`",
        says="of the company: work, coarse; personal: nothing",
        fooled="it comes from the administrator; a private chat on the company's device counts as work",
        where="everywhere",
    ),
    Signal(
        name="installer",
        people="who installed it",
        reads="path of the executable; on Windows what the management has deployed",
        says="by a management: work, weak; in a person's own folder: personal, weak",
        fooled="anybody can copy a program into a folder of their own",
        where="Linux, macOS, Windows; a management's on Windows only",
    ),
    Signal(
        name="browser_policy",
        people="whether an administrator's policy holds for the browser",
        reads="whether there is such a policy; not what it says",
        says="work, weak",
        fooled="an administrator of the device can write one, as the owner of a personal device is",
        where="Linux, macOS, Windows",
    ),
    Signal(
        name="work_account",
        people="whether the computer knows a work account or is managed",
        reads="Windows: work or school accounts and enrolments in the registry, of which the domain is kept while it is read; macOS: managed "
        "preferences",
        says="work, weak: it is true of the whole device",
        fooled="on a personal device it is there for mail alone",
        where="macOS, Windows",
    ),
)
"""Every signal there is, the most reliable first."""


def is_too_broad(place: str) -> bool:
    r"""Tell whether a folder holds everybody's things, or everything of a person.

    >>> [is_too_broad(place) for place in ("~", "~/.", "~/Work/..", "/", "/home/", "C:\\Users")]
    [True, True, True, True, True, True]
    >>> [is_too_broad(place) for place in ("~/Work", "/home/work", "/work")]
    [False, False, False]
    """
    parts: list[str] = []
    for part in place.replace("\\", "/").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    if parts and parts[0].endswith(":"):
        del parts[0]  # a drive
    return not parts or (len(parts) == 1 and parts[0].lower() in _BROAD)


def problems(profiles: Profiles) -> Iterable[MalformedError]:
    """Yield what cannot be meant."""
    for number, text in enumerate(profiles.company_domains):
        why = why_not_a_companys(text)
        if why is not None:
            yield MalformedError(
                f"{text!r} {why}.",
                "Name a domain of the company's own, as in example.com.",
                f"$.profiles.company_domains[{number}]",
            )
    for number, rule in enumerate(profiles.rules):
        said = sum(what is not None for what in (rule.folder, rule.name, rule.program))
        if said != 1:
            yield MalformedError(
                "This rule says nothing of what it is about."
                if not said
                else "This rule is about two things.",
                "Give it one of folder, name and program.",
                f"$.profiles.rules[{number}]",
            )
        if rule.side == "work" and rule.folder is not None and is_too_broad(rule.folder):
            yield MalformedError(
                f"{rule.folder!r} holds all of a person's things, so everything would be work.",
                "Name a folder that is for work alone.",
                f"$.profiles.rules[{number}].folder",
            )
