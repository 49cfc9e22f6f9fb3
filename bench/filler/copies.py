"""The copies: every device of a small fleet many times over, with ids of its own, made inside PostgreSQL.

A copy's observations hold together as an original's do: its sightings and reminders have ids of their own, which stand in its bodies,
and the digests are those of its salts and bodies. What is not real: keys and hardware ids are made-up text, check-ins have
no more than the beginning of a sealed text, and copies do things at the very moment at which their original did.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Model

from server.fleet.models import CheckInRecord, Device, ReceivedObservation

FIRST = ("fleet_device", "fleet_checkinrecord", "fleet_receivedobservation")
LEFT_OUT = {"fleet_installation", "fleet_enrolmentsecret"}
NAMED = "CASE WHEN {0} = '' THEN '' ELSE md5({0} || '-' || c) END"
SALT = "CASE WHEN o.salt = '' THEN '' ELSE md5(o.salt || '-' || c) END"
BODY = f"""
    CASE WHEN o.subject = '' THEN o.body
    ELSE convert_to(replace(convert_from(o.body, 'UTF8'), o.subject, {NAMED.format("o.subject")}), 'UTF8') END
"""
_INDEXES = """
    SELECT indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
    FROM pg_index JOIN pg_class AS one ON one.oid = indexrelid
    WHERE indrelid = ANY(%s::regclass[]) AND NOT one.relispartition
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype = 'u'
"""


def multiply(times: int) -> None:
    """Leave every device of the fleet so many times over, the original among them.

    Raises:
        ProgrammingError: the database's user is no superuser, and cannot put its checks aside.
    """
    models = _models()
    tables = [model._meta.db_table for model in models]  # noqa: SLF001 - Django's documented way to its own description
    with connection.cursor() as cursor:
        # What refers to what is right by construction; asking for each of ten million rows takes longer than all else.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '512MB'")
        with _without_indexes(cursor, tables[1:]):
            for model in models:
                _multiply(cursor, model, times)
        cursor.execute("RESET session_replication_role")


def settle() -> None:
    """Let PostgreSQL learn what there is now, as it does by itself in time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def _models() -> Sequence[type[Model]]:
    """Return every model of what is kept of a device, those first that others refer to."""
    every = {model._meta.db_table: model for model in apps.get_app_config("fleet").get_models()}  # noqa: SLF001 - alike
    order = [*FIRST, *sorted(set(every) - set(FIRST) - LEFT_OUT)]
    return [every[table] for table in order]


def _multiply(cursor: Any, model: type[Model], times: int) -> None:
    table, key = model._meta.db_table, model._meta.pk  # noqa: SLF001 - alike
    assert key is not None
    said = dict(_differing(cursor, model, times))
    columns = [field.column for field in model._meta.concrete_fields]  # noqa: SLF001 - alike
    values = ", ".join(said.get(column, f"o.{column}") for column in columns)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "
        f"FROM (SELECT * FROM {table} ORDER BY {key.column}) AS o CROSS JOIN LATERAL generate_series(1, {times - 1}) AS c"
    )
    if key.column != "id" or model is Device:
        return
    cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")


def _differing(cursor: Any, model: type[Model], times: int) -> Mapping[str, str]:
    """Return what a copy's columns hold where that is not what the original's do."""
    said = {}
    for field in model._meta.concrete_fields:  # noqa: SLF001 - alike
        if field.remote_field is not None and field.remote_field.model is Device:
            said[field.column] = _device_id(f"o.{field.column}")
        if field.remote_field is not None and field.remote_field.model is CheckInRecord:
            said[field.column] = _row_id(cursor, CheckInRecord, f"o.{field.column}", times)
    if model is Device:
        number = "lpad(((substring(o.name from '\\d+$'))::int + c * (SELECT count(*) FROM fleet_device))::text, 6, '0')"
        said["id"] = _device_id("o.id")
        said["name"] = f"regexp_replace(o.name, '\\d+$', {number})"
        said["hardware"] = "encode(sha256((o.hardware || c)::bytea), 'hex')"
    else:
        said["id"] = _row_id(cursor, model, "o.id", times)
    names = {field.column for field in model._meta.concrete_fields}  # noqa: SLF001 - alike
    for column in {"public_key", "next_public_key"} & names:
        said[column] = f"translate(encode(sha256((o.{column} || '-' || c)::bytea), 'base64'), '+/=', '-_')"
    if "identity" in names:
        said["identity"] = NAMED.format("o.identity")
    if model is CheckInRecord:
        said["sealed"] = "left(o.sealed, 80)"
    if model is ReceivedObservation:
        said |= {"subject": NAMED.format("o.subject"), "salt": SALT, "body": BODY}
        said["digest"] = f"encode(sha256(decode({SALT}, 'hex') || {BODY}), 'hex')"
    return said


def _device_id(column: str) -> str:
    return f"left(md5({column} || '-' || c), 20)"


_HIGHEST: dict[str, int] = {}


def _row_id(cursor: Any, model: type[Model], column: str, times: int) -> str:
    """Return a copy's number: after all originals', and in their order."""
    table = model._meta.db_table  # noqa: SLF001 - alike
    if table not in _HIGHEST:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
        (_HIGHEST[table],) = cursor.fetchone()
    return f"{_HIGHEST[table]} + {column} * {times} + c"


@contextmanager
def _without_indexes(cursor: Any, tables: Sequence[str]) -> Iterator[None]:
    """Take all indexes but the primary keys away and make them anew afterwards: that takes a fraction of keeping them up to date."""
    cursor.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])",
        [list(tables)],
    )
    every = [*tables, *(name for (name,) in cursor.fetchall() if not name.endswith("pkey"))]
    cursor.execute(_CONSTRAINTS, [every])
    constraints = cursor.fetchall()
    cursor.execute(_INDEXES, [every])
    indexes = cursor.fetchall()
    for table, name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
