"""How a spare comes to its end: nobody gets it any more from the moment on at which that is decided."""

from django.db import transaction
from django.utils import timezone

from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from sites.models import Spare

DESTROY = "sites.pool_destroy"


@transaction.atomic
def destroy(spare: Spare, reason: str, *, actor: str = "") -> Job | None:
    """Have a spare destroyed that is being built or ready. None: it has been claimed, or is on its way out
    already."""
    queue.lock(spare.key)
    standing = Spare.objects.filter(pk=spare.pk, state__in=(Spare.State.BUILDING, Spare.State.READY))
    if not standing.update(state=Spare.State.DRAINING, reason=reason):
        return None
    return submit(spare, reason, actor=actor)


def submit(spare: Spare, reason: str, *, actor: str = "") -> Job:
    """Have what is left of a spare destroyed whose row says already that it is draining."""
    data = {"spare": spare.build_id, "reason": reason}
    return queue.submit(DESTROY, spare.key, data=data, actor=actor, cancel=True)


def vanished(spare: Spare, reason: str) -> bool:
    """Note that nothing of a ready spare is left. False: it is not ready any more."""
    gone = {
        "state": Spare.State.GONE,
        "reason": reason,
        "ended_at": timezone.now(),
        "vmid": None,
        "private_ip": None,
    }
    return bool(Spare.objects.filter(pk=spare.pk, state=Spare.State.READY).update(**gone))
