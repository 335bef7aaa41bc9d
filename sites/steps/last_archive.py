"""The last archive: made before a deletion destroys the container, and kept for some days."""

from datetime import timedelta

from django.conf import settings

from nodepoint.clients.errors import ClientError
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites.archives.rows import Archive
from sites.connections import proxmox
from sites.models import Site
from sites.steps.archives import NEVER, of, packed
from sites.steps.power import GRACE
from sites.steps.proxmox import Foreign, find, follows_moves, require

PATIENCE = timedelta(hours=2)  # that a deletion is held up by an archive that cannot be made
NEXT_TRY = 300.0  # seconds; then it is tried every few minutes, the container being stopped
UNDECIDED = "The last archive cannot be made. The container is kept, stopped, until staff decide."


def may_be_wanted(site: Site) -> bool:
    """Whether there is something to keep, and somewhere to keep it."""
    return bool(settings.ARCHIVE_STORAGE) and site.live_at is not None


def asked_for(call: Call) -> bool:
    """Whether the deletion keeps one: it says so when it is submitted."""
    return bool(call.job.data.get("archive"))


@follows_moves
def made(call: Call) -> Outcome:
    """The last archive is there, or none is wanted. It never fails: after two hours staff decide, who pass it
    over or let it be tried on, and the container does not run meanwhile."""
    if not asked_for(call):
        return Done()
    archive = of(call)
    try:
        if find(call.subject) is None:
            return _nothing_to_keep(call, archive, "The container was gone already.")
        outcome = packed(call, archive)
    except Foreign as error:
        return _nothing_to_keep(call, archive, str(error))
    except ClientError as error:  # NotFound, too: it may be on its way to another node
        outcome = Retry(error=error.sentence, detail=error.vendor)
    if isinstance(outcome, Fail):
        outcome = Retry(ref="", error=outcome.error or NEVER, detail=outcome.detail)
    late = call.step.started_at is not None and call.now - call.step.started_at > PATIENCE
    return _held(call, outcome) if late and isinstance(outcome, Retry) else outcome


def _nothing_to_keep(call: Call, archive: Archive, why: str) -> Outcome:
    rows = Archive.objects.filter(pk=archive.pk)
    rows.update(state=Archive.State.FAILED, ended_at=call.now, error=NEVER)
    return Done(note=f"No archive is kept: {why}")


def _held(call: Call, outcome: Retry) -> Outcome:
    """It is kept stopped, also over a restart of its node. Waiting for people counts against no deadline."""
    detail = outcome.detail or outcome.error
    try:
        _stop(call.subject)
    except ClientError as error:
        detail = f"{detail}; it could not be stopped: {error.vendor or error.sentence}"
    return Retry(ref=outcome.ref, error=UNDECIDED, detail=detail, seconds=NEXT_TRY, in_line=True)


def _stop(site: Site) -> None:
    where = require(site)
    status = proxmox().container_status(where.node, where.vmid)
    if status.ha_managed:
        proxmox().set_ha_resource(where.vmid, "stopped")
    elif status.running:
        proxmox().shutdown(where.node, where.vmid, timeout=GRACE, force_stop=True)
    if where.config.onboot:
        proxmox().set_config(where.node, where.vmid, onboot=False)


def settled(call: Call) -> Outcome:
    """What is kept of the site ends by itself: the newest of its archives after the days that the deletion
    names, the others at once."""
    days = call.job.data.get("keep_days", 0)
    site: Site = call.subject
    rows = Archive.objects.filter(site=site)
    # One that staff have passed over is none.
    void = rows.filter(origin=Archive.Origin.DELETION, state=Archive.State.CREATING)
    void.update(state=Archive.State.FAILED, ended_at=call.now, error=NEVER)
    ready = rows.filter(state=Archive.State.READY)
    newest = ready.order_by("-made_at", "-pk").first() if days else None
    if newest:
        Archive.objects.filter(pk=newest.pk).update(expires_at=call.now + timedelta(days=days))
    ready.exclude(pk=newest.pk if newest else None).update(expires_at=call.now)
    return Done(note=f"{newest.name} is kept for {days} days." if newest else "")
