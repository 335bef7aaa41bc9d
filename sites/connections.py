"""Clients made from settings, one of each kind for each process."""

from functools import cache
from ipaddress import IPv4Network

from django.conf import settings

from sites.clients.cloudflare import Cloudflare
from sites.clients.console import Console
from sites.clients.npm import Npm
from sites.clients.proxmox import Proxmox
from sites.clients.website import Website


@cache
def proxmox() -> Proxmox:
    """The Proxmox VE cluster."""
    return Proxmox(
        settings.PROXMOX_HOST,
        settings.PROXMOX_USER,
        settings.PROXMOX_TOKEN_NAME,
        settings.PROXMOX_TOKEN_VALUE,
        verify_tls=verify_tls(settings.PROXMOX_VERIFY_TLS),
    )


@cache
def cloudflare() -> Cloudflare:
    """The DNS zone of the platform's own names."""
    return Cloudflare(settings.CLOUDFLARE_API_URL, settings.CLOUDFLARE_API_TOKEN, settings.CLOUDFLARE_ZONE_ID)


@cache
def npm() -> Npm:
    """The reverse proxy in front of the containers."""
    return Npm(settings.NPM_URL, settings.NPM_EMAIL, settings.NPM_PASSWORD)


@cache
def console() -> Console:
    """The shells of the nodes, for `pct exec`."""
    return Console(node_hosts(), settings.SSH_USER, settings.SSH_KEY_FILE, settings.SSH_KNOWN_HOSTS)


@cache
def website() -> Website | None:
    """Visitors' way through the proxy; None where PROXY_CHECK_ADDRESS does not say how to get there from
    here.
    """
    if not settings.PROXY_CHECK_ADDRESS:
        return None
    return Website(settings.PROXY_CHECK_ADDRESS, settings.PROXY_CHECK_HTTP_ADDRESS)


def node_hosts() -> dict[str, tuple[str, int]]:
    """SSH_NODE_HOSTS (`node1=192.168.1.10[:port]`) as {node: (host, port)}. ValueError if malformed."""
    hosts = {}
    for item in settings.SSH_NODE_HOSTS:
        node, equals, address = item.partition("=")
        host, _, port = address.partition(":")
        if not (node and equals and host):
            raise ValueError(f"not node=host[:port]: {item!r}")
        hosts[node.strip()] = (host.strip(), int(port or 22))
    return hosts


def verify_tls(value: str) -> bool | str:
    """PROXMOX_VERIFY_TLS: true, false, or the path of a CA file."""
    return {"true": True, "false": False}.get(value.lower(), value)


def site_network() -> IPv4Network:
    """The network that the containers live in."""
    return IPv4Network(settings.SITE_NETWORK)


def forget() -> None:
    """Drop the clients, so that the next ones are made from the settings of then (tests)."""
    for make in (proxmox, cloudflare, npm, console, website):
        make.cache_clear()
