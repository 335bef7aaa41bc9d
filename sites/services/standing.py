"""Which site a service has, and how it is."""

from nodepoint.api.errors import ServiceSuspended
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from nodepoint.prepared import prepared
from sites import live
from sites.errors import UnknownSite, WrongState
from sites.models import Site


def get_site(service_id: str, *also: str) -> Site:
    """The service's latest site, failed ones included; UnknownSite when it was deleted or never there.
    `also`: rows that are read with it and its plan, such as its `usage`."""
    rows = prepared(Site).filter(service_id=service_id).select_related("plan", *also)
    site = rows.order_by("-pk").first()
    if site is None or site.state == Site.State.DELETED:
        raise UnknownSite()
    return site


def site_for_action(service_id: str) -> Site:
    """The site for something a customer wants to do with it.

    UnknownSite; JobRefused while it is being made; WrongState when it is not live any more; ServiceSuspended.
    """
    site = get_site(service_id)
    is_being_made = site.state == Site.State.PROVISIONING and not site.deletion_requested_at
    if is_being_made and (making := Job.objects.filter(active_key=site.key).first()):
        raise JobRefused(making)
    if site.deletion_requested_at or site.state != Site.State.LIVE:
        raise WrongState(status(site))
    if site.suspended:
        raise ServiceSuspended("This service is suspended.")
    return site


def failed_last(site: Site) -> bool:
    """Whether what was ordered last for the service is this site, and was undone."""
    newer = Site.objects.filter(service_id=site.service_id, pk__gt=site.pk)
    return site.state == Site.State.FAILED and not newer.exists()


def last_job(site: Site) -> Job | None:
    """The site's running job, else its last one."""
    # Downwards NULL comes last: both databases hold it for less than any text.
    return prepared(Job).filter(subject=site.key).order_by("-active_key", "-created_at").first()


def status(site: Site, reading: live.Reading | None = None) -> str:
    """provisioning, running, stopped, suspended, deleting, failed, deleted or unknown.

    What a job of ours verified later than the cluster's reading wins over it, since readings lag some seconds
    behind.
    """
    own = own_status(site)
    if own not in ("running", "stopped", "unknown"):
        return own
    if reading is None:
        reading = live.reading()
    if reading.stale:
        return "unknown"
    verified = site.power_verified_at
    if site.power and verified and (reading.taken_at is None or verified > reading.taken_at - live.LAG):
        return site.power
    usage = reading.guests.get(site.vmid)
    return usage.status if usage and usage.status in ("running", "stopped") else "unknown"


def own_status(site: Site) -> str:
    """The status by our own rows alone: running or stopped as a job of ours verified last."""
    if site.state == Site.State.DELETED:
        return "deleted"
    if site.deletion_requested_at:
        return "deleting"
    if site.state != Site.State.LIVE:
        return site.state
    return "suspended" if site.suspended else site.power or "unknown"
