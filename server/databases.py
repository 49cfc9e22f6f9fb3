"""Where the server keeps its records: SQLite in the state folder, or the PostgreSQL that one setting names.

Both are given what keeps a server answering: a bound on every wait, and connections that are looked at before they are used.
"""

from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from server.errors import ConfigurationError

VARIABLE = "DECORUM_SERVER_DATABASE"
FORM = "Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
_WAIT_SECONDS = 20
"""How long a request waits for what another one holds, on either database."""
_PATIENCE = {
    "connect_timeout": "10",
    # A database whose machine has gone answers nothing, not even a refusal.
    "tcp_user_timeout": "30000",
    "application_name": "decorum-server",
}
# A replica whose machine has gone would hold its rows until the connection's keep-alive gives up, two hours later.
_BOUNDS = f"-c lock_timeout={_WAIT_SECONDS}s -c idle_in_transaction_session_timeout=60s"


def sqlite(file: Path | None) -> dict[str, Any]:
    """Return Django's settings for SQLite; without a file nothing is kept."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:" if file is None else file,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": _WAIT_SECONDS,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    """Return Django's settings for PostgreSQL. What libpq knows may stand in the URL's query, such as `sslmode`.

    Raises:
        ConfigurationError: the URL cannot be understood; no part of it is told, since it may hold a password.
    """
    try:
        said = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    except (psycopg.ProgrammingError, UnicodeError) as error:
        raise ConfigurationError(f"{VARIABLE} is no URL that PostgreSQL understands.", FORM) from error
    name = said.pop("dbname", "")
    if not name:
        raise ConfigurationError(f"{VARIABLE} names no database.", FORM)
    parts = {
        django: said.pop(libpq, "")
        for django, libpq in (("USER", "user"), ("PASSWORD", "password"), ("HOST", "host"), ("PORT", "port"))
    }
    options = _PATIENCE | said | {"options": f"{_BOUNDS} {said.get('options', '')}".strip()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        **parts,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }
