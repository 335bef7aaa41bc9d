"""What django-q2 calls now and then."""

from dns.models import Change
from nodepoint import pruning

HISTORY = "history of DNS zones"
HISTORY_DAYS = 400
PRUNED = pruning.register(
    pruning.Rule(HISTORY, HISTORY_DAYS, lambda before: Change.objects.filter(at__lt=before))
)


def prune() -> int:
    """Delete what is older. Returns how many changes."""
    return pruning.carry_out(PRUNED)[HISTORY]
