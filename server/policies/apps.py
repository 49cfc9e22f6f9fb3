from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """Policies."""

    name = "server.policies"
    verbose_name = "Policies"
