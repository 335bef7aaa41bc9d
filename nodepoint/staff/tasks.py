"""What django-q2 calls now and then."""

from django.contrib.sessions.models import Session
from django.utils import timezone

from nodepoint.jobs.registry import periodic

periodic("nodepoint.staff.tasks.clear_sessions", minutes=24 * 60)


def clear_sessions() -> int:
    """Delete sessions that have ended, which Django leaves lying. Returns how many."""
    return Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
