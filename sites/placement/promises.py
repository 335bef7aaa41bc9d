"""What rows of ours promise on each node: the containers that stand there at their full size, and those on
their way, which no list of the cluster shows yet."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Sum

from nodepoint.prepared import prepared
from sites.models import Placement, Plan, Site, Spare, Template

TEMPLATE_MB, TEMPLATE_GB = 2048, 8  # of the container that a template is built in
MODELS = {model._meta.label_lower: model for model in (Site, Spare, Template)}


@dataclass
class Promise:
    """MB and GB on one node; `at_work`: how many of them are orders that are being carried out; `sites`: how
    many are sites."""

    memory: int = 0
    disk: int = 0
    at_work: int = 0
    sites: int = 0

    def add(self, memory: int, disk: int) -> None:
        """One more, or some more."""
        self.memory += memory
        self.disk += disk


def reserved() -> list[Placement]:
    """The places of containers on their way. One query."""
    return list(prepared(Placement).filter(open=True).order_by("pk").all())


def of_ours(places: Iterable[Placement]) -> dict[str, Promise]:
    """By node. `places`: of the containers on their way that count. Five queries, however many sites; one
    more for each kind of container that is on its way."""
    found: dict[str, Promise] = defaultdict(Promise)
    plans = {pk: size for pk, *size in Plan.objects.order_by().values_list("pk", "memory_mb", "disk_gb")}
    standing = Site.objects.filter(node__gt="").order_by().values_list("node", "plan")
    for node, plan, number in standing.annotate(Count("pk")):
        memory, disk = plans[plan]
        found[node].add(memory * number, disk * number)
        found[node].sites += number
    ordered = Site.objects.filter(state=Site.State.PROVISIONING, node__gt="").order_by().values_list("node")
    for node, number in ordered.annotate(Count("pk")):
        found[node].at_work += number
    spares = Spare.objects.filter(state__in=Spare.STANDING, node__gt="").order_by().values_list("node")
    for node, memory, disk in spares.annotate(Sum("memory_mb"), Sum("disk_gb")):
        found[node].add(memory, disk)
    for node, number in (
        Template.objects.filter(node__gt="").order_by().values_list("node").annotate(Count("pk"))
    ):
        found[node].add(TEMPLATE_MB * number, TEMPLATE_GB * number)
    for row in _on_their_way(places):
        found[row.node].add(row.memory_mb, row.disk_gb)
        found[row.node].at_work += 1
    return dict(found)


def _on_their_way(places: Iterable[Placement]) -> list[Placement]:
    """Those whose row does not name the node yet: the others are counted with what stands."""
    rows = list(places)
    by_model: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        label, _, pk = row.subject.partition(":")
        by_model[label].append(int(pk))
    there = {
        f"{label}:{pk}": node
        for label, keys in by_model.items()
        for pk, node in MODELS[label].objects.filter(pk__in=keys).order_by().values_list("pk", "node")
    }
    return [row for row in rows if row.subject in there and there[row.subject] != row.node]
