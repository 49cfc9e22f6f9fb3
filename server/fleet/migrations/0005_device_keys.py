from django.db import migrations, models
from django.db.models import F


def since_enrolment(apps, schema_editor):  # type: ignore[no-untyped-def]  # Django's historical models have no types
    apps.get_model("fleet", "Device").objects.update(key_since=F("enrolled_at"))


class Migration(migrations.Migration):
    dependencies = [("fleet", "0004_revocation")]

    operations = [
        migrations.AddField("device", "next_public_key", models.CharField(max_length=43, null=True)),
        migrations.AddField("device", "key_change_asked_at", models.DateTimeField(null=True)),
        migrations.AddField("device", "key_since", models.DateTimeField(null=True)),
        migrations.RunPython(since_enrolment, migrations.RunPython.noop),
        migrations.AlterField("device", "key_since", models.DateTimeField()),
        migrations.CreateModel(
            name="FormerKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_key", models.CharField(max_length=43, unique=True)),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                (
                    "device",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="former_keys", to="fleet.device"
                    ),
                ),
            ],
            options={"ordering": ("until",)},
        ),
    ]
