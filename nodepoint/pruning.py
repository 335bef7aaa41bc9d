"""What is not kept for ever: each app says of which rows, and how long (docs/running.md lists all).

The daily tasks of the apps carry it out, each for its own; `manage.py prune` does all of it at once.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

BATCH = 500  # rows that go in one transaction: nobody waits long for a lock


@dataclass(frozen=True)
class Rule:
    """`what`: rows in words, unique. `days`: how long they are kept. `old`: those that are older than a
    moment; what `erase` has done its work on is not among them any more."""

    what: str
    days: float
    old: Callable[[datetime], QuerySet]
    erase: Callable[[QuerySet], object] = QuerySet.delete

    def found(self, now: datetime | None = None) -> QuerySet:
        """The rows that are to go."""
        return self.old((now or timezone.now()) - timedelta(days=self.days))

    def carry_out(self, now: datetime | None = None) -> int:
        """Have them go, in batches; how many there were."""
        rows, gone = self.found(now), 0
        while keys := list(rows.order_by().values_list("pk", flat=True)[:BATCH]):
            self.erase(rows.model._base_manager.filter(pk__in=keys))
            gone += len(keys)
        return gone


_rules: list[Rule] = []


def register(*rules: Rule) -> tuple[Rule, ...]:
    """Have these carried out by `manage.py prune` too."""
    _rules.extend(rules)
    return rules


def rules() -> list[Rule]:
    """All of them, in the order of their words."""
    return sorted(_rules, key=lambda rule: rule.what)


def carry_out(chosen: Iterable[Rule]) -> dict[str, int]:
    """Carry out these; how many rows went, by what they were."""
    return {rule.what: rule.carry_out() for rule in chosen}
