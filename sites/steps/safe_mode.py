"""Safe mode: WordPress without plugins, theme, must-use plugins, drop-ins and maintenance, its database
untouched."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import access
from sites.models import Site
from sites.steps.proxmox import follows_moves

TRIES = 3


@follows_moves
def as_asked(call: Call) -> Outcome:
    """It is on or off as the job says. One that does not make WordPress answer is not switched on."""
    site: Site = call.subject
    enabled = call.job.data["enabled"]
    try:
        access.switch_safe_mode(site, enabled)
    except access.NotRunning:
        return Fail(error="The container does not run.")
    except access.NotSwitched as error:
        return _not_switched(call, error)
    return Done(facts={"safe_mode": enabled})


def _not_switched(call: Call, error: access.NotSwitched) -> Outcome:
    cause = f" At fault is {error.culprit}." if error.culprit else ""
    if error.final:
        return Fail(error=f"WordPress does not answer in safe mode either.{cause}", detail=str(error))
    failures = call.step.data.get("failures", 0) + 1
    sentence = "Safe mode of WordPress could not be switched."
    if failures < TRIES:
        return Retry(error=sentence, detail=str(error), data={"failures": failures})
    return Fail(error=sentence, detail=str(error))
