"""What a customer chooses about WordPress inside his site. The wish is stored with the job that carries it
out."""

import contextlib
from datetime import timedelta
from typing import Any

from django.utils import timezone

from nodepoint.api.errors import ApiError
from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job
from sites import options
from sites.errors import BadOptions, WrongState
from sites.models import Site, SiteHealth
from sites.services.standing import site_for_action

ACTOR = "daily look"
LATELY = timedelta(minutes=10)  # longer than it takes from one round of looks to the next
OPTIONS, SAFE_MODE = "sites.options", "sites.safemode"


def set_options(service_id: str, chosen: dict[str, Any], *, actor: str = "") -> tuple[Site, Job | None]:
    """Have options of a site changed, those that are named; None for a number: as it was by default.

    In a container that is stopped they hold from its next start. None for a job when all is so already.
    BadOptions beyond what the plan allows; JobRefused while another job runs; and what `site_for_action`
    raises."""
    site = site_for_action(service_id)
    if beyond := options.beyond(site.plan, chosen):
        raise BadOptions(beyond)
    wish = {options.COLUMNS[name]: value for name, value in chosen.items()}
    if _stands(site, wish):
        return site, None

    def work() -> tuple[Site, Job]:
        before = {column: getattr(site, column) for column in wish}
        data = {"service_id": service_id}
        job = queue.submit(OPTIONS, site.key, data=data, actor=actor, queue=False, before=before, after=wish)
        now = site_for_action(service_id)  # as it is once no other job of the site can begin
        # So it stands in the row until a script has been through with these very options.
        Site.objects.filter(pk=now.pk).update(**wish, tuned_for_mb=None)
        now.refresh_from_db()
        return now, job

    return queue.whole(work)


def _stands(site: Site, wish: dict[str, Any]) -> bool:
    """Whether nothing is to be changed, and nothing of an earlier wish is outstanding."""
    return site.tuned_for_mb is not None and all(getattr(site, name) == value for name, value in wish.items())


def switch_safe_mode(service_id: str, enabled: bool, *, actor: str = "") -> tuple[Site, Job]:
    """Have WordPress run without plugins, theme and whatever else is added to it, or with them again. Nothing
    of them and nothing of the database is changed; logging in works meanwhile.

    WrongState while the site is stopped; JobRefused while another job runs; and what `site_for_action`
    raises."""
    site = site_for_action(service_id)

    def work() -> tuple[Site, Job]:
        data = {"service_id": service_id, "enabled": enabled}
        change = {"before": {"safe_mode": site.safe_mode}, "after": {"safe_mode": enabled}}
        job = queue.submit(SAFE_MODE, site.key, data=data, actor=actor, queue=False, **change)
        now = site_for_action(service_id)  # as it is once no other job of the site can begin
        if now.power_wished != "running":
            raise WrongState(now.power_wished)
        return now, job

    return queue.whole(work)


def restore_safe_modes() -> int:
    """Have safe mode switched on again where it is to be on, and the last look has found it off: a full disk
    keeps it until a restart only. Returns of how many sites."""
    seen = SiteHealth.objects.filter(tried_at__gte=timezone.now() - LATELY, error="", site__safe_mode=True)
    rows = [row for row in seen.select_related("site") if row.facts.get("safemode") == "off"]
    return sum(_restore_safe_mode(row) for row in rows)


def _restore_safe_mode(row: SiteHealth) -> int:
    jobs = Job.objects.filter(subject=row.site.key, kind=SAFE_MODE)
    if jobs.filter(created_at__gte=row.looked_at).exists():
        return 0
    with contextlib.suppress(ApiError, JobRefused):  # the site stands no more, or another job is at work
        switch_safe_mode(row.site.service_id, True, actor=ACTOR)
        return 1
    return 0
