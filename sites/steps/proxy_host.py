"""The proxy host of a site's own name and its certificate."""

from nodepoint.clients.errors import Conflict
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import strangers
from sites.clients.npm import NoCertificate
from sites.models import Site
from sites.steps import certificates, hosts, lost
from sites.steps.certificates import ORDERS, Ordered
from sites.steps.hosts import WRITES, own_name, shared_certificate
from sites.steps.renaming import another_name

__all__ = ["ORDERS", "WRITES"]

PROVISION = "sites.provision"
# Seconds after each order that failed. With the one at the end of its time these are five in the half hour of
# a provisioning, which is what the authority permits for one name in an hour.
PAUSES = (180, 420, 900)


def needs_own_certificate(site: Site) -> bool:
    """Whether every site orders a certificate of its own."""
    return shared_certificate() is None


def has_own_certificate(site: Site) -> bool:
    """Whether one was, or may have been, ordered for the site alone."""
    return bool(site.certificate_id) or needs_own_certificate(site)


def served(call: Call) -> Outcome:
    """One proxy host of ours leads the site's name to its container, and nginx has taken it up. Where NPM
    has somebody else's (a proxy, redirection or 404 host), an order takes another name; one that leads a site
    of lost rows to where that is stays as it is."""
    site: Site = call.subject
    is_new = call.job.kind == PROVISION and site.state == Site.State.PROVISIONING
    try:
        try:
            host = hosts.served(own_name(site), is_new=is_new)
        except hosts.LeadsElsewhere as error:
            if not lost.released(site):
                return lost.held(str(error))
            host = hosts.served(own_name(site))
    except Conflict as error:
        refusal = Fail(error=error.sentence, detail=error.vendor)
        return another_name(call, "a proxy host", otherwise=refusal)
    return Done(ref=str(host.id), facts={"proxy_host_id": host.id})


def _ordered(site: Site) -> Ordered:
    return Ordered(site.hostname, site.certificate_id, site.created_at)


def certified(call: Call) -> Outcome:
    """A certificate of the site's own exists. An authority that does not issue it is asked again, rarely, as
    long as the order of the site has time: what keeps it from issuing mostly passes."""
    ordered = _ordered(call.subject)
    certificate = ordered.usable()
    if certificate is None:
        if underway := ordered.underway(call):
            return underway
        try:
            certificate = ordered.order()
        except NoCertificate as error:
            return _not_issued(call, error)
    return Done(ref=str(certificate.id), facts={"certificate_id": certificate.id})


def _not_issued(call: Call, error: NoCertificate) -> Outcome:
    failures = call.step.data.get("failures", 0) + 1
    pause = PAUSES[min(failures, len(PAUSES)) - 1]
    return Retry(
        error=certificates.sentence(error),
        detail=certificates.detail(error),
        seconds=max(pause, error.retry_after or 0),
        data={"failures": failures},
    )


def encrypted(call: Call) -> Outcome:
    """The proxy host uses the certificate and forces TLS."""
    hosts.served(own_name(call.subject))
    return Done()


def gone(call: Call) -> Outcome:
    """No proxy host of ours is left, under any name of the site. Somebody else's stays, and no later order
    gets that name."""
    site: Site = call.subject
    if site.hostname and has_own_certificate(site) and (underway := _ordered(site).underway(call)):
        return underway
    foreign = hosts.gone(own_name(site)) if site.hostname else []
    if foreign:
        strangers.met(site, "a proxy host")
    for hostname in site.hostnames:
        if hostname != site.hostname:
            hosts.gone(hosts.HostName(hostname, site, None))
    ids = ", ".join(str(host.id) for host in foreign)
    return Done(facts={"proxy_host_id": None}, note=ids and f"Left alone, without our mark: proxy host {ids}")


def certificate_gone(call: Call) -> Outcome:
    """No certificate of the site's own is left; the shared one stays. A site that ordered its own keeps it
    until here, whatever NPM_CERTIFICATE says by now."""
    site: Site = call.subject
    if site.hostname and has_own_certificate(site):
        _ordered(site).gone()
    return Done(facts={"certificate_id": None})
