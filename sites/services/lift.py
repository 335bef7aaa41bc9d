"""Having sites lifted to the level of this release's install script."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from nodepoint.audit import trail
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites import install
from sites.errors import WrongState
from sites.models import Platform, Site
from sites.services.standing import own_status
from sites.steps.lifting import LIFT, LIFTING, Progress, below, is_below, liftable, progress

PLATFORM = "sites.platform:1"
BATCH, MOST = 5, 50  # sites at once: by default, and at most


def lift_site(site: Site, *, actor: str = "") -> Job | None:
    """Have one site lifted, behind what runs for it. None when it is not below the level."""

    def work() -> Job | None:
        queue.lock(site.key)
        now = Site.objects.get(pk=site.pk)
        if now.state != Site.State.LIVE or now.deletion_requested_at:
            raise WrongState(own_status(now))
        if not is_below(now):
            return None
        return queue.submit(LIFT, now.key, data={"service_id": now.service_id}, actor=actor)

    return queue.whole(work)


def lift_all(batch: int = BATCH, *, actor: str = "") -> Job:
    """Have all sites lifted that run, `batch` at once (1 to MOST). JobRefused while that goes on already."""

    def work() -> Job:
        data = {"level": install.LEVEL, "batch": max(1, min(batch, MOST)), "total": liftable().count()}
        job = queue.submit(LIFTING, PLATFORM, data=data, actor=actor, queue=False)
        Platform.objects.update_or_create(pk=1, defaults={"lift_stopped_at": None})
        return job

    return queue.whole(work)


def stop_lifting(*, actor: str = "") -> bool:
    """Have no more sites taken up; those at work are finished. False when nothing goes on."""
    with transaction.atomic():
        running = lifting()
        if running is None:
            return False
        Platform.objects.update_or_create(pk=1, defaults={"lift_stopped_at": timezone.now()})
        trail.record("sites.stop_lifting", PLATFORM, label="platform", job_id=running.pk, actor=actor)
        return True


def lifting() -> Job | None:
    """The job that lifts all sites, while it goes on. One query."""
    return Job.objects.filter(active_key=PLATFORM, kind=LIFTING).first()


def levels() -> dict[str, Any]:
    """`{level, below, liftable, job, progress}`: how many sites are below the level of this release, how many
    of them run, the last job that lifted them all, and how far it is. Three queries, or seven."""
    job = Job.objects.filter(kind=LIFTING).order_by("-created_at").first()
    return {
        "level": install.LEVEL,
        "below": below().count(),
        "liftable": liftable().count(),
        "job": job,
        "progress": progress(job) if job else None,
    }


__all__ = ["BATCH", "MOST", "Progress", "levels", "lift_all", "lift_site", "lifting", "stop_lifting"]
