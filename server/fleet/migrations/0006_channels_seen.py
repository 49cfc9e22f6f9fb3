"""Which channels were seen on which device, noted by the database itself with each new sighting (decision 0025).

Changing the table of sightings on SQLite makes it anew, without its triggers: such a migration must call `note` again.
"""

from typing import Any

from django.db import migrations, models

FUNCTION = """
CREATE OR REPLACE FUNCTION fleet_channelseen_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO fleet_channelseen (device_id, messenger, profile)
    SELECT NEW.device_id, coalesce(NEW.messenger, ''), NEW.profile
    WHERE NOT EXISTS (
        SELECT FROM fleet_channelseen
        WHERE device_id = NEW.device_id AND messenger = coalesce(NEW.messenger, '') AND profile = NEW.profile
    )
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
OTHERWISE = "(OLD.messenger IS DISTINCT FROM NEW.messenger OR OLD.profile IS DISTINCT FROM NEW.profile)"
ON_POSTGRESQL = (
    FUNCTION,
    """
    CREATE OR REPLACE TRIGGER fleet_sighting_new AFTER INSERT ON fleet_sighting
    FOR EACH ROW EXECUTE FUNCTION fleet_channelseen_note()
    """,
    f"""
    CREATE OR REPLACE TRIGGER fleet_sighting_other AFTER UPDATE OF messenger, profile ON fleet_sighting
    FOR EACH ROW WHEN {OTHERWISE} EXECUTE FUNCTION fleet_channelseen_note()
    """,
)
NOTED = """
    INSERT INTO fleet_channelseen (device_id, messenger, profile)
    SELECT NEW.device_id, coalesce(NEW.messenger, ''), NEW.profile
    WHERE NOT EXISTS (
        SELECT 1 FROM fleet_channelseen
        WHERE device_id = NEW.device_id AND messenger = coalesce(NEW.messenger, '') AND profile = NEW.profile
    );
"""
ON_SQLITE = (
    f"CREATE TRIGGER IF NOT EXISTS fleet_sighting_new AFTER INSERT ON fleet_sighting BEGIN {NOTED} END",
    f"""
    CREATE TRIGGER IF NOT EXISTS fleet_sighting_other AFTER UPDATE OF messenger, profile ON fleet_sighting
    WHEN OLD.messenger IS NOT NEW.messenger OR OLD.profile IS NOT NEW.profile BEGIN {NOTED} END
    """,
)
SEEN_SO_FAR = """
INSERT INTO fleet_channelseen (device_id, messenger, profile)
SELECT DISTINCT device_id, coalesce(messenger, ''), profile FROM fleet_sighting
"""


def note(_apps: Any, schema_editor: Any) -> None:
    statements = ON_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else ON_SQLITE
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("fleet", "0005_device_keys")]

    operations = [
        migrations.CreateModel(
            name="ChannelSeen",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("messenger", models.CharField(blank=True, max_length=200)),
                ("profile", models.CharField(max_length=16)),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="channels_seen",
                        to="fleet.device",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["messenger", "profile", "device"], name="channel_seen_on"),
                    models.Index(fields=["profile", "device"], name="channel_seen_side"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device", "messenger", "profile"), name="channel_seen_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(SEEN_SO_FAR, migrations.RunSQL.noop),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
