"""All settings, from the environment or `.env`. `.env.example` and docs/settings.md explain each of them.

Infrastructure settings are kept here as they were written; `sites.connections` makes clients of them and
`nodepoint.checks` says in one line which one is missing or malformed.
"""

import warnings
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from django.templatetags.static import static
from django.urls import reverse_lazy

from nodepoint import env, logs, servers, shapes
from nodepoint.staff import policies
from nodepoint.version import version

BASE_DIR = Path(__file__).resolve().parent.parent
NODEPOINT_DATA = env.load_files(BASE_DIR)

# Django
SECRET_KEY = env.secret_key(NODEPOINT_DATA)
DEBUG = env.boolean("DEBUG", False)
ALLOWED_HOSTS = env.items(
    "ALLOWED_HOSTS",
    "localhost,127.0.0.1,[::1]",
    "host names without scheme and port, such as nodepoint.example.com",
    shapes.allowed_host,
)
BEHIND_TLS = env.boolean("BEHIND_TLS", False)
TRUSTED_PROXIES = env.items(
    "TRUSTED_PROXIES",
    "127.0.0.1,::1",
    "addresses or networks of proxies, such as 127.0.0.1,192.168.1.5",
    ip_network,
)
NODEPOINT_PORT = env.integer("NODEPOINT_PORT", 8080, minimum=1, maximum=65535)
NODEPOINT_BIND = env.shaped("NODEPOINT_BIND", "", "an IP address of this machine", ip_address)
DATABASES = {"default": servers.database("DATABASE_URL", NODEPOINT_DATA / "nodepoint.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "nodepoint.urls"
TEST_RUNNER = "tests.runner.Runner"
# A redirect would turn a caller's POST into a GET: every API path answers with and without.
APPEND_SLASH = False

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # whose default would put its own site in place of ours
    "unfold.contrib.filters",
    "nodepoint.staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "django_q",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "csp",
    "nodepoint.apps.NodePointConfig",
    "nodepoint.audit.apps.AuditConfig",
    "nodepoint.staff.apps.StaffConfig",
    "nodepoint.api.apps.ApiConfig",
    "nodepoint.jobs.apps.JobsConfig",
    "nodepoint.notices.apps.NoticesConfig",
    "nodepoint.board.apps.BoardConfig",
    "nodepoint.people.apps.PeopleConfig",  # before the apps: forgets notes before they forget whose they were
    "sites.apps.SitesConfig",
    "dns.apps.DnsConfig",
    "support.apps.SupportConfig",
]

MIDDLEWARE = [
    "nodepoint.api.forwarded.ForwardedMiddleware",
    "nodepoint.board.calls.CountingMiddleware",
    "nodepoint.api.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "nodepoint.staff.policies.PolicyMiddleware",
    "nodepoint.api.middleware.ApiMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "nodepoint.staff.middleware.StaffMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [NODEPOINT_DATA / "templates", BASE_DIR / "templates"],  # the operator's go before ours
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Staff: name and password, then a code. django-axes counts failures, django-otp keeps the devices
# (docs/security.md).
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
STAFF_TWO_FACTOR = env.choice("STAFF_TWO_FACTOR", "optional", "required")
OTP_TOTP_ISSUER = "NodePoint"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "nodepoint.api.authentication.client_address"
AXES_LOCKOUT_CALLABLE = "nodepoint.staff.login.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # who comes too early does not wait longer for it
AXES_DISABLE_ACCESS_LOG = True  # logins stand in our own log of acts
AXES_SENSITIVE_PARAMETERS = ["username", "password", "code", "csrfmiddlewaretoken"]
AXES_ENABLE_ADMIN = False  # our own page (nodepoint.staff.admin)
AXES_VERBOSE = False

LANGUAGE_CODE = "en"  # of the admin and the API; customers get e-mails in that of `notices.Preferences`
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "nodepoint" / "locale"]
TIME_ZONE = env.shaped("TIME_ZONE", "UTC", "a time zone, such as Europe/Berlin", shapes.time_zone)
USE_TZ = True
FORMAT_MODULE_PATH = "nodepoint.formats"
STATIC_URL = "static/"
STATIC_ROOT = NODEPOINT_DATA / "static"  # the code itself need not be writable
warnings.filterwarnings("ignore", message="No directory at")  # the demo and the tests need no collected files
WHITENOISE_USE_FINDERS = True  # the demo serves the admin's assets without a collectstatic run

# TLS ends at the operator's proxy. Without it (BEHIND_TLS=false) secure cookies would lock staff out.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_REDIRECT_EXEMPT = [r"^health/?$"]
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "nodepoint.staff.failures.stale"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # Strict: logged out whoever follows a mail's link
SESSION_COOKIE_AGE = env.integer("STAFF_SESSION_HOURS", 12, minimum=1, maximum=8760) * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": policies.API}  # the strictest; the admin has its own
SILENCED_SYSTEM_CHECKS = [
    # django-q2's Task has a conditional index, which MariaDB leaves out; only its own pages get slower.
    "models.W037",
    # The redirect to TLS is the business of the operator's proxy: paths must answer without one.
    "security.W008",
]
if not BEHIND_TLS:
    # Plain HTTP inside the operator's network was asked for: secure cookies and HSTS would lock everybody
    # out.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# E-mail
EMAIL_CONFIG = servers.email("EMAIL_URL", "consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.shaped(
    "DEFAULT_FROM_EMAIL",
    "NodePoint <noreply@localhost>",
    "an e-mail address, such as Example Hosting <noreply@example.com>",
    shapes.sender,
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
STAFF_EMAIL = env.items("STAFF_EMAIL")
NOTICE_WEBHOOK_URL = env.text("NOTICE_WEBHOOK_URL")
NOTICE_WEBHOOK_SECRET = env.text("NOTICE_WEBHOOK_SECRET")

# The API
API_WAIT_SECONDS = env.integer("API_WAIT_SECONDS", 20, maximum=20)
API_BODY_LIMIT = 64 * 1024  # bytes
API_LARGER_BODIES = {"/customdomain/import": 6 * 1024 * 1024}  # bytes: a zone file of 5 MB, as JSON
WEB_PROCESSES = env.integer("WEB_PROCESSES", 2, minimum=1, maximum=64)
WEB_THREADS = env.integer(  # per web process; half of them may wait for a job
    "WEB_THREADS", 8, minimum=2, maximum=256
)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["nodepoint.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["nodepoint.api.authentication.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["nodepoint.api.parsers.ObjectParser", "nodepoint.api.parsers.FormParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["nodepoint.api.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "nodepoint.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "nodepoint.api.errors.exception_handler",
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "nodepoint.api.negotiation.AlwaysJson",
    "UNAUTHENTICATED_USER": None,
}
UNFOLD = {
    "SITE_TITLE": "NodePoint",
    "SITE_HEADER": "NodePoint",
    "SITE_SUBHEADER": version(),
    "SITE_SYMBOL": "dns",
    "SHOW_VIEW_ON_SITE": False,
    "SITE_URL": None,  # there is nothing for people outside the admin
    "STYLES": [lambda request: static("nodepoint/theme.css")],
    "DASHBOARD_CALLBACK": "nodepoint.board.page.dashboard",
    "COMMAND": {"search_callback": "nodepoint.board.search.results"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "nodepoint.board.navigation.sidebar",
    },
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("admin:second_factor")}]},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "NodePoint",
    "DESCRIPTION": "The API that the billing portal, ticket systems and operators' scripts call.",
    "VERSION": "1",
    "ENUM_NAME_OVERRIDES": {
        "SupportStatus": "support.models.SupportKey.Status",
        "DomainStatus": "sites.models.CustomDomain.Status",
    },
    "APPEND_COMPONENTS": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}

