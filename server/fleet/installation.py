"""Which keys the records belong to."""

import hashlib
import hmac

from django.db import connection, transaction

from server.errors import StateError
from server.fleet.models import Installation
from server.identity import Identity
from server.locks import hold

_TABLE = Installation._meta.db_table  # noqa: SLF001 - Django's documented way to a table's name
_REMEDY = (
    "Copy tenant.json, secret_key and the folder keys from the state folder of the server that made it, "
    "or name another database."
)


def refuse_if_taken() -> None:
    """Refuse to make new keys for records that have theirs already.

    Raises:
        StateError: they have.
    """
    if _TABLE not in connection.introspection.table_names():
        return
    row = Installation.objects.first()
    if row is not None:
        raise StateError(f"The database belongs to the server with root {row.root_fingerprint}.", _REMEDY)


def claim(identity: Identity, secret_key: str) -> None:
    """Bind the records to these keys, the first time; later only compare.

    Raises:
        StateError: they belong to others.
    """
    with transaction.atomic():
        hold("installation")
        if not Installation.objects.exists():
            Installation.objects.create(
                root_fingerprint=identity.root_fingerprint, secret_key_digest=_digest(secret_key)
            )
    check(identity, secret_key)


def check(identity: Identity, secret_key: str) -> None:
    """Make sure that the records belong to these keys.

    Raises:
        StateError: they belong to others, or the key for sessions is another one.
    """
    row = Installation.objects.first()
    if row is None:
        return
    if row.root_fingerprint != identity.root_fingerprint:
        raise StateError(
            f"The database belongs to the server with root {row.root_fingerprint}, this state folder to "
            f"{identity.root_fingerprint}.",
            _REMEDY,
        )
    if not hmac.compare_digest(row.secret_key_digest, _digest(secret_key)):
        raise StateError(
            "The file secret_key is not the one that goes with the database: people would be signed out at each request.",
            "Copy it from the state folder of the server that made it.",
        )


def _digest(secret_key: str) -> str:
    return hashlib.sha256(secret_key.encode()).hexdigest()
