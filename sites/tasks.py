"""What django-q2 calls now and then."""

from sites import domain_watch, enforcement, inside


def enforce_suspensions() -> int:
    """See `enforcement.enforce_suspensions`."""
    return enforcement.enforce_suspensions()


def look_at_domains() -> int:
    """See `domain_watch.look`."""
    return domain_watch.look()


def look_inside() -> int:
    """See `inside.look`."""
    return inside.look()
