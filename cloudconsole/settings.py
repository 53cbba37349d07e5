"""The one settings file. Everything that differs between installations comes from the environment, parsed strictly.

`docs/generated/settings.md` is made from `cloudconsole.environment`, where each variable is declared.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.templatetags.static import static

from cloudconsole import colours, logs
from cloudconsole.api.enum_names import ENUM_NAMES
from cloudconsole.environment import environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = environment(BASE_DIR)
VAR_DIR = env.var_dir

SECRET_KEY = env.secret_key
FERNET_KEYS = list(env.fernet_keys)
KMS_KEY_ID = env.kms_key_id
KMS_OLD_KEY_IDS = list(env.kms_old_key_ids)
KMS_DATA_KEY_CACHE_MINUTES = env.kms_data_key_cache_minutes
DEBUG = env.debug
ALLOWED_HOSTS = list(env.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(env.csrf_trusted_origins)
SIGNUP = env.signup
EMAIL_CONFIGURED = bool(env.email)
EMAIL_BACKEND = env.email.get("EMAIL_BACKEND", "django.core.mail.backends.dummy.EmailBackend")
EMAIL_HOST = env.email.get("EMAIL_HOST", "")
EMAIL_PORT = env.email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = env.email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = env.email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = env.email.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = env.email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = env.email.get("EMAIL_FILE_PATH", "")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.email_from
REDIS_URL = env.redis_url
COST_EXPLORER_MONTHLY_REQUEST_CAP = env.cost_explorer_monthly_request_cap
COST_IMPORT_MAX_GB = env.cost_import_max_gb
COST_IMPORT_MAX_MINUTES = env.cost_import_max_minutes
COST_ENGINE = env.cost_engine
ALERT_RETENTION_DAYS = env.alert_retention_days
OPERATION_MAX_TARGETS = env.operation_max_targets
REQUEST_LOG_RETENTION_DAYS = env.request_log_retention_days
QUOTAS = env.quotas
EGRESS_ALLOW_CIDRS = list(env.egress_allow_cidrs)
AUDIT_KEY = env.audit_key
AUDIT_CHECKPOINTS = VAR_DIR / "audit" / "checkpoints.jsonl"  # outside the database, which they watch over
ADMIN_GIVEN = env.admin_given
ADMIN_USERNAME = env.admin_username
ADMIN_PASSWORD = env.admin_password
ADMIN_EMAIL = env.admin_email
PORT = env.port
DEMO = env.demo
DEMO_DATA = env.demo_data
CLOUDFORMATION_TEMPLATE_URL = env.cloudformation_template_url
AWS_ENDPOINT_URL = env.aws_endpoint_url

INSTALLED_APPS = [
    "cloudconsole.apps.CloudconsoleConfig",
    "cloudconsole.core.apps.CoreConfig",
    "cloudconsole.api.apps.ApiConfig",
    "cloudconsole.realtime.apps.RealtimeConfig",
    "cloudconsole.dashboard.apps.DashboardConfig",
    "accounts.apps.AccountsConfig",
    "resources.apps.ResourcesConfig",
    "costs.apps.CostsConfig",
    "expenses.apps.ExpensesConfig",
    "gateway.apps.GatewayConfig",
    "audit.apps.AuditConfig",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "channels",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]

MIDDLEWARE = [
    "cloudconsole.core.requests.RequestContextMiddleware",
    "cloudconsole.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "cloudconsole.core.csp.ContentSecurityPolicyMiddleware",
    "cloudconsole.core.caching.NoStoreMiddleware",
    "cloudconsole.core.nul.NulMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.SignInRequiredMiddleware",
]

ROOT_URLCONF = "cloudconsole.urls"
ASGI_APPLICATION = "cloudconsole.asgi.application"
WSGI_APPLICATION = "cloudconsole.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cloudconsole.dashboard.context.frame",
            ],
        },
    },
]

DATABASES = {"default": env.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if REDIS_URL:
    CACHES: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "cloudconsole",
        }
    }
    CACHES["throttles"] = CACHES["default"]
    CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "cloudconsole"},
        }
    }
    CELERY_BROKER_URL = REDIS_URL
    # Shortest of all applications on a broker wins, so it stands in every place that reads it; longer than any task may run.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"visibility_timeout": 3600, "global_keyprefix": "cloudconsole:"}
    CELERY_VISIBILITY_TIMEOUT = 3600
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        },
        # One web process serves this mode, and counts what it is asked in its memory: an increment is atomic there, and quick.
        "throttles": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": "throttles",
            "OPTIONS": {"MAX_ENTRIES": 20_000},
        },
    }
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CELERY_BROKER_URL = "filesystem://localhost"
    CELERY_BROKER_TRANSPORT = "cloudconsole.broker:Transport"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(VAR_DIR / "broker" / "queue"),
        "data_folder_out": str(VAR_DIR / "broker" / "queue"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.5,
    }

CELERY_TASK_DEFAULT_QUEUE = "cloudconsole"
CELERY_TASK_IGNORE_RESULT = True  # results are rows
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 1800
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

AUTH_USER_MODEL = "accounts.User"
# One backend only: a second one would hash the password once more for some names, and so tell which exist.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "sign-in"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
# "mandatory" for those who signed up by themselves (accounts.stages); admins vouch for the others.
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_CONFIGURED else "none"
ACCOUNT_EMAIL_NOTIFICATIONS = EMAIL_CONFIGURED
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 3
ACCOUNT_LOGOUT_REDIRECT_URL = "sign-in"
ACCOUNT_PREVENT_ENUMERATION = True
LOCKED_OUT_S = 300
ACCOUNT_RATE_LIMITS = {"login_failed": f"20/m/ip,5/{LOCKED_OUT_S}s/key", "login": "60/m/ip", "first_run": "10/5m/ip"}
PASSWORD_RESET_TIMEOUT = 24 * 3600
MFA_ADAPTER = "accounts.mfa.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # whoever has to prove an address proves it before the first sign-in
MFA_TOTP_TOLERANCE = 1  # clocks of telephones differ by some seconds

SINGLE_SIGN_ON = env.oidc
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = True

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "ALGORITHM": "HS256",
    "SIGNING_KEY": env.jwt_signing_key,
    "AUTH_HEADER_TYPES": ("Bearer",),
}

# Lower parts call these by name, so that they need not import what stands above them.
IDEMPOTENCY_STORE = "audit.services.answers.DatabaseStore"
READINESS_PARTS = {"keys": "accounts.services.keys_health.state"}
REALTIME_AUDIENCE = "accounts.selectors.live_groups"

API_VERSION = "1"
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.issued_tokens.IssuedTokenAuthentication",
        "accounts.authentication.JWTAuthentication",
        "accounts.authentication.PersonalTokenAuthentication",
        "accounts.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.DeclaredPermission"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "cloudconsole.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "cloudconsole.api.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "cloudconsole.api.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "cloudconsole.api.schema.AutoSchema",
    "DEFAULT_VERSIONING_CLASS": "cloudconsole.api.versioning.AcceptHeaderVersioning",
    "DEFAULT_VERSION": API_VERSION,
    "ALLOWED_VERSIONS": [API_VERSION],
    "EXCEPTION_HANDLER": "cloudconsole.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter of exports
    "DEFAULT_THROTTLE_CLASSES": [
        "cloudconsole.api.throttles.UserThrottle",
        "cloudconsole.api.throttles.AnonymousThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": "1200/min", "anonymous": "60/min", "sign_in": "10/min"},
    "COERCE_DECIMAL_TO_STRING": True,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
API_DESCRIPTION = """
The services behind the pages. Errors are RFC 9457 problems; money is a string decimal with its currency.

