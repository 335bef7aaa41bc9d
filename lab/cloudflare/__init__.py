"""Cloudflare's API v4 for one zone; what it holds is answered by the lab's public DNS."""

from typing import TYPE_CHECKING, Any

from lab.cloudflare.state import Zone
from lab.cloudflare.wire import BASE, CloudflareWire
from lab.server import serve

if TYPE_CHECKING:
    from lab import Lab

ZONE = "nodepoint.eu"


class CloudflareSystem:
    """The API server and its zone. ``rate_limit.quota`` and ``state.record_quota`` may be changed."""

    def __init__(self, lab: "Lab") -> None:
        with lab.lock:
            self.state = Zone(lab, ZONE)
        wire = CloudflareWire(lab, self.state)
        self.rate_limit = wire.rate_limit
        self._server = serve("cloudflare", wire, lab)
        self.settings: dict[str, str] = {
            "BASE_DOMAIN": ZONE,
            "CLOUDFLARE_API_URL": self._server.url + BASE,
            "CLOUDFLARE_API_TOKEN": self.state.token,
            "CLOUDFLARE_ZONE_ID": self.state.id,
        }

    def state_view(self) -> dict[str, list[dict[str, Any]]]:
        """Rows as the API gives them."""
        return {"records": self.state.records()}

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()


def start(lab: "Lab") -> CloudflareSystem:
    """Start Cloudflare with an empty zone."""
    return CloudflareSystem(lab)
