"""Another plan for a site."""

from django.db.models import QuerySet

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.errors import DiskTooSmall, QuotaExceeded, WrongState
from sites.models import Plan, Site
from sites.services.backups import backups_used
from sites.services.orders import find_plan
from sites.services.standing import get_site, status

UPGRADE = "sites.upgrade"


def upgrade_site(service_id: str, plan: str, *, actor: str = "") -> tuple[Plan, Job]:
    """Have a site moved to another plan; the same one again applies what staff have changed about it.

    Queues behind what runs. UnknownSite, UnknownPlan; WrongState when there is nothing to move; DiskTooSmall
    and QuotaExceeded before anything is touched.
    """
    site = get_site(service_id)
    chosen = find_plan(plan)
    if site.deletion_requested_at or site.state == Site.State.FAILED:
        raise WrongState(status(site))
    return chosen, queue.whole(lambda: _submit(site, chosen, actor))


def would_take(service_id: str, plan: str) -> Plan:
    """The plan, where `upgrade_site` would take it now; else what that raises. Nothing is changed."""
    site = get_site(service_id)
    chosen = find_plan(plan)
    _refuse_what_does_not_fit(site, chosen, list(_coming(site)))
    return chosen


def _submit(site: Site, chosen: Plan, actor: str) -> Job:
    queue.lock(site.key)
    last = _coming(site).last()
    if last and last.data["plan_id"] == chosen.pk:
        return last
    data = {"service_id": site.service_id, "plan_id": chosen.pk}
    change = {"before": {"plan": site.plan.name}, "after": {"plan": chosen.name}}
    job = queue.submit(UPGRADE, site.key, data=data, actor=actor, **change)
    # From here on nobody else gets into the site's line: what is counted now stays within the new plan.
    site.refresh_from_db()
    _refuse_what_does_not_fit(site, chosen, list(_coming(site).exclude(pk=job.pk)))
    return job


def _coming(site: Site) -> QuerySet[Job]:
    """Upgrades that are still to be carried through, in their order."""
    ahead = (Job.State.QUEUED, *Job.ADVANCING)
    coming = Job.objects.filter(subject=site.key, kind=UPGRADE, state__in=ahead, cancel_requested_at=None)
    return coming.order_by("created_at")


def _refuse_what_does_not_fit(site: Site, chosen: Plan, coming: list[Job]) -> None:
    if site.deletion_requested_at or site.state == Site.State.FAILED:
        raise WrongState(status(site))
    on_the_way = Plan.objects.filter(pk__in=[job.data["plan_id"] for job in coming])
    disk = max([site.plan.disk_gb, *(plan.disk_gb for plan in on_the_way)])
    if chosen != site.plan and chosen.disk_gb < disk:
        raise DiskTooSmall(chosen.disk_gb, disk)
    if chosen == site.plan and not coming:
        return
    used = backups_used(site), site.custom_domains.count()
    site.plan = chosen
    allowed = site.backups_allowed, site.domains_allowed
    found = zip(used, allowed, ("backup", "domain"), strict=True)
    if surplus := [_removal(has - may, what) for has, may, what in found if has > may]:
        raise QuotaExceeded(
            f"The plan {chosen.name} allows less: please remove {' and '.join(surplus)} first."
        )


def _removal(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count > 1 else ''}"
