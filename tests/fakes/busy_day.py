"""A busy day of the whole agent in this process: its real composition and its real socket, on a loop and clocks moved by hand.

Every minute processes start and end; messengers come and go and run into another verdict when office hours begin and end; people
are reminded and answer; trays come, ask, listen and go; the server is down for an hour and loses answers.
"""

import asyncio
import gc
import itertools
import json
import os
import socket
import tracemalloc
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from agent.managed.files import Files
from agent.runtime import Agent, Options, Surroundings
from agent.selflimit import Usage
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.noticing import Offer
from agent.sensing.signals.linux_signals import LinuxSignals
from agent.settings import load
from agent.settings_watch import SettingsPlace
from contract.messages import SealedRequest
from tests.fakes.applications import FakeApplications, FakeFolderWatch
from tests.fakes.central_server import CentralServer
from tests.fakes.device import EVERYTHING, Device, HandClock, policy
from tests.fakes.hand_loop import HandLoop
from tests.fakes.process_events import NoChild
from tests.fakes.process_source import FakeProcessSource

MINUTE, HOUR = 60.0, 3600.0
POLL_MILLISECONDS = 10_000
PLAIN_AT_ONCE, TRAYS_AT_ONCE = 40, 3
MESSENGERS = (
    "/usr/bin/telegram-desktop",
    "/usr/bin/pidgin",
    "/usr/lib/slack/slack",
    "/opt/Signal/signal-desktop",
)
SERVER_DOWN_HOURS = frozenset({6, 13, 19})


class Level(msgspec.Struct, frozen=True):
    """What is held at one moment, when nothing runs and nobody is connected."""

    objects: int
    traced_bytes: int
    database_bytes: int


class _Highest(dict[int, str]):
    """Knows the highest number only, and says of every lower one that it came: a fake that remembers all would itself grow."""

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and number <= max(self, default=0)


class _ForgetfulServer(CentralServer):
    """A server that keeps nothing but the highest number."""

    def _check_in(self, request: SealedRequest) -> bytes:
        answer = super()._check_in(request)
        highest = max(self.digests, default=0)
        self.digests = _Highest({highest: self.digests[highest]} if highest else {})
        self.taken.clear()
        self.check_ins.clear()
        self.held.clear()
        return answer


class _LoopClock(HandClock):
    """Goes with the loop."""

    def __init__(self, loop: HandLoop, began: datetime) -> None:
        super().__init__(began)
        self._loop, self._began = loop, began

    def keep_up(self) -> None:
        """Read the loop's time."""
        self.at = self._began + timedelta(seconds=self._loop.time())
        self.seconds = 1000.0 + self._loop.time()

    def now(self) -> datetime:
        """Return the wall time."""
        self.keep_up()
        return super().now()

    def monotonic(self) -> float:
        """Return seconds since boot."""
        self.keep_up()
        return super().monotonic()


