"""Reading settings from the environment.

A value that cannot be understood ends in `ImproperlyConfigured` with one sentence that names the setting, so
that every command stops with that line instead of a traceback. Files are read before: see `load_files`.
"""

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def load_files(base: Path) -> Path:
    """Add the settings of `.env`, else those of a demo, to the environment; returns the data folder.

    What the environment already says wins. A demo's file in the data folder counts only where no `.env`
    stands, so that the simulated infrastructure of an old demo can never slip into a production installation.
    """
    production = base / ".env"
    if production.is_file():
        environ.Env.read_env(str(production), overwrite=False)
    data = Path(os.environ.get("NODEPOINT_DATA") or base / "var").resolve()
    demo = data / "demo.env"
    if demo.is_file() and not production.is_file():
        environ.Env.read_env(str(demo), overwrite=False)
    return data


def text(name: str, default: str = "") -> str:
    """The setting as text, or from the file that `NAME_FILE` names (for secrets handed over as files). Empty
    means the default."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, "").strip() or default
    try:
        return Path(file).read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error


def boolean(name: str, default: bool) -> bool:
    """True or false; anything else is refused rather than guessed."""
    value = text(name, str(default)).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def integer(name: str, default: int, minimum: int = 0) -> int:
    """A whole number of at least `minimum`."""
    value = text(name, str(default))
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {number}.")
    return number


def choice(name: str, *choices: str) -> str:
    """One of `choices`, in any case; the first of them is the default."""
    value = text(name, choices[0]).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be {' or '.join(choices)}, not {value!r}.")
    return value


def items(name: str, default: str = "") -> list[str]:
    """A list written with commas; blanks around the items and empty items are dropped."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret_key(data: Path) -> str:
    """SECRET_KEY, or one that is made at the first start and kept in the data folder (mode 600)."""
    if value := text("SECRET_KEY"):
        return value
    file = data / "secret_key"
    if not file.exists():
        _write_once(file, secrets.token_urlsafe(50))
    return file.read_text().strip()


def _write_once(file: Path, content: str) -> None:
    """Several processes may start at once: the first one's key counts, and nobody reads half a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(content)
    try:
        os.link(draft, file)
    except FileExistsError:  # another process was first
        return
    finally:
        draft.unlink()


def database(name: str, default: Path) -> dict:
    """A Django database from a URL: `sqlite:///path` or `mysql://user:password@host:port/name`; without one,
    SQLite in the file `default`.

    SQLite runs in WAL mode and begins transactions IMMEDIATE, since a deferred one that turns to writing
    fails at once when another writer is busy. MariaDB keeps Django's READ COMMITTED: under REPEATABLE READ a
    polling loop never sees new rows.
    """
    try:
        config = environ.Env.db_url_config(text(name, f"sqlite:///{quote(str(default))}"))
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} is not a database URL.") from None
    options = config.setdefault("OPTIONS", {})
    config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if config["ENGINE"].endswith("sqlite3"):
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 15,  # seconds that a writer waits for another; requests have 22 in all
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        }
    elif config["ENGINE"].endswith("mysql"):
        options |= {"charset": "utf8mb4", "isolation_level": "read committed", "connect_timeout": 5}
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    else:
        raise ImproperlyConfigured(f"{name}: only sqlite:// and mysql:// are supported.")
    return config


def broker(value: str) -> dict[str, Any]:
    """django-q2's broker by QUEUE_BROKER: `orm`, the database, or `redis://host:port/number` (`rediss://`, `unix://`).

    Redis has 2 s to take a connection and 5 s to answer, without repetition: a request that wakes a worker
    must not hang on it, and taking a task waits 1 s in Redis itself (django_q/brokers/redis_broker.py).
    """
    if value == "orm":
        return {"orm": "default"}
    try:
        from redis.backoff import NoBackoff
        from redis.connection import SSLConnection, parse_url
        from redis.retry import Retry

        options = dict(parse_url(value))
    except ImportError as error:
        raise ImproperlyConfigured("QUEUE_BROKER: Redis needs requirements.txt to be installed.") from error
    except ValueError as error:
        raise ImproperlyConfigured("QUEUE_BROKER must be orm or redis://host:port/number.") from error
    kind = options.pop("connection_class", None)
    if socket := options.pop("path", None):
        options["unix_socket_path"] = socket
    patience = {"socket_connect_timeout": 2, "socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}
    return {"redis": patience | options | {"ssl": kind is SSLConnection}}


def email(name: str, default: str) -> dict:
    """Django's e-mail settings from a URL: `smtp+tls://user:password@host:587`, `consolemail://`,
    `filemail:///path`."""
    try:
        return environ.Env.email_url_config(text(name, default))
    except (ValueError, KeyError, ImproperlyConfigured):
        raise ImproperlyConfigured(f"{name} is not an e-mail URL.") from None
