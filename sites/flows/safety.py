"""The step before a flow that changes what a site holds."""

from nodepoint.jobs.registry import Step, StepFunction
from sites.steps import safety
from sites.steps.proxmox import CALLS


def snapshot(*after: str, run: StepFunction = safety.taken) -> Step:
    """The snapshot `before`, once the steps `after` are done. `run`: for flows that can do without it."""
    return Step(
        "before",
        "Taking a snapshot for safety",
        run,
        nothing_to_undo="It is replaced the next time, and can be gone back to until then.",
        after=after,
        limits=(CALLS,),
        deadline=10 * 60,
        usual=15,
    )
