"""What becomes of a zone when many records of it are to be changed at once: line by line, before anything is
done. Nobody is asked here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from dns import records, rules
from dns.errors import ChangesRefused, QuotaExceeded
from dns.live import LiveZone
from dns.records import Entry, Held
from nodepoint.api.errors import ApiError

ADD, CHANGE, DELETE, KEEP, REFUSE = "add", "change", "delete", "keep", "refuse"
DONE = (ADD, CHANGE, DELETE)
REPLACE = "replace"

THERE = "It is there already."
TWICE = "It is asked for twice."
ONE_TTL = "All records of one name and type have the same TTL."
CHANGED_SINCE = "The record is gone, or has been changed since."
NOT_YOURS = "Records of this kind are made by our staff and stay as they are."


@dataclass(frozen=True)
class Wish:
    """One thing that is asked for. `id`: the record that is to be changed or deleted; `expect`: what it has
    to say now. `place`: the line of a file, or the number in a list, from 1; `text`: what stands there.
    `reason`: why it is refused or kept, whatever the zone holds (`act`)."""

    act: str
    entry: Entry | None = None
    id: int | None = None
    expect: Entry | None = None
    place: int | None = None
    text: str = ""
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON, for a job's data."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Wish":
        """The wish that was written so."""
        entries = {name: Entry(**plain[name]) for name in ("entry", "expect") if name in plain}
        return cls(**{**plain, **entries})


@dataclass(frozen=True)
class Line:
    """What becomes of one record. `row`: its fields as they are stored now, to be put back."""

    act: str
    id: int | None = None
    before: Entry | None = None
    after: Entry | None = None
    reason: str = ""
    place: int | None = None
    text: str = ""
    row: dict[str, Any] | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON, for a step's data."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Line":
        """The line that was written so."""
        entries = {name: Entry(**plain[name]) for name in ("before", "after") if name in plain}
        return cls(**{**plain, **entries})

    def shown(self) -> dict[str, Any]:
        """As callers see it: `{act, record, reason}`, with `before` of a change, `line` and, where nothing
        could be read, its `text`."""
        entry = self.after or self.before
        found = {"act": self.act, "record": entry.shown(self.id) if entry else None}
        found |= {"reason": self.reason or None, "line": self.place}
        if self.act == CHANGE and self.before:
            found["before"] = self.before.shown(self.id)
        return found if entry else {**found, "text": self.text}


def plan(wishes: Iterable[Wish], zone: LiveZone, mode: str = "") -> list[Line]:
    """What becomes of the zone, in the order of the wishes; what cannot be is a line `refuse`, and the others
    are judged without it. `mode`: `add` or `replace` where the wishes are all that a file holds."""
    wanted = list(wishes)
    if mode:
        wanted = list(_against(wanted, zone, mode))
    refused: dict[int, Line] = {}
    while True:
        lines = _judged(wanted, zone, refused)
        new = {place: line for place, line in lines.items() if line.act == REFUSE and place not in refused}
        if not new:
            return _with_one_ttl(list(lines.values()), zone)
        refused |= new


def pinned(wishes: Iterable[Wish], zone: LiveZone) -> list[Wish]:
    """The wishes with what the records say now that they are about: a record that was taken back meanwhile
    has another id."""
    says = {held.id: held.entry for held in zone.records}
    return [wish if wish.expect else replace(wish, expect=says.get(wish.id or 0)) for wish in wishes]


def refuse_any(lines: Iterable[Line]) -> None:
    """ChangesRefused where a line is."""
    all = list(lines)
    if bad := [line for line in all if line.act == REFUSE]:
        raise ChangesRefused(len(bad), bad[0].place, bad[0].reason, [line.shown() for line in all])


def _against(wishes: list[Wish], zone: LiveZone, mode: str) -> Iterator[Wish]:
    """The wishes of a file, seen against what the zone holds: what is there is kept, what has one name and
    type is changed rather than deleted and added."""
    there = {_said(held.entry): held for held in zone.records}
    wanted = {_said(wish.entry) for wish in wishes if wish.entry}
    surplus: dict[tuple[str, str], list[Held]] = {}
    if mode == REPLACE:
        for held in zone.records:
            if _is_theirs(held, zone) and _said(held.entry) not in wanted:
                surplus.setdefault((held.entry.name, held.entry.type), []).append(held)
    met: set[Any] = set()
    for wish in wishes:
        if wish.entry is None:
            yield wish
            continue
        said, same_set = _said(wish.entry), surplus.get((wish.entry.name, wish.entry.type))
        if said in met:
            yield replace(wish, act=KEEP, reason=TWICE)
        elif held := there.get(said):
            differs = held.entry.ttl != wish.entry.ttl and _is_theirs(held, zone)
            yield replace(wish, act=CHANGE if differs else KEEP, id=held.id, reason=wish.reason or THERE)
        elif same_set:
            yield replace(wish, act=CHANGE, id=same_set.pop(0).id)
        else:
            yield wish
        met.add(said)
    for rest in surplus.values():
        yield from (Wish(DELETE, id=held.id) for held in rest)


def _said(entry: Entry) -> tuple[Any, ...]:
    return entry.type, entry.name, entry.data, entry.priority


def _is_theirs(held: Held, zone: LiveZone) -> bool:
    """Whether a record is the customer's to replace: served, of a type that he could add, none of ours."""
    known = held.entry.type in records.TYPES
    return held.active and known and not rules.is_protected(held.entry, f"{zone.name}.")


