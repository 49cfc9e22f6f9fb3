"""What every migration must be, so that servers of the version before go on serving while the schema is changed."""

from collections.abc import Iterator

import pytest
from django.db import connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader

from server.errors import ServerError
from server.schema import TRIES, AddIndexWhileServing, AddTrigger, bring_up_to_date

FIRST_VERSION = {"access": "0003", "fleet": "0008", "policies": "0001"}
"""The last migrations of the first version: nothing served before them."""


def refusals(migration: migrations.Migration) -> Iterator[str]:
    """Yield what in a migration would stop the servers of the version before, or break what they do."""
    for operation in migration.operations:
        if not (migration.atomic or isinstance(operation, AddIndexWhileServing)):
            # SQLite makes a table anew for many a change: what is reported meanwhile would be lost between the two.
            yield "with `atomic = False` a migration makes indexes and does nothing else"
        match operation:
            case AddIndexWhileServing():
                if migration.atomic:
                    yield "an index made while others write needs `atomic = False`"
            case migrations.AddIndex():
                yield "AddIndex keeps everybody from writing; use AddIndexWhileServing"
            case migrations.AddField(field=field):
                if not field.null and field.db_default is models.NOT_PROVIDED:
                    yield f"{operation.name}: the version before leaves it out; give it null=True or db_default"
            case migrations.CreateModel() | AddTrigger():
                pass
            case _:
                yield f"{type(operation).__name__}: the version before may still need what it changes"


def migration(*made: migrations.operations.base.Operation, is_atomic: bool = True) -> migrations.Migration:
    class Later(migrations.Migration):
        atomic, operations = is_atomic, list(made)

    return Later("0042_later", "fleet")


INDEX = models.Index(fields=["name"], name="later")


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (migration(migrations.AddField("device", "later", models.TextField(null=True))), None),
        (migration(migrations.AddField("device", "later", models.TextField(db_default=""))), None),
        (migration(migrations.AddField("device", "later", models.TextField(default=""))), "db_default"),
        (migration(AddIndexWhileServing("device", INDEX), is_atomic=False), None),
        (migration(AddIndexWhileServing("device", INDEX)), "atomic"),
        (
            migration(
                migrations.AddField("device", "later", models.TextField(null=True)),
                AddIndexWhileServing("device", INDEX),
                is_atomic=False,
            ),
            "nothing else",
        ),
        (migration(migrations.AddIndex("device", INDEX)), "AddIndexWhileServing"),
        (migration(migrations.RemoveField("device", "name")), "RemoveField"),
        (migration(AddTrigger(("",), ("",))), None),
        (migration(migrations.RunPython(migrations.RunPython.noop)), "RunPython"),
        (migration(migrations.RunSQL("DELETE FROM fleet_device")), "RunSQL"),
    ],
)
def test_the_rule_knows_what_the_version_before_can_bear(
    one: migrations.Migration, words: str | None
) -> None:
    found = list(refusals(one))
    assert (words is None) == (found == [])
    assert words is None or words in found[0]


def test_every_migration_leaves_servers_of_the_version_before_working() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    seen = set()
    for (app, name), one in loader.disk_migrations.items():
        if app in FIRST_VERSION:
            seen.add(app)
            assert name[:4] <= FIRST_VERSION[app] or list(refusals(one)) == [], f"{app}.{name}"
    assert seen == set(FIRST_VERSION)


@pytest.mark.only_postgresql
@pytest.mark.django_db
def test_a_table_that_is_held_all_the_time_is_said_and_nothing_waits_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[str] = []

    def locked(*_: object, **__: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            waits.append(cursor.fetchone()[0])
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'held' USING ERRCODE = '55P03'; END $$")

    monkeypatch.setattr("server.schema.call_command", locked)
    pauses: list[float] = []
    with pytest.raises(ServerError, match="in use all the time"):
        bring_up_to_date(pauses.append)
    assert (waits, len(pauses)) == (["1s"] * TRIES, TRIES)
