"""Enrolling from a file that whoever installs the device has laid down. Time is advanced, never slept."""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from agent.managed.files import Files
from agent.problems import Problems
from agent.reporting.backoff import Backoff
from agent.reporting.enrolment import Enroller, assurance_of, current_enrolment
from agent.reporting.secret_file import FILE_NAME, LIMIT_BYTES, SecretFile
from agent.settings import load
from contract import wire
from contract.envelope import SigningKey
from contract.settings_keys import Value
from tests.fakes.central_server import SECRET, URL
from tests.fakes.device import Device
from tests.fakes.hand_loop import HandLoop
from tests.fakes.running_agent import RunningAgent


class Rig:
    """An agent's part that looks for the file, on a loop whose time is advanced by hand."""

    def __init__(self, folder: Path, server_url: str | None = URL) -> None:
        self.loop = HandLoop()
        self.device = device = Device(folder)
        self.file = folder / FILE_NAME
        self.problems = Problems()
        self.changes = 0
        enroller = Enroller(
            device.store, device.journal, device.ledger, device.credentials, device.server, device.clock
        )
        secret_file = SecretFile(
            self.file,
            device.store,
            enroller,
            device.server,
            msgspec.structs.replace(load(None, Files(folder / "none")), server_url=server_url),
            "managed",
            Backoff(random.Random(1)),
            self.problems,
            self._count,
        )
        self.task = self.loop.create_task(secret_file.run())

    def _count(self) -> None:
        self.changes += 1

    def lay(self, secret: str) -> None:
        """Lay a secret down as an installer does: complete at once."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(secret)
        fresh.chmod(0o600)
        fresh.replace(self.file)

    @property
    def attempts(self) -> int:
        """How often the device asked to be taken in."""
        return len(self.device.ledger.rows(None, 500, None))

    @property
    def is_enrolled(self) -> bool:
        """Whether the device is."""
        return current_enrolment(self.device.store) is not None

    def problem(self) -> str:
        """Return the one problem that people are shown."""
        (problem,) = self.problems.all()
        return problem.sentence + " " + problem.remedy


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def build(**options: str | None) -> Rig:
        made.append(Rig(tmp_path, **options))
        return made[-1]

    yield build
    for rig in made:
        rig.loop.finish(rig.task)


def test_a_secret_that_was_there_before_is_used_and_erased(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.lay(SECRET + "\n")
    rig.loop.advance(0)
    assert rig.is_enrolled
    assert not rig.file.exists()
    assert rig.problems.all() == ()
    (row,) = rig.device.ledger.rows(None, 10, None)
    assert SECRET not in row.literal
    assert '"assurance":"managed"' in row.literal


def test_a_secret_that_comes_later_is_used_within_seconds(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.loop.advance(3600)
    assert rig.attempts == 0
    rig.lay(SECRET)
    rig.loop.advance(3)
    assert rig.is_enrolled
    assert not rig.file.exists()


@pytest.mark.expected_warnings("No such secret")
def test_a_refused_secret_stays_is_said_once_and_tried_later_and_later(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.lay("acme.wrong")
    rig.loop.advance(60)
    early = rig.attempts
    assert 3 <= early <= 8
    rig.loop.advance(6 * 3600)
    assert early < rig.attempts <= early + 60
    assert rig.file.exists()
    assert "No such secret." in rig.problem()
    assert rig.changes == 1
    assert not rig.is_enrolled


@pytest.mark.expected_warnings("No such secret")
def test_another_secret_is_tried_at_once_and_the_problem_is_gone(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.lay("acme.wrong")
    rig.loop.advance(6 * 3600)
    rig.lay(SECRET)
    rig.loop.advance(3)
    assert rig.is_enrolled
    assert rig.problems.all() == ()
    assert rig.changes == 2


def test_a_server_that_does_not_answer_is_no_problem_of_the_secrets(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.device.server.is_down = True
    rig.lay(SECRET)
    rig.loop.advance(60)
    assert rig.attempts > 2
    assert rig.problems.all() == ()
    rig.device.server.is_down = False
    rig.loop.advance(120)
    assert rig.is_enrolled
    assert not rig.file.exists()


def test_an_answer_that_was_lost_costs_nothing(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.device.server.lose_answers = 1
    rig.lay(SECRET)
    rig.loop.advance(10)
    assert rig.is_enrolled


def test_an_enrolled_device_erases_a_secret_without_sending_it(make: Callable[..., Rig]) -> None:
    rig = make()
    rig.device.enrol()
    rig.lay(SECRET)
    rig.loop.advance(3)
    assert not rig.file.exists()
    assert rig.attempts == 1


@pytest.mark.expected_warnings("no server is named")
def test_without_a_server_it_says_which_setting_is_missing(make: Callable[..., Rig]) -> None:
    rig = make(server_url=None)
    rig.lay(SECRET)
    rig.loop.advance(3)
    assert "Set server_url" in rig.problem()
    assert rig.file.exists()
    assert rig.attempts == 0


@pytest.mark.expected_warnings("does not hold")
def test_a_server_that_is_not_believed_keeps_the_secret_for_another_try(make: Callable[..., Rig]) -> None:
    rig = make()
    untouched = rig.device.server.tamper
    other = SigningKey.generate().public.text
    rig.device.server.tamper = lambda answer: wire.encode(
        {**wire.decode(dict, answer, limit_bytes=10**6), "root": other}
    )
    rig.lay(SECRET)
    rig.loop.advance(3)
    assert rig.file.exists()
    assert not rig.is_enrolled
    rig.device.server.tamper = untouched
    rig.loop.advance(30)
    assert rig.is_enrolled


@pytest.mark.expected_warnings(
    "holds no enrolment secret|is no plain file|cannot be read|no enrolment secret"
)
@pytest.mark.parametrize("kind", ["long", "bytes", "two lines", "folder", "link", "pipe", "empty"])
def test_what_is_no_secret_is_refused_with_words_and_never_sent(make: Callable[..., Rig], kind: str) -> None:
    rig = make()
    match kind:
        case "long":
            rig.lay("acme." + "x" * LIMIT_BYTES)
        case "bytes":
            rig.file.write_bytes(b"acme.\xff\xff")
        case "two lines":
            rig.lay(f"{SECRET}\n{SECRET}")
        case "folder":
            rig.file.mkdir()
        case "link":
            (rig.file.parent / "elsewhere").write_text(SECRET)
            rig.file.symlink_to(rig.file.parent / "elsewhere")
        case "pipe":
            os.mkfifo(rig.file)
        case _:
            rig.lay("")
    rig.loop.advance(3)
    assert rig.problem()
    assert rig.attempts == 0
    assert os.path.lexists(rig.file)


def test_only_a_system_service_under_an_administrators_ceiling_is_managed(tmp_path: Path) -> None:
    plain = load(None, Files(tmp_path / "none"))
    under = msgspec.structs.replace(
        plain, values={**plain.values, "ceiling": Value(plain.ceiling, "managed")}
    )
    assert assurance_of("system", under) == "managed"
    assert assurance_of("system", plain) == "self_attested"
    assert assurance_of("user", under) == "self_attested"


def test_the_daemon_looks_for_the_file_in_its_state_folder(tmp_path: Path) -> None:
    """An enrolled daemon erases a secret that is laid down: only the one that really looks does."""
    file = tmp_path / FILE_NAME

    async def until_erased(_socket: Path) -> None:
        file.write_text(SECRET)
        while file.exists():  # noqa: ASYNC110  # nothing tells when a file goes
            await asyncio.sleep(0.01)

    async def run(running: RunningAgent) -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(running.agent.run(stop))
        async with asyncio.timeout(20):
            await until_erased(tmp_path)
        stop.set()
        assert await task

    with RunningAgent(tmp_path) as running:
        running._loop.run_until_complete(run(running))
