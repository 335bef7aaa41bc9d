"""What the board says of the nodes and of the room that is left."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.board.registry import Group, Level, Picture, Series, Trouble, picture, source
from sites.placement import forecast
from sites.placement.reading import NODES, RECENT

VIEW, SITES = "sites.view_clusternode", "sites.view_site"
FEWEST_SITES, FEWEST_DAYS = 3, 7


@source(VIEW, 50)
def room() -> Iterator[Group]:
    """Few more sites fit, or not for long; nodes of PROXMOX_NODES that are gone. One query."""
    reading = findings.last(NODES)
    if reading is None or reading.taken_at < timezone.now() - RECENT:
        return
    url, left = reverse("admin:sites_clusternode_changelist"), forecast.of(reading)
    if left and (left.sites < FEWEST_SITES or (left.days is not None and left.days <= FEWEST_DAYS)):
        title = "Room for few more sites" if left.sites else "No room for another site: orders wait"
        detail = f"{left.sentence} Add a node or memory, raise a limit, or open a node that takes none."
        level = Level.WAITING if left.sites else Level.FAILING
        yield Group("Room", level, [Trouble(title, detail, url)], 1)
    there = {node["name"] for node in reading.data["nodes"]}
    detail = "Take it out of PROXMOX_NODES, or bring it back; its sites are down."
    shown = [
        Trouble(f"{name} is not in the cluster", detail, url)
        for name in settings.PROXMOX_NODES
        if name not in there
    ]
    if shown:
        yield Group("Nodes that are gone", Level.WAITING, shown, len(shown))


@picture(SITES)
def capacity() -> Picture:
    """Memory, disk and cores of each node: in use, promised to guests, and there. As last read. One query."""
    reading = findings.last(NODES)
    nodes = reading.data["nodes"] if reading else []
    rows = [row for node in nodes for row in _of_node(node)]
    shown = [row for row in rows if row[4]]
    room_left = forecast.of(reading) if reading else None
    read = f"Read {reading.taken_at:%Y-%m-%d %H:%M} UTC." if reading else ""
    return Picture(
        "Capacity of the nodes",
        labels=[f"{node} {what}" for node, what, *_ in shown],
        series=[
            Series("in use (% of all)", [_share(used, total) for _, _, used, _, total in shown], colour=0),
            Series("promised (% of all)", [_share(held, total) for _, _, _, held, total in shown], colour=2),
        ],
        unit="%",
        scale=100,
        horizontal=True,
        note=" ".join(filter(None, [room_left.sentence if room_left else "", read])),
        headers=("node", "what", "in use", "promised", "there", "free"),
        rows=[
            (node, what, f"{used:g}", f"{held:g}", f"{total:g}", f"{max(0, round(total - used, 1)):g}")
            for node, what, used, held, total in rows
        ],
        url=reverse("admin:sites_clusternode_changelist"),
        empty="The nodes have not been read yet.",
    )


def _of_node(node: dict) -> list[tuple[str, str, float, float, float]]:
    name = node["name"] if node["online"] else f"{node['name']} (offline)"
    parts = (("memory (GB)", "memory"), ("disk (GB)", "disk"), ("cores", "cores"))
    return [(name, what, *(node[f"{key}_{of}"] for of in ("used", "held", "total"))) for what, key in parts]


def _share(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
