"""How long `/health` takes while strangers hold half-open requests: 18, 200 and 2,000, a minute each.

    .venv/bin/python benchmarks/half_open.py [--seconds 60] [--connections 18 200 2000]

Two web processes as `serve` starts them, on an empty SQLite database. Every second connection has sent half a
head, the others a chunked body without its end; whoever is thrown out comes again at once. Printed are median
and p99 of `/health`, and how many connections were refused meanwhile. Exit code 1: a p99 is over a second.
"""

import argparse
import contextlib
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = b"POST /suspend HTTP/1.1\r\nHost: localhost\r\n"
HALVES = (HEAD, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n")
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
BOUND = 1.0  # seconds


@contextlib.contextmanager
def web() -> Iterator[int]:
    """The port of two running web processes."""
    with (
        tempfile.TemporaryDirectory() as data,
        socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
    ):
        environment = os.environ | {
            "NODEPOINT_DATA": data,
            "DATABASE_URL": f"sqlite:///{data}/x",
            "LOG_LEVEL": "ERROR",
        }
        command = [sys.executable, "manage.py", "web", f"--fd={listener.fileno()}"]
        start = {"env": environment, "cwd": ROOT, "pass_fds": [listener.fileno()]}
        processes = [subprocess.Popen(command, **start) for _ in range(2)]
        try:
            yield listener.getsockname()[1]
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


def ask(port: int) -> float:
    """Seconds until `/health` has answered."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(HEALTH)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"/health: {answer[:100]!r}")
    return time.monotonic() - began


class Attack:
    """Half-open connections, each opened anew when the server ends it."""

    def __init__(self, port: int, count: int) -> None:
        self.port, self.refused = port, 0
        self.selector = selectors.DefaultSelector()
        for number in range(count):
            self.open(HALVES[number % 2])

    def open(self, half: bytes) -> None:
        """One more."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        connection.sendall(half)
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, half)

    def renew(self) -> None:
        """Whoever was refused comes again."""
        for key, _ in self.selector.select(0):
            self.selector.unregister(key.fileobj)
            key.fileobj.close()
            self.refused += 1
            self.open(key.data)

    def end(self) -> None:
        """Let go."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def measure(port: int, count: int, seconds: float) -> float:
    """The p99 of `/health` beside so many half-open connections."""
    attack, times, end = Attack(port, count), [], time.monotonic() + seconds
    while time.monotonic() < end:
        times.append(ask(port))
        attack.renew()
        time.sleep(0.02)
    attack.end()
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    middle = times[len(times) // 2]
    print(
        f"{count:5} half-open: median {middle * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms,"
        f" {attack.refused} refused"
    )
    return p99


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, nargs="+", default=[18, 200, 2000])
    options = parser.parse_args()
    with web() as port:
        ask(port)
        worst = max(measure(port, count, options.seconds) for count in options.connections)
    sys.exit(worst > BOUND)


if __name__ == "__main__":
    main()
