"""What django-q2 calls now and then."""

from sites import enforcement


def enforce_suspensions() -> int:
    """See `enforcement.enforce_suspensions`."""
    return enforcement.enforce_suspensions()
