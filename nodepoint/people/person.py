"""Who a customer is, and what the apps know of him. The billing portal's user id tells people apart; where a
service was ordered without one, its e-mail address does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from django.urls import reverse

USER, EMAIL = "user", "email"
ROUNDS = 3  # of asking the apps: a key leads to its service, the service to the user, the user to his zones
MOST = 50  # things of one kind on the page


@dataclass(frozen=True)
class Person:
    """All that one customer goes by."""

    user_ids: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()  # in lower case
    services: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, user_ids: Iterable[str] = (), emails: Iterable[str] = (), services: Iterable[str] = ()
    ) -> Self:
        """Empty names say nothing, and are left out."""
        lower = (email.lower() for email in emails)
        return cls(*(frozenset(filter(None, names)) for names in (user_ids, lower, services)))

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """By the key of his page; None where it is none."""
        kind, _, name = key.partition(":")
        if not name:
            return None
        return {USER: cls.of(user_ids=[name]), EMAIL: cls.of(emails=[name])}.get(kind)

    def with_(self, other: "Person") -> "Person":
        """Both as one."""
        return replace(
            self,
            user_ids=self.user_ids | other.user_ids,
            emails=self.emails | other.emails,
            services=self.services | other.services,
        )


def key_of(user_id: str, email: str) -> str:
    """The key of a customer: what his page's address and the notes about him name."""
    return f"{USER}:{user_id}" if user_id else f"{EMAIL}:{email.lower()}"


def url_of(user_id: str, email: str) -> str:
    """The address of his page."""
    return reverse("admin:people_customer", args=[key_of(user_id, email)])


@dataclass(frozen=True)
class Thing:
    """Something that he has, or had. `lives`: it has not ended. `colour`: of its state, as labels have
    them."""

    name: str
    url: str
    about: str
    state: str
    colour: str = "default"
    lives: bool = True


@dataclass(frozen=True)
class Part:
    """What he has of one kind, the newest first, MOST at most; `subjects`: those of its jobs and acts."""

    things: list[Thing] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)


Widening = Callable[[Person], Person]
Parts = Callable[[Person], Part]
_widenings: list[Widening] = []
_parts: list[tuple[str, str, Parts]] = []


def widens(function: Widening) -> Widening:
    """Decorator: of a person of whom some names are known, the function gives what the app's rows add."""
    _widenings.append(function)
    return function


def part(title: str, permission: str) -> Callable[[Parts], Parts]:
    """Decorator: the function gives what a person has of one kind, for whoever has the permission."""

    def keep(function: Parts) -> Parts:
        _parts.append((title, permission, function))
        return function

    return keep


def whole(person: Person) -> Person:
    """With all that the apps know him by. A user id leads to addresses and services; an address leads to a
    user only where no user is known yet, since several may be reached at one."""
    for _ in range(ROUNDS):
        before = person
        for widen in _widenings:
            person = person.with_(widen(person))
        if person == before:
            break
    return person


def parts(person: Person) -> list[tuple[str, str, Part]]:
    """Title, permission and content of each part."""
    return [(title, permission, function(person)) for title, permission, function in _parts]
