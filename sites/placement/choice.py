"""Which node gets a container: one function of what is known, so that the same knowledge always leads to the
same node."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

GB = 1024  # MB
BUSY = 0.8  # share of the cores in use from which on a node is the worse choice
STEPS = 20  # nodes whose memory differs by less than a twentieth are alike


@dataclass(frozen=True)
class Disk:
    """The storage of the sites as a node sees it, in GB. `promised`: what the disks of our containers on it
    may become; `limit`: how much of that there may be."""

    total: float
    used: float
    promised: float
    limit: float
    active: bool = True

    @property
    def left(self) -> float:
        """GB that may be promised still, and are there."""
        return min(self.limit - max(self.used, self.promised), self.total - self.used)


@dataclass(frozen=True)
class NodeReading:
    """A node of PROXMOX_NODES as it is known; memory in MB. `memory` 0: Proxmox VE did not tell it.

    `promised`: what all its guests may take at most, and what is on its way there; `limit`: how much of that
    there may be. `load`: share of its cores in use. `at_work`: orders of ours that are being carried out
    there. `kin`: containers of the same customer there, or other ready containers. `closed`, `maintenance`:
    None, or what staff have noted when they closed it for new sites, or put it into maintenance. `disk` None:
    not known."""

    name: str
    in_cluster: bool = True
    online: bool = True
    ha_maintenance: bool = False
    maintenance: str | None = None
    closed: str | None = None
    memory: int = 0
    used: int = 0
    promised: int = 0
    limit: int = 0
    disk: Disk | None = None
    load: float = 0.0
    at_work: int = 0
    kin: int = 0

    @property
    def left(self) -> float:
        """MB of memory that may be promised still, and that nothing uses."""
        return min(self.limit - self.promised, self.memory - self.used) if self.memory else float("inf")

    @property
    def unusable(self) -> str:
        """Why nothing new may go there, whatever its size; empty: it may."""
        if not self.in_cluster:
            return "is not in the cluster"
        if not self.online:
            return "is offline"
        if self.ha_maintenance:
            return "is in the HA manager's maintenance mode"
        if self.maintenance is not None:
            return _noted("is in maintenance", self.maintenance)
        if self.closed is not None:
            return _noted("takes no new sites", self.closed)
        return ""


@dataclass(frozen=True)
class Wish:
    """What is to be placed: MB and GB. `kept`: the share of each node that it leaves to others. `without`:
    nodes that are out of the question, each with the reason. `kin`: what is to be spread."""

    memory: int
    disk: int
    kept: float = 0.0
    without: tuple[tuple[str, str], ...] = ()
    kin: str = "sites of this customer"


@dataclass(frozen=True)
class Choice:
    """The node (empty: none fits), why it and no other, and why not each of those that were refused."""

    node: str
    why: str
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def sentence(self) -> str:
        """`node2: most memory left; node1 is offline.`"""
        others = [f"{name} {reason}" for name, reason in self.refused]
        first = f"{self.node}: {self.why}" if self.node else self.why
        return "; ".join([first, *others]) + "."


def choose(nodes: Iterable[NodeReading], wish: Wish, home: str = "", prefer: str = "") -> Choice:
    """The best of the nodes that can take what is wished. `home`: goes before all others as long as it can;
    `prefer`: even before that, what is reserved already."""
    nodes = list(nodes)
    refused = tuple((node.name, reason) for node in nodes if (reason := refusal(node, wish)))
    names = {name for name, _ in refused}
    fit = sorted((node for node in nodes if node.name not in names), key=_rank(wish, home, prefer))
    if not fit:
        return Choice("", "no node can take it" if nodes else "PROXMOX_NODES names no node", refused)
    return Choice(fit[0].name, _why(fit, wish, home, prefer), refused)


def refusal(node: NodeReading, wish: Wish) -> str:
    """Why a node cannot take it; empty: it can."""
    if reason := dict(wish.without).get(node.name) or node.unusable:
        return reason
    if node.memory and node.left - wish.kept * node.limit < wish.memory:
        return _short_of_memory(node)
    if node.disk and not node.disk.active:
        return "has no storage for sites that is active"
    if node.disk and node.disk.total and node.disk.left - wish.kept * node.disk.total < wish.disk:
        return _short_of_disk(node.disk)
    return ""


def _short_of_memory(node: NodeReading) -> str:
    if node.limit - node.promised <= node.memory - node.used:
        return f"is at its limit of memory ({_gb(node.promised)} of {_gb(node.limit)} GB promised)"
    return f"has no more than {_gb(node.memory - node.used)} GB of memory free"


def _short_of_disk(disk: Disk) -> str:
    if disk.limit - max(disk.used, disk.promised) <= disk.total - disk.used:
        return f"is at its limit of disk ({max(disk.used, disk.promised):g} of {disk.limit:g} GB promised)"
    return f"has no more than {round(disk.total - disk.used, 1):g} GB of disk free"


def _gb(memory: int) -> str:
    return f"{round(memory / GB, 1):g}"


def _noted(what: str, note: str) -> str:
    return f"{what} ({note})" if note else what


Criterion = tuple[str, Callable[[NodeReading], object]]


def _criteria(wish: Wish, home: str, prefer: str) -> list[Criterion]:
    """What decides, the most important first; of each the lowest wins."""
    return [
        ("reserved already", lambda node: node.name != prefer),
        ("the home node", lambda node: node.name != home),
        (f"fewest {wish.kin}", lambda node: node.kin),
        ("cores to spare", lambda node: node.load >= BUSY),
        ("most memory left", lambda node: -int(STEPS * node.left / node.limit) if node.memory else 0),
        ("fewest orders at work", lambda node: node.at_work),
        ("lowest load", lambda node: round(node.load, 1)),
        ("most memory left", lambda node: -node.left),
        ("first by name", lambda node: node.name),
    ]


def _rank(wish: Wish, home: str, prefer: str) -> Callable[[NodeReading], tuple]:
    criteria = _criteria(wish, home, prefer)
    return lambda node: tuple(measure(node) for _, measure in criteria)


def _why(fit: list[NodeReading], wish: Wish, home: str, prefer: str) -> str:
    """By which of them the first goes before the second."""
    if len(fit) == 1:
        return "the only one that can take it"
    first, second = fit[:2]
    criteria = _criteria(wish, home, prefer)
    return next(name for name, measure in criteria if measure(first) != measure(second))
