"""An HTTP server that answers as a test tells it: for the answers that no simulated system gives."""

import contextlib
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Request(BaseHTTPRequestHandler):
    """One request to the double, with the means to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Double"

    def parse_request(self) -> bool:
        """Reads the request and hands it to the test's function, whatever its method is."""
        if not super().parse_request():
            return False
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.seen.append(f"{self.command} {self.path}")
        self.server.answer(self)
        return False

    def reply(
        self, status: int = 200, body: object = None, reason: str | None = None, **headers: str
    ) -> None:
        """A whole answer; `body` is sent as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status, reason)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def drop(self) -> None:
        """Closes the connection without an answer."""
        self.close_connection = True
        with contextlib.suppress(OSError):  # the client was quicker
            self.connection.shutdown(socket.SHUT_RDWR)

    def trickle(self, content: bytes, pause: float) -> None:
        """Sends byte by byte, until the client or the test has had enough."""
        with contextlib.suppress(OSError):  # the client has had enough
            for byte in content:
                self.connection.sendall(bytes((byte,)))
                if self.server.over.wait(pause):
                    break
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests speak through their assertions."""


class Double(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `seen` lists the requests, `connections` counts what was accepted."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[Request], None], tls: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.answer = answer
        self.seen: list[str] = []
        self.connections = 0
        self.over = threading.Event()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._tls and tls:
            self._tls.load_cert_chain(*tls)

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """The base of its addresses."""
        return f"{'https' if self._tls else 'http'}://{self.address}"

    def server_bind(self) -> None:
        """Binds without looking up the name of 127.0.0.1, which may ask a resolver."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def get_request(self) -> tuple[socket.socket, object]:
        """Accepts; TLS is spoken in the connection's own thread."""
        sock, peer = super().get_request()
        self.connections += 1
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return sock, peer

    def handle_error(self, *_: object) -> None:
        """Clients that go away, or do not trust us, are what the tests want."""


@contextlib.contextmanager
def double(answer: Callable[[Request], None], tls: tuple[Path, Path] | None = None) -> Iterator[Double]:
    """A running `Double` for the block."""
    server = Double(answer, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def certificate() -> Iterator[tuple[Path, Path]]:
    """Files of a self-signed certificate for 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "double")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "cert.pem"), Path(folder, "key.pem")
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        yield files


def unused_address() -> str:
    """host:port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"
