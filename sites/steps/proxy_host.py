"""The proxy host at NPM and its certificate. NPM keeps rows after failures and answers 201 for what is not served: look, then look again."""

from datetime import timedelta
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import BadAnswer, Busy, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome
from nodepoint.jobs.registry import Limit
from sites.clients.npm import Certificate, ProxyHost
from sites.connections import npm
from sites.models import Site

# NPM tests nginx as a whole at every write: two at once make good hosts fail with a bad one's error.
WRITES = Limit("npm", lambda: 1)
ORDERS = Limit("npm:certificate", lambda: 1)  # certbot runs one at a time, for minutes
MARK = "nodepoint"  # key in the host's meta
TLS = {"ssl_forced": True, "http2_support": True}


def shared_certificate() -> int | None:
    """The id of the wildcard certificate, None when every site orders its own."""
    return None if settings.NPM_CERTIFICATE == "letsencrypt" else int(settings.NPM_CERTIFICATE)


def needs_own_certificate(site: Site) -> bool:
    """Whether every site orders a certificate of its own."""
    return shared_certificate() is None


def served(call: Call) -> Outcome:
    """One proxy host of ours leads the site's name to its container, and nginx has taken it up."""
    site: Site = call.subject
    hosts = npm().find_proxy_hosts(site.hostname)
    if foreign := [host for host in hosts if not _is_ours(host, site)]:
        ids = ", ".join(str(host.id) for host in foreign)
        return Fail(
            error=f"Nginx Proxy Manager has another host for {site.hostname}.",
            detail=f"Foreign proxy hosts: {ids}",
        )
    for surplus in hosts[1:]:
        npm().delete_proxy_host(surplus.id)
    host = _right(site, hosts[0]) if hosts else _create(site)
    host = npm().proxy_host(host.id)
    if not host.online:
        # Seen after a neighbour's broken configuration was tested together with this one; writing it once more heals that.
        host = npm().update_proxy_host(host.id, **_wanted(site))
        if not host.online:
            raise BadAnswer("npm", f"nginx did not take the host: {host.nginx_error}")
    return Done(ref=str(host.id), facts={"proxy_host_id": host.id})


def _wanted(site: Site) -> dict[str, Any]:
    """The fields of the host in NPM's names. Asset caching stays off: it ignores cookies."""
    certificate = shared_certificate() or site.certificate_id
    return {
        "forward_host": site.private_ip,
        "forward_port": 80,
        "block_exploits": True,
        "allow_websocket_upgrade": True,
        "caching_enabled": False,
        "meta": {MARK: site.owner_mark},
        **({"certificate_id": certificate, **TLS} if certificate else {}),
    }


def _right(site: Site, host: ProxyHost) -> ProxyHost:
    """Our host with the fields it should have; written only where something differs."""
    wanted = _wanted(site)
    wanted.pop("meta")
    if host.online and all(getattr(host, field) == value for field, value in wanted.items()):
        return host
    return npm().update_proxy_host(host.id, **_wanted(site))


def _create(site: Site) -> ProxyHost:
    if (certificate := shared_certificate()) and not _usable(certificate):
        # NPM accepts an id that does not exist and then serves the site without TLS.
        raise Busy("npm", f"certificate {certificate} of NPM_CERTIFICATE does not exist or has expired")
    wanted = _wanted(site)
    return npm().create_proxy_host(
        [site.hostname], wanted.pop("forward_host"), wanted.pop("forward_port"), **wanted
    )


def _usable(certificate_id: int) -> bool:
    try:
        return npm().certificate(certificate_id).usable()
    except NotFound:
        return False


def certified(call: Call) -> Outcome:
    """A certificate of the site's own exists."""
    site: Site = call.subject
    certificate = _own_certificate(site) or npm().create_certificate(
        [site.hostname], settings.LETSENCRYPT_EMAIL
    )
    return Done(ref=str(certificate.id), facts={"certificate_id": certificate.id})


def _own_certificate(site: Site) -> Certificate | None:
    """A usable certificate of ours for exactly our name, the newest: an order whose answer was lost may have made it.

    Somebody else's is not used: what we use we delete in the end.
    """
    found = npm().find_certificates([site.hostname])
    usable = [
        certificate for certificate in found if certificate.usable() and _ordered_by_us(certificate, site)
    ]
    return usable[0] if usable else None


def encrypted(call: Call) -> Outcome:
    """The proxy host uses the certificate and forces TLS."""
    site: Site = call.subject
    host = npm().update_proxy_host(site.proxy_host_id, certificate_id=site.certificate_id, **TLS)
    host = npm().proxy_host(host.id)
    if not host.online:
        raise BadAnswer("npm", f"nginx did not take the host: {host.nginx_error}")
    return Done()


def gone(call: Call) -> Outcome:
    """No proxy host of ours is left."""
    site: Site = call.subject
    if site.hostname:
        for host in npm().find_proxy_hosts(site.hostname):
            if _is_ours(host, site):
                npm().delete_proxy_host(host.id)
    return Done(facts={"proxy_host_id": None})


def certificate_gone(call: Call) -> Outcome:
    """No certificate of the site's own is left; the shared one stays. A site that ordered its own keeps it until here, whatever
    NPM_CERTIFICATE says by now."""
    site: Site = call.subject
    if site.hostname and (site.certificate_id or not shared_certificate()):
        for certificate in npm().find_certificates([site.hostname]):
            if _ordered_by_us(certificate, site) and certificate.id != shared_certificate():
                npm().delete_certificate(certificate.id)
    return Done(facts={"certificate_id": None})


def _ordered_by_us(certificate: Certificate, site: Site) -> bool:
    """Certificates take no mark. Beside the exact name, its id must be the one we stored, or, where the answer to the order was lost, it
    must be younger than the site (NPM writes its local time, hence the day)."""
    return certificate.id == site.certificate_id or (
        site.certificate_id is None and certificate.created_on > site.created_at - timedelta(days=1)
    )


def _is_ours(host: ProxyHost, site: Site) -> bool:
    return host.meta.get(MARK) == site.owner_mark
