"""What can be refused about zones and records: facts, each with the sentence a customer reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from nodepoint.api.errors import ApiError, BadRequest, Conflict, Missing, retry_after
from nodepoint.jobs.models import Job
from nodepoint.names import Proof

MOST_NAMED = 5  # records in one sentence


class UnknownZone(Missing):
    """No such zone, or not this customer's."""

    def __init__(self) -> None:
        super().__init__("There is no such zone.")


class UnknownRecord(Missing):
    """No such record in this zone."""

    def __init__(self) -> None:
        super().__init__("There is no such record in this zone.")


class UnknownChange(Missing):
    """No such change in the history of this zone."""

    def __init__(self) -> None:
        super().__init__("There is no such change in the history of this zone.")


class ZoneUnclear(BadRequest):
    """The request does not say which zone is meant."""

    def __init__(self) -> None:
        super().__init__(
            "Please say which zone is meant: with zone_id or zone, or by a name that ends in it."
        )


class BadField(BadRequest):
    """A value is missing or wrong."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence, fields={field: [sentence]})


class ZoneExists(Conflict):
    """The customer has the zone already."""

    code = "exists"

    def __init__(self) -> None:
        super().__init__("You have this zone already.")


class ZoneBeingDeleted(Conflict):
    """The customer's zone is not gone yet."""

    code = "exists"

    def __init__(self) -> None:
        super().__init__("This zone is still being deleted. Please try again later.")


class NameTaken(Conflict):
    """The name, or one above or below it, is somebody else's, the platform's, or nobody's to have."""

    code = "taken"

    def __init__(self) -> None:
        super().__init__("This domain cannot be added: it, or one above or below it, is already in use.")


class NameUnproven(NameTaken):
    """Somebody else's site answers to the name, or to one above or below it. `verification` in the body is
    the TXT record with which a customer shows that it is his."""

    def __init__(self, name: str, proof: Proof, *, silent: bool) -> None:
        said = f"The name servers gave no answer about {proof.name}. " if silent else ""
        remedy = f"If it is yours: {proof.request[0].lower()}{proof.request[1:]}"
        sentence = f"{name}, or a name above or below it, is in use by another customer. {said}{remedy}"
        Conflict.__init__(self, sentence, fields={"domain": [sentence]}, verification=proof.body)


class NotDelegated(BadRequest):
    """The zone above does not refer to our name servers. `found`: those it refers to."""

    def __init__(self, name: str, found: Sequence[str], wanted: Sequence[str]) -> None:
        now = f"its name servers are {', '.join(found)}" if found else "no name servers are set for it"
        sentence = (
            f"The domain {name} does not lead here yet: {now}. "
            f"Please set {', '.join(wanted)} at your registrar, wait until that is published, and try again."
        )
        super().__init__(sentence, fields={"domain": [sentence]})


class TooManyLooks(ApiError):
    """Half of the threads wait for something outside already; the delegation cannot be asked for now."""

    http, code = 429, "rate_limited"

    def __init__(self) -> None:
        sentence = "Too many domains are being checked at the moment. Please try again."
        super().__init__(sentence, headers={"Retry-After": "5"})


class ZoneBusy(Conflict):
    """The zone is still being made, or already being deleted."""

    code = "busy"

    def __init__(self, what: str, running: Job | None = None) -> None:
        sentence = f"This zone is still being {what}. Please try again in a moment."
        super().__init__(sentence, headers=retry_after(running))


class DsAtParent(Conflict):
    """DNSSEC cannot be switched off: whoever knows the DS record would refuse the unsigned zone. `until`: it
    is gone above, and resolvers may know it until then."""

    def __init__(self, name: str, ds: Sequence[str], until: datetime | None = None) -> None:
        if until is None:
            sentence = (
                f"The zone above still holds a DS record for {name}: {ds[0]}. Please delete it at your "
                "registrar first, wait until that is published, and try again."
            )
        else:
            sentence = (
                f"The DS record of {name} is gone, but resolvers may know it until "
                f"{timezone.localtime(until):%Y-%m-%d %H:%M}. Please try again after that."
            )
        super().__init__(sentence, ds=list(ds))


