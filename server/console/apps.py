from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class ConsoleConfig(AppConfig):
    """Templates, static files and template tags of the console."""

    name = "server.console"
    default = True


class ConsoleAdminConfig(admin_apps.AdminConfig):
    """Django's admin, with our own site in its place."""

    default_site = "server.console.site.Console"
    default = False
