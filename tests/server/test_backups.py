"""Backups: whole, private, taken while serving; and how devices go on with a server that remembers less than they do."""

import io
import json
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from server import backups, databases, recovery
from server.access import audit
from server.errors import RequestError, StateError
from server.fleet.flags import flags
from server.fleet.models import Device, EnrolmentSecret, Installation
from server.identity import Identity, establish
from server.policies import publishing
from server.policies.models import Publication
from tests.postgresql import Postgresql
from tests.server.conftest import Environ, FakeClock
from tests.server.running_server import Server, enrolled, trouble
from tests.server.simulated_device import SimulatedDevice

Publish = Callable[..., Publication]


@pytest.fixture
def server(tmp_path: Path, new_database: Callable[[], Environ]) -> Server:
    return Server(tmp_path / "state", new_database())


def refused(server: Server, *words: str) -> str:
    with pytest.raises(subprocess.CalledProcessError) as error:
        server.command(*words)
    assert error.value.returncode == 1
    assert "Traceback" not in error.value.stderr
    return str(error.value.stderr)


class Disaster:
    """Saves a server as the guide says, and loses its state folder and its database."""

    def __init__(self, server: Server, place: Path, postgresql: Postgresql | None) -> None:
        self._server, self._place, self._postgresql = server, place, postgresql

    def save(self) -> None:
        self._server.command("backup", str(self._place / "backup"))
        if self._postgresql is not None:
            url = self._server.environ[databases.VARIABLE]
            self._postgresql_tool("pg_dump", "--format=custom", "--file", str(self._place / "dump"), url)

    def lose(self) -> None:
        """Lose everything; the database comes back as PostgreSQL's own programs had dumped it."""
        (self._place / "state").rename(self._place / "lost")
        if self._postgresql is not None:
            url = self._server.environ[databases.VARIABLE] = self._postgresql.new_database()
            self._postgresql_tool("pg_restore", "--exit-on-error", "--dbname", url, str(self._place / "dump"))

    def _postgresql_tool(self, name: str, *words: str) -> None:
        assert self._postgresql is not None
        subprocess.run([str(self._postgresql.programs / name), *words], check=True, capture_output=True)


@pytest.fixture
def disaster(server: Server, tmp_path: Path, postgresql: Postgresql | None) -> Disaster:
    return Disaster(server, tmp_path, postgresql)


def test_devices_go_on_after_a_restore_and_what_was_lost_is_said(
    server: Server, tmp_path: Path, disaster: Disaster
) -> None:
    policy = server.command("policy", "template", "ban")
    server.command("policy", "apply", "-", given=policy)
    with server.running():
        device = enrolled(server)
        assert device.check_in(device.report(trouble(1)))[0].taken_up_to == 1
        disaster.save()
        # What happens now, and is acknowledged, will be lost.
        server.command("policy", "apply", "-", given=policy.replace("version = 1\n", "version = 2\n", 1))
        late = enrolled(server)
        acknowledgement, _ = device.check_in(device.report(trouble(2)), device.report(trouble(3)))
        assert (acknowledgement.taken_up_to, device.serial) == (3, 2)
    disaster.lose()
    said = server.command("restore", str(tmp_path / "backup"))
    assert "sealed anew as number 1001" in said
    with server.running():
        acknowledgement, reply = device.check_in()
        assert acknowledgement.current_serial == 1001
        assert device.bundle(reply).serial == 1001
        acknowledgement, _ = device.check_in(device.report(trouble(4)))
        assert (acknowledgement.taken_up_to, acknowledgement.missing, acknowledgement.forks) == (
            1,
            ((2, 3),),
            (),
        )
        acknowledgement, _ = device.check_in(device.report(trouble(5)))
        assert acknowledgement.missing == ((2, 3),)
        status, body = server.post(
            "/agent/v1/check-in", json.dumps({"sealed": late.request().sealed}).encode()
        )
        assert (status, json.loads(body)["reason"]) == (401, "device_unknown")
        assert "Enrol" in json.loads(body)["remedy"]
        enrolled(server)
    assert server.ask("SELECT lost_in_restore FROM fleet_device ORDER BY enrolled_at") == [(2,), (0,)]


