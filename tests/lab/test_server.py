"""The HTTP server that all systems share, seen on the bare socket."""

import contextlib
import errno
import json
import re
import socket
import ssl
import threading
import unittest
from typing import Any

import lab
from lab.server import Request, Response, Wire, serve


class Echo(Wire):
    """Answers what it was asked."""

    idle_seconds = 0.3

    def answer(self, request: Request) -> Response:
        if request.path == "/fail":
            return Response(500, b"", reason="first line\r\nInjected: header", close=True)
        return Response(
            200,
            {
                "method": request.method,
                "path": request.path,
                "query": request.query,
                "body": request.body.decode(),
            },
        )

    def duration(self, request: Request) -> str:
        return "none"


class ServerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        cls.server = serve("echo", Echo(), cls.lab)
        cls.addClassCleanup(cls.server.stop)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=5)
        self.addCleanup(connection.close)
        return connection

    def talk(self, text: bytes) -> bytes:
        """Send bytes, read until the server closes."""
        connection = self.connect()
        connection.sendall(text)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer

    def test_two_requests_pass_over_one_connection(self) -> None:
        answer = self.talk(
            b"GET /a%20b?x=1&x= HTTP/1.1\r\nHost: x\r\n\r\n"
            b"POST /c HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        )
        heads = answer.split(b"HTTP/1.1 200 OK\r\n")
        self.assertEqual(3, len(heads))
        first, second = (json.loads(part.partition(b"\r\n\r\n")[2]) for part in heads[1:])
        self.assertEqual({"method": "GET", "path": "/a b", "query": {"x": ["1", ""]}, "body": ""}, first)
        self.assertEqual(("POST", "/c", "hi"), (second["method"], second["path"], second["body"]))

    def test_a_reason_of_two_lines_makes_no_header(self) -> None:
        head = self.talk(b"GET /fail HTTP/1.1\r\nHost: x\r\n\r\n").split(b"\r\n")
        self.assertEqual(b"HTTP/1.1 500 first line  Injected: header", head[0])
        self.assertFalse(any(line.startswith(b"Injected") for line in head))

    def test_what_is_no_http_does_not_hurt(self) -> None:
        for text in (
            b"\x16\x03\x01garbage\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ):
            with self.subTest(text), contextlib.suppress(ConnectionResetError):
                self.talk(text)  # whatever becomes of this connection, others are served
        self.assertIn(b" 501 ", self.talk(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
        self.assertIn(b" 413 ", self.talk(b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n"))
        self.assertIn(b"200 OK", self.talk(b"GET / HTTP/1.0\r\n\r\n"))

    def test_an_idle_connection_is_closed(self) -> None:
        self.assertEqual(b"", self.talk(b""))

    def test_a_client_that_goes_away_is_no_trouble(self) -> None:
        for _ in range(20):
            connection = self.connect()
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            connection.close()
        self.assertIn(b"200 OK", self.talk(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))

    def test_a_slow_handshake_holds_up_nobody(self) -> None:
        server = serve("echo", Echo(), self.lab, tls=self.lab.keys.tls, name="echo-tls")
        self.addCleanup(server.stop)
        silent = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        self.addCleanup(silent.close)
        context = ssl.create_default_context(cafile=self.lab.keys.ca_file)
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            self.assertIn(b"200 OK", connection.recv(65536))

    def test_stopping_breaks_open_connections_and_frees_the_port(self) -> None:
        server = serve("echo", Echo(), self.lab, name="echo-short")
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        self.addCleanup(connection.close)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(65536)
        server.stop()
        self.assertEqual(b"", connection.recv(10))
        again = serve("echo", Echo(), self.lab, name="echo-short")
        self.addCleanup(again.stop)
        self.assertEqual(server.port, again.port)

    def test_running_out_of_file_descriptors_does_not_end_it(self) -> None:
        accept = self.server.get_request
        failures = [OSError(errno.EMFILE, "Too many open files")] * 2

        def short_of_files() -> Any:
            if failures:
                raise failures.pop()
            return accept()

        self.server.get_request = short_of_files
        for _ in range(2):
            self.assertIn(b"200 OK", self.talk(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"))
        self.assertEqual([], failures)

    def test_a_taken_port_is_an_error(self) -> None:
        with self.assertRaisesRegex(OSError, f"port {self.server.port} for echo cannot be used"):
            serve("echo", Echo(), self.lab, port=self.server.port)

    def test_a_hundred_clients_at_once_are_all_answered(self) -> None:
        answers: list[bytes] = []
        request = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        threads = [threading.Thread(target=lambda: answers.append(self.talk(request))) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        self.assertEqual(100, sum(b"200 OK" in answer for answer in answers))


class AddressTests(unittest.TestCase):
    """A lab for others than its own machine."""

    def test_everything_is_at_the_address_that_was_given_and_says_so(self) -> None:
        running = lab.start(address="127.0.0.2")
        self.addCleanup(running.stop)
        self.assertNotIn("127.0.0.1", str({"url": running.url, **running.settings}))
        self.assertEqual(running.dns.names.resolve("ns1.nodepoint.eu", "A"), ["127.0.0.2"])
        places = re.findall(r"127\.0\.0\.2:(\d+)", str(running.settings))
        self.assertGreater(len(set(places)), 8)
        for port in set(places):
            socket.create_connection(("127.0.0.2", int(port)), timeout=5).close()
        trusted = ssl.create_default_context(cafile=running.settings["PROXMOX_VERIFY_TLS"])
        host, _, port = running.settings["PROXMOX_HOST"].partition(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            trusted.wrap_socket(raw, server_hostname=host).close()