def _judged(wishes: list[Wish], zone: LiveZone, refused: Mapping[int, Line]) -> dict[int, Line]:
    """A line for each wish, by its place. Those that are refused already leave what they meant as it is."""
    held = {one.id: one for one in zone.records}
    lines: dict[int, Line] = dict(refused)
    going: dict[int, int] = {}  # records that are changed or deleted, and by which wish
    for number, wish in enumerate(wishes):
        if number in refused:
            continue
        line = _meant(wish, held, zone)
        if line.act in (CHANGE, DELETE) and line.id in going:
            line = replace(line, act=REFUSE, reason=TWICE)
        elif line.act in (CHANGE, DELETE) and line.id is not None:
            going[line.id] = number
        lines[number] = line
    rest = (one.entry for id, one in held.items() if id not in going)
    standing = rules.Standing(f"{zone.name}.", rest, zone.deeper)
    for number in range(len(wishes)):
        lines[number] = _placed(lines[number], standing)
    return {number: lines[number] for number in range(len(wishes))}


def _meant(wish: Wish, held: Mapping[int, Held], zone: LiveZone) -> Line:
    """The wish with the record that it is about."""
    line = Line(wish.act, wish.id, None, wish.entry, wish.reason, wish.place, wish.text)
    if wish.act not in (CHANGE, DELETE):
        return line
    one = _found(wish, held)
    if one is None:
        why = CHANGED_SINCE if wish.expect else "There is no such record in this zone."
        return replace(line, act=REFUSE, before=wish.expect, reason=why)
    line = replace(line, id=one.id, before=one.entry, row=one.row.fields() if one.row else None)
    if rules.is_protected(one.entry, f"{zone.name}."):
        return replace(line, act=REFUSE, reason="The name servers and the SOA of the domain itself are ours.")
    if wish.entry and wish.entry.type != one.entry.type:
        why = f"The record is of type {one.entry.type}. Please delete it and add another."
        return replace(line, act=REFUSE, reason=why)
    return line


def _found(wish: Wish, held: Mapping[int, Held]) -> Held | None:
    one = held.get(wish.id) if wish.id is not None else None
    if wish.expect is None:
        return one
    if one is None or not one.entry.says_the_same(wish.expect):  # it may have got another id
        return next((other for other in held.values() if other.entry.says_the_same(wish.expect)), None)
    return one


def _placed(line: Line, standing: rules.Standing) -> Line:
    """The line with what the rules say of what it adds to the rest, where it now stands."""
    if line.act not in (ADD, CHANGE) or line.after is None:
        return line
    try:
        if line.before and line.before.name == line.after.name:
            standing.may_stand(line.after)
        else:
            standing.may_come(line.after)
        if standing.count >= rules.MOST_RECORDS:
            raise QuotaExceeded(rules.MOST_RECORDS, "records in one zone")
    except ApiError as error:
        return replace(line, act=REFUSE, reason=error.sentence)
    standing.add(line.after)
    return line


def _with_one_ttl(lines: list[Line], zone: LiveZone) -> list[Line]:
    """The lines with the TTL of each set that is touched: the latest that was given (RFC 2181, 5.2)."""
    ttls = {
        (line.after.name, line.after.type): line.after.ttl
        for line in lines
        if line.act in (ADD, CHANGE) and line.after
    }
    if not ttls:
        return lines
    busy = {line.id for line in lines if line.act in (CHANGE, DELETE)}
    also = [
        Line(CHANGE, one.id, one.entry, replace(one.entry, ttl=ttl), ONE_TTL, row=one.row.fields())
        for one in zone.records
        if one.id not in busy
        and one.row
        and (ttl := ttls.get((one.entry.name, one.entry.type))) not in (None, one.entry.ttl)
    ]
    changed = {line.id for line in also}
    kept = [line for line in lines if not (line.act == KEEP and line.id in changed)]
    return [_with_ttl(line, ttls) for line in kept] + also


def _with_ttl(line: Line, ttls: Mapping[tuple[str, str], int]) -> Line:
    if line.act not in (ADD, CHANGE) or line.after is None:
        return line
    return replace(line, after=replace(line.after, ttl=ttls[line.after.name, line.after.type]))
