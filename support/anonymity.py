"""What is personal in the row of a support key: names and address. The key stays, and what happened to it."""

from collections.abc import Iterable

from nodepoint import anonymity
from support import search
from support.models import HistoryEntry, SearchTerm, SupportKey


def register() -> None:
    """Have support keys asked when a service is anonymised."""
    anonymity.register(anonymity.Holder(living, subjects, names, erase))


def living(service_id: str) -> str:
    """Why the service has not ended."""
    row = SupportKey.objects.filter(service_id=service_id).exclude(status=SupportKey.Status.INACTIVE).first()
    return f"The support key of service {service_id} is {row.status}: terminate it first." if row else ""


def subjects(service_id: str) -> list[str]:
    """Of its acts."""
    keys = SupportKey.objects.filter(service_id=service_id).values_list("pk", flat=True)
    return [f"support.supportkey:{pk}" for pk in keys]


def names(service_id: str) -> Iterable[str]:
    """What the row calls the person."""
    for row in SupportKey.objects.filter(service_id=service_id):
        yield from (row.email, row.email.partition("@")[0], row.name, row.firstname, row.lastname)


def erase(service_id: str) -> int:
    """Take it out of the row and of what it is found by; how many rows."""
    row = SupportKey.objects.filter(service_id=service_id).first()
    if row is None:
        return 0
    row.email, row.firstname, row.lastname = anonymity.NOBODY, anonymity.ERASED, ""
    row.save(update_fields=["email", "firstname", "lastname"])
    SearchTerm.objects.filter(support_key=row).delete()
    search.index(row)
    HistoryEntry.erase_reasons(row)
    return 1
