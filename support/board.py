"""What the search box knows of support keys."""

from collections.abc import Iterable

from django.urls import reverse

from nodepoint.audit import words
from nodepoint.board import search
from support import keys
from support import search as terms
from support.models import SupportKey

words.name(
    {
        "support.create": "Make a support key",
        "support.suspend": "Suspend a support key",
        "support.unsuspend": "Unsuspend a support key",
        "support.terminate": "End a support key",
        "support.owner": "Change whose a support key is",
        "support.rotate": "Replace a support key by a new one",
    }
)


@search.searches("support.view_supportkey")
def support_keys(text: str, most: int) -> Iterable[search.Hit]:
    """Support keys by the key, the service, and the customer's e-mail and name."""
    found, _ = terms.matching(text)
    for row in SupportKey.objects.filter(pk__in=found[:most]):
        about = f"Support key of {row.service_id}, {row.name}, {row.get_status_display()}"
        url = reverse("admin:support_supportkey_change", args=[row.pk])
        yield search.Hit.of(row.support_key, about, url, "key", row.service_id, row.email, row.name)


@search.finds_services
def services(text: str) -> Iterable[str]:
    """The service of a key that was typed whole."""
    if key := keys.complete(text):
        yield from SupportKey.objects.filter(support_key=key).values_list("service_id", flat=True)
