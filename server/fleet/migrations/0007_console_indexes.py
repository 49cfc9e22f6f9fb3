from typing import Any

from django.db import migrations, models

# Every check-in writes its device's row anew: with room on its page, and no index over what changes, no index is written with it.
ROOM = "ALTER TABLE fleet_device SET (fillfactor = 70)"


def leave_room(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ROOM)


class Migration(migrations.Migration):
    dependencies = [("fleet", "0006_channels_seen")]

    operations = [
        migrations.AlterField("device", "silent_from", models.DateTimeField()),
        migrations.AddIndex("device", models.Index(fields=["name", "id"], name="device_order")),
        migrations.AddIndex("device", models.Index(fields=["ownership", "name", "id"], name="device_owned")),
        migrations.AddIndex("device", models.Index(fields=["policy_serial"], name="device_policy")),
        migrations.AddIndex(
            "device",
            models.Index(
                condition=models.Q(("revoked_at__isnull", False)), fields=["id"], name="device_revoked"
            ),
        ),
        migrations.RemoveIndex("sighting", "sighting_channel"),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