# Jobs. Our own rows are the truth; django-q2 carries wake-up calls that may be lost or doubled
# (docs/jobs.md).
JOB_RUNNERS = env.integer("JOB_RUNNERS", 2, minimum=1, maximum=64)  # runner processes
JOB_THREADS = env.integer(  # steps that one runner works on at once
    "JOB_THREADS", 12, minimum=1, maximum=256
)
JOB_STALL_SECONDS = env.integer(  # a due step untouched for so long: start anew
    "JOB_STALL_SECONDS", 60, minimum=5, maximum=3600
)
QUEUE_BROKER = env.text("QUEUE_BROKER", "orm")
Q_CLUSTER = {
    "name": "nodepoint",
    "label": "Queue",
    "workers": JOB_RUNNERS + 1,  # one more than the runners, so that short tasks always find a free worker
    "queue_limit": 1,
    "bulk": 1,
    "poll": 0.05,  # a look at a file (nodepoint.jobs.broker), not at the database
    "timeout": 50,
    "retry": 60,  # must exceed timeout, or django-q2 runs a task twice in parallel
    "save_limit": 0,  # the default loads all kept results at every finished task
    "ack_failures": True,
    "max_attempts": 1,
    "catch_up": False,
    "recycle": 2000,
    **servers.broker(QUEUE_BROKER),
}

