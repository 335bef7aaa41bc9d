"""How many more sites there is room for, and for how long that lasts at the present rate."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from nodepoint.board import findings
from nodepoint.board.models import Reading
from sites.allocation import addresses_left
from sites.models import Plan, Site
from sites.placement.choice import NodeReading
from sites.placement.reading import NODES, RECENT, Known, Looked

WEEKS = timedelta(days=28)  # that are looked back at for the rate
FEWEST = timedelta(days=7)  # by which a younger platform's growth is divided
MOST = 1_000_000


@dataclass(frozen=True)
class Room:
    """Sites of the smallest plan that fit: by memory, by disk and by addresses, each as if it alone counted.
    `nodes`: by node, memory and disk together. `rate`: orders less deletions a day."""

    plan: str
    memory: int
    disk: int
    addresses: int
    nodes: dict[str, int]
    rate: float

    @property
    def sites(self) -> int:
        """How many fit."""
        return min(sum(self.nodes.values()), self.disk, self.addresses)

    @property
    def days(self) -> float | None:
        """For how many days that lasts; None: the platform does not grow."""
        return self.sites / self.rate if self.rate > 0 else None

    @property
    def bound(self) -> str:
        """What runs out first."""
        bounds = {"memory": self.memory, "disk": self.disk, "addresses": self.addresses}
        return min(bounds, key=lambda name: bounds[name])

    @property
    def sentence(self) -> str:
        """`Room for 12 more basic (by memory; disk would allow 240, addresses 100); at this rate for 9
        days.`"""
        others = {"memory": self.memory, "disk": self.disk, "addresses": self.addresses}
        others.pop(self.bound)
        known = [f"{name} would allow {number:,}" for name, number in others.items() if number < MOST]
        allow = "; " + ", ".join(known) if known else ""
        last = f"; at this rate for {_days(self.days)}" if self.days is not None else ""
        return f"Room for {self.sites:,} more {self.plan} (by {self.bound}{allow}){last}."


def _days(days: float) -> str:
    whole = int(days)
    if whole > 730:
        return "more than two years"
    return "less than a day" if whole < 1 else f"{whole} day{'s' if whole > 1 else ''}"


def reckon(looked: Looked, now: datetime) -> Room | None:
    """By a look at the nodes and the rows of now; None without a plan. Fifteen queries at most, however many
    sites."""
    plan = Plan.objects.order_by("memory_mb", "name").first()
    if plan is None:
        return None
    usable = [node for node in Known(looked).nodes() if not node.unusable]
    shared = any(looked.get(node.name, {}).get("shared") for node in usable)
    disks = [_fits(node.disk.left if node.disk else None, plan.disk_gb) for node in usable]
    memory = {node.name: _fits(_memory(node), plan.memory_mb) for node in usable}
    both = {
        node.name: memory[node.name] if shared else min(memory[node.name], disk)
        for node, disk in zip(usable, disks, strict=True)
    }
    return Room(
        plan=plan.name,
        memory=min(MOST, sum(memory.values())),
        disk=min(MOST, max(disks, default=0) if shared else sum(disks)),
        addresses=addresses_left(),
        nodes=both,
        rate=rate(now),
    )


def _memory(node: NodeReading) -> float | None:
    return node.left if node.memory else None


def _fits(left: float | None, size: int) -> int:
    """How many of that size; as many as one likes where nobody knows what is left."""
    return MOST if left is None else max(0, min(MOST, int(left // size)))


def rate(now: datetime) -> float:
    """Orders less deletions a day, of the last four weeks or of as long as there were orders. Three
    queries."""
    since = now - WEEKS
    lasting = (Site.State.PROVISIONING, Site.State.LIVE, Site.State.DELETED)
    ordered = Site.objects.filter(state__in=lasting, created_at__gte=since).count()
    deleted = Site.objects.filter(state=Site.State.DELETED, ended_at__gte=since).count()
    first = Site.objects.aggregate(first=Min("created_at"))["first"] or now
    return (ordered - deleted) / (max(FEWEST, min(WEEKS, now - first)) / timedelta(days=1))


def last(now: datetime) -> Room | None:
    """As reckoned last; None where that is too long ago. One query."""
    reading = findings.last(NODES)
    return of(reading) if reading and reading.taken_at > now - RECENT else None


def of(reading: Reading) -> Room | None:
    """What a look at the nodes has reckoned."""
    return Room(**reading.data["room"]) if reading.data.get("room") else None
