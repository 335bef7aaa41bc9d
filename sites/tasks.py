"""What django-q2 calls now and then."""

from nodepoint import pruning
from nodepoint.pruning import Rule
from sites import domain_watch, enforcement, inside
from sites.archives import nightly
from sites.models import Archive, Spare
from sites.pool import refill
from sites.services import archives, restores, updates
from sites.services.inside import restore_safe_modes

KEPT_SPARES_DAYS = 30
KEPT_ARCHIVES_DAYS = 90


def enforce_suspensions() -> int:
    """See `enforcement.enforce_suspensions`."""
    return enforcement.enforce_suspensions()


def look_at_domains() -> int:
    """See `domain_watch.look`."""
    return domain_watch.look()


def fill_pool() -> int:
    """See `refill.top_up`."""
    return refill.top_up()


def archive_sites() -> int:
    """See `nightly.begin_due`."""
    return nightly.begin_due()


def expire_archives() -> int:
    """See `services.archives.expire_archives`; then `forget_owners`."""
    begun = archives.expire_archives()
    archives.forget_owners()
    return begun


ENDED_SPARES = "ready containers that are no more"
ENDED_ARCHIVES = "archives that are no more"
PRUNED = pruning.register(
    Rule(
        ENDED_SPARES,
        KEPT_SPARES_DAYS,
        lambda before: Spare.objects.filter(ended_at__lt=before, vmid=None, private_ip=None),
    ),
    Rule(ENDED_ARCHIVES, KEPT_ARCHIVES_DAYS, lambda before: Archive.objects.filter(ended_at__lt=before)),
)


def prune() -> int:
    """Delete rows of the pool, and of archives, that tell nothing any more. Returns how many."""
    return sum(pruning.carry_out(PRUNED).values())


def look_inside() -> int:
    """See `inside.look`; then `services.inside.restore_safe_modes` for what it has found."""
    seen = inside.look()
    restore_safe_modes()
    return seen


def drill_archives() -> int:
    """See `restores.try_next`. How many were begun."""
    return int(restores.try_next() is not None)


def update_sites() -> int:
    """See `updates.update_sites`."""
    return updates.update_sites()
