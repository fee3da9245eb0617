"""
The settings of the site, read from environment variables; the defaults are safe. `docs/configuration.md` lists each
variable, and `docs/extending.md` shows a settings module on top of this one.

A value that is not valid stops the start with a sentence that names the variable.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from project.data_folder import make_private_file, make_private_folder, read_or_make_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

TRUE, FALSE = ("on", "true", "yes", "1"), ("off", "false", "no", "0")


def switch(name: str, default: bool) -> bool:
    """Read a variable that is on or off."""
    value = env.str(name, default="on" if default else "off").lower()
    if value not in TRUE + FALSE:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}")
    return value in TRUE


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Read a variable that is one of a few words."""
    value = env.str(name, default=default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def number(name: str, default: int, *, least: int = 0) -> int:
    """Read a variable that is a whole number, not below `least`."""
    value = env.str(name, default=str(default))
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number from {least}, not {value!r}")
    return int(value)


# --- where things are --------------------------------------------------------------------------------------

HUBTALK_DATA = Path(env.str("HUBTALK_DATA", default=str(BASE_DIR / "var"))).resolve()
make_private_folder(HUBTALK_DATA)
ROOT_PATH = env.str("ROOT_PATH", default="").rstrip("/")
if ROOT_PATH and not ROOT_PATH.startswith("/"):
    raise ImproperlyConfigured(f"ROOT_PATH must start with a slash, not {ROOT_PATH!r}")
FORCE_SCRIPT_NAME = ROOT_PATH or None

# --- who may connect ---------------------------------------------------------------------------------------

DEBUG = switch("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_make_secret_key(HUBTALK_DATA)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
HOST = env.str("HOST", default="127.0.0.1")
PORT = number("PORT", default=8000)
LOCAL_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
PUBLIC_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [*({HOST} - {"0.0.0.0", "::", *LOCAL_HOSTS})]
"""The names by which people reach the site; none if they all are on this machine, as far as we know."""
# Probes come from this machine, whatever the site is called.
ALLOWED_HOSTS = [*PUBLIC_HOSTS, *(host for host in LOCAL_HOSTS if host not in PUBLIC_HOSTS)]
ALLOWED_ORIGINS = env.list("ALLOWED_ORIGINS", default=[])
"""Pages, each as exact scheme://host:port, whose WebSockets count with cookies; empty: pages of this host."""
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
HTTPS = switch("HTTPS", default=False)
"""Whether people reach the site over https, through a proxy in front."""
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = ["^healthz$", "^metrics$"]
SECURE_HSTS_SECONDS = number("HSTS_SECONDS", default=0)
# A browser keeps to HSTS for as long as it was told, and other hosts of the domain are not ours to speak for. So
# the operator decides, and the check's advice to send it (W004), for all subdomains (W005) and into the browsers'
# built-in list (W021) does not apply.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]
try:
    TRUSTED_PROXIES = [ip_network(value.strip()) for value in env.list("TRUSTED_PROXIES", default=[])]
except ValueError as error:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES must be addresses and networks: {error}") from None
"""Proxies whose X-Forwarded-For is trusted."""
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-hubtalk" if HTTPS and not ROOT_PATH else "hubtalk"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
"""An app sets it for a view by the decorators of django-csp: `csp_update` adds sources."""
SECURE_REFERRER_POLICY = "same-origin"
RATE_LIMITS = switch("RATE_LIMITS", default=True)
BODY_LIMITS = {
    "/": 64 * 1024,
    # A push of the longest payload, each byte of it escaped.
    "/admin/": 256 * 1024,
    **dict.fromkeys(("/static/", "/gotalk/", "/rpc/", "/console/", "/jsi18n/", "/healthz", "/metrics"), 0),
}
"""Bytes of a request's body, by the beginning of its path; the longest beginning decides."""

MAX_CONNECTIONS = number("MAX_CONNECTIONS", default=10_000, least=100)
MAX_CONNECTIONS_PER_ADDRESS = number("MAX_CONNECTIONS_PER_ADDRESS", default=500, least=1)
"""Of one process, at the same time."""

GOTALK_LISTEN = env.str("GOTALK_LISTEN", default="tcp://127.0.0.1:8001")
GOTALK_CERTIFICATE = env.str("GOTALK_CERTIFICATE", default="")
GOTALK_KEY = env.str("GOTALK_KEY", default="")

WEB_THREADS = number("WEB_THREADS", default=8, least=1)
"""Threads for pages; each has one connection to the database."""

# --- what it is made of ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "daphne",
    "project",
    "chat",
    "rpc.contrib.django",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.headers.BrowserRules",
    "project.middleware.rates.count_requests",
    "project.middleware.busy.Sessions",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "project.middleware.staff.welcome_staff",
    "chat.web.acting.acting_person",
    "chat.web.second_factor.staff.RequireTwoFactors",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "project.middleware.busy.AnswerBusy",
]
ROOT_URLCONF = "project.urls"
ASGI_APPLICATION = "project.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- storage -----------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{HUBTALK_DATA / 'hubtalk.sqlite3'}")
if not DATABASE_URL.startswith(("sqlite:///", "postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must start with sqlite:///, postgres:// or postgresql://")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASE = DATABASES["default"]
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["OPTIONS"] = {
        # A deferred transaction that reads and then writes fails at once when another one writes: lock first.
        "transaction_mode": "IMMEDIATE",
        # Seconds until a write that another process keeps from the database is refused, as `busy`.
        "timeout": 5,
        # FULL: what was acknowledged survives a power cut. Only the writer's connection checkpoints.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;",
    }
    if DATABASE["NAME"] != ":memory:":
        make_private_file(Path(DATABASE["NAME"]))
    # Threads of the tests share a file; an in-memory database would be locked as one table.
    DATABASE["TEST"] = {"NAME": str(HUBTALK_DATA / f"test-{os.getpid()}.sqlite3")}
# The threads that use the database are few and stay, so each keeps its connection. It is tried before each request.
DATABASE["CONN_MAX_AGE"] = 60
DATABASE["CONN_HEALTH_CHECKS"] = True

REDIS_URL = env.str("REDIS_URL", default="")
TEN_YEARS = 10 * 365 * 24 * 3600
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "project.layers.redis.RedisLayer",
        "CONFIG": {
            # The check bounds how long a host that vanished goes unnoticed.
            "hosts": [{"address": REDIS_URL, "health_check_interval": 3, "socket_timeout": 5}],
            "prefix": "hubtalk",
        },
    }
    if REDIS_URL
    else {
        "BACKEND": "project.layers.local.LocalLayer",
        # A process has one channel and reads it at once: the capacity is for a loop that stalls. A group
        # membership must not expire.
        "CONFIG": {"capacity": 10_000, "expiry": TEN_YEARS, "group_expiry": TEN_YEARS},
    }
}

