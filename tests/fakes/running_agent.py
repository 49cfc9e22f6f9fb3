"""The whole agent in this process: its real composition, with a clock set by hand, processes that are made up, and a server
in memory."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, cast

import msgspec

from agent.compliance import Found
from agent.localapi.server import Caller, Client
from agent.managed.files import Files
from agent.profiles import Side
from agent.runtime import Agent, Options, Surroundings
from agent.selflimit import Usage
from agent.sensing.desktop_entries import DesktopIndex
from agent.sensing.noticing import Offer
from agent.sensing.process_source import ProcessKey
from agent.sensing.signals.linux_signals import LinuxSignals
from agent.service.systemd import Systemd
from agent.settings import Settings, load
from agent.settings_watch import SettingsPlace
from contract import wire
from contract.ceiling import Ceiling
from contract.evidence import Match
from contract.places import Scope
from contract.policy import Ownership, Policy
from tests.fakes.applications import FakeApplications, FakeFolderWatch
from tests.fakes.device import EVERYTHING, Device, policy
from tests.fakes.process_events import NoChild
from tests.fakes.process_source import FakeProcessSource

OWNER_UID = 0
"""Tests run as anybody; the agent's own user is an owner, and so is root."""
OTHER_UID = 1001


AT_WORK = Side("work", "a test")


class RunningAgent:
    """An enrolled agent with the tests' policy in force."""

    def __init__(
        self,
        folder: Path,
        scope: Scope = "system",
        ceiling: Ceiling = EVERYTHING,
        notice: str = "given",
        server_url: str | None = None,
        before_start: Callable[[Path], None] = lambda _folder: None,
        systemd: Systemd | None = None,
        ownership: Ownership = "company",
        of_policy: Policy | None = None,
        export_folders: Mapping[str, str] = MappingProxyType({}),
        place: SettingsPlace | None = None,
    ) -> None:
        self._policy, self._export_folders = of_policy or policy(), dict(export_folders)
        self._place = place
        self._systemd = systemd or Systemd()
        self._server_url, self._before_start = server_url, before_start
        self._folder, self._scope = folder, scope
        self._ceiling, self._notice, self._ownership = ceiling, notice, ownership
        self._loop = asyncio.new_event_loop()
        self._pids = 100
        self.applications = FakeApplications()
        self.processes = FakeProcessSource()
        """What runs on its device: nothing, until a test starts it."""
        self.seconds_of_work = 0.0
        """What the agent believes to have cost so far."""

    def __enter__(self) -> Self:
        device = Device(self._folder)
        device.server.publish(self._policy)
        device.enrol()
        device.check_in()
        device.store.close()
        self.device = device
        self.begin()
        return self

    def begin(self) -> None:
        """Start the agent on its device, which may have had one before."""
        device = self.device
        self._before_start(self._folder)
        place = self._place or SettingsPlace(read=self._made_up, stamp=lambda: None)
        settings = place.read()
        outside = Surroundings(
            clock=device.clock,
            processes=self.processes,
            signals=LinuxSignals(self.processes, self._folder / "root"),
            starts=Offer(None, NoChild()),
            entries=DesktopIndex(()),
            applications=self.applications,
            folder_watch=FakeFolderWatch(),
            download_watch=FakeFolderWatch(),
            export_watch=FakeFolderWatch(),
            credentials=device.credentials,
            transport=device.server,
            usage=lambda: Usage(device.clock.monotonic(), self.seconds_of_work, 0),
            settings=place,
            systemd=self._systemd,
        )
        options = Options(state=self._folder, socket=self._folder / "agent.sock", scope=self._scope)

        async def build() -> Agent:
            return Agent(options, settings, outside)

        self.agent = self._loop.run_until_complete(build())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the agent; its device stays."""
        self.agent.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _made_up(self) -> Settings:
        return msgspec.structs.replace(
            load(None, Files(self._folder / "none")),
            server_url=self._server_url,
            ownership=self._ownership,
            notice=self._notice,
            ceiling=self._ceiling,
            export_folders=self._export_folders,
        )

    def start(self, messenger: str, uid: int, side: Side = AT_WORK) -> None:
        """Let a messenger start for a user."""
        self._pids += 1
        match = Match(messenger=messenger, name=messenger.title(), listed=True, confidence=1.0, evidence=())
        found = Found(ProcessKey(self._pids, 1.0), uid, match, side)
        if asyncio._get_running_loop() is not None:
            self.agent._desk.take([found], [])
        else:
            self._loop.run_until_complete(self._take(found))

    def do(self, step: Callable[[], object]) -> None:
        """Do something within the agent's loop."""

        async def within() -> None:
            step()

        self._loop.run_until_complete(within())

    async def _take(self, found: Found) -> None:
        self.agent._desk.take([found], [])

    def end_all(self) -> None:
        """Let every messenger end."""

        async def end() -> None:
            self.agent._desk.take([], [key for one in self.agent._desk.sightings() for key in one.processes])

        self._loop.run_until_complete(end())

    @property
    def wants_to_check_in(self) -> bool:
        """Whether the agent would check in soon because of what happened."""
        return self.agent._reporter._has_news

    def check_in(self) -> None:
        """Check in once."""
        self._loop.run_until_complete(self.agent._reporter._check_in_once())

    def ask(self, method: str, params: dict[str, object], caller: Caller) -> dict[str, Any]:
        """Return the answer that a caller gets."""

        async def answer() -> bytes:
            silent = cast("asyncio.StreamWriter", None)  # nothing is written: the answer is returned
            line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
            return wire.encode(self.agent._local.answer(Client(caller, silent), line))

        told: dict[str, Any] = json.loads(self._loop.run_until_complete(answer()))
        return told

    def serve(self, converse: Callable[[Path], Awaitable[Any]]) -> Any:
        """Listen on the real socket while a conversation goes on."""

        async def both() -> Any:
            await self.agent._local.start()
            try:
                async with asyncio.timeout(20):
                    return await converse(self._folder / "agent.sock")
            finally:
                await self.agent._local.stop()

        return self._loop.run_until_complete(both())
