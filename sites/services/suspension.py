"""Suspension: what the billing system wants. The wish is stored before the answer and never given up; jobs
carry it out, and a periodic look (`sites.enforcement`) finds what is not as it should be."""

from django.db.models import DateTimeField, F, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.errors import WrongState
from sites.models import Site
from sites.services.standing import get_site, status

SUSPEND, UNSUSPEND = "sites.suspend", "sites.unsuspend"
STANDING = (Site.State.PROVISIONING, Site.State.LIVE)


def suspend_site(service_id: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have a site stopped without traffic, its data kept, until it is unsuspended.

    Queues behind what runs, takes over from what only waits. A repeat gives the same job while that lasts.
    UnknownSite; WrongState when there is nothing to suspend any more.
    """
    site = get_site(service_id)
    since = Coalesce(F("suspended_at"), Value(timezone.now()), output_field=DateTimeField())
    return _carry_out(site, SUSPEND, since, actor)


def unsuspend_site(service_id: str, *, actor: str = "") -> tuple[Site, Job | None]:
    """Have a site brought back to the power state and the traffic that its customer had wished.

    None for a job when it is not suspended and nothing goes on about that. Errors as for `suspend_site`.
    """
    site = get_site(service_id)
    if _is_free(site) and not site.suspended and _last_alive(site) not in (SUSPEND, UNSUSPEND):
        return site, None
    return _carry_out(site, UNSUSPEND, None, actor)


def _carry_out(site: Site, kind: str, suspended_at: Coalesce | None, actor: str) -> tuple[Site, Job]:
    job = queue.whole(lambda: _submit(site, kind, suspended_at, actor))
    site.refresh_from_db(fields=["suspended_at"])
    return site, job


def _submit(site: Site, kind: str, suspended_at: Coalesce | None, actor: str) -> Job:
    # The job's row before the site's: every runner takes them in this order too.
    queue.lock(site.key)
    job = _alive(site).filter(kind=kind).first() if _last_alive(site) == kind else None
    if job is None:
        data = {"service_id": site.service_id}
        change = {"before": {"suspended": site.suspended}, "after": {"suspended": kind == SUSPEND}}
        job = queue.submit(kind, site.key, data=data, actor=actor, take_over=True, **change)
    standing = Site.objects.filter(pk=site.pk, state__in=STANDING, deletion_requested_at=None)
    if not standing.update(suspended_at=suspended_at):
        site.refresh_from_db()
        raise WrongState(status(site))
    return job


def _is_free(site: Site) -> bool:
    return site.state in STANDING and site.deletion_requested_at is None


def _alive(site: Site) -> QuerySet[Job]:
    return Job.objects.filter(subject=site.key, state__in=Job.ALIVE).order_by("-created_at")


def _last_alive(site: Site) -> str | None:
    """The kind of the site's job that comes last in its line."""
    return _alive(site).values_list("kind", flat=True).first()


def enforce_suspension(site: Site) -> bool:
    """Have a suspended site stopped anew; False where a job of it is on its way."""

    def submit() -> bool:
        queue.lock(site.key)
        if _last_alive(site):  # whatever it is, it respects the suspension or is looked after next time
            return False
        queue.submit(SUSPEND, site.key, data={"service_id": site.service_id}, actor="periodic check")
        return True

    return queue.whole(submit)
