from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0009_installed_messengers")]

    operations = [
        migrations.CreateModel(
            name="UnlistedMessenger",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("messenger", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=200)),
                ("platform", models.CharField(max_length=16)),
                ("kind", models.CharField(max_length=32)),
                ("value", models.CharField(max_length=200)),
                ("evidence", models.JSONField(default=list)),
                ("first_reported_at", models.DateTimeField()),
                ("last_reported_on", models.DateField()),
            ],
            options={
                "ordering": ("messenger", "platform", "kind"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("messenger", "platform", "kind"), name="unlisted_way_once"
                    )
                ],
            },
        ),
        migrations.AddField("device", "catalogue_version", models.BigIntegerField(null=True)),
    ]
