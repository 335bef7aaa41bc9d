"""Clients made from settings, one of each kind for each process."""

from functools import cache

from django.conf import settings

from dns.clients.delegation import Delegation
from dns.clients.ispconfig import Ispconfig
from dns.clients.nameservers import Nameservers
from nodepoint.resolver import Resolver

CALLS, READING = 6, 3  # of the panel, under way at once in this process: together fewer than shut us out


@cache
def ispconfig() -> Ispconfig:
    """The panel that holds the zones."""
    return _panel()


@cache
def ispconfig_reading() -> Ispconfig:
    """The same for what customers look at, with a session and calls of its own: whoever only reads does not
    stand in line behind those who write."""
    return _panel(READING)


def _panel(calls: int = CALLS) -> Ispconfig:
    return Ispconfig(
        settings.ISPCONFIG_URL,
        settings.ISPCONFIG_USER,
        settings.ISPCONFIG_PASSWORD,
        settings.ISPCONFIG_SERVER_ID,
        verify={"true": True, "false": False}.get(
            settings.ISPCONFIG_VERIFY_TLS.lower(), settings.ISPCONFIG_VERIFY_TLS
        ),
        calls=calls,
    )


@cache
def delegation() -> Delegation:
    """The servers of the zones above customers' ones."""
    return Delegation(Resolver(settings.DNS_RESOLVERS), settings.DNS_PORT)


@cache
def nameservers() -> Nameservers:
    """Our own name servers, which publish the zones."""
    return Nameservers(settings.NAMESERVERS, Resolver(settings.DNS_RESOLVERS), settings.DNS_PORT)


def forget() -> None:
    """Drop the clients, so that the next ones are made from the settings of then (tests)."""
    for make in (ispconfig, ispconfig_reading, delegation, nameservers):
        make.cache_clear()
