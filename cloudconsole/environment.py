"""Every environment variable of the product, parsed strictly and declared once. Each secret may also come as NAME_FILE."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True)
class Variable:
    """One variable as the reference page shows it."""

    name: str
    default: str
    meaning: str
    secret: bool = False


VARIABLES = (
    Variable("SECRET_KEY", "made on first start into var/", "Signs sessions and forms.", secret=True),
    Variable(
        "FERNET_KEYS",
        "made on first start into var/",
        "Keys that encrypt stored credentials, newest first, separated by commas.",
        secret=True,
    ),
    Variable(
        "AUDIT_KEY",
        "made on first start into var/",
        "Key of the audit trail's hash chain; keep it apart from the database.",
        secret=True,
    ),
    Variable("DATABASE_URL", "sqlite in var/", "For example postgres://user:password@host:5432/cloudconsole.", secret=True),
    Variable(
        "REDIS_URL",
        "none: embedded broker and cache",
        "Broker, cache and channel layer, for example redis://host:6379/0.",
        secret=True,
    ),
    Variable("VAR_DIR", "var/", "Where the embedded mode keeps its data and secrets."),
    Variable("ALLOWED_HOSTS", "localhost, 127.0.0.1, [::1]", "Host names this installation answers to, separated by commas."),
    Variable("CSRF_TRUSTED_ORIGINS", "none", "Origins such as https://console.example.com, separated by commas."),
    Variable("DEBUG", "false", "Development only."),
    Variable("HTTPS", "false", "Set to true where the site is served over HTTPS: secure cookies, HSTS, redirect."),
    Variable("BEHIND_PROXY", "false", "Trust X-Forwarded-Proto and X-Forwarded-For of a proxy that sets them itself."),
    Variable(
        "SIGNUP",
        "invite",
        "Who may make themselves an account: open (anybody, as a viewer without grants), invite (with a link that an admin "
        "made) or closed (nobody; admins add people by the API).",
    ),
    Variable(
        "EMAIL_URL",
        "none: no e-mail is sent",
        "Mail server, for example smtp+tls://user:password@host:587. Without it, admins hand out links themselves.",
        secret=True,
    ),
    Variable("EMAIL_FROM", "cloudconsole@localhost", "Sender of e-mail."),
    Variable("ADMIN_USERNAME", "admin", "Name of the first admin, made when there is none."),
    Variable(
        "ADMIN_PASSWORD",
        "made and printed once",
        "Password of the first admin. With none of the three set, `manage.py ensure_admin` prints a setup code instead, with "
        "which the first admin is made in a browser.",
        secret=True,
    ),
    Variable("ADMIN_EMAIL", "none", "E-mail address of the first admin."),
    Variable("PORT", "8000", "Port of `manage.py up`."),
    Variable(
        "DEMO",
        "true",
        "Whether `manage.py up` starts the simulated AWS organization while no account of yours is connected. "
        "Starting once with false leaves the demo.",
    ),
    Variable(
        "DEMO_DATA",
        "false",
        "Set by `manage.py up` for its processes while the simulated organization answers instead of AWS; pages say so.",
    ),
    Variable("AWS_ENDPOINT_URL", "AWS", "boto's own variable: point every AWS call at another endpoint."),
    Variable(
        "CLOUDFORMATION_TEMPLATE_URL",
        "none: the template is uploaded by hand",
        "Address in S3 of the role's CloudFormation template, for links that open the console with everything filled in.",
    ),
    Variable(
        "COST_EXPLORER_MONTHLY_REQUEST_CAP",
        "500",
        "Paid Cost Explorer requests ($0.01 each) allowed per AWS account and month.",
    ),
    Variable("COST_IMPORT_MAX_GB", "20", "How large a billing file may be once it is unpacked, in GiB."),
    Variable("COST_IMPORT_MAX_MINUTES", "120", "How long reading a billing file may take before it is given up."),
    Variable("COST_ENGINE", "duckdb", "What sums exports in buckets that name no engine: duckdb, or athena, which charges."),
    Variable("ALERT_RETENTION_DAYS", "400", "How long alerts and messages that need nobody are kept; 0: for ever."),
    Variable("REQUEST_LOG_RETENTION_DAYS", "90", "How long requests that were sent with API keys stay in the log; 0: for ever."),
    Variable("OPERATION_MAX_TARGETS", "50", "How many resources one operation in bulk may hit."),
    Variable(
        "QUOTA_SERVICES",
        "all that AWS lists",
        "Only the quotas of these services are read, as Service Quotas calls them: bedrock, ec2.",
    ),
    Variable("QUOTA_MINUTES_DAYS", "90", "How long the minutes of Bedrock's models and other samples of quotas are kept."),
    Variable("QUOTA_HOURS_DAYS", "400", "How long the highest use of each hour is kept."),
    Variable("BEDROCK_BURNDOWN", "none: 5 from Claude 3.7 on, else 1", "What an output token burns: sonnet-4.6=5,haiku-4.5=5."),
    Variable(
        "KMS_KEY_ID",
        "none: FERNET_KEYS encrypt",
        "ARN of a KMS key that encrypts stored credentials, used as this server's own AWS identity.",
    ),
    Variable("KMS_OLD_KEY_IDS", "none", "ARNs of KMS keys that only open what they encrypted before, separated by commas."),
    Variable("KMS_DATA_KEY_CACHE_MINUTES", "5", "How long a data key of KMS is kept in memory; 0 asks KMS each time."),
    Variable(
        "EGRESS_ALLOW_CIDRS",
        "none: public addresses only",
        "Private networks that webhooks and other typed addresses may name, such as 192.168.1.0/24, separated by commas.",
    ),
    Variable("OIDC_ISSUER", "none", "Issuer of an OpenID Connect provider, such as https://login.example.com/realms/team."),
    Variable("OIDC_CLIENT_ID", "none", "This installation's client id there."),
    Variable("OIDC_CLIENT_SECRET", "none", "Its client secret; without one it is a public client with PKCE.", secret=True),
    Variable("OIDC_NAME", "Single sign-on", "What the button of the sign-in page calls the provider."),
    Variable("COGNITO_USER_POOL_ID", "none", "An Amazon Cognito user pool as provider, such as eu-central-1_AbCdEfGhI."),
    Variable("COGNITO_CLIENT_ID", "none", "The user pool's app client; its tokens are also accepted by the API."),
    Variable("COGNITO_CLIENT_SECRET", "none", "The app client's secret, if it has one.", secret=True),
    Variable("OIDC_GROUPS_CLAIM", "groups, cognito:groups for Cognito", "The claim that lists a person's groups."),
    Variable("OIDC_GROUP_ROLES", "none: roles are given here", "Role of each group: cloud-admins=admin,cloud-ops=operator."),
    Variable("OIDC_DEFAULT_ROLE", "viewer", "Role of people in none of these groups: viewer, operator, or none to refuse them."),
    Variable("OIDC_MAX_ROLE", "operator", "The highest role that a group can give: viewer, operator or admin."),
    Variable("LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR. AWS's own libraries never log below INFO."),
    Variable("LOG_FORMAT", "json where the output is no terminal", "json or console."),
)

_ROLES = ("viewer", "operator", "admin")
SIGNUP_MODES = ("open", "invite", "closed")
COST_ENGINES = ("duckdb", "athena")


@dataclass(frozen=True)
class Quotas:
    """The QUOTA_* variables and BEDROCK_BURNDOWN, by the model's key. No `services`: all that AWS lists."""

    services: tuple[str, ...] = ()
    minutes_days: int = 90
    hours_days: int = 400
    burndown: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class SingleSignOn:
    """The OIDC_* and COGNITO_* variables. `group_roles` are pairs of group and role."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    name: str = "Single sign-on"
    pool_id: str = ""
    pool_client_id: str = ""
    pool_client_secret: str = field(default="", repr=False)
    groups_claim: str = ""
    group_roles: tuple[tuple[str, str], ...] = ()
    default_role: str = "viewer"
    max_role: str = "operator"


@dataclass(frozen=True)
class Environment:
    """The parsed environment."""

    var_dir: Path
    secret_key: str
    jwt_signing_key: str
    fernet_keys: tuple[str, ...]
    audit_key: str
    database: dict[str, Any]
    redis_url: str
    allowed_hosts: tuple[str, ...]
    csrf_trusted_origins: tuple[str, ...]
    debug: bool
    https: bool
    behind_proxy: bool
    signup: str
    email: dict[str, Any]
    email_from: str
    admin_given: bool
    admin_username: str
    admin_password: str
    admin_email: str
    port: int
    demo: bool
    demo_data: bool
    aws_endpoint_url: str
    cloudformation_template_url: str
    cost_explorer_monthly_request_cap: int
    cost_import_max_gb: int
    cost_import_max_minutes: int
    cost_engine: str
    alert_retention_days: int
    request_log_retention_days: int
    operation_max_targets: int
    quotas: Quotas
    egress_allow_cidrs: tuple[IPv4Network | IPv6Network, ...]
    oidc: SingleSignOn
    kms_key_id: str
    kms_old_key_ids: tuple[str, ...]
    kms_data_key_cache_minutes: int
    log_level: str
    log_format: str


def environment(base_dir: Path) -> Environment:
    """Read the environment (and a .env file beside manage.py). Raises ImproperlyConfigured naming the variable at fault."""
    env = environ.FileAwareEnv()
    environ.Env.read_env(base_dir / ".env")
    var_dir = Path(env.str("VAR_DIR", default=str(base_dir / "var"))).resolve()
    secret_key = _secret(env, var_dir, "SECRET_KEY", lambda: secrets.token_urlsafe(64))
    return Environment(
        var_dir=var_dir,
        secret_key=secret_key,
        jwt_signing_key=f"jwt:{secret_key}",
        fernet_keys=_list(_secret(env, var_dir, "FERNET_KEYS", lambda: secrets.token_urlsafe(32))),
        audit_key=_secret(env, var_dir, "AUDIT_KEY", lambda: secrets.token_urlsafe(32)),
        database=_database(env, var_dir),
        redis_url=env.str("REDIS_URL", default=""),
        allowed_hosts=_list(env.str("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")),
        csrf_trusted_origins=_list(env.str("CSRF_TRUSTED_ORIGINS", default="")),
        debug=_flag(env, "DEBUG", default=False),
        https=_flag(env, "HTTPS", default=False),
        behind_proxy=_flag(env, "BEHIND_PROXY", default=False),
        signup=_choice(env, "SIGNUP", SIGNUP_MODES, "invite"),
        email=_email(env),
        email_from=env.str("EMAIL_FROM", default="").strip() or "cloudconsole@localhost",
        admin_given=any(env.str(name, default="").strip() for name in ("ADMIN_USERNAME", "ADMIN_PASSWORD", "ADMIN_EMAIL")),
        admin_username=env.str("ADMIN_USERNAME", default="").strip() or "admin",
        admin_password=env.str("ADMIN_PASSWORD", default=""),
        admin_email=env.str("ADMIN_EMAIL", default="").strip(),
        port=_port(env),
        demo=_flag(env, "DEMO", default=True),
        demo_data=_flag(env, "DEMO_DATA", default=False),
        aws_endpoint_url=env.str("AWS_ENDPOINT_URL", default="").strip(),
        cloudformation_template_url=env.str("CLOUDFORMATION_TEMPLATE_URL", default="").strip(),
        cost_explorer_monthly_request_cap=_whole_number(env, "COST_EXPLORER_MONTHLY_REQUEST_CAP", 500),
        cost_import_max_gb=_whole_number(env, "COST_IMPORT_MAX_GB", 20),
        cost_import_max_minutes=_whole_number(env, "COST_IMPORT_MAX_MINUTES", 120),
        cost_engine=_choice(env, "COST_ENGINE", COST_ENGINES, "duckdb"),
        alert_retention_days=_whole_number(env, "ALERT_RETENTION_DAYS", 400),
        request_log_retention_days=_whole_number(env, "REQUEST_LOG_RETENTION_DAYS", 90),
        operation_max_targets=_whole_number(env, "OPERATION_MAX_TARGETS", 50),
        quotas=_quotas(env),
        egress_allow_cidrs=_networks(env, "EGRESS_ALLOW_CIDRS"),
        oidc=_single_sign_on(env),
        kms_key_id=env.str("KMS_KEY_ID", default="").strip(),
        kms_old_key_ids=_list(env.str("KMS_OLD_KEY_IDS", default="")),
        kms_data_key_cache_minutes=_whole_number(env, "KMS_DATA_KEY_CACHE_MINUTES", 5),
        log_level=_choice(env, "LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        log_format=_choice(env, "LOG_FORMAT", ("json", "console"), "console" if os.isatty(2) else "json"),
    )


def _quotas(env: environ.FileAwareEnv) -> Quotas:
    pairs = [pair.partition("=") for pair in _list(env.str("BEDROCK_BURNDOWN", default=""))]
    if any(not model or not factor.isdecimal() or int(factor) < 1 for model, _, factor in pairs):
        raise ImproperlyConfigured("BEDROCK_BURNDOWN reads like sonnet-4.6=5,haiku-4.5=5.")
    return Quotas(
        _list(env.str("QUOTA_SERVICES", default="")),
        max(2, _whole_number(env, "QUOTA_MINUTES_DAYS", 90)),
        max(2, _whole_number(env, "QUOTA_HOURS_DAYS", 400)),
        tuple((model.strip().lower(), int(factor)) for model, _, factor in pairs),
    )


def _single_sign_on(env: environ.FileAwareEnv) -> SingleSignOn:
    def text(name: str, default: str = "") -> str:
        return env.str(name, default="").strip() or default

    pairs = [pair.partition("=") for pair in _list(text("OIDC_GROUP_ROLES"))]
    if any(not group or role not in _ROLES for group, _, role in pairs):
        raise ImproperlyConfigured("OIDC_GROUP_ROLES reads like cloud-admins=admin,cloud-ops=operator.")
    for client, provider in (("OIDC_CLIENT_ID", "OIDC_ISSUER"), ("COGNITO_CLIENT_ID", "COGNITO_USER_POOL_ID")):
        if bool(text(client)) != bool(text(provider)):
            raise ImproperlyConfigured(f"{provider} and {client} go together.")
    return SingleSignOn(
        text("OIDC_ISSUER").rstrip("/"),
        text("OIDC_CLIENT_ID"),
        text("OIDC_CLIENT_SECRET"),
        text("OIDC_NAME", "Single sign-on"),
        text("COGNITO_USER_POOL_ID"),
        text("COGNITO_CLIENT_ID"),
        text("COGNITO_CLIENT_SECRET"),
        text("OIDC_GROUPS_CLAIM"),
        tuple((group.strip(), role.strip()) for group, _, role in pairs),
        _choice(env, "OIDC_DEFAULT_ROLE", ("viewer", "operator", "none"), "viewer"),
        _choice(env, "OIDC_MAX_ROLE", _ROLES, "operator"),
    )


def _database(env: environ.FileAwareEnv, var_dir: Path) -> dict[str, Any]:
    url = env.str("DATABASE_URL", default="") or f"sqlite:///{var_dir / 'cloudconsole.sqlite3'}"
    config: dict[str, Any] = env.db_url_config(url)
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        # Writers queue for the lock from the first statement on instead of failing in the middle of a transaction.
        options.update(
            transaction_mode="IMMEDIATE",
            timeout=30,
            init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        )
        config["CONN_MAX_AGE"] = 60  # closing the last one writes everything back into the file
    else:
        options.update(pool={"min_size": 1, "max_size": 16, "timeout": 10})
    return config


def _email(env: environ.FileAwareEnv) -> dict[str, Any]:
    """Django's EMAIL_ settings; empty where no mail server is named."""
    url: str = env.str("EMAIL_URL", default="").strip()
    if not url:
        return {}
    if url.partition("://")[0] not in env.EMAIL_SCHEMES:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.")
    config: dict[str, Any] = env.email_url_config(url)
    return config


