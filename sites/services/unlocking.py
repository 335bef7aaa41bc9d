"""Helping a job on that waits for a lock which nobody takes off."""

from contextlib import suppress

from nodepoint.audit import trail
from nodepoint.jobs import steering
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job, JobStep
from sites import locks
from sites.errors import WrongState
from sites.models import Site
from sites.services.standing import own_status

LOCKED = "lock: "  # how steps begin what they say of a container that is locked


def locked_step(job: Job) -> JobStep | None:
    """The step of a running job that waits for a lock."""
    return job.steps.filter(detail__startswith=LOCKED).exclude(due_at=None).first()


def unlock_container(site: Site, *, actor: str = "") -> locks.Unlocked:
    """Take off the lock that the site's running job waits for, and call its step at once. Asks Proxmox VE and
    the node, for up to 15 s.

    WrongState when no job waits for a lock, or there is none any more; ClientError: Busy while a task is at
    work, and what else the systems say.
    """
    job = Job.objects.filter(active_key=site.key).first()
    step = locked_step(job) if job else None
    if step is None:
        raise WrongState(own_status(site))
    try:
        unlocked = locks.unlock(site)
    except locks.NotLocked:
        raise WrongState("not locked any more") from None
    before = {"lock": unlocked.lock, "node": unlocked.node, "vmid": unlocked.vmid}
    trail.record("sites.unlock", site.key, label=site.service_id, before=before, job_id=job.pk, actor=actor)
    with suppress(MoveRefused):  # its turn has come meanwhile
        steering.retry(job.pk, step.name)
    return unlocked
