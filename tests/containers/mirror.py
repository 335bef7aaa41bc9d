"""What the containers reach outside: packages, in the way of the machine's own apt, and prepared files."""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from dnslib import RCODE, DNSRecord
from dnslib.server import BaseResolver

ASKED = ("If-Modified-Since", "If-None-Match", "Range", "Cache-Control")
ANSWERED = ("Content-Type", "Content-Length", "Last-Modified", "ETag", "Content-Range")
SECONDS = 60.0
TUNNELLED = ":443"  # Python's packages are fetched by TLS, wherever pip is told to


class Mirror(ThreadingHTTPServer):
    """An HTTP proxy for apt that keeps packages in `cache`, and a server of what lies in `files`.

    Make it where its clients' network is, for the listening socket's sake, but `start` it elsewhere: threads
    are in the network of their maker, and what it fetches goes the machine's own way. `requests` notes the
    path of every request.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], cache: Path, files: Path) -> None:
        super().__init__(address, _Handler)
        self.cache, self.files = cache, files
        self.requests: list[str] = []
        self.opener = urllib.request.build_opener(*_own_proxy())

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host}:{port}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        path = urlsplit(self.path)
        if path.scheme != "http":
            self._send_file(self.server.files / Path(path.path).name)
        elif path.path.endswith(".deb"):  # never changes under its name
            self._send_file(self._fetched())
        else:
            self._pass_on()

    def do_CONNECT(self) -> None:
        """The way to Python's packages, which is TLS from end to end: bytes are passed on both ways."""
        if not self.path.endswith(TUNNELLED):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port)), SECONDS) as other:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            back = threading.Thread(target=_pump, args=(other, self.connection), daemon=True)
            back.start()
            _pump(self.connection, other)
            back.join()

    def _send_file(self, file: Path | None) -> None:
        if file is None or not file.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with file.open("rb") as content:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(os.fstat(content.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(content, self.wfile)

    def _fetched(self) -> Path | None:
        kept = self.server.cache / hashlib.sha256(self.path.encode()).hexdigest()
        if kept.exists():
            return kept
        try:
            with (
                self.server.opener.open(self.path, timeout=SECONDS) as answer,
                tempfile.NamedTemporaryFile(dir=self.server.cache, delete=False) as new,
            ):
                shutil.copyfileobj(answer, new)
        except urllib.error.URLError:
            return None
        return Path(new.name).rename(kept)

    def _pass_on(self) -> None:
        headers = {name: self.headers[name] for name in ASKED if name in self.headers}
        try:
            asked = urllib.request.Request(self.path, headers=headers)  # noqa: S310 - http, see do_GET
            answer = self.server.opener.open(asked, timeout=SECONDS)
        except urllib.error.HTTPError as error:  # also 304
            answer = error
        except urllib.error.URLError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, explain=str(error))
            return
        with answer:
            self.send_response(answer.status)
            for name in ANSWERED:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile)

    def log_message(self, *_: object) -> None:
        """Nothing: what was asked stands in `requests`."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side is gone, or is silent for a minute."""
    source.settimeout(SECONDS)
    with contextlib.suppress(OSError):
        while chunk := source.recv(1 << 16):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


class Nowhere(BaseResolver):
    """Says of every name that it does not exist: there is no way out but the mirror."""

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        reply = request.reply()
        reply.header.rcode = RCODE.NXDOMAIN
        return reply


def _own_proxy() -> list[urllib.request.ProxyHandler]:
    """The proxy that the machine's apt is configured to use; without one the environment counts."""
    proxy = apt_setting("Acquire::http::Proxy")
    return [urllib.request.ProxyHandler({"http": proxy})] if proxy else []


def apt_setting(name: str) -> str:
    """A setting of the machine's own apt; empty without one, or without apt."""
    if shutil.which("apt-config") is None:
        return ""
    command = ["apt-config", "shell", "value", name]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return said.strip().removeprefix("value='").removesuffix("'")
