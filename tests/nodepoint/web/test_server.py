"""What the web server itself answers, over a real connection."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from django.conf import settings

from nodepoint.management.commands.serve import web
from nodepoint.management.local import listen
from nodepoint.web import channel
from tests.base import on_one_database

START_SECONDS = 30
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
# With `hasty`: deadlines that a test can wait for.
BEGIN = """
import sys, django
django.setup()
from django.core.management import execute_from_command_line
from nodepoint.web import channel, server
if sys.argv.pop() == "hasty":
    channel.READ_SECONDS, channel.KEEP_ALIVE_SECONDS, server.LOOK_SECONDS = 0.8, 1.5, 0.1
execute_from_command_line(sys.argv)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerTestCase(unittest.TestCase):
    """One web process, on a database without tables."""

    pace = "as usual"

    @classmethod
    def setUpClass(cls) -> None:
        data = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.listener = cls.enterClassContext(listen("127.0.0.1", 0))
        cls.port = cls.listener.getsockname()[1]
        cls.environment = {
            **os.environ,
            "NODEPOINT_DATA": data,
            "DATABASE_URL": f"sqlite:///{data}/empty.sqlite3",
            "LOG_LEVEL": "ERROR",
            "WEB_THREADS": "2",
            "DJANGO_SETTINGS_MODULE": "nodepoint.settings",
        }
        cls.server = cls.start()
        cls.addClassCleanup(cls.end, cls.server)
        cls.wait_until_up()

    @classmethod
    def start(cls) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", BEGIN, "web", f"--fd={cls.listener.fileno()}", "--grace=5", cls.pace]
        files = [cls.listener.fileno()]
        return subprocess.Popen(command, env=cls.environment, cwd=settings.BASE_DIR, pass_fds=files)

    @staticmethod
    def end(server: subprocess.Popen[bytes]) -> None:
        server.terminate()
        server.wait()

    @classmethod
    def wait_until_up(cls) -> None:
        with socket.create_connection(("127.0.0.1", cls.port), timeout=START_SECONDS) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert connection.recv(64), "The web server did not start."

    def connect(self) -> socket.socket:
        return self.enterContext(socket.create_connection(("127.0.0.1", self.port), timeout=20))

    def exchange(self, head: bytes, body: bytes = b"") -> tuple[int, dict[str, str], dict]:
        connection = self.connect()
        connection.sendall(head + b"\r\nHost: localhost\r\nConnection: close\r\n" + body)
        return self.answer(connection)

    def answer(self, connection: socket.socket) -> tuple[int, dict[str, str], dict]:
        """What comes until the server ends the connection."""
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        lines, _, content = answer.partition(b"\r\n\r\n")
        status, *headers = lines.decode().split("\r\n")
        named = (line.split(": ", 1) for line in headers)
        return int(status.split()[1]), {name.title(): value for name, value in named}, json.loads(content)

    def ask_health(self, connection: socket.socket) -> None:
        """One request and its whole answer, after which the connection stays open."""
        connection.sendall(HEALTH)
        self.read_health(connection)

    def read_health(self, connection: socket.socket) -> None:
        page = connection.recv(65536)
        while not page.endswith(b"}"):
            page += connection.recv(65536)
        self.assertTrue(page.startswith(b"HTTP/1.1 200 OK"), page)

    def assert_envelope(self, answer: tuple[int, dict[str, str], dict], status: int) -> None:
        found, headers, body = answer
        self.assertEqual((found, headers["Content-Type"]), (status, "application/json"))
        self.assertEqual((body["success"], body["request_id"]), (False, headers["X-Request-Id"]))
        self.assertTrue(body["error"])


@on_one_database
class AnswerTests(ServerTestCase):
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

    def test_a_chunk_that_pretends_to_be_small_is_measured_by_what_comes(self) -> None:
        head = b"POST /whoami HTTP/1.1\r\nTransfer-Encoding: chunked"
        self.assert_envelope(self.exchange(head, b"\r\n" + b"1\r\na\r\n" * 70_000 + b"0\r\n\r\n"), 413)

    def test_forms_of_the_admin_may_be_larger_than_calls_of_the_api(self) -> None:
        body = b"a=" + b"a" * 100_000
        for path, statuses in ((b"/admin/login/", {403}), (b"/whoami", {413})):
            connection = self.connect()
            head = b"POST %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" % path
            form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(
                body
            )
            connection.sendall(head + form + body)
            with self.subTest(path=path):
                self.assertIn(int(connection.recv(12).split()[1]), statuses)

    def test_what_is_left_unread_ends_the_connection(self) -> None:
        connection = self.connect()
        connection.sendall(b"POST /whoami HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000\r\n\r\n")
        _, headers, _ = answer = self.answer(connection)
        self.assert_envelope(answer, 413)
        self.assertEqual(headers["Connection"], "close")


