"""What the board, the metrics and the doctor say of the pool."""

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Count
from django.urls import reverse

from nodepoint.board import troubles
from nodepoint.board.registry import Group, Level, Trouble, source
from sites.models import Spare
from sites.pool import refill

VIEW = "sites.view_spare"


@source(VIEW, 65)
def short() -> Iterator[Group]:
    """Ready containers are missing, and none can be made. Seven queries at most, none without a pool."""
    if not settings.POOL_SIZE:
        return
    now = refill.look()
    if now.why:
        title = f"The pool is short: {now.ready} of {settings.POOL_SIZE} ready"
        detail = f"{now.why} Orders go the ordinary way meanwhile."
        trouble = Trouble(title, detail, reverse("admin:sites_spare_changelist"))
        yield Group("Ready containers", Level.WAITING, [trouble], 1)


@troubles.settles
def other_tries(subjects: set[str]) -> set[str]:
    """Containers that could not be made ready: the group above says what there is to say of them."""
    return {subject for subject in subjects if subject.startswith("sites.spare:")}


def line() -> str:
    """`3 of 4 ready`; empty without a pool. One query."""
    if not settings.POOL_SIZE:
        return ""
    return f"{counts().get(Spare.State.READY, 0)} of {settings.POOL_SIZE} ready"


def counts() -> dict[str, int]:
    """How many spares are in each state. One query."""
    return dict(Spare.objects.order_by().values_list("state").annotate(Count("pk")))


def complaint() -> str:
    """What keeps the pool short, for the doctor; empty: nothing."""
    if not settings.POOL_SIZE:
        return ""
    now = refill.look()
    return f"The pool has {now.ready} of {settings.POOL_SIZE} ready: {now.why}" if now.why else ""
