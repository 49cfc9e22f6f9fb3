from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Capture connectors."""

    name = "server.records"
    verbose_name = "Records"
