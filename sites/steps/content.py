"""What a site holds, changed inside its container by a script of ours."""

from dataclasses import replace

from nodepoint.api.errors import ApiError, BadRequest, as_refusal
from nodepoint.clients.errors import Busy, Conflict, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry
from sites import answers, exports, install
from sites.connections import console
from sites.errors import DiskTooFull, ExportDoesNotFit
from sites.models import Site
from sites.steps.proxmox import follows_moves, require
from sites.steps.wordpress import SILENT_AFTER, look

TRIES = 3
MOST_STARTS = 6  # of the script, those after a failure included
NOT_DONE = "The content of WordPress could not be worked on."
AS_BEFORE = "What was there before is there still."
NO_ROOM = f"The disk of the site is too small for what was fetched for WordPress. {AS_BEFORE}"
# Why an import was given up, by the phase of the script: what was given does not do.
REFUSALS = {
    "fetch": "Nothing could be fetched for WordPress: please look whether the address leads to the archive.",
    "unpack": "What was fetched for WordPress is no whole tar or zip archive with a folder wp-content and a"
    f" dump of the database (.sql or .sql.gz). {AS_BEFORE}",
    "database": f"The dump of WordPress's database in the archive could not be loaded. {AS_BEFORE}",
    "served": f"WordPress does not answer with what was imported. {AS_BEFORE}",
}
UNDOES = {"import": "back", "export": "withdraw"}
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


@follows_moves
def imported(call: Call) -> Outcome:
    """The content is what was fetched, under the site's own name."""
    outcome = _carried_out(call, "import")
    if not isinstance(outcome, Done):
        return outcome
    # What it was before goes with what it held.
    return Done(data=outcome.data, note=outcome.note, facts={"content_names": [call.job.data["new"]]})


@follows_moves
def not_imported(call: Call) -> Outcome:
    """What was there before the import is there; what was fetched is gone. There is nothing to bring back in
    a container that is gone or not ours; in one that does not run nobody can, and the next import does."""
    return _undone(call, UNDOES["import"])


@follows_moves
def exported(call: Call) -> Outcome:
    """The content is packed, and offered under this job's address."""
    return _carried_out(call, "export")


@follows_moves
def not_exported(call: Call) -> Outcome:
    """Nothing that was packed is there. In a container that does not run it stays until that looks again."""
    return _undone(call, UNDOES["export"])


def _undone(call: Call, act: str) -> Outcome:
    try:
        outcome = _carried_out(call, act)
    except (NotFound, Conflict) as error:
        return Done(note=f"Left alone: {error}")
    except Busy as error:
        if "not running" not in error.vendor:
            raise
        return Done(note=f"Left as it is: {error}")
    if not isinstance(outcome, Fail):
        return outcome
    if outcome.error == NOT_OURS:
        return Done(note=f"Left alone: {outcome.detail}")
    return Retry(ref="", error=outcome.error, detail=outcome.detail)  # an undo is tried until it is done


def _carried_out(call: Call, act: str) -> Outcome:
    if not call.ref:
        return _start(call, act)
    end = answers.end_of_content(look(call.subject, ["cat", install.CONTENT_STATUS_FILE]), _run(call, act))
    if end is None:
        # A script that was killed leaves no end marker. One that is at work is not begun again.
        silent = call.elapsed > max(SILENT_AFTER, 2 * (call.usual or 0))
        return _start(call, act) if silent else call.look_again()
    if end.no_room and act == "export" and end.missing_mb:
        return _refused(ExportDoesNotFit(end.missing_mb), end.trouble)
    if end.no_room:
        return _refused(DiskTooFull(NO_ROOM), end.trouble)
    if end.useless and end.phase in REFUSALS:
        sentence = REFUSALS[end.phase]
        return _refused(BadRequest(sentence, fields={"url": [sentence]}), end.trouble)
    if end.trouble:
        return Fail(error=NOT_DONE, detail=end.trouble) if end.useless else _failed(call, end.trouble)
    if act in UNDOES.values():
        return Done()
    if not end.found:
        return _failed(call, answers.NO_STATUS)
    return Done(data={"found": end.found}, note=_told(end.found))


def _refused(error: ApiError, detail: str) -> Fail:
    return Fail(error=error.sentence, detail=detail, refusal=as_refusal(error), callers_fault=True)


def _run(call: Call, act: str) -> str:
    return f"{call.job.pk}{act if act in UNDOES.values() else ''}"


def _told(found: dict[str, int]) -> str:
    if "size" in found:
        return f"{-(-found['size'] // exports.MB)} MB, to be fetched once within a day."
    said = f"Addresses: {found['changes']}, tables: {found['tables']}."
    left = f" Values with such addresses that stay as they are: {found['left']}." if found["left"] else ""
    return said + left


def _start(call: Call, act: str) -> Outcome:
    """Hand the script over; it works on by itself, whatever becomes of the connection."""
    container = require(call.subject)
    given = {**call.job.data, **(call.job.secret or {})}
    named = {key: given[key] for key in ("old", "new", "url", "size") if key in given}
    if call.job.kind == "sites.export":
        named["token"] = exports.token(call.job.pk)
    # An undo is another run than what it undoes.
    script = install.content_script(_run(call, act), **named)
    output = console().run(container.node, container.vmid, ["bash", "-s", act], script)
    if output.exit_code == install.NO_SITE:
        return Fail(error=NOT_OURS, detail=answers.complaint(output))
    if output.exit_code == install.BUSY:
        return Retry(error="Other work on the content is not done yet.", detail=answers.complaint(output))
    if output.exit_code:
        return _failed(call, answers.complaint(output))
    # An undo is tried until it is done.
    if output.stdout.strip() == install.AT_WORK or act in UNDOES.values():
        return call.begun(act)
    # One that leaves no end marker, time and again, is killed by something in the container.
    starts = call.step.data.get("starts", 0) + 1
    if starts > MOST_STARTS:
        return Fail(error=NOT_DONE, detail=f"the script was begun {starts} times and has come to no end")
    return replace(call.begun(act), data={"starts": starts})


def _failed(call: Call, detail: str) -> Outcome:
    # Counted here: the engine counts failures since the step last got ahead, and every start gets ahead.
    failures = call.step.data.get("failures", 0) + 1
    if failures < TRIES:
        return Retry(ref="", data={"failures": failures}, error=NOT_DONE, detail=detail)
    return Fail(error=NOT_DONE, detail=detail)
