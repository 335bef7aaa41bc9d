"""The proxy's data side: the HTTP and HTTPS ports on which NPM's nginx serves the sites.

As NPM's own nginx.conf and templates behave on nginx 1.22 (docs/lab.md, "Sources: Nginx Proxy Manager").
"""

import ssl
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from lab.npm.nginx import Config, Nginx
from lab.server import Request, Response, Wire

if TYPE_CHECKING:
    from lab import Lab

_PAGE = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n"
    "<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n"
)
_CONGRATULATIONS = (
    b"<!DOCTYPE html>\n<html>\n<head><title>Default Site</title></head>\n<body>\n<h1>Congratulations!</h1>\n"
    b"<p>You've successfully started the Nginx Proxy Manager.</p>\n</body>\n</html>\n"
)


def front_tls(lab: "Lab", nginx: Nginx) -> ssl.SSLContext:
    """Port 443: the name in the ClientHello chooses the server, and so the certificate.

    No name, an unknown one, or one whose host is off or has no certificate falls to the default server, which
    ends the handshake with the alert ``unrecognized_name`` (default.conf: ssl_reject_handshake on).
    """

    def choose(connection: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
        with lab.lock:
            config = nginx.route(name or "", tls=True)
            if config is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = lab.keys.site_tls(tuple(config["certificate_names"]))
        return None

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = choose
    return context


class FrontWire(Wire):
    """Routes by Host header to the container that a proxy host names."""

    def __init__(self, lab: "Lab", nginx: Nginx, scheme: str) -> None:
        self._lab, self._nginx, self._scheme = lab, nginx, scheme

    def duration(self, request: Request) -> str:
        return "none"

    def answer(self, request: Request) -> Response:
        host = (request.headers.get("Host") or "").rpartition("@")[2].partition(":")[0]
        with self._lab.lock:
            config = self._nginx.route(host, tls=self._scheme == "https")
        if config is None:
            return self._default_site()
        if config.get("challenge"):
            return _page(404, "404 Not Found")
        if config["ssl_forced"] and self._scheme == "http":
            location = {"Location": f"https://{host}{_target(request)}"}
            return _page(301, "301 Moved Permanently", location)
        return self._forward(config, host, request)

    def _default_site(self) -> Response:
        if self._scheme == "https":
            # Another Host header than the name of the handshake; default.conf: return 444.
            raise ConnectionAbortedError
        return Response(200, _CONGRATULATIONS, content_type="text/html")

    def _forward(self, config: Config, host: str, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers |= {
            "x-forwarded-proto": self._scheme,
            "x-forwarded-scheme": self._scheme,
            "x-forwarded-for": "127.0.0.1",
            "x-real-ip": "127.0.0.1",
        }
        upstream = None
        if config["forward_scheme"] == "http" and config["forward_port"] == 80:
            # The containers listen on nothing but plain port 80.
            more = {
                "method": request.method,
                "query": urlencode(request.query, doseq=True),
                "body": request.body,
            }
            upstream = self._lab.world.site_answer(
                config["forward_host"], host, request.path, headers, **more
            )
        if upstream is None or _head_size(upstream) > config["head"]:
            # error.log: upstream sent too big header while reading response header from upstream
            return _away(config) or _page(502, "502 Bad Gateway")
        return upstream


def _away(config: Config) -> Response | None:
    """The host's own page (error_page; ngx_http_special_response.c), by what was loaded with its file."""
    if not (page := config.get("away")):
        return None
    headers = dict(page["headers"])
    kind = headers.pop("Content-Type", "text/plain")
    return Response(page["status"], page["body"].encode(), headers=headers, content_type=kind)


def _head_size(answer: Response) -> int:
    """Bytes of status line and headers as the upstream sends them, all in proxy_buffer_size."""
    lines = [f"HTTP/1.1 {answer.status} OK", *(f"{name}: {value}" for name, value in answer.headers.items())]
    return sum(len(line.encode()) + 2 for line in lines) + 2


def _target(request: Request) -> str:
    query = urlencode(request.query, doseq=True)
    return quote(request.path) + (f"?{query}" if query else "")


def _page(status: int, title: str, headers: dict[str, str] | None = None) -> Response:
    return Response(status, _PAGE.format(title).encode(), headers=headers or {}, content_type="text/html")
