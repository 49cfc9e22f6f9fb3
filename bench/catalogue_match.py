"""How many processes a second are matched, against comparing with every identifier; and that a longer catalogue costs no more."""

import statistics
import time
from collections.abc import Callable, Sequence

from agent.catalogue import load
from bench.figures import Line, at_least, at_most, spread
from contract.catalogue import Catalogue, Identifier, Messenger
from contract.facts import ProcessFacts
from contract.matching import Matcher

BUDGET_PER_SECOND, STRETCH_PER_SECOND = 50_000, 300_000
ROUNDS = 5
PROCESSES_PER_ROUND = 50_000
MANY = 5_000
MORE_AT_MOST = 1.2
"""How much more a process may cost with MANY messengers than with those that ship."""

_DAEMONS = [
    "systemd",
    "systemd-journald",
    "dbus-daemon",
    "NetworkManager",
    "rsyslogd",
    "cron",
    "sshd",
    "cupsd",
    "polkitd",
    "upowerd",
]
_DESKTOP = [
    "gnome-shell",
    "nautilus",
    "evince",
    "gedit",
    "chromium",
    "firefox-esr",
    "pipewire",
    "gvfsd",
    "Xwayland",
    "vlc",
]


def plain() -> list[ProcessFacts]:
    """Return processes that no table knows."""
    return [
        ProcessFacts(
            platform="linux",
            name=name[:15],
            exe=f"/usr/bin/{name}",
            cmdline=(f"/usr/bin/{name}", "--session"),
        )
        for name in (*_DAEMONS, *_DESKTOP)
    ]


def mixture() -> list[ProcessFacts]:
    """Return what a desktop runs: of 220 processes 180 plain, 20 with a desktop entry, 12 scripts, 8 of messengers."""
    scripts = ["/usr/bin/gnome-tweaks", "/usr/share/foo/foo.py", "/usr/bin/meld"]
    behind = [
        ProcessFacts(platform="linux", exe="/usr/bin/python3.11", cmdline=("python3", path))
        for path in scripts
    ]
    messengers = [
        ProcessFacts(platform="linux", exe="/usr/bin/telegram-desktop", cmdline=("telegram-desktop", "--")),
        ProcessFacts(
            platform="linux", exe="/usr/lib/slack/slack", cmdline=("/usr/lib/slack/slack", "--type=renderer")
        ),
    ]
    told = ProcessFacts(
        platform="linux",
        exe="/usr/bin/gedit",
        desktop_id="org.gnome.gedit",
        categories=("GNOME", "TextEditor"),
    )
    return [*plain() * 9, *[told] * 20, *behind * 4, *messengers * 4]


def naive(catalogue: Catalogue) -> Callable[[ProcessFacts], str | None]:
    """Return a matcher that compares with every identifier in turn, for comparison."""
    everything = [(name, seen) for name, entry in catalogue.messengers.items() for seen in entry.seen]

    def match(facts: ProcessFacts) -> str | None:
        base = (facts.exe or "").rpartition("/")[2].lower()
        for name, seen in everything:
            if seen.platform == facts.platform and seen.kind == "executable" and seen.value.lower() == base:
                return name
        return None

    return match


def grown(catalogue: Catalogue, count: int = MANY) -> Catalogue:
    """Return the catalogue with made-up messengers up to a number, each seen on every system as real ones are."""
    made = {
        f"made-up-{number}": Messenger(
            name=f"Made Up {number}",
            maker="nobody",
            kind="both",
            seen=(
                Identifier("linux", "executable", f"made-up-{number}-desktop", "made up"),
                Identifier("linux", "desktop_id", f"org.example.MadeUp{number}", "made up"),
                Identifier("linux", "deb", f"made-up-{number}", "made up"),
                Identifier("macos", "bundle_id", f"org.example.made-up-{number}", "made up"),
                Identifier("windows", "executable", f"MadeUp{number}.exe", "made up"),
                Identifier("web", "origin", f"https://chat-{number}.example.org", "made up"),
            ),
        )
        for number in range(count - len(catalogue.messengers))
    }
    return Catalogue(catalogue.messengers | made)


def in_turn(first: Matcher, second: Matcher) -> tuple[list[float], list[float]]:
    """Return processes a second of two matchers, measured in turn, so that what else runs slows both alike."""
    one: list[float] = []
    other: list[float] = []
    for _ in range(ROUNDS):
        one += rates(first.match, mixture(), PROCESSES_PER_ROUND, rounds=1)
        other += rates(second.match, mixture(), PROCESSES_PER_ROUND, rounds=1)
    return one, other


def rates(
    match: Callable[[ProcessFacts], object],
    processes: Sequence[ProcessFacts],
    count: int,
    rounds: int = ROUNDS,
) -> list[float]:
    """Return processes a second, for some rounds."""
    repeated = (list(processes) * (count // len(processes) + 1))[:count]
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for facts in repeated:
            match(facts)
        found.append(count / (time.perf_counter() - began))
    return found


def lines() -> list[Line]:
    """Measure."""
    catalogue = load()
    mixed, many = in_turn(Matcher(catalogue), Matcher(grown(catalogue)))
    more = statistics.median(mixed) / statistics.median(many)
    slow = rates(naive(catalogue), mixture(), PROCESSES_PER_ROUND // 20)
    return [
        Line(
            what="catalogue match, a usual mixture",
            budget=f">= {BUDGET_PER_SECOND:,} a second",
            stretch=f"{STRETCH_PER_SECOND:,}",
            measured=spread(mixed, "a second"),
            compared=f"comparing with every identifier {statistics.median(slow):,.0f}",
            met=at_least(statistics.median(mixed), BUDGET_PER_SECOND, STRETCH_PER_SECOND),
        ),
        Line(
            what=f"what a process costs with {MANY:,} messengers, against {len(catalogue.messengers)}",
            budget=f"<= {MORE_AT_MOST} times",
            measured=f"{more:.2f} times",
            compared=spread(many, "a second"),
            met=at_most(more, MORE_AT_MOST),
        ),
    ]
