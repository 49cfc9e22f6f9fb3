"""A damaged state is set aside: what can be read goes on, numbers are never given twice, and the person is told."""

import random
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.localapi.server import Caller
from agent.reporting.enrolment import current_enrolment
from agent.rescue import SET_ASIDE_AT_MOST, is_damaged, rescue
from agent.store import Store
from contract.observations import Trouble
from tests.fakes.device import Device, policy
from tests.fakes.running_agent import OWNER_UID, RunningAgent

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lived(folder: Path, reports: int = 300) -> Device:
    """Return a device that has enrolled, got a policy, sent some reports and holds more; its database is closed."""
    device = Device(folder)
    device.server.publish(policy())
    device.enrol()
    device.check_in()
    for number in range(reports):
        device.report(f"number {number}")
    device.check_in()
    device.store.close()
    return device


def again(device: Device, folder: Path) -> Device:
    """Return the device after a new start, with its server and its key."""
    fresh = Device(folder)
    fresh.server, fresh.credentials, fresh.clock = device.server, device.credentials, device.clock
    fresh.seals._credentials = device.credentials
    return fresh


def spoil(file: Path, first_byte: int, count: int) -> None:
    with file.open("r+b") as opened:
        opened.seek(first_byte)
        opened.write(random.Random(1).randbytes(count))


def test_a_whole_state_and_none_are_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    assert rescue(file, AT) is None
    lived(tmp_path)
    before = file.read_bytes()
    assert rescue(file, AT) is None
    assert file.read_bytes() == before


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_what_can_be_read_goes_on_and_everything_arrives_once(tmp_path: Path, share: float) -> None:
    device = lived(tmp_path)
    file = tmp_path / "state.sqlite3"
    with closing(sqlite3.connect(file)) as database:
        database.execute("VACUUM")  # a page that nothing uses is not damaged by anything
    spoil(file, int(file.stat().st_size * share) // 4096 * 4096, 4096)
    assert is_damaged(file)
    rescued = rescue(file, AT)
    assert rescued is not None
    assert rescued.carried_over > 200
    assert not rescued.has_lost_enrolment
    assert not is_damaged(file)
    fresh = again(device, tmp_path)
    fresh.report("after the damage")
    for _ in range(12):
        fresh.check_in()
    assert fresh.server.forks == []
    told = [one.detail for one in fresh.server.taken.values() if isinstance(one, Trouble)]
    assert "after the damage" in told
    assert len(told) == len(set(told))
    assert fresh.shelf.serial == 1


def test_whichever_page_is_damaged_the_rest_goes_on(tmp_path: Path) -> None:
    lived(tmp_path)
    whole = (tmp_path / "state.sqlite3").read_bytes()
    for page in range(1, len(whole) // 4096):
        folder = tmp_path / f"{page}"
        folder.mkdir()
        file = folder / "state.sqlite3"
        file.write_bytes(whole)
        spoil(file, page * 4096, 4096)
        if is_damaged(file):
            assert rescue(file, AT) is not None, page
            assert not is_damaged(file), page


def test_a_state_that_is_no_database_at_all_leaves_the_enrolment_and_no_number_twice(tmp_path: Path) -> None:
    device = lived(tmp_path, reports=30)
    file = tmp_path / "state.sqlite3"
    taken = dict(device.server.taken)
    size_bytes = file.stat().st_size
    file.write_bytes(bytes(size_bytes))
    for part in ("-wal", "-shm"):
        file.with_name(file.name + part).unlink(missing_ok=True)
    rescued = rescue(file, AT)
    assert rescued is not None
    assert (rescued.carried_over, rescued.has_lost_enrolment) == (0, False)
    assert rescued.aside.read_bytes() == bytes(size_bytes)
    fresh = again(device, tmp_path)
    fresh.report("first after the damage")
    fresh.check_in()
    assert fresh.server.taken == taken  # it only asked
    fresh.check_in()
    assert fresh.server.forks == []
    assert getattr(fresh.server.taken[max(taken) + 1], "detail", None) == "first after the damage"


def test_without_the_enrolments_file_it_has_to_be_enrolled_anew(tmp_path: Path) -> None:
    lived(tmp_path)
    file = tmp_path / "state.sqlite3"
    file.write_bytes(b"x" * 9000)
    (tmp_path / "enrolment.json").unlink()
    rescued = rescue(file, AT)
    assert rescued is not None
    assert rescued.has_lost_enrolment
    store = Store(file)
    assert current_enrolment(store) is None
    store.close()


def test_the_file_beside_is_for_its_owner_only(tmp_path: Path) -> None:
    lived(tmp_path)
    assert stat.S_IMODE((tmp_path / "enrolment.json").stat().st_mode) == 0o600


def test_only_the_newest_of_many_damaged_states_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    for number in range(SET_ASIDE_AT_MOST + 2):
        file.write_bytes(b"no database" * 1000)
        rescue(file, AT + timedelta(seconds=number))
    kept = sorted(path.name for path in tmp_path.glob("*.damaged-*Z"))
    assert len(kept) == SET_ASIDE_AT_MOST
    assert kept[-1].endswith("20260302T090004000000Z")


def test_a_database_that_another_holds_is_not_damaged(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite3"
    Store(file).close()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert not is_damaged(file)
    other.execute("COMMIT")
    other.close()


@pytest.mark.expected_warnings("The state was damaged: It was set aside as")
def test_the_person_and_the_company_are_told_once(tmp_path: Path) -> None:
    def spoil_half(folder: Path) -> None:
        file = folder / "state.sqlite3"
        spoil(file, file.stat().st_size // 8192 * 4096, 4096)

    with RunningAgent(tmp_path, before_start=spoil_half) as running:
        told = running.ask("status", {}, Caller("owner", OWNER_UID))["result"]["problems"]
        assert [problem["code"] for problem in told] == ["state_damaged"]
        for _ in range(3):
            running.check_in()
        arrived = running.device.server.taken.values()
        assert [getattr(one, "code", "") for one in arrived].count("state_damaged") == 1


@pytest.mark.expected_warnings("The journal does not hold from entry 2 on")
def test_a_journal_that_was_rewritten_is_told_and_work_goes_on(tmp_path: Path) -> None:
    def rewrite(folder: Path) -> None:
        database = sqlite3.connect(folder / "state.sqlite3")
        with database:
            database.execute("UPDATE journal SET kind = 'agent' WHERE sequence = 2")
        database.close()

    with RunningAgent(tmp_path, before_start=rewrite) as running:
        running.check_in()
        arrived = running.device.server.taken.values()
        assert [getattr(one, "code", "") for one in arrived].count("journal_broken") == 1
