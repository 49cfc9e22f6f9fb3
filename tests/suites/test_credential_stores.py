import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import keyring.backends.fail
import keyring.backends.null
import pytest
from jeepney import MatchRule, message_bus  # type: ignore[import-untyped]  # a part of keyring's own dependency
from jeepney.io.blocking import Proxy, open_dbus_connection  # type: ignore[import-untyped]  # as above
from keyring.backend import KeyringBackend
from keyring.backends import SecretService
from keyring.backends.chainer import ChainerBackend
from keyring.errors import KeyringLocked, PasswordSetError

from agent.credentials.file_store import FileStore
from agent.credentials.interface import choose
from agent.credentials.keyring_store import SERVICE, KeyringStore
from agent.errors import CredentialError
from contract.envelope import SigningKey
from tests.fakes.device import KeyInMemory
from tests.suites.credential_stores import CredentialStoreSuite, Open


class TestKeyInMemory(CredentialStoreSuite):
    @pytest.fixture
    def open_store(self) -> Open:
        store = KeyInMemory()
        return lambda: store


class TestFileStore(CredentialStoreSuite):
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "state" / "device-key.jwk"

    @pytest.fixture
    def open_store(self, file: Path) -> Open:
        return lambda: FileStore(file)

    def test_only_the_owner_can_read_the_file_whatever_the_umask(self, file: Path) -> None:
        before = os.umask(0)
        try:
            FileStore(file).keep(SigningKey.generate())
        finally:
            os.umask(before)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert [path.name for path in file.parent.iterdir()] == [file.name]

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
    def test_a_file_that_others_may_touch_is_refused_with_its_remedy(self, file: Path, mode: int) -> None:
        FileStore(file).keep(SigningKey.generate())
        file.chmod(mode)
        with pytest.raises(CredentialError, match="Others may read") as refused:
            FileStore(file).load()
        assert f"chmod 600 {file}" in refused.value.remedy

    @pytest.mark.parametrize("content", [b"", b"{}", b"not a key", b"\xff", b"[" * 5000])
    def test_a_damaged_file_is_refused_and_left_as_it_is(self, file: Path, content: bytes) -> None:
        FileStore(file).keep(SigningKey.generate())
        file.write_bytes(content)
        with pytest.raises(CredentialError):
            FileStore(file).load()
        assert file.read_bytes() == content

    def test_what_an_interrupted_run_left_behind_is_no_obstacle_and_never_trusted(self, file: Path) -> None:
        file.parent.mkdir()
        leftover = file.with_name(f"{file.name}.new")
        leftover.write_text("half a key")
        leftover.chmod(0o666)
        assert FileStore(file).load() is None
        FileStore(file).keep(SigningKey.generate())
        assert not leftover.exists()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_link_laid_in_the_way_is_not_followed(self, file: Path, tmp_path: Path) -> None:
        file.parent.mkdir()
        trap = tmp_path / "trap"
        trap.write_text("precious")
        file.with_name(f"{file.name}.new").symlink_to(trap)
        FileStore(file).keep(SigningKey.generate())
        assert trap.read_text() == "precious"

    def test_a_folder_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "state").write_text("a file in the way")
        with pytest.raises(CredentialError, match="cannot be written"):
            FileStore(tmp_path / "state" / "device-key.jwk").keep(SigningKey.generate())

    def test_the_setting_chooses_it_by_name(self, tmp_path: Path) -> None:
        assert isinstance(choose("file", tmp_path), FileStore)
        assert str(tmp_path) in choose("file", tmp_path).describe()


class Session(NamedTuple):
    """A D-Bus session of its own with a real GNOME keyring, unlocked."""

    address: str
    runtime: Path


@contextmanager
def a_session(folder: Path) -> Iterator[Session]:
    runtime, home, password = folder / "runtime", folder / "home", folder / "password"
    for place in (runtime, home):
        place.mkdir(mode=0o700)
    password.write_text("a password for tests")
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}
    with ExitStack() as ends:
        bus = ends.enter_context(
            running(["dbus-daemon", "--session", "--nofork", "--print-address=1"], environ)
        )
        assert bus.stdout is not None
        environ["DBUS_SESSION_BUS_ADDRESS"] = address = bus.stdout.readline().strip()
        typed = ends.enter_context(password.open())
        keyring_daemon = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
        ends.enter_context(running(keyring_daemon, environ, typed))
        _wait_for_keyring(address)
        yield Session(address, runtime)


