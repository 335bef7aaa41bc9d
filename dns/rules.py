"""What may stand beside what in one zone. ISPConfig takes anything, and one bad record stops the whole zone
from being published."""

from collections.abc import Iterable

from dns.errors import BadField, CnameConflict, Protected, QuotaExceeded, RecordExists, UnknownRecord
from dns.records import Entry, Held

MOST_RECORDS = 500  # in one zone


def may_add(entry: Entry, origin: str, others: Iterable[Held]) -> None:
    """Whether an entry may come to the others. Protected, RecordExists, CnameConflict, QuotaExceeded."""
    others = list(others)
    if is_protected(entry, origin):
        raise Protected()
    beside = [other.entry for other in others if other.entry.name == entry.name]
    if any(entry.says_the_same(other) for other in beside):
        raise RecordExists()
    alone = entry.type == "CNAME" or any(other.type == "CNAME" for other in beside)
    if (alone and beside) or (entry.type == "CNAME" and entry.name == origin):
        raise CnameConflict(entry.name)
    if len(others) >= MOST_RECORDS:
        raise QuotaExceeded(MOST_RECORDS, "records in one zone")


def may_change(id: int, entry: Entry, origin: str, all: Iterable[Held]) -> Held:
    """The record that may become this entry, of the same type. UnknownRecord, BadField, or an error of
    `may_add`."""
    before = find(id, all)
    if is_protected(before.entry, origin):
        raise Protected()
    if before.entry.type != entry.type:
        raise BadField(
            "type", f"The record is of type {before.entry.type}. Please delete it and add another."
        )
    may_add(entry, origin, (other for other in all if other.id != id))
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
