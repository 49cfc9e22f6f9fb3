from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0007_console_indexes")]

    operations = [
        migrations.AddConstraint(
            "checkinrecord",
            models.UniqueConstraint(
                fields=("device",), condition=models.Q(reported=0), name="one_heartbeat_of_each"
            ),
        ),
        migrations.AddIndex(
            "sighting",
            models.Index(
                fields=("device", "verdict"), condition=models.Q(is_open=True), name="sighting_open_of_device"
            ),
        ),
    ]
