from django.apps import AppConfig


class ConductConfig(AppConfig):
    """Conduct."""

    name = "server.conduct"
    verbose_name = "Conduct"
