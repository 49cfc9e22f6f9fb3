"""How long the console's pages take, on PostgreSQL, with a fleet that `bench.filler` made; every page warm, through the real server.

Small by default; `python -m bench console --full` fills 100,000 devices and 10 million observations first, which takes minutes.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import psutil
import psycopg

from bench.figures import Line, at_most
from tests.e2e.stage import Stage, staged
from tests.postgresql import running_postgresql

WARM, TIMES = 3, 15
BUDGET_MILLISECONDS, STRETCH_MILLISECONDS = 300, 100
DEVICES = "/fleet/device/"
LARGE = """
shared_buffers = 1GB
effective_cache_size = 4GB
work_mem = 16MB
max_wal_size = 8GB
wal_level = minimal
max_wal_senders = 0
"""
"""What an administrator would set for such a fleet on a machine with 8 GB; the last three make filling quicker."""


class Size(msgspec.Struct, frozen=True):
    """How large a fleet."""

    devices: int
    observations: int
    """Of each device, about."""
    originals: int
    audit: int


SMALL = Size(devices=2_000, observations=95, originals=25, audit=20_000)
FULL = Size(devices=100_000, observations=100, originals=125, audit=1_000_000)


class Page(msgspec.Struct, frozen=True):
    """A page and its address."""

    what: str
    address: str


def lines(*, full: bool = False) -> list[Line]:
    """Measure."""
    size = FULL if full else SMALL
    with (
        tempfile.TemporaryDirectory() as folder,
        running_postgresql(LARGE) as postgresql,
        staged(Path(folder)) as stage,
    ):
        stage.environment |= {
            "DECORUM_SERVER_DATABASE": postgresql.new_database(),
            "DECORUM_SERVER_CHECK_IN_SECONDS": "14400",  # devices that are heard of now stay so until the end
        }
        stage.server("migrate", "--tenant", "acme", "--company", "Acme")
        stage.server("create-admin", "admin")
        _fill(stage, size)
        return measured(stage, postgresql.pid, full=full)


def measured(stage: Stage, postgresql: int, *, full: bool) -> list[Line]:
    """Measure every page of a server that is filled and not started yet.

    Args:
        stage: its environment leads to the database.
        postgresql: the pid of PostgreSQL's first process.
        full: whether the size is that of the budget.
    """
    pages, size = _pages(stage.environment["DECORUM_SERVER_DATABASE"])
    asked = _questions(stage, pages)
    stage.start_server()
    read = stage.console()
    found = []
    pids = (stage.pid_of("server"), postgresql)
    for page in pages:
        took, worked = _times(read, page.address, pids)
        questions, milliseconds = asked[page.address]
        found.append(
            Line(
                what=f"console, {page.what}",
                budget=f"<= {BUDGET_MILLISECONDS} ms",
                stretch=f"{STRETCH_MILLISECONDS} ms",
                measured=f"p50 {took[len(took) // 2]:.0f}, p95 {took[len(took) * 95 // 100]:.0f} ms (n={len(took)})",
                compared=f"processors {worked:.0f} ms; {questions} questions, {milliseconds:.0f} ms in the database; {size}",
                met=at_most(took[len(took) // 2], BUDGET_MILLISECONDS, STRETCH_MILLISECONDS) if full else "",
            )
        )
    return found


def _fill(stage: Stage, size: Size) -> None:
    words = [f"--{name}={value}" for name, value in msgspec.to_builtins(size).items()]
    subprocess.run([sys.executable, "-m", "bench.filler", *words], env=stage.environment, check=True)


def _pages(database: str) -> tuple[list[Page], str]:
    """Return the pages to measure, and the size in words."""
    with psycopg.connect(database) as connection:

        def one(statement: str) -> int:
            row = connection.execute(statement.encode()).fetchone()
            assert row is not None
            return int(row[0])

        devices, entries = (
            one("SELECT count(*) FROM fleet_device"),
            one("SELECT count(*) FROM access_auditentry"),
        )
        observations = one("SELECT count(*) FROM fleet_receivedobservation")
        talker = connection.execute(
            "SELECT id FROM fleet_device ORDER BY taken_highest DESC, id LIMIT 1"
        ).fetchone()
        name = connection.execute(
            "SELECT name FROM fleet_device WHERE name <> '' ORDER BY id LIMIT 1"
        ).fetchone()
        older = connection.execute(
            "SELECT id FROM fleet_receivedobservation WHERE device_id = %s ORDER BY id DESC OFFSET 100 LIMIT 1",
            talker,
        ).fetchone()
    assert talker is not None
    assert name is not None
    assert older is not None
    deep = min(900, devices // 50)
    lists = {
        "list of devices": {},
        "devices not in line": {"standing": "not_in_line"},
        "devices in line": {"standing": "in_line"},
        "devices silent": {"standing": "silent"},
        "devices of their users": {"ownership": "personal"},
        "devices with a common messenger": {"messenger": "microsoft-teams"},
        "devices with a rare messenger": {"messenger": "threema"},
        "devices with a common channel": {"messenger": "microsoft-teams", "profile": "work"},
        "devices with a profile": {"profile": "unknown"},
        "devices with a policy": {"serial": "2"},
        "devices by two filters": {"standing": "in_line", "messenger": "whatsapp"},
        "devices, a whole name": {"q": name[0]},
        "devices, part of a name": {"q": name[0][-4:]},
        "devices, part of many names": {"q": "office"},
        "devices, the start of an id": {"q": talker[0][:8]},
        f"devices, page {deep}": {"p": str(deep)},
        "devices, by last check-in": {"o": "-6"},
    }
    audit = "/access/auditentry/"
    found = [Page("first page", "/")]
    found += [Page(what, f"{DEVICES}?{urlencode(query)}") for what, query in lists.items()]
    found += [
        Page("a device with a long story", f"{DEVICES}{talker[0]}/change/"),
        Page("the same, earlier", f"{DEVICES}{talker[0]}/change/?before={older[0]}"),
        Page("policies", "/policies/publication/"),
        Page("a policy", "/policies/publication/1/change/"),
        Page("composing a policy", "/policies/edit/"),
        Page("enrolment secrets", "/fleet/enrolmentsecret/"),
        Page(f"audit log, {entries:,} entries", audit),
        Page("audit log, one action", f"{audit}?action=person.signed_in"),
        Page("audit log, a rare action", f"{audit}?action=policy.published"),
        Page("audit log, a device's id", f"{audit}?q={talker[0]}"),
        Page("audit log, a frequent word", f"{audit}?q=alice"),
        Page("audit log, an old page", f"{audit}?p={entries // 100}"),
    ]
    return found, f"{devices:,} devices, {observations:,} observations"


def _questions(stage: Stage, pages: Sequence[Page]) -> dict[str, tuple[int, float]]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.console_queries", *(page.address for page in pages)],
        env=stage.environment | {"DJANGO_SETTINGS_MODULE": "server.settings"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, tuple[int, float]] = json.loads(done.stdout)
    return found


def _times(read: Callable[[str], str], address: str, pids: Sequence[int]) -> tuple[list[float], float]:
    """Return how long each warm visit took, shortest first, and how long processors worked for one in the mean, in milliseconds."""
    for _ in range(WARM):
        read(address)
    took, before = [], _worked_seconds(pids)
    for _ in range(TIMES):
        began = time.perf_counter()
        read(address)
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took), (_worked_seconds(pids) - before) * 1000 / TIMES


def _worked_seconds(pids: Sequence[int]) -> float:
    """Return for how long processors have worked for some processes, and for all that they started, ended ones among them."""
    seconds = 0.0
    for pid in pids:
        first = psutil.Process(pid)
        ended = first.cpu_times()
        seconds += ended.children_user + ended.children_system
        for one in (first, *first.children(recursive=True)):
            times = one.cpu_times()
            seconds += times.user + times.system
    return seconds