# Names and addresses of the platform
INSTALLATION_ID = env.text("INSTALLATION_ID")  # empty: the one in the database (nodepoint.installation)
BASE_DOMAIN = env.text("BASE_DOMAIN", "nodepoint.eu").lower().strip(".")
PROXY_IP = env.text("PROXY_IP")
PROXY_LAN_IPS = env.items("PROXY_LAN_IPS")
PROXY_CHECK_ADDRESS = env.text("PROXY_CHECK_ADDRESS")
PROXY_CHECK_HTTP_ADDRESS = env.text("PROXY_CHECK_HTTP_ADDRESS")
NAMESERVERS = env.items("NAMESERVERS", "ns1.nodepoint.eu,ns2.nodepoint.eu")
DNS_RESOLVERS = env.items("DNS_RESOLVERS")
DNS_PORT = env.integer("DNS_PORT", 53, minimum=1, maximum=65535)
DNS_XFER = env.items("DNS_XFER")
DNS_ALSO_NOTIFY = env.items("DNS_ALSO_NOTIFY")
DNS_HOSTMASTER = env.text("DNS_HOSTMASTER", f"hostmaster@{BASE_DOMAIN}")
SITE_NETWORK = env.text("SITE_NETWORK", "192.168.1.0/24")
SITE_IP_RANGE = env.text("SITE_IP_RANGE", "192.168.1.100-192.168.1.253")
SITE_GATEWAY = env.text("SITE_GATEWAY")
SITE_NAMESERVERS = env.items("SITE_NAMESERVERS")
SITE_SMTP_URL = env.text("SITE_SMTP_URL")
CLOSED_NETWORKS = env.items(
    "CLOSED_NETWORKS",
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,fc00::/7,fe80::/10",
)
VMID_START = env.integer("VMID_START", 900, minimum=100, maximum=999_999_999)

# Proxmox VE
PROXMOX_HOST = env.text("PROXMOX_HOST")
PROXMOX_USER = env.text("PROXMOX_USER", "api@pam")
PROXMOX_TOKEN_NAME = env.text("PROXMOX_TOKEN_NAME")
PROXMOX_TOKEN_VALUE = env.text("PROXMOX_TOKEN_VALUE")
PROXMOX_VERIFY_TLS = env.text("PROXMOX_VERIFY_TLS", "true")
PROXMOX_NODES = env.items("PROXMOX_NODES", "node1,node2")
PROXMOX_HOME_NODE = env.text("PROXMOX_HOME_NODE")
PROXMOX_STORAGE = env.text("PROXMOX_STORAGE", "global-lvm")
PROXMOX_TEMPLATE = env.text("PROXMOX_TEMPLATE")
PROXMOX_POOL = env.text("PROXMOX_POOL")
PROXMOX_BRIDGE = env.text("PROXMOX_BRIDGE", "vmbr1")
PROXMOX_CONCURRENCY = env.integer("PROXMOX_CONCURRENCY", 10, minimum=1)
POOL_SIZE = env.integer("POOL_SIZE", 0, maximum=1000)  # ready containers that wait for orders
PROXMOX_CREATES = env.integer("PROXMOX_CREATES", 3, minimum=1)

# Archives: whole sites on a storage of their own
ARCHIVE_STORAGE = env.text("ARCHIVE_STORAGE")
ARCHIVE_HOUR = env.integer("ARCHIVE_HOUR", 2, maximum=23)
KEEP_DAYS = env.integer("KEEP_DAYS", 14, maximum=3650)

# The console of the nodes (SSH, pct exec)
SSH_USER = env.text("SSH_USER", "root")
SSH_KEY_FILE = env.text("SSH_KEY_FILE")
SSH_KNOWN_HOSTS = env.text("SSH_KNOWN_HOSTS")
SSH_NODE_HOSTS = env.items("SSH_NODE_HOSTS")
WORDPRESS_URL = env.text("WORDPRESS_URL", "https://wordpress.org/latest.tar.gz")

# Cloudflare and Nginx Proxy Manager
CLOUDFLARE_API_URL = env.text("CLOUDFLARE_API_URL", "https://api.cloudflare.com/client/v4")
CLOUDFLARE_API_TOKEN = env.text("CLOUDFLARE_API_TOKEN")
CLOUDFLARE_ZONE_ID = env.text("CLOUDFLARE_ZONE_ID")
NPM_URL = env.text("NPM_URL")
NPM_EMAIL = env.text("NPM_EMAIL")
NPM_PASSWORD = env.text("NPM_PASSWORD")
NPM_CERTIFICATE = env.text("NPM_CERTIFICATE", "letsencrypt")
LETSENCRYPT_EMAIL = env.text("LETSENCRYPT_EMAIL")

# ISPConfig, where customers' zones are
ISPCONFIG_URL = env.text("ISPCONFIG_URL")
ISPCONFIG_USER = env.text("ISPCONFIG_USER")
ISPCONFIG_PASSWORD = env.text("ISPCONFIG_PASSWORD")
ISPCONFIG_SERVER_ID = env.integer("ISPCONFIG_SERVER_ID", 1, minimum=1)
ISPCONFIG_VERIFY_TLS = env.text("ISPCONFIG_VERIFY_TLS", "true")

# Logs: one JSON object a line on standard error
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR")
LOGGING = logs.config(LOG_LEVEL)
