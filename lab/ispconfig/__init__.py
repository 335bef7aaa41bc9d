"""ISPConfig 3.2.12: its remote JSON API with clients, zones and records; active zones are public DNS."""

from typing import TYPE_CHECKING, Any

from lab.ispconfig.serverpart import Served
from lab.ispconfig.sessions import USERNAME, Sessions
from lab.ispconfig.state import Panel
from lab.ispconfig.wire import IspconfigWire
from lab.ispconfig.zonefile import render
from lab.server import serve

if TYPE_CHECKING:
    from lab import Lab

HIDDEN = ("password", "id_rsa", "ssh_rsa")


class IspconfigSystem:
    """The panel. ``sessions`` has what tests turn: ``denied`` functions, ``maintenance``, ``expire()``."""

    def __init__(self, lab: "Lab") -> None:
        with lab.lock:
            self.panel = Panel(lab)
            self.sessions = Sessions(lab)
        self.wire = IspconfigWire(lab, self.panel, self.sessions)
        self._server = serve("ispconfig", self.wire, lab, tls=lab.keys.tls)
        self.served = Served(self.panel.server)
        lab.dns.names.sources.append(self.served)
        self.settings: dict[str, str] = {
            "ISPCONFIG_URL": self._server.url,
            "ISPCONFIG_USER": USERNAME,
            "ISPCONFIG_PASSWORD": self.sessions.password,
            "ISPCONFIG_SERVER_ID": "1",
            "ISPCONFIG_VERIFY_TLS": str(lab.keys.ca_file),
            "NAMESERVERS": "ns1.nodepoint.eu,ns2.nodepoint.eu",
            "DNS_HOSTMASTER": "hostmaster@nodepoint.eu",
        }

    def state_view(self) -> dict[str, list[dict[str, Any]]]:
        """Clients without their secrets, and zones with all their records."""
        by_zone: dict[str, list[dict[str, Any]]] = {}
        for row in self.panel.records.rows():
            by_zone.setdefault(row["zone"], []).append(dict(row))
        return {
            "clients": [
                {name: value for name, value in row.items() if name not in HIDDEN}
                for row in self.panel.clients.rows()
            ],
            "zones": [{**row, "records": by_zone.get(row["id"], [])} for row in self.panel.zones.rows()],
        }

    def zone_file(self, origin: str) -> bytes:
        """The file that the name server gets for the zone of that name (with the last dot).

        Called with the lab's lock held. Raises LookupError when there is none.
        """
        zone = next((row for row in self.panel.zones.rows() if row["origin"] == origin), None)
        if zone is None:
            raise LookupError(origin)
        return render(zone, self.panel.records.where(zone=zone["id"]))

    def stop(self) -> None:
        """Stop listening."""
        self._server.stop()


def start(lab: "Lab") -> IspconfigSystem:
    """Start an empty panel. The lab's name server has to run already."""
    return IspconfigSystem(lab)
