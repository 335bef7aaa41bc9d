"""A change of plan: the container first, the row when the container has it. The job names the plan; until the
end the site's row holds the old one, so that an undo knows where to go back to."""

from collections.abc import Callable

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from sites.models import Plan


def with_new_plan(step: Callable[[Call], Outcome]) -> Callable[[Call], Outcome]:
    """The same step for the site as it will be."""

    def run(call: Call) -> Outcome:
        call.subject.plan = Plan.objects.get(pk=call.job.data["plan_id"])
        return step(call)

    return run


def recorded(call: Call) -> Outcome:
    """The row says what the container has."""
    return Done(facts={"plan_id": call.job.data["plan_id"]})
