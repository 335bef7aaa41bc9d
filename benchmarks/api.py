"""What a call of the API takes over a bare Django view in the same server, with few sites and with many.

    [DATABASE_URL=mysql://…] python benchmarks/api.py [--sites 100 10000 100000] [--rounds 1000]

For each size a database of its own is filled (it is dropped afterwards) and one web process started as
`serve` does. One caller asks them in turn, over connections that are kept: the bare view, `/whoami`,
`/status`, `getdomain` and, every tenth time, `create-site`. Printed are the caller's milliseconds at p50 and
p99, and the ratios: the time of the bare view over that of the call, and p99 with many sites over that with
few.

Without DATABASE_URL the databases are SQLite's. Exit code 1: a ratio is worse than its goal by more than
`--slack` (0: not at all).
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.engine import a_lab  # noqa: E402
from benchmarks.tables import Goal, judged  # noqa: E402

NETWORK = {
    "SITE_IP_RANGE": "10.0.0.0-10.3.255.255",
    "SITE_NETWORK": "10.0.0.0/8",
    "SITE_GATEWAY": "10.9.0.1",
}
WARM = 20  # rounds before
CALLS = ("bare", "whoami", "status", "getdomain", "create-site")
SELDOM = 10  # rounds for one order: it writes

FILL = """
import json, sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from benchmarks.copies import fill
from nodepoint.api.models import Token
from sites.models import Site
fill(int(sys.argv[1]))
_, secret = Token.issue("benchmark", ["sites"], rate_per_minute=0)
live = Site.objects.filter(state="live", deletion_requested_at=None).order_by("pk")
names = list(live.values_list("service_id", flat=True))
print(json.dumps([secret, names[:: max(1, len(names) // 100)]]))
"""


@dataclass
class Server:
    """A web process over a database with `sites` sites; `services`: some of them, spread over all."""

    sites: int
    token: str
    services: list[str]
    address: tuple[str, int]
    connection: socket.socket | None = None
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in CALLS})

    def connect(self) -> None:
        """Only when something is asked at once: half a minute without a request ends a connection."""
        self.connection = socket.create_connection(self.address, timeout=60)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, call: str, number: int) -> float:
        """Milliseconds until the whole answer was there. SystemExit for any but 200."""
        request = self._request(call, number)
        begun = time.perf_counter()
        self.connection.sendall(request)
        answer = self.connection.recv(65536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        while len(body) < length:
            body += self.connection.recv(65536)
        took = (time.perf_counter() - begun) * 1000
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{call}: {answer[:500]!r}")
        return took

    def _request(self, call: str, number: int) -> bytes:
        service = self.services[number * 37 % len(self.services)]
        path = {
            "bare": "/bare",
            "whoami": "/whoami",
            "status": f"/status?service_id={service}",
            "getdomain": f"/action/getdomain?service_id={service}",
            "create-site": "/create-site",
        }[call]
        order = {"email": f"n{number}@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
        body = json.dumps({"service_id": f"N{number}", **order}) if call == "create-site" else ""
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {self.token}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"{head}\r\n{body}".encode()


@contextmanager
def database(sites: int, folder: Path) -> Iterator[str]:
    """The URL of an empty database of its own: beside that of DATABASE_URL, else a file of SQLite."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("mysql"):
        yield f"sqlite:///{folder}/db.sqlite3"
        return
    parts = urlsplit(url)
    name = f"benchmark_{sites}"
    _mysql(url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(parts._replace(path=f"/{name}"))
    finally:
        _mysql(url, f"DROP DATABASE {name}")


def _mysql(url: str, *statements: str) -> None:
    script = "import django; django.setup()\nfrom django.db import connection\nimport sys\n"
    script += "with connection.cursor() as cursor:\n    [cursor.execute(one) for one in sys.argv[1:]]"
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "nodepoint.settings"}
    subprocess.run([sys.executable, "-c", script, *statements], env=environment, cwd=ROOT, check=True)


class Filling:
    """A database that is being filled by a process of its own."""

    def __init__(self, sites: int, settings: dict[str, str], end: ExitStack) -> None:
        self.sites, self.begun = sites, time.monotonic()
        folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
        url = end.enter_context(database(sites, folder))
        self.environment = os.environ | settings | NETWORK
        self.environment |= {"NODEPOINT_DATA": str(folder), "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
        self.environment |= {"DJANGO_SETTINGS_MODULE": "benchmarks.bare", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", FILL, str(sites)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, **pipes)

    def served(self, end: ExitStack) -> Server:
        """A web process over it, once it is filled."""
        said, wrong = self.process.communicate()
        if self.process.returncode:
            raise SystemExit(wrong.decode())
        token, services = json.loads(said.splitlines()[-1])
        print(f"{self.sites:,} sites: filled in {time.monotonic() - self.begun:.0f} s", flush=True)
        listener = end.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        command = [sys.executable, "manage.py", "web", f"--fd={listener.fileno()}"]
        process = subprocess.Popen(command, env=self.environment, cwd=ROOT, pass_fds=[listener.fileno()])
        end.callback(lambda: (process.terminate(), process.wait(30)))
        one = Server(self.sites, token, services, listener.getsockname()[:2])
        end.callback(lambda: one.connection and one.connection.close())
        return one


def measure(servers: list[Server], rounds: int) -> None:
    """Ask all in turn, so that whatever else goes on meanwhile is the same for all."""
    for one in servers:
        one.connect()
    for number in range(-WARM, rounds):
        for one in servers:
            for call in CALLS:
                if call == "create-site" and number % SELDOM:
                    continue
                took = one.ask(call, number + WARM)
                if number >= 0:
                    one.times[call].append(took)


def share(times: list[float], percent: int) -> float:
    """What so many of 100 stay below."""
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def goals(servers: list[Server]) -> list[Goal]:
    """What was aimed at, and what was reached."""
    few, many = servers[0], servers[-1]
    over = "a bare view over /status"
    found = [Goal(f"{over}, {one.sites:,} sites", _rate(one, "status"), least=0.50) for one in servers]
    p99 = share(many.times["status"], 99) / share(few.times["status"], 99)
    return [*found, Goal(f"p99 of /status, {many.sites:,} sites over {few.sites:,}", p99, most=1.2)]


def _rate(one: Server, call: str) -> float:
    return share(one.times["bare"], 50) / share(one.times[call], 50)


def table(servers: list[Server]) -> Iterator[list[str]]:
    """The rows of docs/performance.md."""
    yield ["call", *(f"{one.sites:,} sites: p50, p99" for one in servers), "over a bare view"]
    for call in CALLS:
        cells = [f"{share(one.times[call], 50):.1f}, {share(one.times[call], 99):.1f} ms" for one in servers]
        yield [f"`{call}`", *cells, " / ".join(f"{_rate(one, call):.2f}" for one in servers)]


def run(sizes: list[int], rounds: int) -> tuple[list[list[str]], list[Goal]]:
    """The table and the goals."""
    with ExitStack() as end:
        settings = end.enter_context(a_lab())
        fillings = [Filling(sites, settings, end) for sites in sizes]
        servers = [one.served(end) for one in fillings]
        measure(servers, rounds)
        return list(table(servers)), goals(servers)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sites", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--slack", type=float, default=0.0)
    options = parser.parse_args()
    rows, reached = run(options.sites, options.rounds)
    for row in rows:
        print(" | ".join(row))
    return judged(reached, options.slack)


if __name__ == "__main__":
    sys.exit(main())
