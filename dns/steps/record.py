"""One record of a zone: added, changed or deleted. The zone is read before every write, and the record after
it: ISPConfig may store something else than it was sent, and answers that all is well."""

import zlib
from collections.abc import Callable

from dns import history, live, rules
from dns.clients.ispconfig import Record
from dns.connections import ispconfig
from dns.errors import NotKept, UnknownZone
from dns.live import LiveZone
from dns.models import Zone
from dns.records import Entry, Held, held
from dns.steps import owner
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.clients.errors import ClientError, NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait

WRITTEN = "written"  # in the step's data: an earlier call has written


def _refusable(step: Callable[[Call, Zone, LiveZone], Outcome]) -> Callable[[Call], Outcome]:
    """A step on the zone as it is now; what the rules refuse ends the job with that error, and is the
    caller's own doing. A customer whose client was deleted in the panel is made known there anew. What was
    written and cannot be seen is looked for again, and never called failed without saying so."""

    def run(call: Call) -> Outcome:
        zone: Zone = call.subject
        try:
            found = live.zone(zone.customer, zone.name, with_deeper=True)
            if found is None:
                raise UnknownZone()
            history.seen(zone, history.state(found), _of_an_earlier_call(call, found))
            return step(call, zone, found)
        except ApiError as error:
            return refused(error)
        except NotFound as error:
            return owner.known_anew(call, error)
        except ClientError as error:
            if not call.step.data.get(WRITTEN):
                raise
            return _unseen(call, error)

    return run


def _of_an_earlier_call(call: Call, found: LiveZone) -> set[int]:
    """The records that an earlier call of this step may have written: they are nobody else's doing."""
    if not _repeated(call):
        return set()
    id, entry = call.job.data.get("record"), call.job.data.get("entry", {})
    about = (entry.get("name"), entry.get("type"))
    return {held.id for held in found.records if held.id == id or (held.entry.name, held.entry.type) == about}


def _noted(call: Call, found: LiveZone, id: int, entry: Entry | None) -> None:
    """Write down what this job has made of one record, and of the others of its set."""
    now = history.state(found)
    if entry is None:
        now.pop(str(id), None)
    else:
        now[str(id)] = history.record(entry)
        for other in found.records:
            if _is_of_the_set(other, entry):
                now[str(other.id)]["ttl"] = entry.ttl
    history.write(call.subject, now, by=call.job.actor, job_id=call.job.pk)


def _is_of_the_set(held: Held, entry: Entry) -> bool:
    return (held.entry.name, held.entry.type) == (entry.name, entry.type)


def _unseen(call: Call, error: ClientError) -> Retry:
    """What was written could not be read back. The next call looks in the list of the zone's records."""
    sentence = f"It was written, and could not be read back. {error.sentence}"
    return Retry(error=sentence, detail=error.vendor, data={**call.step.data, WRITTEN: True})


def _repeated(call: Call) -> bool:
    """Whether an earlier call may have had its effect: one that failed, or was cut off with its worker."""
    return bool(call.step.tries or call.step.calls or call.step.held)


def mark_of(job: Job) -> int:
    """What a job writes into the records that it makes, so that it finds them again however they were stored:
    not 0, and fit for an unsigned INT."""
    return zlib.crc32(str(job.pk).encode()) or 1


@_refusable
def added(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record is there, as it was asked for."""
    entry, mark = Entry(**call.job.data["entry"]), mark_of(call.job)
    ours = next((held for held in found.records if held.mark == mark), None)
    if ours is None:
        same = [held.id for held in found.records if held.entry.says_the_same(entry)]
        if same and _repeated(call):
            _noted(call, found, same[-1], entry)
            return Done(ref=str(same[-1]))
        rules.may_add(entry, zone.origin, found.records, found.deeper)
        fields = entry.stored(zone.origin)
        id = ispconfig().create_record(zone.customer.client_id, found.id, mark=mark, **fields)
        try:
            is_right = is_kept(id, found.id, entry, zone.origin)
        except ClientError as error:
            return _unseen(call, error)
    else:
        id, is_right = ours.id, ours.active and ours.entry == entry
    if not is_right:
        ispconfig().delete_record(id)
        raise NotKept("record")
    _one_ttl(id, entry, found)
    _noted(call, found, id, entry)
    return Done(ref=str(id))


@_refusable
def changed(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record says what it should. What it said before is remembered first, to be put back."""
    id, entry = call.job.data["record"], Entry(**call.job.data["entry"])
    before = rules.may_change(id, entry, zone.origin, found.records, found.deeper)
    if before.entry != entry or not before.active:
        known = call.step.data.get("before")
        if known is None:
            row = ispconfig().record(id)
            if row is None:
                return Retry(error="The record is gone.")
            return Wait(seconds=0, data={"before": row.fields()})
        ispconfig().update_record(zone.customer.client_id, found.id, id, **entry.stored(zone.origin))
        try:
            is_right = is_kept(id, found.id, entry, zone.origin)
        except ClientError as error:
            return _unseen(call, error)
        if not is_right:
            ispconfig().update_record(zone.customer.client_id, found.id, id, **known)
            raise NotKept("record")
    _one_ttl(id, entry, found)
    _noted(call, found, id, entry)
    return Done(ref=str(id))


@_refusable
def removed(call: Call, zone: Zone, found: LiveZone) -> Outcome:
    """The record is gone."""
    id = call.job.data["record"]
    if _repeated(call) and all(held.id != id for held in found.records):
        _noted(call, found, id, None)
        return Done()
    rules.may_remove(id, zone.origin, found.records)
    ispconfig().delete_record(id)
    try:
        left = ispconfig().record(id)
    except ClientError as error:
        return _unseen(call, error)
    if left:
        return Retry(error="The record is still there.")
    _noted(call, found, id, None)
    return Done()


def is_kept(id: int, zone_id: int, entry: Entry, origin: str) -> bool:
    """Whether ISPConfig holds an active record of this id that says what it was asked to."""
    row: Record | None = ispconfig().record(id)
    if row is None or row.zone_id != zone_id:
        return False
    now: Held = held(row, origin)
    return now.active and now.entry == entry


def _one_ttl(id: int, entry: Entry, found: LiveZone) -> None:
    """Give the others of the record's set its TTL: BIND serves one for all of them, that of the oldest row
    (RFC 2181, 5.2)."""
    for other in found.records:
        if _is_of_the_set(other, entry) and other.id != id and other.entry.ttl != entry.ttl:
            ispconfig().set_ttl(found.id, other.id, entry.type, entry.ttl)
