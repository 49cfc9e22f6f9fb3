"""A ceiling that is empty, broken or missing lets nothing through: the whole agent lives through two days, and nothing but heartbeats leaves."""

import argparse
import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from agent.commands.run import serve
from agent.errors import SettingsError
from agent.localapi.server import Caller
from agent.managed.files import Files
from agent.profiles import Side
from agent.reporting.transport import HttpTransport
from agent.settings import load
from agent.settings_watch import SettingsPlace
from contract.observations import ExposureObserved
from tests.fakes.running_agent import OWNER_UID, RunningAgent

OWNER = Caller("owner", OWNER_UID)
SIDES = (Side("work", "a test"), Side("personal", "a test"), Side("unknown", "a test"))
OPEN = 'ownership = "company"\nnotice = "given"\n[ceiling.company]\nwork = "exact"\npersonal = "exact"\nunknown = "exact"\n'
HEADER = 'ownership = "company"\nnotice = "given"\n'


class OnDisk:
    """Settings in a file of the user's own and one of the administrator's, as the system has them."""

    def __init__(self, folder: Path, own: str | None, managed: str | None) -> None:
        self.own, self.managed = folder / "own.toml", folder / "managed" / "settings.toml"
        self.managed.parent.mkdir(mode=0o755)
        if own is not None:
            self.own.write_text(own)
        if managed is not None:
            self.managed.write_text(managed)
        self._looks = 0

    def place(self) -> SettingsPlace:
        """Return where they are read; each look sees a new stamp."""
        files = Files(self.managed, os.getuid())
        own = self.own if self.own.exists() else None
        return SettingsPlace(read=lambda: load(own, files), stamp=self._stamp)

    def _stamp(self) -> int:
        self._looks += 1
        return self._looks


def live(agent: RunningAgent) -> None:
    """Live through two days: messengers on every side, a reminder and its answer, an application, a trouble, many check-ins."""
    for day in range(2):
        for side in SIDES:
            agent.start("telegram" if side.profile == "work" else "whatsapp", uid=OWNER_UID, side=side)
        for reminder in agent.agent._reminding.unshown(OWNER_UID):
            agent.ask("reminder.answer", {"reminder": reminder.reminder, "outcome": "shown"}, OWNER)
        agent.agent._tell_of_damage(f"Trouble {day}.", "trouble")
        agent.check_in()
        agent.end_all()
        agent.device.clock.advance(timedelta(days=1, hours=1))
        agent.check_in()
        agent.check_in()


def kinds(agent: RunningAgent) -> set[str]:
    """Return the types of all that has left, and of all that waits."""
    waiting = agent.agent._store.execute("SELECT type FROM outbox").fetchall()
    sent = agent.agent._store.execute("SELECT type FROM ledger").fetchall()
    taken = [str(one.__struct_config__.tag) for one in agent.device.server.taken.values()]
    return {str(kind) for (kind,) in (*waiting, *sent)} | set(taken)


# What `RunningAgent` sent to be enrolled, before the settings under test were read.
ENROLLED = {"enrolment", "heartbeat", "policy"}

EMPTY = {
    "no files": (None, None),
    "no key": (HEADER, None),
    "an empty table": (HEADER + "[ceiling]\n", None),
    "an empty table of its ownership": (HEADER + "[ceiling.company]\n", None),
    "another ownership's": (HEADER + '[ceiling.personal]\nwork = "exact"\n', None),
    "nothing in words": (HEADER + '[ceiling.company]\nwork = "nothing"\n', None),
    "emptied by the administrator": (OPEN, "[ceiling]\n"),
    "emptied by the administrator for this ownership": (OPEN, '[ceiling.personal]\nwork = "exact"\n'),
}
BROKEN = {
    "not TOML": "[ceiling.company\n",
    "not text": "\udcff",
    "a word": 'ceiling = "exact"\n',
    "a list": 'ceiling = ["exact"]\n',
    "a level that there is not": '[ceiling.company]\nwork = "all"\n',
    "a level in capitals": '[ceiling.company]\nwork = "Exact"\n',
    "a number": "[ceiling.company]\nwork = 4\n",
    "an unknown ownership": '[ceiling.rented]\nwork = "exact"\n',
    "an unknown profile": '[ceiling.company]\noffice = "exact"\n',
    "a misspelt key": '[celing.company]\nwork = "exact"\n',
    "twice": '[ceiling.company]\nwork = "exact"\nwork = "name"\n',
    "nobody's device": 'ownership = "nobody"\n',
}


