"""A minor release of WordPress, and security updates of the system: put in, looked at, and taken back where
the site does not answer any more."""

from nodepoint.jobs import queue
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import answers, install
from sites.connections import console
from sites.models import Backup, Site, SiteHealth
from sites.steps.proxmox import follows_moves, require
from sites.steps.safety import BEFORE
from sites.steps.wordpress import SILENT_AFTER, look, wrong_inside

LOOKED, ROLLBACK = "looked", "sites.rollback"
CHECKS = 4  # looks at a site that does not answer, before it goes back
PAUSE = 10.0  # seconds between two of them
PARTS = {"wordpress": "WordPress", "system": "The system"}
NOT_ASKED_FOR = "No update of it waits."


@follows_moves
def looked(call: Call) -> Outcome:
    """It is known how the site answers before anything is changed: what was broken before is no reason to go
    back."""
    require(call.subject)
    return Done(data={"wrong": wrong_inside(call.subject)})


@follows_moves
def wordpress_updated(call: Call) -> Outcome:
    """WordPress is at the newest release of its branch. The site's own upgrader does it, as the site's own
    user."""
    if not call.job.data.get("wordpress", True):
        return Done(note=NOT_ASKED_FOR)
    return _put_in(call, "wordpress", minor="")


@follows_moves
def system_updated(call: Call) -> Outcome:
    """The system has its security updates. Its own unattended-upgrades puts them in."""
    if not call.job.data.get("system", False):
        return Done(note=NOT_ASKED_FOR)
    return _put_in(call, "system", security="")


def _put_in(call: Call, part: str, **nothing_waits: str) -> Outcome:
    if not call.ref:
        return _start(call, part)
    status = look(call.subject, ["cat", install.UPDATE_STATUS_FILE])
    end = answers.end_of_update(status, _run(call, part))
    if end is None:
        silent = call.elapsed > max(2 * SILENT_AFTER, 2 * (call.usual or 0))
        return _start(call, part) if silent else call.look_again()
    if end.trouble:
        return Fail(ref="", error=_not_done(part), detail=end.trouble)  # a retry begins it anew
    SiteHealth.objects.filter(pk=call.subject.pk).update(**nothing_waits)
    return Done(note=end.words)


def _run(call: Call, part: str) -> str:
    return f"{call.job.pk}{part}"


def _not_done(part: str) -> str:
    return f"{PARTS[part]} could not be updated."


def _start(call: Call, part: str) -> Outcome:
    """Hand the script over; it works on by itself, whatever becomes of the connection."""
    container = require(call.subject)
    script = install.update_script(_run(call, part), part)
    output = console().run(container.node, container.vmid, ["bash", "-s", "update"], script)
    if output.exit_code == install.BUSY:
        return Retry(error="Another update is not done yet.", detail=answers.complaint(output))
    if output.exit_code:
        return Fail(error=_not_done(part), detail=answers.complaint(output))
    return call.begun("update")


@follows_moves
def checked(call: Call) -> Outcome:
    """The site answers as it did before. Where it does not, it goes back to the snapshot of before by a job
    of its own, and staff are told."""
    site: Site = call.subject
    wrong = wrong_inside(site)
    if not wrong or call.job.steps.get(name=LOOKED).data.get("wrong"):
        return Done()
    checks = call.step.data.get("checks", 0) + 1
    if checks < CHECKS:
        return Retry(error="WordPress does not answer.", detail=wrong, seconds=PAUSE, data={"checks": checks})
    return _going_back(call, site, wrong)


def _going_back(call: Call, site: Site, wrong: str) -> Outcome:
    """The same rollback that a customer could ask for: plan, address and name are applied anew by it."""
    error = "WordPress did not answer after an update"
    if not site.backups.filter(name=BEFORE, state=Backup.State.READY).exists():
        return Fail(error=f"{error}, and there is no snapshot to go back to.", detail=wrong)
    data = {"service_id": site.service_id, "backup": BEFORE, "discard_backups": False}
    asked = Job.objects.filter(subject=site.key, kind=ROLLBACK, state__in=Job.ALIVE, data__backup=BEFORE)
    job = asked.first() or queue.submit(ROLLBACK, site.key, data=data, actor=call.job.actor)
    return Fail(error=f"{error}; the site goes back to what it was (job {job.pk}).", detail=wrong)
