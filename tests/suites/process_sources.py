"""What every source of processes does, real or not; a rig makes and changes processes for it."""

from typing import Protocol

import pytest

from agent.sensing.process_source import GoneError, ProcessKey, ProcessSource
from contract import wire


class Rig(Protocol):
    """Processes that a test can make and change."""

    @property
    def source(self) -> ProcessSource:
        """The source under test."""

    @property
    def first_exe(self) -> str:
        """What `start` runs."""

    @property
    def second_exe(self) -> str:
        """What `become` turns it into."""

    @property
    def uid(self) -> int:
        """Whose processes they are."""

    @property
    def folder(self) -> str:
        """Where they work."""

    def start(self) -> int:
        """Start a process, with the variable MARK set to `made up`, and return its pid."""

    def become(self, pid: int) -> None:
        """Let it execute another program."""

    def die(self, pid: int) -> None:
        """End it without collecting it."""

    def collect(self, pid: int) -> None:
        """Collect what has died."""


class ProcessSourceSuite:
    """Run for every implementation by a class that gives the fixture `rig`."""

    def test_a_running_process_is_listed_and_there(self, rig: Rig) -> None:
        pid = rig.start()
        assert pid in set(rig.source.pids())
        assert rig.source.is_there(pid)

    def test_its_key_is_always_the_same(self, rig: Rig) -> None:
        pid = rig.start()
        key = rig.source.key(pid)
        assert key.pid == pid
        assert rig.source.key(pid) == key
        rig.become(pid)
        assert rig.source.key(pid) == key

    def test_two_processes_have_two_keys(self, rig: Rig) -> None:
        assert rig.source.key(rig.start()) != rig.source.key(rig.start())

    def test_a_start_changes_the_newest_pid(self, rig: Rig) -> None:
        before = rig.source.newest()
        rig.start()
        assert before is None or rig.source.newest() != before

    def test_its_executable_and_facts_are_told(self, rig: Rig) -> None:
        pid = rig.start()
        key = rig.source.key(pid)
        reading = rig.source.read(key)
        assert rig.source.image(pid).exe == reading.image.exe == reading.facts.exe == rig.first_exe
        assert reading.key == key
        assert reading.facts.platform == "linux"
        assert reading.facts.name == rig.first_exe.rsplit("/", 1)[-1][:15]
        assert reading.facts.cmdline is not None
        assert wire.encode(reading.facts)

    def test_its_user_is_told(self, rig: Rig) -> None:
        assert rig.source.uid(rig.start()) == rig.uid

    def test_its_parent_is_told(self, rig: Rig) -> None:
        parent = rig.source.parent(rig.start())
        assert parent is None or rig.source.is_there(parent) or parent == 1

    def test_only_the_variables_asked_for_are_told(self, rig: Rig) -> None:
        pid = rig.start()
        assert rig.source.variables(pid, ()) == {}
        assert rig.source.variables(pid, {"MARK", "NOBODY_HAS_THIS"}) == {"MARK": "made up"}

    def test_its_folder_is_told(self, rig: Rig) -> None:
        assert rig.source.folder(rig.start()) == rig.folder

    def test_execution_of_another_program_shows(self, rig: Rig) -> None:
        pid = rig.start()
        key = rig.source.key(pid)
        rig.become(pid)
        assert rig.source.image(pid).exe == rig.second_exe
        assert rig.source.read(key).image.exe == rig.second_exe

    def test_a_zombie_has_a_pid_and_nothing_else(self, rig: Rig) -> None:
        pid = rig.start()
        key = rig.source.key(pid)
        rig.die(pid)
        assert rig.source.is_there(pid)
        with pytest.raises(GoneError):
            rig.source.key(pid)
        with pytest.raises(GoneError):
            rig.source.read(key)

    def test_what_was_collected_is_gone(self, rig: Rig) -> None:
        pid = rig.start()
        key = rig.source.key(pid)
        rig.die(pid)
        rig.collect(pid)
        assert pid not in set(rig.source.pids())
        assert not rig.source.is_there(pid)
        for ask in (rig.source.key, rig.source.image, rig.source.uid, rig.source.parent, rig.source.folder):
            with pytest.raises(GoneError):
                ask(pid)
        with pytest.raises(GoneError):
            rig.source.read(key)

    def test_a_pid_with_another_start_time_is_another_process(self, rig: Rig) -> None:
        key = rig.source.key(rig.start())
        with pytest.raises(GoneError):
            rig.source.read(ProcessKey(key.pid, key.started - 1.0))