class Protected(Conflict):
    """Name servers and SOA of the zone itself are the platform's."""

    code = "protected"

    def __init__(self) -> None:
        super().__init__("The name servers and the SOA of the domain itself are ours and cannot be changed.")


class RecordExists(Conflict):
    """The same record twice."""

    code = "exists"

    def __init__(self) -> None:
        super().__init__("This record exists already.")


class ChangesRefused(BadRequest):
    """Of several changes some cannot be made, so none is. `changes`: all of them, as they are shown."""

    def __init__(self, count: int, place: int | None, reason: str, changes: Sequence[Any]) -> None:
        where = f"line {place}: " if place else ""
        said = f"{count} of {len(changes)} changes" if count > 1 else "One change"
        super().__init__(
            f"{said} cannot be made, so nothing was changed. {where}{reason}", changes=list(changes)
        )


class NotKept(BadRequest):
    """ISPConfig stored something else than it was asked to; that was taken back."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"Our name servers' system would not keep this {what} as you wrote it, so nothing was changed. "
            "Please write it in another way, or ask us."
        )


class CnameConflict(Conflict):
    """A CNAME beside anything else on one name would stop the whole zone from being published."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The name {name.rstrip('.')} can have one CNAME and nothing else, or no CNAME.")


class ApexAlias(Conflict):
    """A CNAME for the domain itself, where its SOA and its name servers stand."""

    def __init__(self) -> None:
        super().__init__(
            "The domain itself cannot have a CNAME, because its name servers stand there. Use a record of "
            "type A instead: with PROXYSRV for our proxy, or with the address of the host that you mean."
        )


class NullMxConflict(Conflict):
    """An MX that says that there is no mail has to be the only one of its name (RFC 7505, section 3)."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The MX 0 . says that {name.rstrip('.')} takes no mail, so it can have no other MX beside it."
        )


class InDeeperZone(Conflict):
    """A zone below this one answers for the name, whoever owns it."""

    def __init__(self, name: str, zone: str) -> None:
        super().__init__(
            f"The name {_shown(name)} lies in the zone {_shown(zone)}, which stands by itself: a record here "
            "would never be answered."
        )


class Redirected(Conflict):
    """A DNAME above the name leads it elsewhere."""

    def __init__(self, dname: str) -> None:
        super().__init__(
            f"A DNAME record leads all names below {_shown(dname)} elsewhere: a record here would never be "
            "answered."
        )


class Delegated(Conflict):
    """NS records hand the name over to other servers."""

    def __init__(self, name: str, cut: str) -> None:
        super().__init__(
            f"The name {_shown(name)} is answered by the servers that the NS records of {_shown(cut)} name. "
            "Please add the record there, or delete those NS records first."
        )


class WouldHide(Conflict):
    """What is to be added would keep records from being answered that are there. `kind`: NS, DNAME or
    zone; `hidden`: type and name of each."""

    def __init__(self, kind: str, name: str, hidden: Sequence[str]) -> None:
        named = ", ".join(hidden[:MOST_NAMED])
        more = f" and {len(hidden) - MOST_NAMED} more" if len(hidden) > MOST_NAMED else ""
        what = "The zone" if kind == "zone" else f"A record of type {kind} for"
        super().__init__(
            f"{what} {_shown(name)} would keep records from being answered that are there: {named}{more}. "
            "Please delete them first."
        )


def _shown(name: str) -> str:
    return name.rstrip(".")


class QuotaExceeded(Conflict):
    """Enough zones, or enough records in a zone."""

    code = "quota_exceeded"

    def __init__(self, most: int, what: str) -> None:
        super().__init__(f"The limit is reached: {most} {what}.")
