from django.apps import AppConfig


class AccessConfig(AppConfig):
    """People."""

    name = "server.access"
    verbose_name = "Access"