def test_a_backup_is_private_and_never_written_over(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    server.command("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert "File exists" in refused(server, "backup", str(file))
    assert file.read_bytes() == before
    assert "cannot be written" in refused(server, "backup", str(tmp_path / "absent/backup"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["backup", "state"]


def test_nothing_is_restored_over_a_server(server: Server, tmp_path: Path) -> None:
    server.command("backup", str(tmp_path / "backup"))
    assert "holds a server already" in refused(server, "restore", str(tmp_path / "backup"))
    assert "cannot be read" in refused(server, "restore", str(tmp_path / "absent"))


def test_one_more_server_gets_its_keys_from_a_backup(server: Server, tmp_path: Path) -> None:
    server.command("backup", str(tmp_path / "backup"))
    before = server.command("root-fingerprint")
    server.environ["DECORUM_SERVER_STATE"] = str(tmp_path / "second")
    assert "Only keys" in server.command("restore", "--keys", str(tmp_path / "backup"))
    assert server.command("root-fingerprint") == before
    assert not (tmp_path / "second/server.sqlite3").exists()
    for name in ("tenant.json", "secret_key", "keys/root.jwk", "keys/server.jwk"):
        kept = tmp_path / "second" / name
        assert kept.read_bytes() == (tmp_path / "state" / name).read_bytes()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.only_postgresql
def test_a_backup_without_records_is_not_taken_for_a_whole_one(server: Server, tmp_path: Path) -> None:
    assert "pg_dump" in server.command("backup", str(tmp_path / "backup"))
    server.environ["DECORUM_SERVER_STATE"] = str(tmp_path / "second")
    del server.environ[databases.VARIABLE]
    assert "pg_restore" in refused(server, "restore", str(tmp_path / "backup"))
    assert not (tmp_path / "second").exists()


@pytest.mark.only_sqlite
def test_a_snapshot_taken_while_the_server_writes_is_whole(server: Server, tmp_path: Path) -> None:
    with server.running():
        device = enrolled(server)
        for number in range(5):
            device.check_in(device.report(trouble(number)))
            server.command("backup", str(tmp_path / f"backup{number}"))
    for number in range(5):
        folder = tmp_path / f"again{number}"
        server.environ["DECORUM_SERVER_STATE"] = str(folder)
        server.command("restore", str(tmp_path / f"backup{number}"))
        assert server.ask("SELECT count(*) FROM fleet_receivedobservation") == [(number + 1,)]
        assert server.ask("PRAGMA integrity_check") == [("ok",)]


@pytest.fixture
def folder(tmp_path: Path, clock: FakeClock) -> Path:
    (tmp_path / "state").mkdir()
    establish(tmp_path / "state", "acme", "Acme", clock.now)
    (tmp_path / "state/secret_key").write_text("secret")
    return tmp_path / "state"


@pytest.fixture
def backup(folder: Path, tmp_path: Path, clock: FakeClock) -> Path:
    """A backup of keys."""
    made = establish(folder, None, None, clock.now)
    backups.write(tmp_path / "backup", folder, made, clock.now, with_records=False)
    return tmp_path / "backup"


def _changed(backup: Path, name: str, change: Callable[[bytes], bytes | None], new_name: str = "") -> Path:
    """Write the backup anew with one member changed, left out, or called otherwise."""
    other = backup.with_name("changed")
    with tarfile.open(backup) as source, tarfile.open(other, "w") as target:
        for head in source.getmembers():
            member = source.extractfile(head)
            assert member is not None
            data: bytes | None = member.read()
            if head.name == name:
                data = change(data or b"")
                head.name = new_name or head.name
            if data is not None:
                head.size = len(data)
                target.addfile(head, io.BytesIO(data))
    return other


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("secret_key", lambda data: data + b"x", "secret_key in .* is damaged"),
        ("secret_key", lambda _: None, "lacks secret_key"),
        ("manifest.json", lambda _: None, "lacks manifest.json"),
        ("manifest.json", lambda _: b"{}", "no backup that this version reads"),
        ("manifest.json", lambda data: data.replace(b'"secret_key"', b'"../outside"'), "no backup"),
        ("manifest.json", lambda data: data.replace(b'"format":1', b'"format":2'), "no backup"),
    ],
)
def test_a_damaged_backup_restores_nothing(
    backup: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes | None], said: str
) -> None:
    target = tmp_path / "again"
    with pytest.raises(StateError, match=said):
        backups.unpack(_changed(backup, name, change), target, with_records=True)
    assert list(target.iterdir()) == []
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("data", [b"", b"no tar at all", b"\0" * 5000])
def test_what_is_no_backup_is_said_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(StateError, match=r"is no whole backup|lacks manifest\.json"):
        backups.unpack(tmp_path / "file", tmp_path / "again", with_records=True)


def test_half_a_backup_restores_nothing(backup: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.write_bytes(backup.read_bytes()[:3000])
    with pytest.raises(StateError):
        backups.unpack(half, tmp_path / "again", with_records=True)
    assert list((tmp_path / "again").iterdir()) == []


def test_a_folder_with_anything_of_a_server_is_left_alone(backup: Path, folder: Path, tmp_path: Path) -> None:
    (folder / "tenant.json").unlink()
    (folder / "secret_key").unlink()
    with pytest.raises(RequestError, match="keys"):
        backups.unpack(backup, folder, with_records=True)


@pytest.fixture
def installed(identity: Identity, db: None) -> Identity:
    Installation.objects.create(root_fingerprint=identity.root_fingerprint, secret_key_digest="x")
    return identity


def test_the_serial_leaps_over_whatever_devices_hold(
    installed: Identity, device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    publish()
    device.check_in(policy_serial=57)
    done = recovery.recover(installed, clock.now, audit.COMMAND_LINE)
    assert (done.serial, done.is_published) == (1057, True)
    assert publishing.current() == Publication.objects.get(serial=1057)
    assert device.check_in(policy_serial=57)[0].current_serial == 1057
    assert publish(version=2).serial == 1058


def test_a_device_that_claims_an_impossible_number_uses_none_up(
    installed: Identity, device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    publish()
    device.check_in(policy_serial=2**53)
    assert recovery.recover(installed, clock.now, audit.COMMAND_LINE).serial == 1001


def test_without_a_policy_the_next_one_still_leaps(
    installed: Identity, device: SimulatedDevice, publish: Publish, clock: FakeClock
) -> None:
    done = recovery.recover(installed, clock.now, audit.COMMAND_LINE)
    assert (done.serial, done.is_published) == (1000, False)
    assert publish().serial == 1000
    assert publish(version=2).serial == 1001


def test_what_may_have_been_ended_since_ends(
    installed: Identity, console: Client, issue: Callable[..., str], clock: FakeClock
) -> None:
    issue()
    assert console.get("/").status_code == 200
    recovery.recover(installed, clock.now, audit.COMMAND_LINE)
    assert console.get("/").status_code == 302
    assert EnrolmentSecret.objects.get().state(clock.now) == "taken back"


def test_what_a_restore_lost_is_told_from_what_is_late(
    installed: Identity, device: SimulatedDevice, console: Client, clock: FakeClock
) -> None:
    reports = [device.report(trouble(number)) for number in range(1, 12)]
    device.check_in(reports[0], reports[1])
    recovery.recover(installed, clock.now, audit.COMMAND_LINE)
    device.check_in(reports[5])  # 3, 4 and 5 had been acknowledged after the backup
    device.check_in(reports[9])  # 7, 8 and 9 are late
    words = {flag.word: flag.sentence for flag in flags(Device.objects.get(), 0)}
    assert words["lost in a restore"].startswith("3 of its reports")
    assert words["reports missing"].startswith("3 of its reports")
    console.force_login(User.objects.get())
    page = console.get("/").content.decode()
    assert "restored from a backup" in page
    assert "1 device had reported" in page
    device.check_in(*reports[6:9], reports[10])
    assert "reports missing" not in {flag.word for flag in flags(Device.objects.get(), 0)}


def test_a_restore_that_nobody_told_of_is_noticed(
    installed: Identity, device: SimulatedDevice, console: Client, publish: Publish
) -> None:
    publish()
    device.check_in(policy_serial=1)
    assert "after-restore" not in console.get("/").content.decode()
    device.check_in(policy_serial=4)
    page = console.get("/").content.decode()
    assert "1 device holds a policy newer than any here" in page
    assert "decorum-server after-restore" in page
