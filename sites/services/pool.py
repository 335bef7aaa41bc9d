"""The pool of ready containers, steered by staff."""

from django.conf import settings

from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job
from sites.models import Spare
from sites.pool import ends, refill

DRAINED = "Staff have drained the pool."


def fill_pool(*, actor: str = "") -> int:
    """Have missing spares made now, whatever failed lately; how many are begun. MoveRefused when none is
    missing, or when something keeps the pool from it that a try would not mend."""
    if begun := refill.top_up(actor=actor, at_once=True):
        return begun
    shortage = refill.look()
    if not settings.POOL_SIZE:
        raise MoveRefused("There is no pool: POOL_SIZE is 0.")
    raise MoveRefused(shortage.why or "Nothing is missing, or it is in the making already.")


def is_short() -> bool:
    """Whether spares are missing that could be begun."""
    return refill.look().missing > 0


def fill_again(*, actor: str = "") -> Job:
    """Have a spare made in the place of one that failed. MoveRefused as for `fill_pool`."""
    fill_pool(actor=actor)
    return Job.objects.filter(kind=refill.FILL).order_by("-created_at").first()


def drain_pool(*, actor: str = "") -> int:
    """Have all spares destroyed that no order has; how many. As long as POOL_SIZE wants them, new ones are
    made in their place."""
    rows = Spare.objects.filter(state__in=refill.KEPT).order_by("pk")
    return sum(ends.destroy(spare, DRAINED, actor=actor) is not None for spare in rows)


def destroy_spare(spare: Spare, *, reason: str = "", actor: str = "") -> Job:
    """Have one spare destroyed. MoveRefused when an order has it, or it is on its way out already."""
    job = ends.destroy(spare, f"Staff had it destroyed. {reason}".strip(), actor=actor)
    if job is None:
        raise MoveRefused("It is not waiting any more: an order has it, or it is being destroyed.")
    return job
