"""What can be done with a site: one function for each act, called by the API, the admin and commands alike.

Guards first, then one transaction that writes rows and submits a job. No remote call is made here.
"""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from nodepoint.api import jobs
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites import allocation, live
from sites.errors import SiteBeingDeleted, SiteExists, UndoUnfinished, UnknownPlan, UnknownSite
from sites.models import Plan, Site


def create_site(
    *, service_id: str, email: str, plan: str, public_ip: str, actor: str = ""
) -> tuple[Site, Job]:
    """Accept an order: reserve what is unique and have the site made.

    UnknownPlan; SiteExists, SiteBeingDeleted, UndoUnfinished when the service is not free for a new site; NoCapacity.
    """
    chosen = find_plan(plan)
    with transaction.atomic():
        allocation.lock()
        standing = Site.objects.filter(live_key=service_id).select_related("plan").first()
        if standing is None:
            site = Site(
                service_id=service_id, live_key=service_id, email=email, public_ip=public_ip, plan=chosen
            )
            allocation.reserve(site)
            site.save()
            job = queue.submit("sites.provision", site.key, data={"service_id": service_id}, actor=actor)
            return site, job
    # Outside the transaction: its status may need a reading of the cluster, for which no other order should have to wait.
    raise _in_the_way(standing)


def find_plan(name: str) -> Plan:
    """The plan of that name, without regard to case; UnknownPlan."""
    plans = {plan.name.lower(): plan for plan in Plan.objects.all()}
    try:
        return plans[name.strip().lower()]
    except KeyError:
        raise UnknownPlan(list(plans)) from None


def _in_the_way(site: Site) -> SiteExists:
    job = last_job(site)
    body = {"status": status(site), "job": jobs.render(job) if job else None}
    if site.deletion_requested_at:
        return SiteBeingDeleted(**body)
    if job and job.state == Job.State.ROLLING_BACK:
        return UndoUnfinished(**body)
    return SiteExists(**body)


def delete_site(service_id: str, *, actor: str = "") -> tuple[Site, Job | None]:
    """Have a site deleted, whatever it is doing. The intent is stored before this returns and never given up.

    A repeat gives the same job again; None when nothing of the site is left. UnknownSite when there never was one.
    """
    site = Site.objects.filter(service_id=service_id).order_by("-pk").first()
    if site is None:
        raise UnknownSite()
    if site.state in (Site.State.FAILED, Site.State.DELETED):
        Site.objects.filter(pk=site.pk).update(state=Site.State.DELETED)
        site.state = Site.State.DELETED
        return site, None
    with transaction.atomic():
        # The job's row before the site's: every runner takes them in this order too.
        queue.lock(site.key)
        now = timezone.now()
        if Site.objects.filter(pk=site.pk, deletion_requested_at=None).update(deletion_requested_at=now):
            data = {"service_id": service_id}
            queue.submit("sites.terminate", site.key, data=data, actor=actor, cancel=True)
    site.refresh_from_db()
    return site, Job.objects.filter(subject=site.key, kind="sites.terminate").first()


def get_site(service_id: str) -> Site:
    """The service's latest site, failed ones included; UnknownSite when it was deleted or never there."""
    site = Site.objects.filter(service_id=service_id).select_related("plan").order_by("-pk").first()
    if site is None or site.state == Site.State.DELETED:
        raise UnknownSite()
    return site


def last_job(site: Site) -> Job | None:
    """The site's running job, else its last one."""
    ordered = Job.objects.filter(subject=site.key).order_by(
        F("active_key").desc(nulls_last=True), "-created_at"
    )
    return ordered.prefetch_related("steps").first()


def status(site: Site, reading: live.Reading | None = None) -> str:
    """provisioning, running, stopped, deleting, failed, deleted or unknown.

    What a job of ours verified later than the cluster's reading wins over it, since readings lag some seconds behind.
    """
    if site.state == Site.State.DELETED:
        return "deleted"
    if site.deletion_requested_at:
        return "deleting"
    if site.state != Site.State.LIVE:
        return site.state
    if reading is None:
        reading = live.reading()
    verified = site.power_verified_at
    if site.power and verified and (reading.taken_at is None or verified > reading.taken_at - live.LAG):
        return "unknown" if reading.stale else site.power
    usage = reading.guests.get(site.vmid)
    return (
        usage.status if usage and not reading.stale and usage.status in ("running", "stopped") else "unknown"
    )
