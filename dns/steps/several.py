"""Many changes of one zone as one: planned against the zone as it is then, written, read back as a whole,
and published with one serial. Cut off anywhere, it goes on where it was; what cannot be finished is taken
back.

What is new comes first and what goes last: in between no name is without an answer. Where both cannot stand
together for that moment, named-checkzone refuses the file, and the zone is served as it was.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from dns import history, live, planning
from dns.clients.ispconfig import next_serial
from dns.connections import ispconfig
from dns.errors import NotKept, UnknownZone
from dns.live import LiveZone
from dns.models import Zone
from dns.planning import ADD, CHANGE, DELETE, Line, Wish
from dns.records import Entry, Held
from dns.steps import owner
from dns.steps.refusal import refused
from nodepoint.api.errors import ApiError
from nodepoint.clients.errors import NotFound
from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Outcome, Retry, Wait

SECONDS = 8.0  # of one call; the next one goes on
ORDER = {ADD: 0, CHANGE: 1, DELETE: 2}
PLAN = "plan"  # in the data of the step `planned`


def planned(call: Call) -> Outcome:
    """It is known what is to become of each record; nothing is written yet."""
    zone: Zone = call.subject
    found = live.zone(zone.customer, zone.name, with_deeper=True)
    if found is None:
        return refused(UnknownZone())
    history.seen(zone, history.state(found))
    asked = call.job.data
    lines = planning.plan(map(Wish.of, asked["wishes"]), found, asked.get("mode", ""))
    if not asked.get("skip_refused"):
        try:
            planning.refuse_any(lines)
        except ApiError as error:
            return refused(error)
    return Done(data={PLAN: [line.plain() for line in lines]})


def lines_of(job: Job) -> list[Line] | None:
    """What was planned; None as long as nothing is."""
    row = JobStep.objects.filter(job=job, name="planned").values_list("data", flat=True).first() or {}
    return [Line.of(plain) for plain in row[PLAN]] if PLAN in row else None


def applied(call: Call) -> Outcome:
    """All of the plan is so, as it was asked for."""
    zone: Zone = call.subject
    work = _Work(call, lines_of(call.job) or [])
    found = live.zone(zone.customer, zone.name)
    if found is None:
        return refused(UnknownZone())
    try:
        if work.left(found):
            if not work.go_on(found):
                return Wait(seconds=0)
            found = live.zone(zone.customer, zone.name)
            if found is None or work.left(found):
                return Retry(error="ISPConfig has not changed all records.")
    except ApiError as error:
        return refused(error)
    except NotFound as error:
        return owner.known_anew(call, error)
    return _published(call, found)


def _published(call: Call, found: LiveZone) -> Outcome:
    """The last of it: the name servers take notice by a new serial."""
    serial = next_serial(found.serial)
    ispconfig().set_zone_active(found.id, found.active, serial)
    history.write(call.subject, history.state(found), by=call.job.actor, job_id=call.job.pk)
    return Done(facts={"serial": serial})


def taken_back(call: Call) -> Outcome:
    """The zone is as it was before."""
    zone: Zone = call.subject
    lines = lines_of(call.job)
    found = live.zone(zone.customer, zone.name) if lines else None
    if found is None:
        return Done(note="" if not lines else "The zone is gone at ISPConfig, or somebody else's there.")
    if _Work(call, lines or []).take_back(found):
        return Retry(error="ISPConfig has not put back all records yet.")
    serial = next_serial(found.serial)
    ispconfig().set_zone_active(found.id, found.active, serial)
    history.seen(zone, history.state(found))
    return Done(facts={"serial": serial})


class _Work:
    """The lines of a plan that change something, and how far each of them is. Records that are made carry a
    number of the job and the line, by which they are found again."""

    def __init__(self, call: Call, lines: Iterable[Line]) -> None:
        self._call, self._zone = call, call.subject
        self._lines = [(number, line) for number, line in enumerate(lines) if line.act in ORDER]
        self._lines.sort(key=lambda pair: ORDER[pair[1].act])
        self._until = time.monotonic() + SECONDS

    def left(self, found: LiveZone) -> list[tuple[int, Line]]:
        """Lines that are not done yet. NotKept where ISPConfig holds something else than it was sent."""
        by_id, by_mark = _indexed(found)
        return [pair for pair in self._lines if not self._is_done(*pair, by_id, by_mark)]

    def _is_done(
        self, number: int, line: Line, by_id: Mapping[int, Held], by_mark: Mapping[int, Held]
    ) -> bool:
        if line.act == DELETE:
            return line.id not in by_id
        held = by_mark.get(self._mark(number)) if line.act == ADD else by_id.get(line.id or 0)
        if held is None:
            if line.act == ADD:
                return False
            raise NotKept("record")  # it was there when the plan was made
        if held.active and held.entry == line.after:
            return True
        if line.act == ADD or held.entry != line.before:
            raise NotKept("record")
        return False

    def go_on(self, found: LiveZone) -> bool:
        """Do what is left; False when the time of this call is over before."""
        left = self.left(found)
        for done, (number, line) in enumerate(left, start=1):
            self._do(number, line, found)
            if time.monotonic() >= self._until and done < len(left):
                return False
        return True

    def _do(self, number: int, line: Line, found: LiveZone) -> None:
        if line.act == DELETE:
            ispconfig().delete_record(line.id or 0, raise_serial=False)
            return
        fields = _entry(line.after).stored(self._zone.origin)
        if line.act == ADD:
            self._create(found, self._mark(number), fields)
        else:
            self._update(found, line, fields)

    def _create(self, found: LiveZone, mark: int, fields: Mapping[str, object]) -> None:
        client_id = self._zone.customer.client_id
        ispconfig().create_record(client_id, found.id, raise_serial=False, mark=mark, **fields)

    def _update(self, found: LiveZone, line: Line, fields: Mapping[str, object]) -> None:
        client_id = self._zone.customer.client_id
        ispconfig().update_record(client_id, found.id, line.id or 0, raise_serial=False, **fields)

    def take_back(self, found: LiveZone) -> bool:
        """Undo what was done, last first; whether there was anything left of it."""
        by_id, by_mark = _indexed(found)
        left = [undo for pair in reversed(self._lines) if (undo := self._undo(*pair, found, by_id, by_mark))]
        for undo in left:
            undo()
            if time.monotonic() >= self._until:
                break
        return bool(left)

    def _undo(
        self,
        number: int,
        line: Line,
        found: LiveZone,
        by_id: Mapping[int, Held],
        by_mark: Mapping[int, Held],
    ) -> Callable[[], None] | None:
        """What takes a line back; None where nothing is to be done."""
        held, made = by_id.get(line.id or 0), by_mark.get(self._mark(number))
        if line.act == ADD:
            return partial(ispconfig().delete_record, made.id, raise_serial=False) if made else None
        back = self._mark(number, back=True)
        if held is None:
            return None if back in by_mark else partial(self._create, found, back, line.row or {})
        put_back = line.act == CHANGE and held.entry != line.before
        return partial(self._update, found, line, line.row or {}) if put_back else None

    def _mark(self, number: int, back: bool = False) -> int:
        """Not 0, and fit for the unsigned INT that the column `serial` is."""
        return zlib.crc32(f"{self._call.job.pk}:{number}{':back' if back else ''}".encode()) or 1


def _indexed(found: LiveZone) -> tuple[dict[int, Held], dict[int, Held]]:
    return {held.id: held for held in found.records}, {held.mark: held for held in found.records if held.mark}


def _entry(entry: Entry | None) -> Entry:
    if entry is None:
        raise ValueError("The line has no record.")
    return entry
