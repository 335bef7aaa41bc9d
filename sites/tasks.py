"""What django-q2 calls now and then."""

from sites import domain_watch, enforcement, inside
from sites.services import updates
from sites.services.inside import restore_safe_modes


def enforce_suspensions() -> int:
    """See `enforcement.enforce_suspensions`."""
    return enforcement.enforce_suspensions()


def look_at_domains() -> int:
    """See `domain_watch.look`."""
    return domain_watch.look()


def look_inside() -> int:
    """See `inside.look`; then `services.inside.restore_safe_modes` for what it has found."""
    seen = inside.look()
    restore_safe_modes()
    return seen


def update_sites() -> int:
    """See `updates.update_sites`."""
    return updates.update_sites()
