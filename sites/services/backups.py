"""Backups: snapshots that customers ask for, and going back to them."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from nodepoint.prepared import prepared
from sites.errors import BackupProtected, QuotaExceeded, UnknownBackup
from sites.models import Backup, Site
from sites.services.standing import site_for_action
from sites.steps.snapshot import INITIAL

DELETION = "sites.delete_backup"


def backups_used(site: Site) -> int:
    """How many of the customer's backups count: whole ones, and those in the making. At most two queries."""
    kept = prepared(Backup).filter(site_id=site.pk, kind=Backup.Kind.CUSTOMER)
    found = kept.filter(state__in=[Backup.State.READY, Backup.State.CREATING]).values("state", "job_id")
    making = [job for state, job in found if state == Backup.State.CREATING]
    going_on = prepared(Job).filter(pk__in=making, state__in=Job.ALIVE).values("pk") if making else ()
    return len(found) - len(making) + len(going_on)


def listed_backups(site: Site) -> QuerySet[Backup]:
    """All that can be gone back to, newest first, the one for safety as well. `busy`: a job is at work on it;
    `job_kind`: of the job that made it, or was the last to be asked to delete it."""
    job = Job.objects.filter(pk=OuterRef("job_id"))
    facts = {"busy": Exists(job.filter(state__in=Job.ALIVE)), "job_kind": Subquery(job.values("kind")[:1])}
    counts = Q(state=Backup.State.READY) | Q(state=Backup.State.CREATING, busy=True)
    return site.backups.annotate(**facts).filter(counts)


def made_before(backup: Backup) -> str | None:
    """The kind of the job before which a snapshot for safety was taken; None for others, and while it is
    being deleted. `backup`: of `listed_backups`."""
    return backup.job_kind if backup.kind == Backup.Kind.SAFETY and backup.job_kind != DELETION else None


def create_backup(service_id: str, *, actor: str = "") -> tuple[Backup, Job]:
    """Have a backup made; its name and its place in the quota are taken before this returns.

    QuotaExceeded; JobRefused while a job of the site runs; and what `site_for_action` raises."""
    site = site_for_action(service_id)
    # Before the transaction too: those who wait for one that is rolled back deadlock on MariaDB.
    _refuse_over_quota(site)

    def work() -> tuple[Backup, Job]:
        job = _submit("sites.backup", site, {}, actor)
        _refuse_over_quota(site)
        safe_mode = Site.objects.values_list("safe_mode", flat=True).get(pk=site.pk)
        return site.backups.create(name=_next_name(site), job_id=job.pk, safe_mode=safe_mode), job

    return queue.whole(work)


def _refuse_over_quota(site: Site) -> None:
    used, allowed = backups_used(site), site.backups_allowed
    if used >= allowed:
        raise QuotaExceeded(f"{used} of {allowed} backups exist. Delete one to make another.")


def _next_name(site: Site) -> str:
    """`BAK<DDMMYYYY>-<N>`: the day by TIME_ZONE; N goes on from names whose backups are gone or failed."""
    prefix = f"BAK{timezone.localdate():%d%m%Y}-"
    return f"{prefix}{site.backups.filter(name__startswith=prefix).count() + 1}"


def delete_backup(service_id: str, bak: str, *, actor: str = "") -> tuple[Backup, Job]:
    """Have a backup deleted; it counts until it is gone.

    BackupProtected for the first snapshot; UnknownBackup; JobRefused; and what `site_for_action` raises."""
    site = site_for_action(service_id)
    if bak == INITIAL:
        raise BackupProtected()
    backup = _find(site, bak)

    def work() -> tuple[Backup, Job]:
        job = _submit(DELETION, site, {"backup": bak}, actor)
        # Once more: another job may have deleted it between the look and this one.
        if not Backup.objects.filter(pk=backup.pk, state=Backup.State.READY).update(job_id=job.pk):
            raise UnknownBackup(bak)
        return backup, job

    return queue.whole(work)


def roll_back(
    service_id: str, bak: str, *, discard_backups: bool = False, actor: str = ""
) -> tuple[Site, Job]:
    """Have a site brought back to a backup or, as `initial`, to the day it was handed over.

    What is there is kept as `before` where the storage goes back past it (`sites.steps.rollback.kept`).
    `discard_backups`: newer ones may be deleted where the storage cannot keep them. UnknownBackup;
    JobRefused; and what `site_for_action` raises. Whether newer ones stand in the way shows only in the job,
    whose refusal is BackupsInTheWay then."""
    site = site_for_action(service_id)
    if bak != INITIAL:
        _find(site, bak)
    kind = "sites.reset" if bak == INITIAL else "sites.rollback"
    data = {"backup": bak, "discard_backups": discard_backups}
    return site, queue.whole(lambda: _submit(kind, site, data, actor))


def reset(service_id: str, *, discard_backups: bool = False, actor: str = "") -> tuple[Site, Job]:
    """Have a site brought back to the day it was handed over; otherwise as `roll_back`."""
    return roll_back(service_id, INITIAL, discard_backups=discard_backups, actor=actor)


def _find(site: Site, name: str) -> Backup:
    backup = site.backups.filter(name=name, state=Backup.State.READY).first()
    if backup is None:
        raise UnknownBackup(name)
    return backup


def _submit(kind: str, site: Site, data: dict[str, Any], actor: str) -> Job:
    """Start the site's job, and look again at the site as it is once no other can begin."""
    data = {"service_id": site.service_id, **data}
    job = queue.submit(kind, site.key, data=data, actor=actor, queue=False)
    site_for_action(site.service_id)
    return job
