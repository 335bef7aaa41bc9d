"""The nights: which sites are to be archived now. Every minute each host looks, one at a time, so that what
is begun is counted; and a row's turn is unique, so that no site has its turn twice.

A night begins at ARCHIVE_HOUR and lasts until the next one. Each site has its own minute in the first SPREAD
of it, always the same, so that its archives are a day apart; then as many are at work as the storage takes,
one on a node, since Proxmox makes no more there. One that fails is tried again, later each time; staff are
told of the first failure of a night."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import uuid4
from zlib import crc32

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Max, Q
from django.utils import timezone

from nodepoint.conflicts import duplicate_of
from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job
from nodepoint.models import Restoration
from sites.archives.rows import Archive, new_name
from sites.models import Plan, Site
from sites.steps.archives import AT_ONCE

KIND = "sites.nightly_archive"
SPREAD = timedelta(hours=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=15), timedelta(hours=4)  # after failures in a row
WINDOW = timedelta(hours=6)  # in which a night is to be over
IN_LINE = 2  # jobs of a node at a time: one at work, the next one ready
LOOK, LOOK_SECONDS = "sites:archives", 50  # the slot of the host that looks, and how long it has it at most
AGAIN = "again"  # in a job's data: the one before has failed in this night, too
DAILY, WEEKLY, NONE = "daily", "weekly", "none"


@dataclass(frozen=True)
class Night:
    """`date`: the day on which it began, by TIME_ZONE."""

    date: date
    begins: datetime

    @property
    def ends(self) -> datetime:
        """When the next one begins."""
        return self.begins + timedelta(days=1)


def night(now: datetime | None = None) -> Night:
    """The one that has begun last."""
    now = timezone.localtime(now)
    begins = timezone.make_aware(datetime.combine(now.date(), time(settings.ARCHIVE_HOUR)))
    if begins > now:
        before = now.date() - timedelta(days=1)
        begins = timezone.make_aware(datetime.combine(before, time(settings.ARCHIVE_HOUR)))
    return Night(begins.date(), begins)


def schedule(plan: Plan) -> str:
    """How often sites of a plan are archived: daily, weekly or none."""
    if not settings.ARCHIVE_STORAGE or not (plan.archives_daily or plan.archives_weekly):
        return NONE
    return DAILY if plan.archives_daily else WEEKLY


def minute_of(site: Site, this: Night) -> datetime:
    """When the site's turn comes in a night."""
    return this.begins + timedelta(seconds=crc32(str(site.pk).encode()) % int(SPREAD.total_seconds()))


def next_at(site: Site, now: datetime | None = None) -> datetime | None:
    """When the site is archived next; None: not by a schedule."""
    often, now = schedule(site.plan), now or timezone.now()
    if often == NONE:
        return None
    this = night(now)
    tonight = minute_of(site, this)
    last = Archive.objects.filter(site=site, state=Archive.State.READY).aggregate(Max("night"))["night__max"]
    if last is None or not _served(often, last, this.date):
        return max(tonight, now)
    days = 1 if often == DAILY else 7 - this.date.weekday()
    return minute_of(site, Night(this.date + timedelta(days=days), this.begins + timedelta(days=days)))


def _served(often: str, last: date, today: date) -> bool:
    """Whether an archive of the night `last` does for the night of `today`."""
    return last >= today if often == DAILY else last.isocalendar()[:2] >= today.isocalendar()[:2]


def begin_due(now: datetime | None = None) -> int:
    """Have archives made for whom it is time, as many as there is room for; how many. Not while a restored
    database is open: nobody knows then what stands."""
    now = now or timezone.now()
    if not settings.ARCHIVE_STORAGE or Restoration.is_open():
        return 0
    me = uuid4().hex
    if not limits.take(LOOK, 1, me, now, LOOK_SECONDS):
        return 0
    try:
        return _begin_due(now)
    finally:
        limits.release(me, [LOOK])


def _begin_due(now: datetime) -> int:
    this, begun = night(now), 0
    alive = Job.objects.filter(kind=KIND, state__in=Job.ALIVE).values_list("data", flat=True)
    at_work = Counter(data.get("node", "") for data in alive)
    for site in due(now):
        if sum(at_work.values()) >= AT_ONCE * IN_LINE:
            break
        if at_work[site.node] >= IN_LINE or queue.in_the_way(site.key):
            continue
        try:
            queue.whole(partial(begin, site, this))
        except IntegrityError as error:
            if not duplicate_of(error, "turn"):
                raise
            continue  # another host was slow, and had its look all the same
        at_work[site.node] += 1
        begun += 1
    return begun


def due(now: datetime) -> list[Site]:
    """The sites whose turn it is, those first that have waited longest. Two queries."""
    this = night(now)
    kept = Q(plan__archives_daily__gt=0) | Q(plan__archives_weekly__gt=0)
    standing = Site.objects.filter(kept, state=Site.State.LIVE, deletion_requested_at=None)
    sites = list(standing.select_related("plan").annotate(last_night=Max("archives__night", filter=_READY)))
    tries: dict[int, list[datetime]] = {}
    failures = Archive.objects.filter(night=this.date).exclude(state=Archive.State.READY)
    for site_pk, at in failures.values_list("site_id", "created_at"):
        tries.setdefault(site_pk, []).append(at)
    waiting = [(max([minute_of(site, this), *_pause(tries.get(site.pk, []))]), site) for site in sites]
    return [
        site
        for since, site in sorted(waiting, key=lambda one: (one[0], one[1].pk))
        if since <= now and not _has_one(site, this)
    ]


_READY = Q(archives__state__in=(Archive.State.READY, Archive.State.DELETED))


def _has_one(site: Site, this: Night) -> bool:
    last = site.last_night
    return last is not None and _served(schedule(site.plan), last, this.date)


def _pause(failed: list[datetime]) -> list[datetime]:
    """When one may be tried again that has failed so often in this night."""
    if not failed:
        return []
    return [max(failed) + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (len(failed) - 1))]


def begin(site: Site, this: Night, *, actor: str = "schedule") -> Job:
    """Have the site's archive of a night made, in the caller's transaction."""
    tries = Archive.objects.filter(site=site, night=this.date).count()
    row = Archive(
        **described(site),
        origin=Archive.Origin.SCHEDULE,
        night=this.date,
        turn=f"{site.pk}:{this.date:%Y%m%d}:{tries + 1}",
    )
    data = {"service_id": site.service_id, "archive": row.name, "node": site.node}
    job = queue.submit(KIND, site.key, data=data | ({AGAIN: True} if tries else {}), actor=actor)
    row.job_id = job.pk
    row.save(force_insert=True)
    return job


def described(site: Site) -> dict[str, object]:
    """The columns of a new row that say whose it is and what the site is now."""
    return {
        "name": new_name(),
        "site": site,
        "service_id": site.service_id,
        "storage": settings.ARCHIVE_STORAGE,
        "node": "",
        "vmid": site.vmid,
        "plan": site.plan,
        "disk_gb": site.plan.disk_gb,
        "serves_as": site.serves_as,
        "level": site.level,
    }


def is_known(job: Job) -> bool:
    """Whether staff know by an earlier failure of this night what a job fails with."""
    return bool(job.data.get(AGAIN))
