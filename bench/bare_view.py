"""The least that a Django server could do with a check-in: verify its seal, keep it and its observations durably, answer.

`python -m bench.bare_view PORT FOLDER`; the folder holds `keys.json`, device to public key. Its database is there, too, or the
PostgreSQL that BARE_DATABASE names; both are set as Decorum's server sets its own. It knows no policy, no console, no
sequence numbers, no acknowledgement: what Decorum's own server costs more is what all of that costs.
"""

import json
import os
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from contract import wire
from contract.envelope import Address, VerifyKey, unseal
from contract.messages import LIMIT_BYTES, CheckIn, SealedRequest
from server import databases

THREADS = 4
_ID = {"sqlite": "INTEGER PRIMARY KEY", "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"}
_BYTES = {"sqlite": "BLOB", "postgresql": "BYTEA"}
_keys: dict[str, VerifyKey] = {}


def _check_in(request: HttpRequest) -> HttpResponse:
    message = wire.decode(SealedRequest, request.body, limit_bytes=LIMIT_BYTES)
    device = request.headers["x-device"]
    address = Address(type="check-in", tenant="acme", device=device, direction="to_server")
    said = wire.decode(CheckIn, unseal(message.sealed, address, _keys[device]), limit_bytes=LIMIT_BYTES)
    digests = {one.sequence: one.digest for one in said.observations}
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("INSERT INTO check_in (device, sealed) VALUES (%s, %s)", [device, message.sealed])
        cursor.executemany(
            "INSERT INTO observation (device, sequence, digest, body) VALUES (%s, %s, %s, %s)",
            [(device, one.sequence, digests[one.sequence], bytes(one.body)) for one in message.bodies],
        )
    return HttpResponse(b"{}", content_type="application/json", headers={"Content-Length": "2"})


urlpatterns = [path("agent/v1/check-in", _check_in)]


def schema(vendor: str) -> tuple[str, str]:
    """Return the two tables."""
    return (
        f"CREATE TABLE check_in (id {_ID[vendor]}, device TEXT, sealed TEXT)",
        (
            f"CREATE TABLE observation (id {_ID[vendor]}, device TEXT, sequence BIGINT, digest TEXT, body {_BYTES[vendor]}, "
            "UNIQUE (device, sequence, digest))"
        ),
    )


def configure(folder: Path) -> None:
    """Start Django with its database, and read the keys."""
    url = os.environ.get("BARE_DATABASE")
    database = databases.sqlite(folder / "bare.sqlite3") if url is None else databases.postgresql(url)
    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, DATABASES={"default": database})
    django.setup()
    for name, text in json.loads((folder / "keys.json").read_text()).items():
        _keys[name] = VerifyKey(text)


def main(port: int, folder: Path) -> None:
    """Serve; workers are forked and find everything set up."""
    configure(folder)
    with connection.cursor() as cursor:
        for statement in schema(connection.vendor):
            cursor.execute(statement)
    connection.close()
    server = Granian(
        "bench.bare_view:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=1,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    )
    server.serve(target_loader=lambda *_: WSGIHandler(), wrap_loader=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
