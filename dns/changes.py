"""What can be done with many records of a zone at once: taken out, put in, changed together, and put back.
One function for each act, called by the API and the admin alike; the job does all of it, or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings

from dns import history, live, lookup, planning, records, rules, zonefile
from dns.errors import BadField, UnknownChange, UnknownZone
from dns.live import LiveZone
from dns.models import Change, Zone
from dns.planning import ADD, CHANGE, DELETE, KEEP, REFUSE, Line, Wish
from dns.steps.several import lines_of
from nodepoint.api.errors import ApiError
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job

MOST_CHANGES = 200  # of one bulk call
MOST_SHOWN = 500  # changes of one look at the history
ONE, TOGETHER, SINCE = "one", "job", "since"  # what of the history is undone

Answer = tuple[list[Line], Job | None]
"""What becomes of each record, and the job that does it: None after a dry run, and where there is nothing to
do."""


def export(user_id: str, zone_id: int) -> LiveZone:
    """The zone as it is now, with its SOA. UnknownZone."""
    return _read(lookup.zone_of(user_id, id=zone_id))


def import_file(
    zone: Zone, text: str, mode: str, *, dry_run: bool = False, skip_refused: bool = False, actor: str = ""
) -> Answer:
    """Have the records of a zone file added (`mode` add), or the zone made what the file says (replace).
    `skip_refused`: without what cannot be taken. BadField, ZoneBusy, ChangesRefused, UnknownZone."""
    if len(text.encode(errors="replace")) > zonefile.LARGEST:
        raise BadField("zonefile", "The zone file is larger than 5 MB.")
    wishes = [_wish_of(line) for line in zonefile.read(text, zone.name, settings.PROXY_IP)]
    if not wishes:
        raise BadField("zonefile", "There are no records in this zone file.")
    return change(zone, wishes, mode=mode, dry_run=dry_run, skip_refused=skip_refused, actor=actor)


def _wish_of(line: zonefile.Line) -> Wish:
    about = {"place": line.number, "text": line.text}
    if line.entry:
        return Wish(ADD, line.entry, reason=line.note, **about)
    return Wish(KEEP if line.ours else REFUSE, reason=line.reason, **about)


def bulk(
    zone: Zone, items: Sequence[Mapping[str, Any] | ApiError], *, dry_run: bool = False, actor: str = ""
) -> Answer:
    """Have several records added, changed and deleted: all of it or nothing. `items`: `act` (add, change,
    delete), `rc_id` and what `records.parse` takes, or why one cannot be understood. Errors as for
    `import_file`."""
    if len(items) > MOST_CHANGES:
        raise BadField("changes", f"At most {MOST_CHANGES} changes can be made at once.")
    wishes = [_wish(item, number, zone) for number, item in enumerate(items, start=1)]
    return change(zone, wishes, dry_run=dry_run, actor=actor)


def _wish(item: Mapping[str, Any] | ApiError, number: int, zone: Zone) -> Wish:
    try:
        if isinstance(item, ApiError):
            raise item
        if item["act"] == DELETE:
            return Wish(DELETE, id=item["rc_id"], place=number)
        entry = records.parse(item, zone.name, settings.PROXY_IP)
        return Wish(item["act"], entry, item["rc_id"] if item["act"] == CHANGE else None, place=number)
    except ApiError as error:
        return Wish(REFUSE, place=number, reason=error.sentence)


def undo(zone: Zone, change_id: int, scope: str = ONE, *, dry_run: bool = False, actor: str = "") -> Answer:
    """Have a change undone: that one, all that were made with it (`job`), or all since it was made (`since`),
    so that the zone is as before it. UnknownChange; else as for `import_file`."""
    row = Change.objects.filter(zone=zone, pk=change_id).first()
    if row is None:
        raise UnknownChange()
    if scope == SINCE:
        kept = [entry for entry in history.before(row) if _is_theirs(entry, zone)]
        wishes, mode = [Wish(ADD, entry) for entry in kept], planning.REPLACE
    else:
        rows = (
            Change.objects.filter(zone=zone, job_id=row.job_id) if scope == TOGETHER and row.job_id else [row]
        )
        wishes, mode = [_reversed(one) for one in rows], ""
    return change(zone, wishes, mode=mode, dry_run=dry_run, actor=actor)


def _is_theirs(entry: records.Entry, zone: Zone) -> bool:
    return entry.type in records.TYPES and not rules.is_protected(entry, zone.origin)


def _reversed(row: Change) -> Wish:
    """What takes a change back; only as long as nobody has changed the record since."""
    before = history.entry(row.before) if row.before else None
    after = history.entry(row.after) if row.after else None
    if after is None:
        return Wish(ADD, before)
    return Wish(CHANGE if before else DELETE, before, row.record, after)


def change(
    zone: Zone,
    wishes: Iterable[Wish],
    *,
    mode: str = "",
    dry_run: bool = False,
    skip_refused: bool = False,
    actor: str = "",
) -> Answer:
    """Have these wishes fulfilled, together. The job plans anew, against the zone as it is then."""
    wanted = list(wishes)
    current = _read(lookup.ready(zone)) if dry_run else lookup.current(lookup.ready(zone))
    lines = planning.plan(wanted, current, mode) if current else []
    if dry_run:
        return lines, None
    if not skip_refused:
        planning.refuse_any(lines)
    if current and not any(line.act in planning.DONE for line in lines):
        return lines, None
    wanted = planning.pinned(wanted, current) if current else wanted
    asked = {"wishes": [wish.plain() for wish in wanted], "mode": mode, "skip_refused": skip_refused}
    return lines, _submit(zone, asked, actor)


def _submit(zone: Zone, asked: dict[str, Any], actor: str) -> Job:
    about = {"zone": zone.name, "user_id": zone.customer.user_id}
    said = {**about, "mode": asked["mode"], "records": len(asked["wishes"])}
    return queue.whole(
        lambda: queue.submit("dns.change_records", zone.key, data={**about, **asked}, after=said, actor=actor)
    )


def _read(zone: Zone) -> LiveZone:
    found = live.zone(zone.customer, zone.name, lookup.READ_SECONDS, with_deeper=True)
    if found is None:
        raise UnknownZone()
    return found


def outcome(job: Job, lines: list[Line]) -> list[dict[str, Any]]:
    """What callers see of a job: its own plan once there is one, with the ids of what was added."""
    planned = lines_of(job) or lines
    added = Change.objects.filter(job_id=job.pk, act=ADD).values_list("record", "after")
    made = {history.entry(after): record for record, after in added}
    return [replace(line, id=line.id or made.get(line.after)).shown() for line in planned]


def changes_of(user_id: str, zone_id: int, before: int | None = None, limit: int = 100) -> Sequence[Change]:
    """The newest changes of a zone, or the newest before one of them. UnknownZone."""
    zone = lookup.zone_of(user_id, id=zone_id)
    found = Change.objects.filter(zone=zone)
    found = found.filter(pk__lt=before) if before else found
    return list(found[: min(limit, MOST_SHOWN)])


def zone_of_change(user_id: str, zone_id: int | None, change_id: int) -> Zone:
    """The customer's zone that a change was made in. UnknownZone, UnknownChange."""
    if zone_id is not None:
        return lookup.zone_of(user_id, id=zone_id)
    row = Change.objects.filter(pk=change_id, zone__customer__user_id=user_id).select_related("zone").first()
    if row is None or row.zone.ispconfig_id is None:
        raise UnknownChange()
    return lookup.zone_of(user_id, id=row.zone.ispconfig_id)


def shown(record: int, said: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A record of the history as callers see it."""
    return history.entry(said).shown(record, said["active"]) if said else None


def by(change: Change) -> str:
    """Who has made a change, as customers read it: names of staff are no concern of theirs."""
    if not change.job_id:
        return "found"
    kind = change.by.partition(" ")[0]
    return {"token": "api", "staff": "staff"}.get(kind, "system")