Signed in to the console, you can try everything on this page. From a terminal, sign in first:

    curl -s $CONSOLE/api/auth/token -H 'Content-Type: application/json' \\
      -d '{"username": "admin", "password": "..."}'
    curl -s $CONSOLE/api/costs/summary -H "Authorization: Bearer $ACCESS_TOKEN"

An `access_token` lasts 15 minutes. For programs, make a personal access token under Settings and send it
as `Authorization: Token ...`.
""".strip()
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Cloudconsole API",
    "DESCRIPTION": API_DESCRIPTION,
    "VERSION": None,  # the version asked for is the document's
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api",
    "COMPONENT_SPLIT_REQUEST": True,
    # Fields of one name with different values: each set of values is called by what it is.
    "ENUM_NAME_OVERRIDES": ENUM_NAMES,
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "cloudconsole.core.staticfiles.CompressedManifestStorage"
    },
}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_ENGINE = "cloudconsole.core.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = env.https
CSRF_COOKIE_SECURE = env.https
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = env.https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # asked from beside the process, where there is no TLS
SECURE_HSTS_SECONDS = 31_536_000 if env.https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.https
SECURE_HSTS_PRELOAD = env.https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.behind_proxy else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    },
}

UNFOLD = {
    "SITE_TITLE": "Cloudconsole",
    "SITE_HEADER": "Cloudconsole",
    "SITE_SUBHEADER": "Administration",
    "SITE_URL": "/",
    "SITE_SYMBOL": "cloud",
    "SHOW_HISTORY": False,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/favicon.svg")}],
    "COLORS": {"primary": colours.PRIMARY},
}

SILENCED_SYSTEM_CHECKS = [
    "models.W039",  # SQLite ignores the columns that ride in a unique index for PostgreSQL's sake; meant so
    "models.W045",
    "account.W001",
    "urls.W002",  # the API is included at "/api" so that its addresses carry no slash at the end
]

logs.configure(debug=DEBUG, as_json=env.log_format == "json", level=env.log_level)
LOGGING_CONFIG = None  # structlog is set up above, once, for every process
