"""Servers that settings name by a URL: the database, the broker of wake-up calls, the mail server.

Each reader raises `ImproperlyConfigured` with one line that names the setting and shows nothing of its value,
which holds a password. Signs of a password that mean something in a URL are the usual mistake: they make
another server of the URL, so what comes out is looked at as well.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from nodepoint import env

ESCAPED = "with signs such as / # ? @ % in user and password written as %2F %23 %3F %40 %25"
DATABASE = f"mysql://user:password@host:3306/name, {ESCAPED}, or sqlite:////path"
BROKER = f"orm or redis://:password@host:6379/0, {ESCAPED}"
MAIL = f"smtp+tls://user:password@host:587, {ESCAPED}"
MYSQL_OPTIONS = {"unix_socket", "ssl_mode", "charset"}  # what the URL of a MariaDB may end with, after `?`
ANSWER_SECONDS = 20  # that MariaDB has for an answer; a request has 22 in all
# A host that is cut off in a transaction leaves its row locks behind, by default for eight hours.
# Ours are never idle for long: no transaction is open across a remote call.
FORGET_THE_LOST = "SET SESSION idle_transaction_timeout = 15"
SMTP = {"smtp", "smtp+tls", "smtps", "smtp+ssl"}
NOWHERE = "nodepoint.notices.unsent.Backend"


def database(name: str, default: Path) -> dict[str, Any]:
    """A Django database from a URL: `sqlite:///path` or `mysql://user:password@host:port/name`; without one,
    SQLite in the file `default`.

    SQLite runs in WAL mode and begins transactions IMMEDIATE, since a deferred one that turns to writing
    fails at once when another writer is busy. MariaDB keeps Django's READ COMMITTED: under REPEATABLE READ a
    polling loop never sees new rows. It has 5 s to take a connection and ANSWER_SECONDS to answer: a server
    that hangs, or a network that is cut, would hold a thread for a quarter of an hour.
    """
    url = env.text(name, f"sqlite:///{quote(str(default))}")
    try:
        parts = urlsplit(url)
        lost = parts.scheme == "sqlite" and parts.netloc  # a slash is, and with it the first folder
        if parts.scheme not in ("sqlite", "mysql") or lost:
            raise ValueError
        config = environ.Env.db_url_config(url)
    except (ValueError, KeyError, ImproperlyConfigured):
        raise env.malformed(name, DATABASE) from None
    options = config.setdefault("OPTIONS", {})
    config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    if config["ENGINE"].endswith("sqlite3"):
        options |= {
            "transaction_mode": "IMMEDIATE",
            "timeout": 15,  # seconds that a writer waits for another; requests have 22 in all
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
        }
        return config
    whole = config["HOST"] and re.fullmatch(r"[\w$.-]+", config["NAME"])
    if not whole or set(options) - MYSQL_OPTIONS:
        raise env.malformed(name, DATABASE)
    if not find_spec("MySQLdb"):
        raise ImproperlyConfigured(f"{name}: MariaDB needs requirements.txt to be installed.")
    options |= {"charset": "utf8mb4", "isolation_level": "read committed", "connect_timeout": 5}
    options |= {"read_timeout": ANSWER_SECONDS, "write_timeout": ANSWER_SECONDS}
    options |= {"init_command": FORGET_THE_LOST}
    config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
    return config


def broker(value: str) -> dict[str, Any]:
    """django-q2's broker by QUEUE_BROKER: `orm`, the database, or `redis://host:port/number` (`rediss://`,
    `unix://`).

    Redis has 2 s to take a connection and 5 s to answer, without repetition: a request that wakes a worker
    must not hang on it, and taking a task waits 1 s in Redis itself (django_q/brokers/redis_broker.py).
    """
    if value == "orm":
        return {"orm": "default", "broker_class": "nodepoint.jobs.broker.DatabaseQueue"}
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.connection import SSLConnection, parse_url
        from redis.retry import Retry
    except ImportError as error:
        raise ImproperlyConfigured("QUEUE_BROKER: Redis needs requirements.txt to be installed.") from error
    try:
        options = dict(parse_url(value))
        kind = options.pop("connection_class", None)
        if socket := options.pop("path", None):
            options["unix_socket_path"] = socket
        elif not _is_redis(urlsplit(value)):
            raise ValueError
        patience = {"socket_connect_timeout": 2, "socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}
        options |= patience | {"ssl": kind is SSLConnection}
        Redis(**options)  # knows its options; connects to nobody
    except (ValueError, TypeError):
        raise env.malformed("QUEUE_BROKER", BROKER) from None
    return {"redis": options}


def _is_redis(url: SplitResult) -> bool:
    """A host, and a number or nothing as path: redis-py takes database 0 where it is no number."""
    number = url.path.strip("/")
    return bool(url.hostname) and (not number or number.isdecimal()) and not url.fragment


def email(name: str, default: str) -> dict[str, Any]:
    """Django's e-mail settings from a URL: `smtp+tls://user:password@host:587` (`smtp`, `smtps`, `smtp+ssl`),
    `filemail:///path`, or `consolemail://`, which only notes in the log that there was one: the letters hold
    links that are as good as passwords, and a log is kept."""
    value = env.text(name, default)
    try:
        config = environ.Env.email_url_config(value)
        url = urlsplit(value)
        rest = url.path.strip("/") or url.query or url.fragment
        if url.scheme in SMTP and (not url.hostname or rest):
            raise ValueError
    except (ValueError, KeyError, ImproperlyConfigured):
        raise env.malformed(name, MAIL) from None
    if url.scheme == "consolemail":
        config["EMAIL_BACKEND"] = NOWHERE
    return config
