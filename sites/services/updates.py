"""Minor releases of WordPress, put in one after the other where the daily look has seen that they wait."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Site, SiteHealth

KIND = "sites.update"
AT_ONCE = 3  # sites
LATELY = timedelta(days=1)
MOST_FAILURES = 3  # of the last day, after which no other site is begun: it is the release, or we
ACTOR = "daily updates"


def update_sites() -> int:
    """Have the next sites updated whose WordPress waits for a minor release. Each release is tried once in a
    site; none while several have failed of late. Returns how many were begun."""
    jobs = Job.objects.filter(kind=KIND)
    failed = jobs.filter(created_at__gte=timezone.now() - LATELY).exclude(warning="", error="")
    if failed.count() >= MOST_FAILURES:
        return 0
    free = AT_ONCE - jobs.filter(state__in=Job.ALIVE).count()
    waiting = SiteHealth.objects.exclude(minor="").exclude(minor=F("tried_version"))
    standing = waiting.filter(
        site__state=Site.State.LIVE,
        site__deletion_requested_at=None,
        site__suspended_at=None,
        site__wanted_power="running",
    )
    rows = standing.select_related("site").order_by("looked_at", "pk")[: max(0, free)]
    return sum(_update(row) for row in rows)


def _update(row: SiteHealth) -> bool:
    def work() -> bool:
        untried = SiteHealth.objects.filter(pk=row.pk).exclude(tried_version=row.minor)
        if Job.objects.filter(active_key=row.site.key).exists():
            return False  # its turn comes again
        if not untried.update(tried_version=row.minor):
            return False
        update_site(row.site, actor=ACTOR)
        return True

    return queue.whole(work)


def update_site(site: Site, *, actor: str) -> Job:
    """Have a site's WordPress brought to the newest release of its branch, behind what runs for it."""
    return queue.submit(KIND, site.key, data={"service_id": site.service_id}, actor=actor)