@on_one_database
class DeadlineTests(ServerTestCase):
    """No thread waits for a client, and no client stays for longer than it may."""

    pace = "hasty"

    def assert_late(self, connection: socket.socket) -> None:
        _, headers, body = answer = self.answer(connection)
        self.assert_envelope(answer, 408)
        self.assertEqual((headers["Connection"], body["code"]), ("close", "validation"))

    def test_half_a_request_is_408(self) -> None:
        halves = {
            "nothing": b"",
            "head": b"GET /health HTTP/1.1\r\nHost: local",
            "body": b"POST /whoami HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345",
            "chunks": b"POST /whoami HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n",
            "continue": b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
        }
        connections = {name: self.connect() for name in halves}
        for name, half in halves.items():
            connections[name].sendall(half)
        for name, connection in connections.items():
            with self.subTest(half=name):
                if name == "continue":
                    self.assertEqual(connection.recv(25), b"HTTP/1.1 100 Continue\r\n\r\n")
                self.assert_late(connection)

    def test_a_drop_now_and_then_gives_no_more_time(self) -> None:
        for drop in (b"X: y\r\n", b"\r\n"):  # lines of a head, and empty lines before one
            connection = self.connect()
            connection.sendall(b"GET /health HTTP/1.1\r\n" if drop != b"\r\n" else b"")
            sent = 0
            with self.subTest(drop=drop):
                connection.settimeout(0.1)
                while sent < 100:
                    try:
                        connection.sendall(drop)
                        sent += 1
                        page = connection.recv(64)
                        break
                    except TimeoutError:
                        continue
                self.assertTrue(page.startswith(b"HTTP/1.1 408 "), page)
                self.assertLess(sent, 40)

    def test_a_connection_between_two_requests_is_ended_without_a_word(self) -> None:
        connection = self.connect()
        self.ask_health(connection)
        self.assertEqual(connection.recv(64), b"")

    def test_half_requests_hold_nobody_up(self) -> None:
        held = [self.connect() for _ in range(300)]
        for number, connection in enumerate(held):
            connection.sendall(b"POST /suspend HTTP/1.1\r\nHost: x\r\n")
            if number % 30 == 0:
                self.assertEqual(self.exchange(b"GET /health HTTP/1.1", b"\r\n")[0], 200)


@on_one_database
class StopTests(ServerTestCase):
    def test_what_has_begun_is_answered_and_the_next_process_takes_over(self) -> None:
        server = self.start()
        self.addCleanup(server.kill)
        self.wait_until_up()
        self.end(self.server)  # the second one serves alone now
        busy, idle = self.connect(), self.connect()
        for connection in (busy, idle):
            self.ask_health(connection)
        busy.sendall(HEALTH)
        time.sleep(0.02)
        server.send_signal(signal.SIGTERM)
        self.read_health(busy)
        self.assertEqual((idle.recv(64), busy.recv(64)), (b"", b""))
        self.assertEqual(server.wait(10), 0)

        late = self.connect()  # nobody serves now: the kernel keeps it for the next process
        late.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.addCleanup(self.end, self.start())
        self.assertEqual(self.answer(late)[0], 200)


@on_one_database
class LastProcessTests(ServerTestCase):
    """A whole host that stops: whoever holds the port has let go of it."""

    def test_whom_the_kernel_had_let_in_is_answered_and_who_comes_later_is_refused(self) -> None:
        self.server.send_signal(signal.SIGSTOP)
        waiting = [self.connect() for _ in range(3)]
        waiting[0].sendall(HEALTH)
        self.listener.close()
        self.server.send_signal(signal.SIGTERM)
        self.server.send_signal(signal.SIGCONT)
        self.read_health(waiting[0])
        waiting[1].sendall(HEALTH)  # a moment later than it was let in
        self.read_health(waiting[1])
        self.assertEqual([one.recv(64) for one in waiting], [b""] * 3)
        self.assertEqual(self.server.wait(10), 0)
        with self.assertRaises(ConnectionRefusedError):
            self.connect()


@on_one_database
class ProcessesTests(unittest.TestCase):
    def test_the_processes_share_one_socket(self) -> None:
        with listen("127.0.0.1", 0) as listener:
            children = list(web(listener))
            self.assertEqual([child.name for child in children], ["web-1", "web-2"])
            self.assertEqual({tuple(child.files) for child in children}, {(listener.fileno(),)})
        self.assertEqual(channel.READ_SECONDS, 10.0)  # contract, section 8
