import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("fleet", "0010_reviewing")]

    operations = [
        migrations.CreateModel(
            name="EmployeeRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("identity", models.CharField(max_length=32)),
                ("about", models.CharField(max_length=16)),
                ("messenger", models.CharField(blank=True, max_length=200)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("until", models.DateField(null=True)),
                ("text", models.TextField()),
                ("asked_at", models.DateTimeField()),
                ("reported_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                ("answered_by", models.CharField(blank=True, max_length=150)),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="requests",
                        to="fleet.device",
                    ),
                ),
            ],
            options={
                "ordering": ("-reported_at", "-id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at", None)),
                        fields=["reported_at"],
                        name="requests_waiting",
                    ),
                    models.Index(fields=["reported_at"], name="requests_age"),
                ],
                "constraints": [models.UniqueConstraint(fields=("device", "identity"), name="asked_once")],
            },
        ),
    ]