def _secret(env: environ.FileAwareEnv, var_dir: Path, name: str, make: Callable[[], str]) -> str:
    """The secret from the environment, else from var/, else made there once, readable by its owner alone."""
    given: str = env.str(name, default="")
    if given:
        return given.strip()
    path = var_dir / "secrets" / name.lower()
    try:
        return path.read_text().strip() if path.exists() else _store_secret(path, make())
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name} is not set, and cannot be kept in {path} ({error.strerror}). Let VAR_DIR name a folder that this user "
            f"may write, or give {name} by the environment."
        ) from error


def _store_secret(path: Path, value: str) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(value)
    try:
        os.link(draft, path)  # fails when another process was first: both then use that one
    except FileExistsError:
        return path.read_text().strip()
    finally:
        draft.unlink()
    return value


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(env: environ.FileAwareEnv, name: str, *, default: bool) -> bool:
    text = env.str(name, default="").strip().lower()
    if text in ("", "1", "true", "yes", "on", "0", "false", "no", "off"):
        return default if text == "" else text in ("1", "true", "yes", "on")
    raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")


def _choice(env: environ.FileAwareEnv, name: str, choices: tuple[str, ...], default: str) -> str:
    text: str = env.str(name, default="").strip() or default
    if text not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def _networks(env: environ.FileAwareEnv, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(text) for text in _list(env.str(name, default="")))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} takes networks such as 192.168.1.0/24, separated by commas: {error}.") from error


def _whole_number(env: environ.FileAwareEnv, name: str, default: int) -> int:
    text: str = env.str(name, default="").strip() or str(default)
    if not text.isdecimal():
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _port(env: environ.FileAwareEnv) -> int:
    port = _whole_number(env, "PORT", 8000)
    if port > 65535:
        raise ImproperlyConfigured(f"PORT must be between 1 and 65535 (0: any free one), not {port}.")
    return port
