"""The next version's schema is put in place while servers of this one go on taking reports, even while somebody holds a table."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from contract.messages import Acknowledgement
from contract.observations import Trouble
from server import databases
from tests.server.conftest import Environ
from tests.server.running_server import ROOT, Server
from tests.server.simulated_device import RefusedError, Report, SimulatedDevice

pytestmark = pytest.mark.timeout(120)
DEVICES = 3
LATER = """
from django.db import migrations, models

class Migration(migrations.Migration):
    dependencies = [("fleet", "{newest}")]
    operations = [migrations.AddField("device", "later", models.TextField(db_default=""))]
"""
LATER_STILL = """
from django.db import migrations, models
from server.schema import AddIndexWhileServing

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("fleet", "9000_later")]
    operations = [AddIndexWhileServing("device", models.Index(fields=["later"], name="device_later"))]
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """Return a folder with a server whose devices have one more column."""
    folder = tmp_path / "next"
    for room in ("server", "contract", "extension"):
        shutil.copytree(ROOT / room, folder / room)
    newest = max(name for app, name in MigrationLoader(None).graph.leaf_nodes() if app == "fleet")
    (folder / "server/fleet/migrations/9000_later.py").write_text(LATER.format(newest=newest))
    (folder / "server/fleet/migrations/9001_later_still.py").write_text(LATER_STILL)
    return folder


@pytest.fixture
def server(tmp_path: Path, new_database: Callable[[], Environ]) -> Server:
    return Server(tmp_path / "state", new_database())


class Life:
    """Devices that report without pause."""

    def __init__(self, server: Server) -> None:
        secret = server.command("enrol-secret", "--uses", str(DEVICES))
        self.devices = [SimulatedDevice(server.post) for _ in range(DEVICES)]
        for device in self.devices:
            device.enrol(secret)
        self._reported, self._enough = threading.Semaphore(0), threading.Event()

    @contextmanager
    def lived(self) -> Iterator[None]:
        with ThreadPoolExecutor(DEVICES) as pool:
            jobs = [pool.submit(self._live, device) for device in self.devices]
            try:
                yield
            finally:
                self._enough.set()
            for job in jobs:
                job.result()

    def _live(self, device: SimulatedDevice) -> None:
        while not self._enough.is_set():
            trouble = Trouble(code="t", detail="", at=datetime.now(UTC))
            acknowledgement = _said_until_taken(device, device.report(trouble))
            assert (acknowledgement.taken_up_to, acknowledgement.forks) == (device.sequence, ())
            self._reported.release()

    def wait_for_reports(self, count: int) -> None:
        for _ in range(count):
            assert self._reported.acquire(timeout=30)


def _said_until_taken(device: SimulatedDevice, report: Report) -> Acknowledgement:
    """Say it again while the server is busy, as agents do."""
    while True:
        try:
            return device.check_in(report)[0]
        except RefusedError as error:
            if error.status != 503:
                raise


def _stored(server: Server) -> tuple[int, int]:
    counted = "SELECT count(*), count(DISTINCT sequence || ' ' || device_id) FROM fleet_receivedobservation"
    ((rows, numbers),) = server.ask(counted)
    return rows, numbers


def test_reports_are_taken_before_meanwhile_and_after(server: Server, next_version: Path) -> None:
    with server.running("--workers", "2"):
        life = Life(server)
        with life.lived():
            life.wait_for_reports(5)
            server.command("migrate", program=next_version)
            life.wait_for_reports(DEVICES * 3)
        assert server.ask("SELECT DISTINCT later FROM fleet_device") == [("",)]
        assert server.get("/health/ready")[0] == 200
        sent = sum(device.sequence for device in life.devices)
        assert _stored(server) == (sent, sent)


@pytest.mark.only_postgresql
def test_while_a_table_is_held_nobody_waits_behind_the_migration(server: Server, next_version: Path) -> None:
    url = server.environ[databases.VARIABLE]
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
    with server.running("--workers", "2"):
        life = Life(server)
        with life.lived(), psycopg.connect(url) as reader:
            reader.execute("SELECT count(*) FROM fleet_device")  # an open transaction holds what it has read
            command = [sys.executable, "-m", "server.cli", "migrate"]
            with subprocess.Popen(
                command, cwd=next_version, env=server.environ, stdout=subprocess.DEVNULL
            ) as migrate:
                try:
                    deadline = time.monotonic() + 30
                    while server.ask(waiting) == [(0,)]:
                        assert time.monotonic() < deadline
                        time.sleep(0.01)
                    # More than were under way when it began to wait: without a bound on its wait there would be no more.
                    life.wait_for_reports(200)
                    assert migrate.poll() is None
                finally:
                    reader.rollback()
                assert migrate.wait(60) == 0
        assert server.ask("SELECT DISTINCT later FROM fleet_device") == [("",)]
