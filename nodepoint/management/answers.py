"""What `script/install` has to know: the questions, what is wrong with an answer, the files they become.

The questions are those of `.env.example`, with its words; what is no setting (`FACTS`) is kept beside `.env`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import environ
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from nodepoint.checks import OPTIONAL, REQUIRED
from nodepoint.management.local import read_json, write_private
from nodepoint.shapes import Malformed, domain, existing_file

# What an installation has to know that is no setting, with the question.
FACTS = {
    "HOST_NAME": "name under which portal and staff reach this machine, such as nodepoint.example.com",
    "TLS_CERTIFICATE": "path of that name's certificate (chain), or self-signed (a rehearsal)",
    "TLS_KEY": "path of the certificate's private key",
    "DATABASE": "database: mariadb (set up on this machine), mysql://user:password@host/name, or sqlite",
    "STAFF_USER": "login name of the first member of staff",
}
DEFAULTS = {"TLS_CERTIFICATE": "self-signed", "DATABASE": "mariadb", "STAFF_USER": "admin"}
SELF_SIGNED = ("/etc/ssl/nodepoint.pem", "/etc/ssl/private/nodepoint.key")
LOCAL_DATABASE = "mysql://nodepoint@localhost/nodepoint?unix_socket=/run/mysqld/mysqld.sock"
SECRETS = re.compile(r".*(PASSWORD|TOKEN|TOKEN_VALUE)$")
# Settings with a default that only a person can tell to be right.
ASKED = {
    *("TIME_ZONE", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "STAFF_EMAIL", "BASE_DOMAIN", "PROXY_CHECK_ADDRESS"),
    *("NAMESERVERS", "SITE_NETWORK", "SITE_IP_RANGE", "PROXMOX_USER", "PROXMOX_VERIFY_TLS", "PROXMOX_NODES"),
    *("PROXMOX_STORAGE", "PROXMOX_POOL", "PROXMOX_BRIDGE", "NPM_CERTIFICATE", "LETSENCRYPT_EMAIL"),
    *("ISPCONFIG_SERVER_ID", "ISPCONFIG_VERIFY_TLS"),
}
# What follows from the facts, or is made here.
DERIVED = {"NODEPOINT_DATA", "SECRET_KEY", "ALLOWED_HOSTS", "BEHIND_TLS", "DATABASE_URL", "NODEPOINT_BIND"}
PLAIN = re.compile(r"[A-Za-z0-9_./:@,+=?&%\[\]-]*")


@dataclass(frozen=True)
class Question:
    """A line of `.env.example`, or a fact. `default`: what an empty answer means; `section`: its heading."""

    name: str
    text: str
    default: str
    section: str
    required: bool

    @property
    def secret(self) -> bool:
        """Whether the answer is not to be seen while it is typed."""
        return bool(SECRETS.fullmatch(self.name))

    @property
    def asked(self) -> bool:
        """Whether a person is asked; the others have defaults that are right nearly everywhere."""
        return (self.required or self.name in ASKED) and self.name not in DERIVED


def questions(example: Path) -> list[Question]:
    """The facts, then every setting in the order of `.env.example`."""
    found = [Question(name, FACTS[name], DEFAULTS.get(name, ""), "This machine", True) for name in FACTS]
    section, comments = "", []
    for line in example.read_text().splitlines():
        if line.startswith("# --- "):
            section = line.removeprefix("# --- ")
        elif setting := re.fullmatch(r"(#?)([A-Z_]+)=(.*)", line):
            hidden, name, default = setting.groups()
            text = " ".join(comments).removeprefix("Production: ")
            found.append(Question(name, text, default, section, not hidden))
            comments = []
        elif line.startswith("# "):
            comments.append(line.removeprefix("# "))
        else:
            comments = []
    return found


def read(file: Path) -> dict[str, str]:
    """The names and values of a file in the form of `.env`; empty where there is none."""
    found: dict[str, str] = {}
    if file.is_file():
        with file.open(encoding="utf-8") as content:
            type("Reader", (environ.Env,), {"ENVIRON": found}).read_env(content)
    return found


def complaint(name: str, value: str) -> str:
    """What is wrong with an answer by itself, in one sentence; empty where it has the shape."""
    if "\n" in value or _quoted(value) is None:
        return f"{name} cannot be written into .env: leave out line breaks, and quotes around the whole."
    if name in FACTS:
        return _about_fact(name, value)
    looks, shape = REQUIRED.get(name) or OPTIONAL.get(name) or ("", str)
    if not value:
        return f"{name} is missing: it should be {looks}." if name in REQUIRED and not _default(name) else ""
    parts = value.split(",") if isinstance(getattr(settings, name, ""), list) else [value]
    try:
        for part in parts:
            shape(part.strip())
    except ValueError:
        return f"{name} is malformed: it should be {looks}."
    return ""


def _default(name: str) -> bool:
    """Whether an empty value means something: it has a default."""
    return any(one.name == name and one.default for one in questions(settings.BASE_DIR / ".env.example"))


def _about_fact(name: str, value: str) -> str:
    try:
        FACT_SHAPES[name](value)
    except ValueError:
        return f"{name} is malformed: it should be the {FACTS[name]}."
    return ""


def _certificate(text: str) -> None:
    if text != "self-signed":
        existing_file(text)


def _key(text: str) -> None:
    if text:
        existing_file(text)


def _database(text: str) -> None:
    if text not in ("mariadb", "sqlite") and not text.startswith("mysql://"):
        raise Malformed


def _user(text: str) -> None:
    if not re.fullmatch(r"[\w.@+-]{1,150}", text):
        raise Malformed


FACT_SHAPES = {
    "HOST_NAME": domain,
    "TLS_CERTIFICATE": _certificate,
    "TLS_KEY": _key,
    "DATABASE": _database,
    "STAFF_USER": _user,
}


def facts_of(kept: Mapping[str, str]) -> dict[str, str]:
    """The facts as far as a `.env` that was made by hand tells them; none without one."""
    if not kept:
        return {}
    url = kept.get("DATABASE_URL", "")
    host = kept.get("ALLOWED_HOSTS", "").partition(",")[0]
    return {"HOST_NAME": host, "DATABASE": "mariadb" if url == LOCAL_DATABASE else url or "sqlite"}


def derived(facts: Mapping[str, str], data: str, secret_key: str) -> dict[str, str]:
    """The settings that follow from the facts. `data`: the data folder; `secret_key`: the one to keep."""
    urls = {"mariadb": LOCAL_DATABASE, "sqlite": ""}
    return {
        "NODEPOINT_DATA": data,
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": f"{facts['HOST_NAME']},localhost,127.0.0.1",
        "BEHIND_TLS": "true",
        "DATABASE_URL": urls.get(facts["DATABASE"], facts["DATABASE"]),
    }


def env_file(example: str, values: Mapping[str, str]) -> str:
    """`.env.example` with the values filled in. A line stays a comment where its value is the default."""
    lines = []
    for line in example.splitlines():
        setting = re.fullmatch(r"#?([A-Z_]+)=(.*)", line)
        if setting and values.get(setting[1], "") not in ("", setting[2] if line.startswith("#") else ""):
            line = f"{setting[1]}={_quoted(values[setting[1]])}"
        lines.append(line)
    return "\n".join(["# Made by script/install; change it here and restart the service.", *lines[1:]]) + "\n"


def facts_file(facts: Mapping[str, str]) -> str:
    """The facts as a file that a shell can source."""
    quoted = {name: "'" + facts.get(name, "").replace("'", "'\\''") + "'" for name in FACTS}
    return "".join(f"{name}={value}\n" for name, value in quoted.items())


def _quoted(value: str) -> str | None:
    """The value as `.env` holds it; None where reading it would give another one."""
    for written in [value] if PLAIN.fullmatch(value) else [f"'{value}'"]:
        match = re.fullmatch(r"'(.*)'", written)
        inner = match[1] if match else written
        if not re.fullmatch(r'".*"', inner):
            return written
    return None


def write_if_changed(file: Path, content: str) -> bool:
    """Write a private file unless it holds that already; whether it did not."""
    if file.is_file() and file.read_text() == content:
        return False
    write_private(file, content)
    return True


def unknown(given: Iterable[str], known: Iterable[Question]) -> list[str]:
    """Names in an answer file that are no question's, such as a misspelt one."""
    return sorted(set(given) - {one.name for one in known} - {"LAB"})


def settings_of_lab(file: Path) -> dict[str, str]:
    """What a running `manage.py lab` says of itself. ImproperlyConfigured where it does not run."""
    if not (found := read_json(file).get("settings")):
        raise ImproperlyConfigured(f"LAB=yes: no simulated infrastructure runs, {file} tells no settings.")
    return found
