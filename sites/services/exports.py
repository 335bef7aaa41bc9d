"""All that a site holds, as an archive for its customer."""

from typing import Any

from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites import exports
from sites.errors import ExportDoesNotFit, ExportUnknown, NoWayIn, WrongState
from sites.models import Site
from sites.services.standing import get_site, site_for_action

EXPORT = "sites.export"
UNKNOWN = {"url": None, "size_mb": None, "expires_at": None}


def export_content(service_id: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have the site's files and tables packed and offered at the site's own name, for a day or until they
    were fetched. An earlier offer goes.

    Asks the container, for up to 15 s. WrongState while it is stopped; NoWayIn while its traffic is off;
    ExportDoesNotFit; ExportUnknown; JobRefused while a job of the site runs; ClientError; and what
    `site_for_action` raises.
    """
    site = site_for_action(service_id)
    if site.power_wished != "running":
        raise WrongState(site.power_wished)
    if not site.proxy_enabled:
        raise NoWayIn()
    if refusing := queue.in_the_way(site.key):
        raise JobRefused(refusing)
    try:
        missing = exports.missing_mb(site)
    except exports.NotRunning:
        raise WrongState("stopped") from None
    except exports.NotOurs:
        raise ExportUnknown() from None
    if missing:
        raise ExportDoesNotFit(missing)

    def work() -> Job:
        data = {"service_id": site.service_id, "new": site.hostname}
        job = queue.submit(EXPORT, site.key, data=data, actor=actor, queue=False)
        site_for_action(site.service_id)  # as it is once no other job of the site can begin
        return job

    return site, queue.whole(work)


def last_export(service_id: str) -> tuple[Site, Job | None]:
    """The site, and the last job that was to export it. UnknownSite."""
    site = get_site(service_id)
    return site, Job.objects.filter(subject=site.key, kind=EXPORT).order_by("-created_at").first()


def export_offered(site: Site, job: Job | None) -> dict[str, Any]:
    """`{url, size_mb, expires_at}` of what a job has packed and is still to be had; else each is null. Asks
    the container, for up to 15 s. ClientError."""
    if job is None or job.state != Job.State.SUCCEEDED:
        return dict(UNKNOWN)
    try:
        found = exports.offered(site, job)
    except (exports.NotRunning, exports.NotOurs):
        found = None
    if found is None:
        return dict(UNKNOWN)
    return {
        "url": exports.url(site, job),
        "size_mb": -(-found.size // exports.MB),
        "expires_at": found.until,
    }


def export_made(site: Site, job: Job) -> dict[str, Any]:
    """The same by rows alone, for who has waited for the job."""
    step = job.steps.filter(name="exported").only("data").first()
    size = step.data.get("found", {}).get("size") if step else None
    if job.state != Job.State.SUCCEEDED or size is None:
        return dict(UNKNOWN)
    return {
        "url": exports.url(site, job),
        "size_mb": -(-size // exports.MB),
        "expires_at": job.finished_at + exports.KEPT if job.finished_at else None,
    }
