"""What was changed in a zone: by whom, when, and what a record said before.

The records of each zone are kept as they were last seen (`Known`). What a job of ours makes of them is its
change; whatever else differs at the next look was done in the panel, and is noted as found. So nothing is
missing from the history, whoever wrote it.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from dns.live import LiveZone
from dns.models import Change, Known, Zone
from dns.records import Entry

State = dict[str, dict[str, Any]]
"""Records by ISPConfig's id: the fields of an entry, and `active`."""


def state(found: LiveZone) -> State:
    """The records of a zone as they are now."""
    return {str(held.id): record(held.entry, held.active) for held in found.records}


def record(entry: Entry, active: bool = True) -> dict[str, Any]:
    """A record in a state."""
    return {**entry.plain(), "active": active}


def entry(said: Mapping[str, Any]) -> Entry:
    """The entry of a record in a state, or in a change."""
    return Entry(**{name: value for name, value in said.items() if name != "active"})


def seen(zone: Zone, now: State, without: Collection[int] = ()) -> None:
    """Note what others have done since the last look. `without`: records that a job may have written
    already; they stay as they were known."""
    known = Known.objects.filter(zone=zone).values_list("records", flat=True).first() or {}
    kept = {str(id) for id in without}
    as_known = {id: said for id, said in known.items() if id in kept}
    write(zone, {id: said for id, said in now.items() if id not in kept} | as_known)


def write(zone: Zone, now: State, *, by: str = "", job_id: str = "") -> None:
    """Note the difference to what was known as somebody's doing; the first state of a zone is where its
    history begins."""
    with transaction.atomic():
        known, is_new = Known.objects.select_for_update().get_or_create(zone=zone, defaults={"records": now})
        if not is_new:
            _note(known, now, by=by, job_id=job_id)


def compared(zone: Zone, now: State, serial: int, version: int | None) -> bool:
    """Note what the watch has seen, unless somebody has written since it read `version` (None: nothing was
    known). Whether it was noted."""
    with transaction.atomic():
        if version is None:
            facts = {"records": now, "serial": serial}
            return Known.objects.get_or_create(zone=zone, defaults=facts)[1]
        known = Known.objects.select_for_update().filter(zone=zone, version=version).first()
        if known is None:
            return False
        _note(known, now)
        Known.objects.filter(pk=known.pk).update(serial=serial)
        return True


def _note(known: Known, now: State, *, by: str = "", job_id: str = "") -> None:
    if known.records == now:
        return
    found = list(_differences(known.records, now))
    known.records, known.version = now, known.version + 1
    known.save(update_fields=["records", "version"])
    facts = {"zone_id": known.zone_id, "at": timezone.now(), "by": by[:128], "job_id": job_id}
    Change.objects.bulk_create(Change(**facts, **change) for change in found)


def _differences(before: State, now: State) -> Iterator[dict[str, Any]]:
    """What was added, changed and deleted. A record that has only got another id is the same."""
    gone = {id: said for id, said in before.items() if id not in now}
    come = {id: said for id, said in now.items() if id not in before}
    for id, said in list(come.items()):
        if same := next((other for other, had in gone.items() if had == said), None):
            del gone[same], come[id]
    for id, said in now.items():
        if id in before and before[id] != said:
            yield {"act": Change.Act.CHANGE, "record": int(id), "before": before[id], "after": said}
    for id, said in gone.items():
        yield {"act": Change.Act.DELETE, "record": int(id), "before": said, "after": None}
    for id, said in come.items():
        yield {"act": Change.Act.ADD, "record": int(id), "before": None, "after": said}


def before(change: Change) -> list[Entry]:
    """The records that the zone had before this change, as far as they were served."""
    known = Known.objects.filter(zone=change.zone_id).values_list("records", flat=True).first() or {}
    there: State = dict(known)
    for later in Change.objects.filter(zone=change.zone_id, pk__gte=change.pk).order_by("-pk"):
        id = str(later.record)
        if id not in there and later.after:
            id = next((other for other, said in there.items() if said == later.after), id)
        if later.before is None:
            there.pop(id, None)
        else:
            there[id] = later.before
    return [entry(said) for said in there.values() if said["active"]]
