"""Nginx Proxy Manager 2.15.1: its API, and the proxy whose sites it configures."""

from typing import TYPE_CHECKING, Any

from lab.npm.front import FrontWire, front_tls
from lab.npm.state import Npm
from lab.npm.wire import NpmWire
from lab.server import serve

if TYPE_CHECKING:
    from lab import Lab

EMAIL = "nodepoint@nodepoint.eu"
PROXY_IP = "203.0.113.10"
PROXY_LAN_IP = "192.168.1.5"
WILDCARD = ["*.nodepoint.eu", "nodepoint.eu"]
WILDCARD_DAYS = 365


class NpmSystem:
    """The API server and the two ports of the proxy."""

    def __init__(self, lab: "Lab") -> None:
        self.state = Npm(lab, EMAIL, PROXY_IP)
        with lab.lock:
            certificate = self.state.shared_certificate(WILDCARD, WILDCARD_DAYS)
        nginx = self.state.nginx
        self._api = serve("npm", NpmWire(self.state), lab)
        self._http = serve("front", FrontWire(lab, nginx, "http"), lab, name="front-http")
        tls = front_tls(lab, nginx)
        self._https = serve("front", FrontWire(lab, nginx, "https"), lab, tls=tls, name="front-https")
        self.http_port = self._http.port
        self.https_port = self._https.port
        self.settings: dict[str, str] = {
            "NPM_URL": self._api.url,
            "NPM_EMAIL": EMAIL,
            "NPM_PASSWORD": self.state.accounts.password,
            "NPM_CERTIFICATE": str(certificate),
            "LETSENCRYPT_EMAIL": EMAIL,
            "PROXY_IP": PROXY_IP,
            "PROXY_LAN_IPS": PROXY_LAN_IP,
            "PROXY_CHECK_ADDRESS": f"{lab.address}:{self._https.port}",
            "PROXY_CHECK_HTTP_ADDRESS": f"{lab.address}:{self._http.port}",
        }

    def state_view(self) -> dict[str, Any]:
        """Rows as the API gives them."""
        return {"proxy_hosts": self.state.find(), "certificates": self.state.list_certificates("", ())}

    def stop(self) -> None:
        """Stop listening on all three ports."""
        for server in (self._api, self._http, self._https):
            server.stop()


def start(lab: "Lab") -> NpmSystem:
    """Start NPM with one finished wildcard certificate for the platform's zone."""
    return NpmSystem(lab)
