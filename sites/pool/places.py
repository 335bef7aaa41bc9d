"""Which nodes can take what, by the last look at them: no order waits for a question."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from nodepoint.board import findings

NODES = "nodes"  # the reading that `sites.watch` leaves
RECENT = timedelta(minutes=10)  # an older one keeps nobody from trying
KEPT_FREE = 0.1  # of a storage that the pool leaves to orders


@dataclass(frozen=True)
class Places:
    """`seen`: nodes by name as they were read; empty where nobody has looked lately."""

    seen: dict[str, dict[str, Any]]

    def usable(self, node: str) -> bool:
        """Whether orders may go there: it is one of PROXMOX_NODES, and neither away nor in maintenance."""
        if node not in settings.PROXMOX_NODES:
            return False
        known = self.seen.get(node)
        return known is None or (known["online"] and not known.get("maintenance"))

    def has_room(self, node: str, more_gb: int) -> bool:
        """Whether a usable node's storage has that much left."""
        return self.usable(node) and self._left(node, 0.0) >= more_gb

    def has_room_for_pool(self, node: str, more_gb: int) -> bool:
        """Whether it has more left than is kept for orders."""
        return self.usable(node) and self._left(node, KEPT_FREE) >= more_gb

    def _left(self, node: str, kept: float) -> float:
        known = self.seen.get(node)
        if known is None or not known["disk_total"]:
            return float("inf")
        return known["disk_total"] * (1 - kept) - known["disk_used"]


def known() -> Places:
    """As of the last look. One query."""
    reading = findings.last(NODES)
    if reading is None or reading.taken_at < timezone.now() - RECENT:
        return Places({})
    return Places({node["name"]: node for node in reading.data["nodes"]})
