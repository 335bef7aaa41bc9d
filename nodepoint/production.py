"""Deployment checks: what is fine for a demo and wrong in production.

`check --deploy` and `serve` name each of them in one line that begins with the setting; `serve` begins in
spite of warnings, and does not where there is an error.
"""

import os
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from nodepoint import env

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@register(Tags.security, deploy=True)
def deployment(**_: Any) -> list[CheckMessage]:
    """What the operator should change before customers come."""
    return [*_kept(), *_callers(), *_forwarded(), *_mail(), *_simulated()]


def _kept() -> Iterator[CheckMessage]:
    """What is kept, and where."""
    data = settings.NODEPOINT_DATA
    if data.exists() and not os.access(data, os.W_OK | os.X_OK):
        yield Error(f"NODEPOINT_DATA: {data} cannot be written to.", id="nodepoint.E009")
    if not env.text("SECRET_KEY"):
        sentence = (
            "SECRET_KEY is not set: the one in the data folder is used, which other machines do not have."
        )
        yield Warning(sentence, id="nodepoint.W001")
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        sentence = (
            "DATABASE_URL leads to SQLite: one writer at a time, one machine, and no copy while it runs."
            " Set mysql://user:password@host:3306/name."
        )
        yield Warning(sentence, id="nodepoint.W004")


def _callers() -> Iterator[CheckMessage]:
    """Who gets in, under which names."""
    public = [
        host for host in settings.ALLOWED_HOSTS if host != "localhost" and not _is_loopback(host.strip("[]"))
    ]
    if settings.DEBUG and public:
        sentence = f"DEBUG shows settings and code to visitors of {', '.join(public)}: set DEBUG=false."
        yield Error(sentence, id="nodepoint.E007")
    if not public:
        sentence = (
            "ALLOWED_HOSTS names this machine only: the portal and staff on others are refused."
            " Set the name under which they reach it."
        )
        yield Warning(sentence, id="nodepoint.W007")
    if "*" in settings.ALLOWED_HOSTS:
        sentence = "ALLOWED_HOSTS takes any name (*): links in e-mails could be made to lead elsewhere."
        yield Warning(sentence, id="nodepoint.W007")


def _forwarded() -> Iterator[CheckMessage]:
    """What makes X-Forwarded-For and -Proto say what anybody likes, or nothing at all; plain HTTP."""
    trusted = [ip_network(item) for item in settings.TRUSTED_PROXIES]
    if wide := [str(network) for network in trusted if network.prefixlen == 0]:
        sentence = (
            f"TRUSTED_PROXIES trusts everybody ({', '.join(wide)}): any caller can write his own address."
        )
        yield Error(sentence, id="nodepoint.E008")
    bind = settings.NODEPOINT_BIND
    if not settings.BEHIND_TLS and not _is_inside(bind):
        sentence = (
            "NODEPOINT_BIND: tokens and passwords come in plain HTTP on "
            f"{bind if bind else 'every address of this machine'}."
            " Set an address inside your network, or BEHIND_TLS=true with a proxy in front."
        )
        yield Warning(sentence, id="nodepoint.W008")
    alone = all(network.is_loopback for network in trusted)
    if settings.BEHIND_TLS and bind and not _is_loopback(bind) and alone:
        sentence = (
            f"BEHIND_TLS with NODEPOINT_BIND={bind}: callers can go past the proxy, and a proxy on another"
            " machine is not in TRUSTED_PROXIES, so that its word for https does not count."
        )
        yield Warning(sentence, id="nodepoint.W003")


def _mail() -> Iterator[CheckMessage]:
    """Letters that nobody would get."""
    if settings.EMAIL_BACKEND != SMTP:
        sentence = (
            "EMAIL_URL names no mail server: customers get no link to their site, staff no word of trouble."
        )
        yield Warning(sentence, id="nodepoint.W005")
    if not settings.STAFF_EMAIL:
        sentence = (
            "STAFF_EMAIL is not set: nobody is told of orders that were undone and suspensions that are late."
        )
        yield Warning(sentence, id="nodepoint.W006")
    if settings.DEFAULT_FROM_EMAIL.rstrip(">").endswith("@localhost"):
        sentence = "DEFAULT_FROM_EMAIL ends in @localhost: mail servers refuse such a sender."
        yield Warning(sentence, id="nodepoint.W009")


def _simulated() -> Iterator[CheckMessage]:
    """Infrastructure settings that lead to this machine."""
    urls = ("CLOUDFLARE_API_URL", "NPM_URL", "WORDPRESS_URL")
    hosts = {name: [urlsplit(getattr(settings, name)).hostname or ""] for name in urls}
    hosts["PROXMOX_HOST"] = [settings.PROXMOX_HOST.rpartition(":")[0] or settings.PROXMOX_HOST]
    hosts["SSH_NODE_HOSTS"] = [item.partition("=")[2].partition(":")[0] for item in settings.SSH_NODE_HOSTS]
    if found := [name for name, names in hosts.items() if any(map(_is_loopback, names))]:
        sentence = f"{', '.join(found)}: an address of this machine, as of the simulated infrastructure."
        yield Warning(sentence, id="nodepoint.W002")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_inside(bind: str) -> bool:
    """Whether only this machine or a network that is not routed in public reaches the address."""
    return bool(bind) and ip_address(bind).is_private and not ip_address(bind).is_unspecified
