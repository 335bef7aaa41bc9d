"""The proxy host of a site's own name and its certificate."""

from nodepoint.clients.errors import BadAnswer, Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites import strangers
from sites.connections import npm
from sites.models import Site
from sites.steps import hosts
from sites.steps.hosts import ORDERS, TLS, WRITES, Ordered, own_name, shared_certificate

__all__ = ["ORDERS", "WRITES"]


def needs_own_certificate(site: Site) -> bool:
    """Whether every site orders a certificate of its own."""
    return shared_certificate() is None


def served(call: Call) -> Outcome:
    """One proxy host of ours leads the site's name to its container, and nginx has taken it up."""
    try:
        host = hosts.served(own_name(call.subject))
    except Conflict:
        strangers.met(call.subject, "a proxy host")
        raise
    return Done(ref=str(host.id), facts={"proxy_host_id": host.id})


def _ordered(site: Site) -> Ordered:
    return Ordered(site.hostname, site.certificate_id, site.created_at)


def certified(call: Call) -> Outcome:
    """A certificate of the site's own exists."""
    ordered = _ordered(call.subject)
    certificate = ordered.usable() or ordered.order()
    return Done(ref=str(certificate.id), facts={"certificate_id": certificate.id})


def encrypted(call: Call) -> Outcome:
    """The proxy host uses the certificate and forces TLS."""
    site: Site = call.subject
    host = npm().update_proxy_host(site.proxy_host_id, certificate_id=site.certificate_id, **TLS)
    host = npm().proxy_host(host.id)
    if not host.online:
        raise BadAnswer("npm", f"nginx did not take the host: {host.nginx_error}")
    return Done()


def gone(call: Call) -> Outcome:
    """No proxy host of ours is left. Somebody else's stays, and no later order gets the name."""
    site: Site = call.subject
    foreign = hosts.gone(own_name(site)) if site.hostname else []
    if foreign:
        strangers.met(site, "a proxy host")
    ids = ", ".join(str(host.id) for host in foreign)
    return Done(facts={"proxy_host_id": None}, note=ids and f"Left alone, without our mark: proxy host {ids}")


def certificate_gone(call: Call) -> Outcome:
    """No certificate of the site's own is left; the shared one stays. A site that ordered its own keeps it
    until here, whatever NPM_CERTIFICATE says by now."""
    site: Site = call.subject
    if site.hostname and (site.certificate_id or not shared_certificate()):
        _ordered(site).gone()
    return Done(facts={"certificate_id": None})
