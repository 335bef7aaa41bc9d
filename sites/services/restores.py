"""A site as it is in an archive: in its place, as a new order, or only to see whether that works."""

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.archives.rows import Archive
from sites.errors import ArchiveTooLarge, UnknownArchive
from sites.models import Plan, Site
from sites.services.standing import site_for_action
from sites.steps.second import DRILL

RESTORE = "sites.restore"


def restore_archive(service_id: str, archive: str, *, actor: str = "") -> tuple[Site, Job]:
    """Have the whole site be as in one of its archives. Names, address, plan, domains and options stay those
    of now; its backups go with the container that they are of. The VMID becomes another one.

    UnknownArchive; ArchiveTooLarge for the plan of now; JobRefused while a job of the site runs; and what
    `site_for_action` raises."""
    site = site_for_action(service_id)
    row = Archive.objects.filter(site=site, name=archive, state=Archive.State.READY).first()
    if row is None:
        raise UnknownArchive(archive)
    refuse_too_large(row, site.plan)
    return site, queue.whole(lambda: _submitted(RESTORE, site, row, actor))


def _submitted(kind: str, site: Site, row: Archive, actor: str) -> Job:
    data = {"service_id": site.service_id, "archive": row.name, "former": site.vmid}
    job = queue.submit(kind, site.key, data=data, actor=actor, queue=False)
    now = site_for_action(site.service_id)  # as it is once no other job of the site can begin
    if now.vmid != site.vmid:
        job.data["former"] = now.vmid
        job.save(update_fields=["data"])
    return job


def refuse_too_large(row: Archive, plan: Plan) -> None:
    """ArchiveTooLarge where the disk of then is larger than the plan's."""
    if row.disk_gb > plan.disk_gb:
        raise ArchiveTooLarge(row.disk_gb, plan.disk_gb)


def kept_archive(name: str, *, email: str, user_id: str) -> Archive:
    """The archive that an order is to be made of: one of this very customer's, by his id in the billing
    portal where both are known, else by his e-mail. UnknownArchive, also for another's: as if there were
    none."""
    row = Archive.objects.filter(name=name, state=Archive.State.READY).select_related("site").first()
    if row is None:
        raise UnknownArchive(name)
    owner = row.site
    is_his = owner.user_id == user_id if owner.user_id and user_id else _same(owner.email, email)
    if not is_his:
        raise UnknownArchive(name)
    return row


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()


def try_archive(site: Site, *, actor: str = "") -> Job | None:
    """Have the site's newest archive tried: restored apart from everything, looked at, removed. None where
    it has none. JobRefused; and what `site_for_action` raises."""
    row = Archive.objects.filter(site=site, state=Archive.State.READY).order_by("-made_at", "-pk").first()
    return queue.whole(lambda: _submitted(DRILL, site, row, actor)) if row else None


def try_next() -> Job | None:
    """Have the archive of the site tried whose turn it is: the one that was tried longest ago. One at a time,
    and none while a restored database is open, when nobody knows what stands."""
    if not settings.ARCHIVE_STORAGE or Restoration.is_open():
        return None
    if Job.objects.filter(kind=DRILL, state__in=Job.ALIVE).exists():
        return None
    site = _whose_turn()
    return try_archive(site, actor="schedule") if site else None


def _whose_turn() -> Site | None:
    archived = Archive.objects.filter(state=Archive.State.READY).values("site")
    free = Site.objects.filter(
        pk__in=archived, state=Site.State.LIVE, deletion_requested_at=None, suspended_at=None
    )
    busy = Job.objects.exclude(active_key=None).values_list("active_key", flat=True)
    last = dict(Job.objects.filter(kind=DRILL).values_list("subject").annotate(Max("created_at")))
    waiting = [site for site in free.order_by("pk") if site.key not in set(busy)]
    never = timezone.make_aware(timezone.datetime(2000, 1, 1))
    return min(waiting, key=lambda site: last.get(site.key, never), default=None)