class _Tray:
    """Connects as a tray does, asks what it shows, listens, and answers reminders."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        self._numbers = itertools.count(1)
        for method, params in (
            ("hello", {"version": 1}),
            ("subscribe", {}),
            ("policy", {}),
            ("ledger", {"limit": 20}),
        ):
            self._ask(method, params)

    def read(self) -> int:
        """Answer what has come; return how many lines that was."""
        try:
            text = self._socket.recv(4 * 2**20)
        except BlockingIOError:
            return 0
        lines = [json.loads(line) for line in text.split(b"\n") if line.endswith(b"}")]
        for line in lines:
            if line.get("method") == "reminder":
                reminder = line["params"]["reminder"]
                self._ask("reminder.answer", {"reminder": reminder, "outcome": "shown"})
                self._ask("reminder.answer", {"reminder": reminder, "outcome": "acknowledged"})
        return len(lines)

    def close(self) -> None:
        """Go without a word."""
        self._socket.close()

    def _ask(self, method: str, params: dict[str, Any]) -> None:
        line = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        self._socket.sendall(json.dumps(line).encode() + b"\n")


class BusyDay:
    """An agent that is kept busy, hour by hour."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source = FakeProcessSource()
        self.applications = FakeApplications()
        self.lines = self.outcomes = 0
        """How many lines trays were told, and how many messengers were started."""
        self._plain: deque[int] = deque()
        self._messengers: deque[int] = deque()
        self._minutes = 0

    def __enter__(self) -> Self:
        self.loop = HandLoop()
        device = Device(self._folder)
        clock = _LoopClock(self.loop, device.clock.at.replace(hour=0, minute=0))
        self.server = _ForgetfulServer(clock.now)
        device.clock = device.check_ins._clock = clock
        device.server = self.server
        self.server.publish(policy(), days=365)
        device.enrol()
        device.check_in()
        device.store.close()
        self.device, self.clock = device, clock
        settings = msgspec.structs.replace(
            load(None, Files(self._folder / "none")),
            ownership="company",
            notice="given",
            ceiling=EVERYTHING,
            poll_milliseconds=POLL_MILLISECONDS,
        )
        outside = Surroundings(
            clock=clock,
            processes=self.source,
            signals=LinuxSignals(self.source, self._folder / "root"),
            starts=Offer(None, NoChild()),
            entries=DesktopIndex(()),
            applications=self.applications,
            folder_watch=FakeFolderWatch(),
            download_watch=FakeFolderWatch(),
            export_watch=FakeFolderWatch(),
            credentials=device.credentials,
            transport=self.server,
            usage=lambda: Usage(clock.monotonic(), 0.0, 0),
            settings=SettingsPlace(read=lambda: settings, stamp=lambda: None),
        )
        options = Options(state=self._folder, socket=self._folder / "agent.sock", scope="system")

        async def build() -> Agent:
            return Agent(options, settings, outside)

        self.agent = self.loop.run_until_complete(build())
        self.agent._store.execute(
            "PRAGMA synchronous=OFF"
        )  # nothing is cut off here, and a day writes thousands of times
        self.stop = asyncio.Event()
        self.running = self.loop.create_task(self.agent.run(self.stop))
        self.loop.advance(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop.set()
        self.loop.advance(5)
        assert self.running.done(), "the agent stops when it is asked to"
        self.agent.close()
        self.loop.close()

    def live(self, hours: int) -> None:
        """Let some hours go by, then let everything end."""
        for hour in range(hours):
            self._hour(self._minutes // 60 % 24, hour)
        self._end()

    def level(self) -> Level:
        """Return what is held now."""
        self.server.lose_answers = 0
        self.loop.advance(30 * MINUTE)
        gc.collect()
        files = [self._folder / f"state.sqlite3{end}" for end in ("", "-wal")]
        return Level(
            objects=len(gc.get_objects()) - self._ended_cursors(),
            traced_bytes=tracemalloc.get_traced_memory()[0],
            database_bytes=sum(file.stat().st_size for file in files if file.exists()),
        )

    def _ended_cursors(self) -> int:
        """Return how many cursors the database's connection remembers: it lets go of the ended ones by the two hundred."""
        kept = gc.get_referents(self.agent._store._database)
        return sum(len(one) for one in kept if isinstance(one, list))

    def count(self, table: str) -> int:
        """Return how many rows a table of the agent's database has."""
        row = self.agent._store.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(row[0])

    def _hour(self, hour: int, nth: int) -> None:
        self.server.is_down = hour in SERVER_DOWN_HOURS
        trays: list[_Tray] = []
        for minute in range(60):
            self._minutes += 1
            self._churn(minute)
            if minute % 4 == 0:
                trays.append(_Tray(self._folder / "agent.sock"))
            if len(trays) > TRAYS_AT_ONCE:
                trays.pop(0).close()
            if minute % 25 == 7:
                self.server.lose_answers = 1
            self.loop.advance(MINUTE)
            self.lines += sum(tray.read() for tray in trays)
        while trays:
            trays.pop().close()

    def _churn(self, minute: int) -> None:
        self.source.wall = self.clock.now().timestamp()
        for number in range(5):
            self._plain.append(self.source.start(f"/usr/bin/tool-{minute}-{number}"))
        while len(self._plain) > PLAIN_AT_ONCE:
            self.source.end(self._plain.popleft())
        if minute % 6 == 0:
            exe = MESSENGERS[self.outcomes % len(MESSENGERS)]
            self._messengers.append(self.source.start(exe, uid=os.getuid()))
            self.outcomes += 1
        if minute % 10 == 9 or len(self._messengers) > 6:
            self.source.end(self._messengers.popleft())

    def _end(self) -> None:
        self.server.is_down = False
        for pids in (self._plain, self._messengers):
            while pids:
                self.source.end(pids.popleft())
