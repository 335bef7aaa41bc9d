"""A TLS front as nginx is one: a name that no proxy host has gets no handshake at all (NPM's default server
says `ssl_reject_handshake on`). What it lets in leads to the containers, as far as their firewall does."""

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.independent.pve import tls
from tests.independent.pve.cluster import Cluster

ADDRESS = "192.168.1.5"  # of the proxy, as the containers see it


class Front:
    """`hosts` gives {host name: address of the container} of what is switched on. `names`: those that were
    asked for in the handshake; `refused`: how many handshakes were not made."""

    def __init__(self, hosts: Callable[[], dict[str, str]], cluster: Callable[[], Cluster]) -> None:
        self.hosts, self._cluster = hosts, cluster
        self.names: list[str | None] = []
        self.refused = 0
        context = tls.server_context()
        context.sni_callback = self._choose
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # handshakes that were refused end in one
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.address = f"127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._http.shutdown()
        self._http.server_close()

    def _choose(self, connection: ssl.SSLSocket, name: str | None, context: ssl.SSLContext) -> int | None:
        self.names.append(name)
        if name in self.hosts():
            return None
        self.refused += 1
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def page(self, host: str) -> tuple[int, dict[str, str], str]:
        """The container's answer to a visitor, or nginx's own."""
        address = self.hosts().get(host)
        guest = next((g for g in self._cluster().guests.values() if address and g.address == address), None)
        if guest is None or not guest.running or not guest.firewall.lets("in", ADDRESS):
            return 502, {}, "<html><title>502 Bad Gateway</title></html>"
        head, _, body = guest.inside.page(host).partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 5

        def do_GET(self) -> None:
            status, headers, body = front.page(self.headers.get("Host", "").partition(":")[0])
            content = body.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is kept."""

    return Handler
