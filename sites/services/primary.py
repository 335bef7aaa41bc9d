"""The name by which a site goes."""

from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites import belonging, pointing
from sites.errors import BadDomain, DomainNotReady, UnknownDomain
from sites.models import CustomDomain, Site
from sites.services.domains import read_name
from sites.services.standing import site_for_action
from sites.steps.domains import PRIMARY


def choose_primary(service_id: str, domain: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have a site go by one of its names, to which all others lead then: the platform's, or a custom domain
    that is served with a certificate and leads here now. The wish stands: a domain that lapses gives the
    place to another, and gets it back. Asks DNS, for up to 9 s.

    BadDomain, UnknownDomain, DomainNotReady; JobRefused while a job of the site runs; and what
    `site_for_action` raises.
    """
    site = site_for_action(service_id)
    name = read_name(domain)
    if refusing := queue.in_the_way(site.key):
        raise JobRefused(refusing)
    if name != site.hostname:
        row = _ready(site, name)
        found = belonging.looks([row], pointing.SECONDS, 1)[name]
        if not found.is_here:
            raise BadDomain(found.why or f"DNS gave no answer about {name}. Please try again.")

    def work() -> tuple[Site, Job]:
        queue.lock(site.key)  # the job's row before the site's, as runners do
        now = site_for_action(service_id)
        if name != now.hostname:
            _ready(now, name)
        before, now.chosen_name = now.primary_domain, name
        now.save(update_fields=["chosen_name"])
        # The wish comes first: whether anything is to be done is asked as soon as the job is there.
        data = {"service_id": site.service_id, "domain": name}
        change = {"before": {"primary": before}, "after": {"primary": name}}
        return now, queue.submit(PRIMARY, site.key, data=data, actor=actor, queue=False, **change)

    return queue.whole(work)


def _ready(site: Site, name: str) -> CustomDomain:
    """The custom domain, where it may be the site's name. UnknownDomain, DomainNotReady."""
    row = site.custom_domains.filter(domain=name).select_related("site").first()
    if row is None:
        raise UnknownDomain()
    if not row.serves:
        raise DomainNotReady(name, row.error)
    return row
