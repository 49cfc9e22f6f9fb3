"""Django settings of the central server, all from the environment (see `server.configuration`) and the state folder.

Without DECORUM_SERVER_STATE they can be imported, as the type checker and tests do, but nothing can be kept: SQLite
is in memory and there are no keys. Every command of `decorum-server` but `catalogue` and `schema` asks for the folder first.
"""

import os

from server import databases, state_folder
from server.configuration import from_environ
from server.console.theme import LOOK

UNFOLD = LOOK
CONFIGURATION = from_environ(os.environ)
STATE = CONFIGURATION.folder
AGENT_SETTINGS = CONFIGURATION.wishes

SECRET_KEY = state_folder.secret_key(STATE)
DEBUG = False
ALLOWED_HOSTS = CONFIGURATION.allowed_hosts
CSRF_TRUSTED_ORIGINS = [CONFIGURATION.url]

INSTALLED_APPS = [
    "server.console",
    "unfold.apps.BasicAppConfig",
    "server.console.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "server.access",
    "server.fleet",
    "server.policies",
    "server.conduct",
    "server.records",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "server.middleware.SafeHeaders",
    "server.middleware.AgentsFirst",
    "server.middleware.ConnectorsFirst",
    "server.middleware.ProbesFirst",
    "server.middleware.BrowsersFirst",
    "server.middleware.PossibleAddresses",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "server.urls"
WSGI_APPLICATION = "server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": databases.postgresql(CONFIGURATION.database)
    if CONFIGURATION.database is not None
    else databases.sqlite(None if STATE is None else STATE / state_folder.DATABASE),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTH_PASSWORD_VALIDATORS[1]["OPTIONS"] = {"min_length": 12}  # type: ignore[assignment]  # Django's own shape
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "decorum_session", "decorum_csrf"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIGURATION.is_https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if CONFIGURATION.is_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIGURATION.behind_proxy else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = CONFIGURATION.time_zone

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 600

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR", "propagate": True},
        # What anybody can provoke, such as a foreign host name, is answered with a page that says so; a traceback for each
        # would let them fill the log.
        "django.security": {"level": "CRITICAL", "propagate": True},
        # An error that ends a pipeline (`server.fleet.rows`) is raised; that its end met the same error says nothing more.
        "psycopg": {"level": "ERROR", "propagate": True},
    },
}
