"""The step before a flow that changes what a site holds."""

from nodepoint.jobs.registry import Step
from sites.steps import safety
from sites.steps.proxmox import CALLS


def snapshot(*after: str) -> Step:
    """The snapshot `before`, once the steps `after` are done."""
    return Step(
        "before",
        "Taking a snapshot for safety",
        safety.taken,
        nothing_to_undo="It is replaced the next time, and can be gone back to until then.",
        after=after,
        limits=(CALLS,),
        deadline=10 * 60,
        usual=15,
    )
