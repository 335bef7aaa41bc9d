"""What the web server itself answers, over a real connection."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from django.conf import settings

START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.port = free_port()
        data = cls.enterClassContext(tempfile.TemporaryDirectory())
        database = f"sqlite:///{data}/empty.sqlite3"
        environment = {
            **os.environ,
            "NODEPOINT_DATA": data,
            "DATABASE_URL": database,
            "LOG_LEVEL": "CRITICAL",
        }
        environment["DJANGO_SETTINGS_MODULE"] = "nodepoint.settings"
        options = [
            "--bind",
            f"127.0.0.1:{cls.port}",
            "--threads",
            "2",
            "--no-control-socket",
            "--log-level",
            "critical",
        ]
        options += ["--worker-class", "nodepoint.api.server.Worker", "nodepoint.wsgi:application"]
        command = [sys.executable, "-m", "gunicorn", *options]
        cls.server = subprocess.Popen(
            command, env=environment, cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL
        )
        cls.addClassCleanup(cls.server.wait)
        cls.addClassCleanup(cls.server.terminate)
        cls.wait_until_up()

    @classmethod
    def wait_until_up(cls) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", cls.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.05)
        raise AssertionError("The web server did not start.")

    def exchange(self, head: bytes, body: bytes = b"") -> tuple[int, dict[str, str], dict]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(head + b"\r\nHost: localhost\r\nConnection: close\r\n" + body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        lines, _, content = answer.partition(b"\r\n\r\n")
        status, *headers = lines.decode().split("\r\n")
        return int(status.split()[1]), dict(line.split(": ", 1) for line in headers), json.loads(content)

    def assert_envelope(self, answer: tuple[int, dict[str, str], dict], status: int) -> None:
        found, headers, body = answer
        self.assertEqual((found, headers["Content-Type"]), (status, "application/json"))
        self.assertEqual((body["success"], body["request_id"]), (False, headers["X-Request-ID"]))
        self.assertTrue(body["error"])

    def test_it_answers(self) -> None:
        status, _, body = self.exchange(b"GET /health HTTP/1.1", b"\r\n")
        self.assertEqual((status, body["status"]), (200, "ok"))

    def test_what_cannot_be_parsed_is_answered_in_our_form(self) -> None:
        table = {
            b"GET /" + b"a" * 5000 + b" HTTP/1.1": 414,
            b"GET / HTTP/1.1\r\nX: " + b"a" * 20000: 431,
            b"POST / HTTP/1.1\r\nContent-Length: -1": 400,
            b"nonsense": 400,
            b"GET /\xff HTTP/1.1": 400,
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked": 400,
        }
        for head, status in table.items():
            with self.subTest(head=head[:40]):
                self.assert_envelope(self.exchange(head, b"\r\n"), status)

    def test_a_body_in_chunks_is_measured(self) -> None:
        chunk = b"1000\r\n" + b"a" * 4096 + b"\r\n"
        head = b"POST /whoami HTTP/1.1\r\nTransfer-Encoding: chunked"
        self.assert_envelope(self.exchange(head, b"\r\n" + chunk * 17 + b"0\r\n\r\n"), 413)
        self.assert_envelope(self.exchange(head, b"\r\n" + chunk + b"0\r\n\r\n"), 401)

    def test_a_broken_chunk_is_400(self) -> None:
        head = b"POST /whoami HTTP/1.1\r\nTransfer-Encoding: chunked"
        self.assert_envelope(self.exchange(head, b"\r\nZZ\r\n"), 400)
