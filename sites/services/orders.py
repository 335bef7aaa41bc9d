"""Ordering a site and deleting it."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nodepoint.api import jobs
from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.prepared import prepared
from sites import allocation, naming
from sites.archives import nightly
from sites.archives.rows import Archive
from sites.errors import OrdersPaused, SiteBeingDeleted, SiteExists, UndoUnfinished, UnknownPlan, UnknownSite
from sites.models import Plan, Platform, Site
from sites.pool import claims
from sites.services import restores
from sites.services.standing import last_job, status

TERMINATE = "sites.terminate"


def create_site(
    *,
    service_id: str,
    email: str,
    plan: str,
    public_ip: str,
    user_id: str | None = None,
    subdomain: str = "",
    archive: str | None = None,
    overruled: dict[str, Any] | None = None,
    actor: str = "",
) -> tuple[Site, Job]:
    """Accept an order: reserve what is unique and have the site made. `user_id`: the customer in the billing
    portal, where it is told. `subdomain`: the one that he wishes, which gets a suffix where it is not free
    any more. `archive`: name of a kept archive of the same customer's, of which the site is made.
    `overruled`: what staff want other than the plan says.

    UnknownPlan; SiteExists, SiteBeingDeleted, UndoUnfinished when the service is not free for a new site;
    OrdersPaused; NoCapacity; UnknownArchive; ArchiveTooLarge.
    """
    chosen = find_plan(plan)
    if archive:
        row = restores.kept_archive(archive, email=email, user_id=user_id or "")
        restores.refuse_too_large(row, chosen)
    with transaction.atomic():
        allocation.lock()
        standing = prepared(Site).filter(live_key=service_id).select_related("plan").first()
        if standing is None:
            if Platform.current().orders_paused_at:
                raise OrdersPaused()
            names = {
                "service_id": service_id,
                "live_key": service_id,
                "email": email,
                "user_id": user_id or "",
            }
            site = Site(**names, public_ip=public_ip, plan=chosen, **(overruled or {}))
            allocation.reserve(site, subdomain, from_pool=not archive)
            site.save()
            claims.note(site)
            order = {"email": email, "plan": chosen.name, "public_ip": public_ip, "url": site.url}
            data = {"service_id": service_id, **({"archive": archive} if archive else {})}
            job = queue.submit("sites.provision", site.key, data=data, actor=actor, after=order)
            claims.hasten(site, job)
            return site, job
    # Outside the transaction: its status may need a reading of the cluster, for which no other order should
    # have to wait.
    raise _in_the_way(standing)


def subdomain_standing(name: str) -> tuple[str, str | None]:
    """Whether a site could be ordered with this subdomain, as far as is known here: the name in the form of
    DNS, and why not."""
    try:
        wish = naming.subdomain(name)
    except naming.BadName as bad:
        return name, str(bad)
    if allocation.is_name_free(wish):
        return wish, None
    return wish, f"{wish}.{settings.BASE_DOMAIN} is taken already."


def refuse_standing(service_id: str) -> None:
    """SiteExists and its kin when the service is not free for a new site."""
    standing = Site.objects.filter(live_key=service_id).select_related("plan").first()
    if standing:
        raise _in_the_way(standing)


def find_plan(name: str) -> Plan:
    """The plan of that name, without regard to case; UnknownPlan."""
    plans = {plan.name.lower(): plan for plan in prepared(Plan).order_by("memory_mb", "name").all()}
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


def delete_site(service_id: str, *, keep_days: int | None = None, actor: str = "") -> tuple[Site, Job | None]:
    """Have a site deleted, whatever it is doing. The intent is stored before this returns and never given up.

    `keep_days`: for how many the last archive of it is kept, which is made first; 0: none; None: KEEP_DAYS.
    Of a site that was never live none is made.

    A repeat gives the same job again; None when nothing of the site is left. UnknownSite when there never was
    one.
    """
    site = Site.objects.filter(service_id=service_id).order_by("-pk").first()
    if site is None:
        raise UnknownSite()
    if site.state in (Site.State.FAILED, Site.State.DELETED):
        _forget(site, actor)
        return site, None
    days = settings.KEEP_DAYS if keep_days is None else keep_days
    queue.whole(lambda: _submit_deletion(site, days, actor))
    site.refresh_from_db()
    return site, Job.objects.filter(subject=site.key, kind=TERMINATE).first()


@transaction.atomic
def _forget(site: Site, actor: str) -> None:
    """Nothing is left of it anywhere: its row says deleted. A repeat changes nothing."""
    failed = Site.objects.filter(pk=site.pk, state=Site.State.FAILED)
    if failed.update(state=Site.State.DELETED):
        change = {"before": {"state": site.state}, "after": {"state": Site.State.DELETED}}
        trail.record(TERMINATE, site.key, label=site.service_id, actor=actor, **change)
    site.state = Site.State.DELETED


def _submit_deletion(site: Site, keep_days: int, actor: str) -> None:
    # The job's row before the site's: every runner takes them in this order too.
    queue.lock(site.key)
    now = timezone.now()
    if Site.objects.filter(pk=site.pk, deletion_requested_at=None).update(deletion_requested_at=now):
        data = {"service_id": site.service_id, "keep_days": keep_days}
        last = None
        if settings.ARCHIVE_STORAGE and keep_days and site.live_at:
            last = Archive(**nightly.described(site), origin=Archive.Origin.DELETION)
            data["archive"] = last.name
        change = {"before": {"state": site.state}, "after": {"state": "deleting"}}
        job = queue.submit(TERMINATE, site.key, data=data, actor=actor, cancel=True, **change)
        if last:
            last.job_id = job.pk
            last.save(force_insert=True)
