"""The least that a Django server could do with a check-in: verify its seal, keep it and its observations durably, answer.

`python -m bench.bare_view PORT FOLDER`; the folder holds `keys.json`, device to public key. It knows no policy, no console, no
sequence numbers, no acknowledgement: what Decorum's own server costs more is what all of that costs.
"""

import json
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

THREADS = 4
SCHEMA = (
    "CREATE TABLE check_in (id INTEGER PRIMARY KEY, device TEXT, sealed TEXT)",
    (
        "CREATE TABLE observation (id INTEGER PRIMARY KEY, device TEXT, sequence INTEGER, digest TEXT, body BLOB, "
        "UNIQUE (device, sequence, digest))"
    ),
)
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
    return HttpResponse(b"{}", content_type="application/json")


urlpatterns = [path("agent/v1/check-in", _check_in)]


def configure(folder: Path) -> None:
    """Start Django with the database of a folder, set as Decorum's server sets its own."""
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "bare.sqlite3",
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "timeout": 20,
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                },
            }
        },
    )
    django.setup()
    for name, text in json.loads((folder / "keys.json").read_text()).items():
        _keys[name] = VerifyKey(text)


def main(port: int, folder: Path) -> None:
    """Serve; workers are forked and find everything set up."""
    configure(folder)
    with connection.cursor() as cursor:
        for statement in SCHEMA:
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
