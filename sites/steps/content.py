"""What a site holds, changed inside its container by a script of ours."""

from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import answers, install
from sites.connections import console
from sites.models import Site
from sites.steps.proxmox import follows_moves, require
from sites.steps.wordpress import SILENT_AFTER, look

TRIES = 3
NOT_DONE = "The content of WordPress could not be worked on."
NOT_OURS = "The WordPress inside was not made by us: nobody here knows where its content is."


@follows_moves
def counted(call: Call) -> Outcome:
    """It is known how many addresses of the old name the content holds."""
    return _carried_out(call, "count")


@follows_moves
def replaced(call: Call) -> Outcome:
    """Addresses in the content have the new name where they had the old one."""
    outcome = _carried_out(call, "replace")
    if not isinstance(outcome, Done):
        return outcome
    site: Site = call.subject
    old, new = call.job.data["old"], call.job.data["new"]
    names = [name for name in site.content_names if name not in (old, new)]
    return Done(data=outcome.data, note=outcome.note, facts={"content_names": [*names, new]})


def _carried_out(call: Call, act: str) -> Outcome:
    if not call.ref:
        return _start(call, act)
    end = answers.end_of_content(look(call.subject, ["cat", install.CONTENT_STATUS_FILE]), call.job.pk)
    if end is None:
        # A script that was killed leaves no end marker. One that is at work is not begun again.
        silent = call.elapsed > max(SILENT_AFTER, 2 * (call.usual or 0))
        return _start(call, act) if silent else call.look_again()
    if end.trouble:
        return Fail(error=NOT_DONE, detail=end.trouble) if end.useless else _failed(call, end.trouble)
    return Done(data={"found": end.found}, note=_told(end.found))


def _told(found: dict[str, int]) -> str:
    said = f"Addresses: {found['changes']}, tables: {found['tables']}."
    return (
        f"{said} Values with such addresses that stay as they are: {found['left']}."
        if found["left"]
        else said
    )


def _start(call: Call, act: str) -> Outcome:
    """Hand the script over; it works on by itself, whatever becomes of the connection."""
    container = require(call.subject)
    data = call.job.data
    script = install.content_script(call.job.pk, data["old"], data["new"])
    output = console().run(container.node, container.vmid, ["bash", "-s", act], script)
    if output.exit_code == install.NO_SITE:
        return Fail(error=NOT_OURS, detail=answers.complaint(output))
    if output.exit_code == install.BUSY:
        return Retry(error="Other work on the content is not done yet.", detail=answers.complaint(output))
    if output.exit_code:
        return _failed(call, answers.complaint(output))
    return call.begun(act)


def _failed(call: Call, detail: str) -> Outcome:
    # Counted here: the engine counts failures since the step last got ahead, and every start gets ahead.
    failures = call.step.data.get("failures", 0) + 1
    if failures < TRIES:
        return Retry(ref="", data={"failures": failures}, error=NOT_DONE, detail=detail)
    return Fail(error=NOT_DONE, detail=detail)