@pytest.mark.expected_warnings("The state was damaged: Trouble")
@pytest.mark.parametrize(("own", "managed"), EMPTY.values(), ids=EMPTY)
def test_with_an_empty_or_missing_ceiling_nothing_but_heartbeats_leaves(
    tmp_path: Path, own: str | None, managed: str | None
) -> None:
    disk = OnDisk(tmp_path, own, managed)
    with RunningAgent(tmp_path, place=disk.place()) as agent:
        agent.check_in()
        taken = len(agent.device.server.taken)
        live(agent)
        assert kinds(agent) == ENROLLED
        assert len(agent.device.server.taken) == taken
        assert len(agent.device.server.check_ins) > 6


@pytest.mark.expected_warnings("The state was damaged: Trouble")
def test_with_a_ceiling_the_same_two_days_do_leave(tmp_path: Path) -> None:
    with RunningAgent(tmp_path, place=OnDisk(tmp_path, OPEN, None).place()) as agent:
        live(agent)
        assert kinds(agent) == ENROLLED | {"sighting", "exposure", "receipt", "notice", "trouble"}


@pytest.mark.parametrize("layer", ["own", "managed"])
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_with_a_broken_ceiling_no_agent_starts_and_nothing_leaves_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layer: str, text: str
) -> None:
    file = tmp_path / f"{layer}.toml"
    file.write_text(text, errors="surrogateescape")
    managed = Files(file if layer == "managed" else tmp_path / "none.toml", os.getuid())
    monkeypatch.setattr("agent.managed.managed_source", lambda: managed)
    sent: list[str] = []
    monkeypatch.setattr(HttpTransport, "post", lambda _self, url, _body: sent.append(url))
    arguments = argparse.Namespace(
        state=tmp_path / "state",
        socket=tmp_path / "agent.sock",
        settings=file if layer == "own" else None,
        scope="user",
        system=False,
    )
    with pytest.raises(SettingsError) as refused:
        asyncio.run(serve(arguments, lambda end: end()))
    assert refused.value.remedy
    assert sent == []
    assert not (tmp_path / "state").exists()


def _write(text: str) -> Callable[[OnDisk], object]:
    return lambda disk: disk.own.write_text(text, errors="surrogateescape")


def _folder_in_its_place(disk: OnDisk) -> None:
    disk.own.unlink()
    disk.own.mkdir()


def _open_to_all(disk: OnDisk) -> None:
    disk.managed.write_text(OPEN)
    disk.managed.chmod(0o666)


def _drop_in(disk: OnDisk) -> None:
    (disk.managed.parent / "settings.d").mkdir()
    (disk.managed.parent / "settings.d" / "90-late.toml").write_text("[ceiling")


BREAKING: dict[str, Callable[[OnDisk], object]] = {
    **{name: _write(text) for name, text in BROKEN.items()},
    "gone": lambda disk: disk.own.unlink(),
    "unreadable": _folder_in_its_place,
    "a damaged file of the administrator's": lambda disk: disk.managed.write_text("[ceiling"),
    "a damaged drop-in": _drop_in,
    "a file of the administrator's that anybody may write": _open_to_all,
}


@pytest.mark.expected_warnings("The state was damaged: Trouble", "[Ss]ettings")
@pytest.mark.parametrize("damage", BREAKING.values(), ids=BREAKING)
def test_a_ceiling_that_is_damaged_while_the_agent_runs_lets_nothing_through_until_it_is_mended(
    tmp_path: Path, damage: Callable[[OnDisk], object]
) -> None:
    disk = OnDisk(tmp_path, OPEN, None)
    with RunningAgent(tmp_path, place=disk.place()) as agent:
        agent.start("gajim", uid=OWNER_UID)
        agent.check_in()
        agent.check_in()
        before = dict(agent.device.server.taken)
        damage(disk)
        agent.do(agent.agent._settings_watch.look)
        live(agent)
        assert agent.device.server.taken == before
        assert agent.agent._store.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
        assert "settings" in [one["code"] for one in agent.ask("status", {}, OWNER)["result"]["problems"]]

        agent.start("pidgin", uid=OWNER_UID)
        agent.do(lambda: mend(disk))
        agent.do(agent.agent._settings_watch.look)
        agent.check_in()
        agent.check_in()
        told = [one for number, one in agent.device.server.taken.items() if number not in before]
        seen = [one for one in told if not isinstance(one, ExposureObserved)]
        assert [getattr(one, "messenger", None) for one in seen] == ["pidgin"]
        counted = [(one.messenger, one.seconds) for one in told if isinstance(one, ExposureObserved)]
        assert counted == [("gajim", 0)], "no time counts that the door was shut for"
        assert [getattr(one, "transition", None) for one in seen] == ["started"]


def mend(disk: OnDisk) -> None:
    """Write everything as it was."""
    if disk.own.is_dir():
        disk.own.rmdir()
    disk.own.write_text(OPEN)
    disk.managed.unlink(missing_ok=True)
    for late in disk.managed.parent.glob("settings.d/*"):
        late.unlink()
