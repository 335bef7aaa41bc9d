"""What django-q2 calls now and then."""

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session

from nodepoint import pruning
from nodepoint.jobs.registry import periodic
from nodepoint.pruning import Rule

KEPT_ATTEMPTS_DAYS = 30  # names and addresses; a lock lasts minutes (settings.AXES_COOLOFF_TIME)

periodic("nodepoint.staff.tasks.clear_sessions", minutes=24 * 60)

SESSIONS = "sessions of staff that have ended"
PRUNED = pruning.register(
    Rule(SESSIONS, 0, lambda before: Session.objects.filter(expire_date__lt=before)),
    Rule(
        "failed logins",
        KEPT_ATTEMPTS_DAYS,
        lambda before: AccessAttempt.objects.filter(attempt_time__lt=before),
    ),
)


def clear_sessions() -> int:
    """Delete sessions that have ended, which Django leaves lying, and old failures to log in. Returns how
    many sessions."""
    return pruning.carry_out(PRUNED)[SESSIONS]
