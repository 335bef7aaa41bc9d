"""Minor releases of WordPress and security updates of the system, put in one site after the other where the
daily look has seen that they wait."""

from datetime import timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Backup, ClusterNode, Site, SiteHealth

KIND = "sites.update"
AT_ONCE = 3  # sites
LATELY = timedelta(days=1)
MOST_FAILURES = 3  # of the last day, after which no other site is begun: it is the release, or we
ACTOR = "daily updates"
RELEASE = ~Q(minor="") & ~Q(minor=F("tried_version"))
SECURITY = ~Q(security="") & ~Q(security=F("tried_security"))


def update_sites() -> int:
    """Have the next sites updated for which a minor release of WordPress or security updates of the system
    wait. Each of them is tried once in a site; none while several have failed of late. Returns how many were
    begun."""
    jobs = Job.objects.filter(kind=KIND)
    failed = jobs.filter(created_at__gte=timezone.now() - LATELY).exclude(warning="", error="")
    if failed.count() >= MOST_FAILURES:
        return 0
    free = AT_ONCE - jobs.filter(state__in=Job.ALIVE).count()
    rows = _waiting().select_related("site").order_by("looked_at", "pk")[: max(0, free)]
    return sum(_update(row) for row in rows)


def _waiting() -> QuerySet[SiteHealth]:
    standing = SiteHealth.objects.filter(
        RELEASE | SECURITY,
        site__state=Site.State.LIVE,
        site__deletion_requested_at=None,
        site__suspended_at=None,
        site__wanted_power="running",
    ).exclude(site__node__in=ClusterNode.in_maintenance())
    # The snapshot would take the place of the one that the customer may still want to go back to.
    since = timezone.now() - LATELY
    kept = Backup.objects.filter(site=OuterRef("pk"), kind=Backup.Kind.SAFETY, created_at__gte=since)
    of_an_update = Job.objects.filter(pk=OuterRef("job_id"), kind=KIND)
    return standing.exclude(Exists(kept.filter(state=Backup.State.READY).exclude(Exists(of_an_update))))


def _update(row: SiteHealth) -> bool:
    def work() -> bool:
        if Job.objects.filter(active_key=row.site.key).exists():
            return False  # its turn comes again
        untried = SiteHealth.objects.filter(RELEASE | SECURITY, pk=row.pk)
        tried = {"tried_version": row.minor, "tried_security": row.security}
        if not untried.filter(minor=row.minor, security=row.security).update(**tried):
            return False
        release, security = (row.minor, row.tried_version), (row.security, row.tried_security)
        update_site(row.site, wordpress=_is_new(*release), system=_is_new(*security), actor=ACTOR)
        return True

    return queue.whole(work)


def _is_new(waits: str, tried: str) -> bool:
    return waits not in ("", tried)


def update_site(site: Site, *, wordpress: bool, system: bool, actor: str) -> Job:
    """Have a site's WordPress brought to the newest release of its branch, its system to its security
    updates, behind what runs for it."""
    data = {"service_id": site.service_id, "wordpress": wordpress, "system": system}
    return queue.submit(KIND, site.key, data=data, actor=actor)