# --- people ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "chat.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "chat:page"
PASSWORD_HASHERS = [
    "project.passwords.Argon2",
    "project.passwords.PBKDF2",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

OPENID_ISSUER = env.str("OPENID_ISSUER", default="")
"""The provider at which people log in, as it writes itself; empty: there is none."""
OPENID_CLIENT_ID = env.str("OPENID_CLIENT_ID", default="")
OPENID_CLIENT_SECRET = env.str("OPENID_CLIENT_SECRET", default="")
OPENID_NAME = env.str("OPENID_NAME", default="") or urlsplit(OPENID_ISSUER).hostname
"""What the button calls it."""
if OPENID_ISSUER:
    _issuer = urlsplit(OPENID_ISSUER)
    _secure = _issuer.scheme == "https" or (_issuer.scheme, _issuer.hostname) == ("http", "127.0.0.1")
    if not _secure or not _issuer.hostname or _issuer.query or _issuer.fragment:
        raise ImproperlyConfigured(f"OPENID_ISSUER must be an address with https://, not {OPENID_ISSUER!r}")
    if not (OPENID_CLIENT_ID and OPENID_CLIENT_SECRET):
        raise ImproperlyConfigured("OPENID_CLIENT_ID and OPENID_CLIENT_SECRET must be set, as OPENID_ISSUER is")

# --- words and files ---------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = HUBTALK_DATA / "static"
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "project.assets.release.ReleaseStorage"},
}
JOINED_SCRIPTS = ("chat/page.js", "chat/console/page.js", "rpc/operations.js")
"""Modules that pages load, with all that they import."""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- logs and figures ---------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
LOG_LEVEL = choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "rpc.log_lines.LineFormatter"}},
    "filters": {"client_faults": {"()": "project.logs.ClientFaults"}, "seldom": {"()": "project.logs.Seldom"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["client_faults", "seldom"]},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        # Paths of requests are not logged: one of them is the link that makes an admin.
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {"level": "ERROR"},
        "daphne": {"level": "WARNING"},
        # They would log each request that the site makes.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
