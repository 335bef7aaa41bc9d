"""What staff have noted of a person goes with his last service. It is registered before the apps: these
forget who he was."""

from nodepoint import anonymity
from nodepoint.people.models import Note
from nodepoint.people.page import keys
from nodepoint.people.person import Person, parts, whole


def _erase(service_id: str) -> int:
    """How many notes went; none as long as something of his lives."""
    person = whole(Person.of(services=[service_id]))
    if any(thing.lives for *_, one in parts(person) for thing in one.things):
        return 0
    return Note.objects.filter(whose__in=keys(person)).delete()[1].get("people.Note", 0)


anonymity.register(anonymity.Holder(lambda service: "", lambda service: [], lambda service: [], _erase))