@contextmanager
def running(
    command: list[str], environ: dict[str, str], typed: IO[str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    path = shutil.which(command[0])
    assert path is not None, f"{command[0]} is missing: apt-get install gnome-keyring dbus"
    with subprocess.Popen(
        [path, *command[1:]],
        stdin=subprocess.DEVNULL if typed is None else typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _wait_for_keyring(address: str) -> None:
    """Wait for the bus to say that the keyring has its name; asked earlier, the bus would start another, locked one."""
    secrets = "org.freedesktop.secrets"
    taken = MatchRule(type="signal", interface="org.freedesktop.DBus", member="NameOwnerChanged")
    taken.add_arg_condition(0, secrets)
    with open_dbus_connection(address) as connection:
        asked = Proxy(message_bus, connection)
        with connection.filter(taken) as queue:
            asked.AddMatch(taken)
            if not asked.NameHasOwner(secrets)[0]:
                connection.recv_until_filtered(queue, timeout=20)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with a_session(tmp_path_factory.mktemp("session")) as session:
        yield session


class TestKeyringStoreOnARealKeyring(CredentialStoreSuite):
    @pytest.fixture
    def open_store(
        self, session: Session, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> Open:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(session.runtime))
        return lambda: KeyringStore(request.node.name, real_keyring())

    def test_two_state_folders_of_one_user_have_two_keys(self, open_store: Open) -> None:
        backend = real_keyring()
        one, other = SigningKey.generate(), SigningKey.generate()
        KeyringStore("/one", backend).keep(one)
        KeyringStore("/other", backend).keep(other)
        kept = KeyringStore("/one", backend).load()
        assert kept is not None
        assert kept.public == one.public
        assert KeyringStore("/third", backend).load() is None

    def test_an_entry_that_is_no_key_is_refused(self, open_store: Open) -> None:
        backend = real_keyring()
        backend.set_password(SERVICE, "/damaged", "no key")
        with pytest.raises(CredentialError, match="holds no key"):
            KeyringStore("/damaged", backend).load()

    def test_when_the_session_ends_it_says_so_and_nothing_degrades(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with a_session(tmp_path) as session:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.address)
            store = KeyringStore("/state", real_keyring())
            store.keep(SigningKey.generate())
        with pytest.raises(CredentialError):
            store.load()
        with pytest.raises(CredentialError):
            store.keep(SigningKey.generate())


def real_keyring() -> KeyringBackend:
    backend: KeyringBackend = SecretService.Keyring()  # type: ignore[no-untyped-call]  # the library has no types here
    return backend


class Backend(KeyringBackend):
    """A keyring that behaves as it is told; its module is named as one that is allowed."""

    priority = 1

    def __init__(self, *, error: Exception | None = None, forgets: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self._error, self._forgets = error, forgets
        self._kept: str | None = None

    def get_password(self, service: str, username: str) -> str | None:
        if self._error:
            raise self._error
        return self._kept

    def set_password(self, service: str, username: str, password: str) -> None:
        if self._error:
            raise self._error
        self._kept = None if self._forgets else password


Backend.__module__ = "keyring.backends.SecretService"


@pytest.mark.parametrize(
    "error",
    [
        KeyringLocked("locked"),
        PasswordSetError("no"),
        ConnectionResetError("gone"),
        OSError("bus"),
        RuntimeError("x"),
    ],
)
def test_whatever_a_keyring_raises_is_told_as_one_error_with_a_remedy(error: Exception) -> None:
    store = KeyringStore("/state", Backend(error=error))
    with pytest.raises(CredentialError) as refused:
        store.load()
    assert refused.value.remedy
    with pytest.raises(CredentialError):
        store.keep(SigningKey.generate())


def test_a_keyring_that_drops_a_secret_in_silence_is_found_out() -> None:
    with pytest.raises(CredentialError, match="did not keep it"):
        KeyringStore("/state", Backend(forgets=True)).keep(SigningKey.generate())


@pytest.mark.parametrize(
    "kind", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring, ChainerBackend]
)
def test_a_keyring_that_is_not_on_the_list_is_refused_with_the_way_out(
    kind: Callable[[], KeyringBackend],
) -> None:
    backend = kind()
    with pytest.raises(CredentialError) as refused:
        KeyringStore("/state", backend)
    assert 'key_store = "file"' in refused.value.remedy
    assert type(backend).__module__ in refused.value.detail
