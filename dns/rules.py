"""What may stand beside what in one zone. ISPConfig takes anything: one bad record stops the whole zone from
being published, and one that something else hides is never answered."""

from collections.abc import Collection, Iterable

from dns.errors import (
    ApexAlias,
    BadField,
    CnameConflict,
    Delegated,
    InDeeperZone,
    NullMxConflict,
    Protected,
    QuotaExceeded,
    RecordExists,
    Redirected,
    UnknownRecord,
    WouldHide,
)
from dns.records import NOBODY, Entry, Held

MOST_RECORDS = 500  # in one zone
ALIASES = {"CNAME", "ALIAS"}  # ISPConfig writes an ALIAS as a CNAME (server/conf/bind_pri.domain.master:26)
AT_A_CUT = {"NS", "DS"}  # what the zone above says of a name that is delegated
ADDRESSES = {"A", "AAAA"}


def may_add(entry: Entry, origin: str, others: Iterable[Held], deeper: Collection[str] = ()) -> None:
    """Whether an entry may come to the others. `deeper`: origins of zones below this one, whoever owns them.
    Protected, RecordExists, CnameConflict, NullMxConflict, InDeeperZone, Redirected, Delegated, WouldHide,
    QuotaExceeded."""
    entries = [other.entry for other in others]
    _may_stand(entry, origin, entries, deeper)
    cut_already = any((other.type, other.name) == (entry.type, entry.name) for other in entries)
    if entry.type in ("NS", "DNAME") and not cut_already and (hidden := _hidden_by(entry, entries)):
        raise WouldHide(entry.type, entry.name, _named(hidden))
    if len(entries) >= MOST_RECORDS:
        raise QuotaExceeded(MOST_RECORDS, "records in one zone")


def _may_stand(entry: Entry, origin: str, others: list[Entry], deeper: Collection[str]) -> None:
    if is_protected(entry, origin):
        raise Protected()
    beside = [other for other in others if other.name == entry.name]
    if any(entry.says_the_same(other) for other in beside):
        raise RecordExists()
    if entry.type in ALIASES and entry.name == origin:
        raise ApexAlias()
    alone = entry.type in ALIASES or any(other.type in ALIASES for other in beside)
    if alone and beside:
        raise CnameConflict(entry.name)
    exchanges = {other.data for other in [entry, *beside] if other.type == "MX"}
    if entry.type == "MX" and NOBODY in exchanges and len(exchanges) > 1:
        raise NullMxConflict(entry.name)
    _refuse_hidden(entry, origin, others, deeper)


def _refuse_hidden(entry: Entry, origin: str, others: list[Entry], deeper: Collection[str]) -> None:
    """Whether something above the entry keeps it from ever being answered."""
    for zone in deeper:
        if _within(entry.name, zone) and not (entry.name == zone and entry.type in AT_A_CUT):
            raise InDeeperZone(entry.name, zone)
    for other in others:
        if other.type == "DNAME" and _below(entry.name, other.name):
            raise Redirected(other.name)
    cuts = {other.name for other in others if other.type == "NS" and other.name != origin}
    for cut in sorted(cuts, key=len):
        if _within(entry.name, cut) and not _belongs_to_cut(entry, cut, others):
            raise Delegated(entry.name, cut)


def _belongs_to_cut(entry: Entry, cut: str, others: Iterable[Entry]) -> bool:
    """Whether it is the delegation itself, or glue: the address of a server that it leads to."""
    if entry.name == cut and entry.type in AT_A_CUT:
        return True
    servers = {other.data for other in others if other.type == "NS" and other.name == cut}
    return entry.type in ADDRESSES and entry.name in servers


def _hidden_by(entry: Entry, others: list[Entry]) -> list[Entry]:
    """What would not be answered any more, once there is this NS or DNAME."""
    if entry.type == "DNAME":
        return [other for other in others if _below(other.name, entry.name)]
    inside = [other for other in others if _within(other.name, entry.name)]
    return [other for other in inside if not _belongs_to_cut(other, entry.name, [*others, entry])]


def may_be_cut_off(origin: str, others: Iterable[Held]) -> None:
    """Whether a name of a zone with these records may become a zone of its own, which hides what is there;
    its delegation may stay. WouldHide."""
    entries = [other.entry for other in others]
    inside = [entry for entry in entries if _within(entry.name, origin)]
    if hidden := [entry for entry in inside if not _belongs_to_cut(entry, origin, entries)]:
        raise WouldHide("zone", origin, _named(hidden))


def _named(entries: Iterable[Entry]) -> list[str]:
    return [f"{entry.type} {entry.name.rstrip('.')}" for entry in entries]


def _below(name: str, other: str) -> bool:
    return name.endswith(f".{other}")


def _within(name: str, other: str) -> bool:
    return name == other or _below(name, other)


def may_change(id: int, entry: Entry, origin: str, all: Iterable[Held], deeper: Collection[str] = ()) -> Held:
    """The record that may become this entry, of the same type. UnknownRecord, BadField, or an error of
    `may_add`."""
    before = find(id, all)
    if is_protected(before.entry, origin):
        raise Protected()
    if before.entry.type != entry.type:
        raise BadField(
            "type", f"The record is of type {before.entry.type}. Please delete it and add another."
        )
    others = [other for other in all if other.id != id]
    if before.entry.name == entry.name:  # a cut that is there already hides nothing more
        _may_stand(entry, origin, [other.entry for other in others], deeper)
    else:
        may_add(entry, origin, others, deeper)
    return before


def may_remove(id: int, origin: str, all: Iterable[Held]) -> Held:
    """The record that may be deleted. UnknownRecord, Protected."""
    before = find(id, all)
    if is_protected(before.entry, origin):
        raise Protected()
    return before


def find(id: int, all: Iterable[Held]) -> Held:
    """The record of that id; UnknownRecord."""
    for other in all:
        if other.id == id:
            return other
    raise UnknownRecord()


def is_protected(entry: Entry, origin: str) -> bool:
    """Whether it is the platform's: SOA, and name servers of the zone itself."""
    return entry.type == "SOA" or (entry.type == "NS" and entry.name == origin)
