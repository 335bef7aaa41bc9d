"""What the processes of one host ask the database while nothing is to be done, periodic looks included, and
what memory they take.

    script/mariadb python benchmarks/idle.py [--windows 24] [--orders 200]

Starts `serve` on the MariaDB of DATABASE_URL, with a lab in another process, and lets it come to rest.
Printed are the database's own count of queries a second (in the quietest WINDOW, when only what waits for
work asks; and on the whole, with the periodic looks), and the proportional set size (PSS) of the
processes: at rest, and while so many orders are in flight. Exit code 1: more queries than the goal.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.engine import a_lab  # noqa: E402
from benchmarks.orders import order, wait_for  # noqa: E402
from benchmarks.tables import Goal, judged  # noqa: E402

MOST = 5.0  # queries a second
WITH_LOOKS = 10.0  # the same with what is looked at each minute or two
REST = 20  # seconds from the start, in which most of what is done once is done
WINDOW = 5  # seconds that are counted by themselves
PSS = re.compile(r"^Pss: +(\d+) kB", re.MULTILINE)
ACCESS = """
import django
django.setup()
from nodepoint.api.models import Token
print(Token.issue("benchmark", ["sites"], rate_per_minute=0)[1])
"""
QUESTIONS = """
import django, sys, time
django.setup()
from django.db import connection
def asked():
    with connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Questions'")
        return int(cursor.fetchone()[1])
rates, window = [], float(sys.argv[2])
for _ in range(int(sys.argv[1])):
    before = asked()
    time.sleep(window)
    rates.append((asked() - before - 1) / window)
print(min(rates), sum(rates) / len(rates))
"""


@contextmanager
def served(folder: Path, settings: dict[str, str]) -> Iterator[tuple[int, dict, dict[str, str]]]:
    """A running `serve`: the id of its process, how to reach it, and its environment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | settings | {"NODEPOINT_DATA": str(folder), "NODEPOINT_PORT": str(port)}
    environment |= {"DJANGO_SETTINGS_MODULE": "nodepoint.settings", "PYTHONPATH": str(ROOT)}
    environment |= {"SITE_IP_RANGE": "10.0.0.10-10.0.9.250", "SITE_NETWORK": "10.0.0.0/16"}
    environment |= {"SITE_GATEWAY": "10.0.0.1"}
    log = (folder / "serve.log").open("w")
    command = [sys.executable, "manage.py", "serve"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = ("127.0.0.1", port)
        wait_for(lambda: process.poll() is None and is_open(address), 120)
        token = said(environment, ACCESS)
        yield process.pid, {"url": f"http://127.0.0.1:{port}", "token": token}, environment
    except SystemExit:
        print((folder / "serve.log").read_text()[-2000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def is_open(address: tuple[str, int]) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex(address) == 0


def said(environment: dict[str, str], script: str, *words: str) -> str:
    """The last line that a script prints."""
    command = [sys.executable, "-c", script, *words]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.splitlines()[-1]


def memory(supervisor: int) -> dict[str, list[float]]:
    """MB of PSS of each process of the host, by what it is; the largest of a kind first."""
    found: dict[str, list[float]] = {}
    for process in [supervisor, *below(supervisor)]:
        try:
            words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
            pss = PSS.search(Path(f"/proc/{process}/smaps_rollup").read_text())
        except OSError:  # it has just ended
            continue
        kind = next((word for word in ("serve", "web", "worker") if word in words), "other")
        found.setdefault(kind, []).append(int(pss[1]) / 1024)
    return {kind: sorted(sizes, reverse=True) for kind, sizes in found.items()}


def below(process: int) -> list[int]:
    """The ids of all processes that it has started, and those have started."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return []
    return [one for child in map(int, children) for one in (child, *below(child))]


def rows_of(rest: dict[str, list[float]], busy: dict[str, list[float]], orders: int) -> Iterator[list[str]]:
    """The table of docs/performance.md."""
    yield ["process", "how many", "MB at rest: all, the largest", f"MB with {orders} orders in flight"]
    for kind in rest:
        sizes = [f"{sum(one.get(kind, [0])):.0f}, {one.get(kind, [0])[0]:.0f}" for one in (rest, busy)]
        yield [f"`{kind}`", str(len(rest[kind])), *sizes]
    sums = [f"{sum(map(sum, one.values())):.0f}" for one in (rest, busy)]
    yield ["all", str(sum(map(len, rest.values()))), *sums]


def run(windows: int, orders: int) -> tuple[list[list[str]], list[Goal]]:
    """The table and the goal."""
    if not os.environ.get("DATABASE_URL", "").startswith("mysql"):
        raise SystemExit("DATABASE_URL: a MariaDB, whose count of queries is read (script/mariadb).")
    with ExitStack() as end:
        settings = end.enter_context(a_lab(speed=1.0))
        folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
        process, access, environment = end.enter_context(served(folder, settings))
        time.sleep(REST)
        said_rates = said(environment, QUESTIONS, str(windows), str(WINDOW))
        rate, whole = map(float, said_rates.split())
        rest = busy = memory(process)
        if orders:
            order(access, "idle", orders)
            busy = memory(process)
    goals = [Goal("queries a second of a host that waits for work", rate, most=MOST)]
    goals.append(Goal("queries a second, periodic looks included", whole, most=WITH_LOOKS))
    return list(rows_of(rest, busy, orders)), goals


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--windows", type=int, default=24)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--slack", type=float, default=0.0)
    options = parser.parse_args()
    rows, reached = run(options.windows, options.orders)
    for row in rows:
        print(" | ".join(row))
    return judged(reached, options.slack)


if __name__ == "__main__":
    sys.exit(main())
