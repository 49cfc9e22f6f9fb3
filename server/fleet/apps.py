from django.apps import AppConfig


class FleetConfig(AppConfig):
    """Devices."""

    name = "server.fleet"
    verbose_name = "Fleet"
