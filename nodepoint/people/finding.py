"""What the search box knows of customers: by what staff have noted about them."""

from collections.abc import Iterable

from django.urls import reverse

from nodepoint.board import search
from nodepoint.people.models import Note


@search.searches("people.view_note")
def tagged(text: str, most: int) -> Iterable[search.Hit]:
    """Customers by a tag: `#vip`."""
    if not text.startswith("#"):
        return
    notes = Note.objects.filter(search.begins("tags__word", text[1:].lower()))
    for whose in dict.fromkeys(notes.values_list("whose", flat=True)[: most * 5]):
        url = reverse("admin:people_customer", args=[whose])
        yield search.Hit.of(whose.partition(":")[2], f"Customer, noted {text}", url, "person")
