"""What may stand beside what in one zone. ISPConfig takes anything: one bad record stops the whole zone from
being published, and one that something else hides is never answered."""

from collections.abc import Collection, Iterable, Iterator

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


class Standing:
    """The records of one zone, by their names: what may come to them. `deeper`: origins of zones below this
    one, whoever owns them."""

    def __init__(self, origin: str, entries: Iterable[Entry], deeper: Collection[str] = ()) -> None:
        self.origin, self._deeper = origin, deeper
        self._by_name: dict[str, list[Entry]] = {}
        self.count = 0
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """It stands here from now on, whatever the rules say."""
        self._by_name.setdefault(entry.name, []).append(entry)
        self.count += 1

    def at(self, name: str) -> list[Entry]:
        """All that has this name."""
        return self._by_name.get(name, [])

    def may_come(self, entry: Entry) -> None:
        """Whether an entry may come to the others, however many they are. Protected, RecordExists, ApexAlias,
        CnameConflict, NullMxConflict, InDeeperZone, Redirected, Delegated, WouldHide."""
        self.may_stand(entry)
        cut_already = any(other.type == entry.type for other in self.at(entry.name))
        if entry.type in ("NS", "DNAME") and not cut_already and (hidden := self._hidden_by(entry)):
            raise WouldHide(entry.type, entry.name, _named(hidden))

    def may_stand(self, entry: Entry) -> None:
        """The same of one that takes the place of another of its name, and so hides nothing more."""
        if is_protected(entry, self.origin):
            raise Protected()
        beside = self.at(entry.name)
        if any(entry.says_the_same(other) for other in beside):
            raise RecordExists()
        if entry.type in ALIASES and entry.name == self.origin:
            raise ApexAlias()
        if beside and (entry.type in ALIASES or any(other.type in ALIASES for other in beside)):
            raise CnameConflict(entry.name)
        exchanges = {other.data for other in [entry, *beside] if other.type == "MX"}
        if entry.type == "MX" and NOBODY in exchanges and len(exchanges) > 1:
            raise NullMxConflict(entry.name)
        self._refuse_hidden(entry)

    def _refuse_hidden(self, entry: Entry) -> None:
        """Whether something above the entry keeps it from ever being answered; what is nearest to the zone
        first."""
        for zone in self._deeper:
            if _within(entry.name, zone) and not (entry.name == zone and entry.type in AT_A_CUT):
                raise InDeeperZone(entry.name, zone)
        above = self._above(entry.name)
        for name in above:
            if name != entry.name and any(other.type == "DNAME" for other in self.at(name)):
                raise Redirected(name)
        for cut in above:
            if cut != self.origin and self._servers(cut) and not self._belongs_to_cut(entry, cut):
                raise Delegated(entry.name, cut)

    def _above(self, name: str) -> list[str]:
        """The zone's own name and every one below it down to this."""
        before = name.removesuffix(self.origin).removesuffix(".").split(".")
        found = [self.origin]
        for label in reversed([label for label in before if label]):
            found.append(f"{label}.{found[-1]}")
        return found

    def _servers(self, cut: str) -> set[str]:
        return {other.data for other in self.at(cut) if other.type == "NS"}

    def _belongs_to_cut(self, entry: Entry, cut: str, more: str = "") -> bool:
        """Whether it is the delegation itself, or glue: the address of a server that it leads to, or of
        `more`, which is to be one."""
        if entry.name == cut and entry.type in AT_A_CUT:
            return True
        return entry.type in ADDRESSES and entry.name in self._servers(cut) | {more}

    def _hidden_by(self, entry: Entry) -> list[Entry]:
        """What would not be answered any more, once there is this NS or DNAME."""
        if entry.type == "DNAME":
            return [other for other in self.all() if _below(other.name, entry.name)]
        inside = [other for other in self.all() if _within(other.name, entry.name)]
        return [other for other in inside if not self._belongs_to_cut(other, entry.name, entry.data)]

    def hidden_by_a_zone(self, origin: str) -> list[Entry]:
        """What would not be answered any more if this name became a zone of its own; its delegation may
        stay."""
        inside = [other for other in self.all() if _within(other.name, origin)]
        return [other for other in inside if not self._belongs_to_cut(other, origin)]

    def all(self) -> Iterator[Entry]:
        """All that stands here, name by name."""
        for entries in self._by_name.values():
            yield from entries


def may_add(entry: Entry, origin: str, others: Iterable[Held], deeper: Collection[str] = ()) -> None:
    """Whether an entry may come to the others. `deeper`: origins of zones below this one, whoever owns them.
    The errors of `Standing.may_come`, and QuotaExceeded."""
    standing = Standing(origin, (other.entry for other in others), deeper)
    standing.may_come(entry)
    if standing.count >= MOST_RECORDS:
        raise QuotaExceeded(MOST_RECORDS, "records in one zone")


def may_be_cut_off(origin: str, others: Iterable[Held]) -> None:
    """Whether a name of a zone with these records may become a zone of its own, which hides what is there;
    its delegation may stay. WouldHide."""
    if hidden := Standing("", (other.entry for other in others)).hidden_by_a_zone(origin):
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
        Standing(origin, (other.entry for other in others), deeper).may_stand(entry)
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
