"""Archives: those that customers ask for, and what becomes of all of them."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from nodepoint import anonymity
from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.archives import nightly
from sites.archives.rows import Archive
from sites.errors import ArchiveProtected, NoArchives, QuotaExceeded, UnknownArchive
from sites.models import Site
from sites.services.standing import get_site, site_for_action

KIND, DELETION = "sites.archive", "sites.delete_archive"
VOID = timedelta(days=1)  # in which one without a job is still looked for
AT_ONCE = 20  # deletions that one look begins


def allowed(site: Site) -> int:
    """How many archives of his own a customer may keep, beside those of the nights."""
    return site.plan.archives_daily if settings.ARCHIVE_STORAGE else 0


def listed_archives(site: Site) -> QuerySet[Archive]:
    """All that are there or in the making, newest first. `busy`: a job is at work on it."""
    job = Job.objects.filter(pk=OuterRef("job_id"), state__in=Job.ALIVE)
    counts = Q(state=Archive.State.READY) | Q(state=Archive.State.CREATING, busy=True)
    return Archive.objects.filter(site=site).annotate(busy=Exists(job)).filter(counts)


def archives_used(site: Site) -> int:
    """How many of the customer's own count: whole ones, and those in the making."""
    return listed_archives(site).filter(origin=Archive.Origin.CUSTOMER).count()


def create_archive(service_id: str, *, actor: str = "") -> tuple[Archive, Job]:
    """Have an archive of the site made; its name and its place in the quota are taken before this returns.

    NoArchives; QuotaExceeded; JobRefused while a job of the site runs; and what `site_for_action` raises."""
    site = site_for_action(service_id)
    _refuse_over_quota(site)

    def work() -> tuple[Archive, Job]:
        row = Archive(**nightly.described(site), origin=Archive.Origin.CUSTOMER)
        data = {"service_id": site.service_id, "archive": row.name}
        job = queue.submit(KIND, site.key, data=data, actor=actor, queue=False)
        site_for_action(site.service_id)
        _refuse_over_quota(site)
        row.job_id = job.pk
        row.save(force_insert=True)
        return row, job

    return queue.whole(work)


def _refuse_over_quota(site: Site) -> None:
    if not settings.ARCHIVE_STORAGE:
        raise NoArchives("Archives are not made here.")
    used, most = archives_used(site), allowed(site)
    if used >= most:
        own = f"{used} of {most} archives exist. Delete one to make another."
        raise QuotaExceeded(own if most else "Archives are not part of the plan.")


def delete_archive(service_id: str, archive: str, *, actor: str = "") -> tuple[Archive, Job]:
    """Have one of the customer's own archives deleted, or one of the nights; it counts until it is gone.

    UnknownArchive; ArchiveProtected, also for the one that is kept of a deleted site; JobRefused; and what
    `site_for_action` raises."""
    site = site_for_action(service_id)
    row = Archive.objects.filter(site=site, name=archive, state=Archive.State.READY).first()
    if row is None:
        raise UnknownArchive(archive)
    if row.protected or row.origin == Archive.Origin.DELETION:
        raise ArchiveProtected()

    def work() -> tuple[Archive, Job]:
        job = _submit_deletion(row, actor, queued=False)
        site_for_action(site.service_id)
        return row, job

    return queue.whole(work)


def _submit_deletion(row: Archive, actor: str, *, queued: bool) -> Job:
    """UnknownArchive where another job has deleted it meanwhile."""
    data = {"service_id": row.service_id, "archive": row.name}
    job = queue.submit(DELETION, row.site.key, data=data, actor=actor, queue=queued)
    if not Archive.objects.filter(pk=row.pk, state=row.state).update(job_id=job.pk):
        raise UnknownArchive(row.name)
    return job


def delete_again(name: str, *, actor: str = "") -> Job:
    """Have an archive deleted whose deletion has failed. UnknownArchive where it is gone."""
    row = Archive.objects.select_related("site").filter(name=name, state=Archive.State.READY).first()
    if row is None:
        raise UnknownArchive(name)
    return queue.whole(lambda: _submit_deletion(row, actor, queued=True))


def misses_tonight(site: Site) -> bool:
    """Whether the schedule still owes the site the archive of this night."""
    this, standing = nightly.night(), site.state == Site.State.LIVE and not site.deletion_requested_at
    made = Archive.objects.filter(site=site, night=this.date, state=Archive.State.READY)
    return standing and nightly.schedule(site.plan) != nightly.NONE and not made.exists()


def archive_tonight(site: Site, *, actor: str = "") -> Job:
    """Have the archive of this night made now, whatever has failed before."""
    return queue.whole(lambda: nightly.begin(site, nightly.night(), actor=actor))


def expire_archives() -> int:
    """Have those deleted whose time is over, and what is left of those whose job was cancelled in the middle;
    how many are begun. Those on which a job is at work, or that people protect, stay until the next look."""
    if Restoration.is_open():  # nothing is removed before staff have looked
        return 0
    now, state = timezone.now(), Archive.State
    at_work = Job.objects.filter(pk=OuterRef("job_id"), state__in=Job.ALIVE)
    over = Q(state=state.READY, expires_at__lte=now) | Q(state=state.CREATING, created_at__lt=now - VOID)
    due = Archive.objects.filter(over, protected=False).exclude(Exists(at_work))
    rows = due.select_related("site").order_by("pk")[:AT_ONCE]
    for row in rows:
        queue.whole(lambda row=row: _submit_deletion(row, "expiry", queued=True))
    return len(rows)


def forget_owners() -> int:
    """Take the personal data out of the rows of sites that were deleted and of which nothing is kept any
    more; how many services. Those that live on, or at which a job is at work, are left until later."""
    if Restoration.is_open():
        return 0
    kept = Archive.objects.filter(
        site=OuterRef("pk"), state__in=(Archive.State.READY, Archive.State.CREATING)
    )
    expired = Archive.objects.filter(site=OuterRef("pk"), expires_at__lte=timezone.now())
    again = Site.objects.filter(service_id=OuterRef("service_id"), live_key__isnull=False)
    over = Site.objects.filter(Exists(expired), ~Exists(kept), ~Exists(again), state=Site.State.DELETED)
    named = over.exclude(email=anonymity.NOBODY).order_by("pk").values_list("service_id", flat=True)
    return sum(_forgotten(service_id) for service_id in dict.fromkeys(named[:AT_ONCE]))


def _forgotten(service_id: str) -> bool:
    try:
        changed = anonymity.anonymise(service_id)
    except anonymity.StillThere:
        return False
    subject = f"service:{service_id}"[:64]  # as of `manage.py anonymise`
    trail.record("nodepoint.anonymise", subject, label=service_id, actor="expiry", after=changed)
    return True


def schedule_of(service_id: str) -> Site:
    """The site whose archives are asked for: the service's latest, also when it was deleted."""
    found = Site.objects.filter(service_id=service_id).select_related("plan").order_by("-pk").first()
    return found or get_site(service_id)
