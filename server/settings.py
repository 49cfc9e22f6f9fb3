"""Django settings of the central server."""

SECRET_KEY = "replaced by server/settings"  # noqa: S105
INSTALLED_APPS: list[str] = []
