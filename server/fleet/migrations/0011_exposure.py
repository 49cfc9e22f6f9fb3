from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0010_reviewing")]

    operations = [
        migrations.CreateModel(
            name="ExposureDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(max_length=32)),
                ("ownership", models.CharField(max_length=16)),
                ("day", models.DateField()),
                ("messenger", models.CharField(blank=True, max_length=200)),
                ("name", models.CharField(max_length=200, null=True)),
                ("kind", models.CharField(max_length=16, null=True)),
                ("sessions", models.PositiveIntegerField()),
                ("seconds", models.PositiveIntegerField(null=True)),
                ("uncaptured_sessions", models.PositiveIntegerField(null=True)),
                ("uncaptured_seconds", models.PositiveIntegerField(null=True)),
                ("last_sequence", models.BigIntegerField()),
                ("reported_at", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="exposure",
                        to="fleet.device",
                    ),
                ),
            ],
            options={
                "ordering": ("-day", "-seconds", "id"),
                "indexes": [
                    models.Index(
                        fields=[
                            "day",
                            "messenger",
                            "ownership",
                            "device",
                            "seconds",
                            "uncaptured_seconds",
                        ],
                        name="exposure_counted",
                    ),
                    models.Index(fields=["device", "day"], name="exposure_of_device"),
                    models.Index(fields=["reported_at"], name="exposure_age"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("device", "identity"), name="exposure_day_once")
                ],
            },
        ),
    ]
