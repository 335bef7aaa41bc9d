"""What django-q2 calls now and then."""

from sites import services


def enforce_suspensions() -> int:
    """See `services.enforce_suspensions`."""
    return services.enforce_suspensions()
