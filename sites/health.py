"""Something harmless to ask of each system that the sites need: for the deep health check and `manage.py
doctor`.
"""

from django.conf import settings

from nodepoint.api import health
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import Unreachable
from nodepoint.resolver import Resolver, Status
from sites import connections

SECONDS = 4.0  # for all calls of one probe


def proxmox() -> None:
    """The cluster answers and takes our token."""
    with deadline(SECONDS):
        connections.proxmox().permissions()


def ssh() -> None:
    """Every node lets us in."""
    with deadline(SECONDS):
        for node in connections.node_hosts():
            connections.console().connect(node)


def cloudflare() -> None:
    """The token may read the zone."""
    with deadline(SECONDS):
        connections.cloudflare().verify()


def npm() -> None:
    """The account can log in."""
    with deadline(SECONDS):
        connections.npm().whoami()


def dns() -> None:
    """The resolvers answer, whatever they answer."""
    with deadline(SECONDS):
        answer = Resolver(settings.DNS_RESOLVERS).lookup(settings.BASE_DOMAIN, "NS")
    if answer.status is Status.FAILED:
        raise Unreachable("dns", answer.reason)


def register() -> None:
    """Have all of them asked."""
    for system, probe in (
        ("proxmox", proxmox),
        ("ssh", ssh),
        ("cloudflare", cloudflare),
        ("npm", npm),
        ("dns", dns),
    ):
        health.register(system, probe)
