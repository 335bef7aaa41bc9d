"""Logging in without a password."""

from nodepoint.audit import trail
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites import access
from sites.errors import DiskFull, NameLeadsElsewhere, WordPressBroken, WrongState
from sites.models import Site, SiteUsage
from sites.services.standing import site_for_action
from sites.thresholds import FULL

# Jobs after which the container is another one, or not running: a link made meanwhile would be of no use.
IN_THE_WAY = ("sites.start", "sites.stop", "sites.restart", "sites.rollback", "sites.reset")


def log_in(service_id: str, *, actor: str = "") -> str:
    """A link into wp-admin, good for one login within five minutes. Whoever calls this hands it on and keeps
    it nowhere. Asks the container, for up to 15 s.

    WordPressBroken, DiskFull, NameLeadsElsewhere; JobRefused while a job runs that starts, stops or rolls
    back the container; ClientError when the container cannot be asked; and what `site_for_action` raises.
    """
    site = site_for_action(service_id)
    if running := Job.objects.filter(active_key=site.key, kind__in=IN_THE_WAY).first():
        raise JobRefused(running)
    if site.power_wished != "running":
        raise WrongState(site.power_wished)
    try:
        link = access.login_link(site)
    except access.NotRunning:
        raise WrongState("stopped") from None
    except access.LeadsElsewhere as error:
        raise NameLeadsElsewhere(str(error)) from error
    except access.NoLink as error:
        raise (DiskFull() if _is_full(site) else WordPressBroken(error.culprit)) from error
    trail.record("sites.login", site.key, label=site.service_id, actor=actor)
    return link


def _is_full(site: Site) -> bool:
    """Whether its disk was full when it was last measured: then that is the cause, and no backup helps."""
    return SiteUsage.objects.filter(pk=site.pk, disk_percent__gte=FULL).exists()
