"""How many processes a second are matched: a usual mixture, plain processes only, and the same by comparing with every identifier.

python bench/catalogue_match.py
"""

import time
from collections.abc import Callable, Sequence

from agent.catalogue import load
from contract.catalogue import Catalogue
from contract.facts import ProcessFacts
from contract.matching import Matcher

BUDGET_PER_SECOND = 50_000
ROUNDS = 5
PROCESSES_PER_ROUND = 50_000

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


def rate(match: Callable[[ProcessFacts], object], processes: Sequence[ProcessFacts], count: int) -> float:
    """Return processes a second, the best of some rounds."""
    repeated = (list(processes) * (count // len(processes) + 1))[:count]
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for facts in repeated:
            match(facts)
        best = min(best, time.perf_counter() - began)
    return count / best


def main() -> None:
    began = time.perf_counter()
    catalogue = load()
    loaded = time.perf_counter()
    matcher = Matcher(catalogue)
    built = time.perf_counter()
    identifiers = sum(len(entry.seen) for entry in catalogue.messengers.values())
    mixed = rate(matcher.match, mixture(), PROCESSES_PER_ROUND)
    slow = rate(naive(catalogue), mixture(), PROCESSES_PER_ROUND // 20)
    print(f"{len(catalogue.messengers)} messengers, {identifiers} identifiers")
    print(f"load {(loaded - began) * 1e3:.1f} ms, build tables {(built - loaded) * 1e3:.1f} ms")
    print(f"plain processes    {rate(matcher.match, plain(), PROCESSES_PER_ROUND):>12,.0f} a second")
    print(f"usual mixture      {mixed:>12,.0f} a second (budget {BUDGET_PER_SECOND:,})")
    print(f"every identifier   {slow:>12,.0f} a second; the tables are {mixed / slow:,.0f} times as fast")


if __name__ == "__main__":
    main()
