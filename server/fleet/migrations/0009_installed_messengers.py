"""Messengers installed on devices, and whether they were ever started, which the database itself notes (decision 0033).

Changing the table of channels seen on SQLite makes it anew, without its triggers: such a migration must add this trigger again.
"""

from django.db import migrations, models

from server.schema import AddTrigger

STARTED = """
    UPDATE fleet_installedmessenger SET is_started = TRUE
    WHERE device_id = NEW.device_id AND messenger = NEW.messenger AND NOT is_started;
"""
ON_POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION fleet_installed_started() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN {STARTED} RETURN NULL; END $$
    """,
    """
    CREATE OR REPLACE TRIGGER fleet_channel_started AFTER INSERT ON fleet_channelseen
    FOR EACH ROW WHEN (NEW.messenger <> '') EXECUTE FUNCTION fleet_installed_started()
    """,
)
ON_SQLITE = (
    f"""
    CREATE TRIGGER IF NOT EXISTS fleet_channel_started AFTER INSERT ON fleet_channelseen
    WHEN NEW.messenger <> '' BEGIN {STARTED} END
    """,
)


class Migration(migrations.Migration):
    dependencies = [("fleet", "0008_check_ins_together")]

    operations = [
        migrations.CreateModel(
            name="InstalledMessenger",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(max_length=32)),
                ("messenger", models.CharField(blank=True, max_length=200)),
                ("name", models.CharField(max_length=200, null=True)),
                ("kind", models.CharField(max_length=16, null=True)),
                ("is_listed", models.BooleanField(null=True)),
                ("profile", models.CharField(max_length=16)),
                ("detail", models.CharField(max_length=16)),
                ("day", models.DateField()),
                ("found_at", models.DateTimeField(null=True)),
                ("removed_at", models.DateTimeField(null=True)),
                ("is_there", models.BooleanField(default=True)),
                ("is_started", models.BooleanField(default=False)),
                ("last_sequence", models.BigIntegerField()),
                ("reported_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="installed", to="fleet.device"
                    ),
                ),
            ],
            options={
                "ordering": ("name", "id"),
                "indexes": [
                    models.Index(fields=["messenger", "profile", "device"], name="installed_on"),
                    models.Index(
                        condition=models.Q(("is_started", False), ("is_there", True)),
                        fields=["messenger", "profile", "device"],
                        name="installed_never_started",
                    ),
                    models.Index(fields=["reported_at"], name="installed_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("device", "identity"), name="installed_once")
                ],
            },
        ),
        AddTrigger(ON_POSTGRESQL, ON_SQLITE),
    ]
