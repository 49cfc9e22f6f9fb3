"""A PostgreSQL for tests: made for one session, reached by a unix socket in a private folder only, gone with whoever started it."""

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

GUARDED = "guarded"
"""The one user who needs a password; it is the user's own name."""
CONFIGURATION = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 60
log_min_messages = fatal
"""
# What is lost when the machine fails does not matter to a test.
QUICK = """
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 32MB
"""
WHO_MAY = f"""
local all {GUARDED} scram-sha-256
local all all trust
"""


class Postgresql:
    """A running server, owned by the user `decorum`."""

    def __init__(self, programs: Path, folder: Path, pid: int) -> None:
        self.programs, self.folder, self.pid = programs, folder, pid
        self._count = 0

    def url(self, database: str, user: str = "decorum", password: str = "") -> str:
        """Return the address of a database."""
        who = f"{user}:{quote(password)}" if password else user
        return f"postgresql://{who}@/{database}?host={quote(str(self.folder), safe='')}"

    def new_database(self) -> str:
        """Make an empty database and return its address."""
        self._count += 1
        name = f"decorum_{os.getpid()}_{self._count}"
        self.ask("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, database: str, statement: str) -> None:
        """Run one statement in a database, given by name or address."""
        address = database if "://" in database else self.url(database)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement.encode())


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs, the newest there is; Debian keeps them out of PATH."""
    kept = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if re.fullmatch(r"\d+", folder.parent.name)
    ]
    if kept:
        return max(kept, key=lambda folder: int(folder.parent.name))
    found = shutil.which("initdb")
    if found is None:
        raise FileNotFoundError("PostgreSQL is not installed: run dev/bootstrap test")
    return Path(found).resolve().parent


@contextmanager
def running_postgresql(configuration: str = "", *, durable: bool = False) -> Iterator[Postgresql]:
    """Start a server and stop it again; it ends, too, if this process does.

    Args:
        configuration: lines that are added to ours.
        durable: whether it keeps what it says it keeps, as in earnest and at that price.
    """
    programs = find_programs()
    folder = Path(tempfile.mkdtemp(prefix="decorum-postgresql-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    data = folder / "data"
    made = [str(programs / "initdb"), "--no-sync", "--auth=trust", "--username=decorum", "-D", str(data)]
    subprocess.run(
        [*as_user, *made, "--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    settings = CONFIGURATION + ("" if durable else QUICK) + configuration
    (data / "postgresql.auto.conf").write_text(f"{settings}unix_socket_directories = '{folder}'\n")
    (data / "pg_hba.conf").write_text(WHO_MAY)
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*as_user, "setpriv", "--pdeathsig", "INT", str(programs / "postgres"), "-D", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
        )
    try:
        one = Postgresql(programs, folder, server.pid)
        _wait_for(one, server)
        one.ask("postgres", f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{GUARDED}'")
        yield one
    finally:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(one: Postgresql, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while server.poll() is None and time.monotonic() < deadline:
        try:
            one.ask("postgres", "SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError((one.folder / "log").read_text(errors="replace"))
