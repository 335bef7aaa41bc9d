"""How much more two worker hosts get done than one: real worker commands on one MariaDB.

    script/mariadb python benchmarks/hosts.py [--orders 40] [--threads 3]

A lab in a process of its own; each host is a worker command with a process group, runners and a folder of its
own. The same number of orders is written while no worker is up, then carried out by one host, and then by
two. Printed is one's time over two's, from the first claim to the last site that is verified:

- *by slots*: calls take as long as at a real cluster, and a host has few threads, so that what it can do at
  once bounds it, as a host's processors and database do in earnest. Long tasks take a second.
- *by processor*: calls take no time. Here both hosts and the lab share the processors of one machine, so the
  ratio says how little they are in each other's way, and not what a second machine would give.

Exit code 1: by slots it is less than 1.8.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.idle import said  # noqa: E402
from benchmarks.tables import Goal, judged  # noqa: E402

LEAST = 1.8
QUICK = {"create.plain": 1, "install.full": 1, "snapshot": 1, "start": 1, "npm.host": 0.1}  # seconds
LAB = """
import runpy, sys
from lab.clock import SECONDS
SECONDS.update({quick})
sys.argv[1:] = ["--data", {folder!r}, "--speed", {speed!r}]
runpy.run_module("lab", run_name="__main__")
"""
ORDER = """
import sys, django
django.setup()
from sites.services import create_site
for number in range(int(sys.argv[2])):
    name = f"{sys.argv[1]}-{number}"
    create_site(service_id=name, email=f"{name}@example.com", plan="basic", public_ip="203.0.113.10")
print("ordered")
"""
DONE = """
import json, sys, django
django.setup()
from nodepoint.jobs.models import JobStep
steps = JobStep.objects.filter(job__kind="sites.provision", job__data__service_id__startswith=sys.argv[1])
ends = [step.finished_at for step in steps.filter(name="verified", state="done")]
begun = min((step.started_at for step in steps.filter(name="place") if step.started_at), default=None)
print(json.dumps([len(ends), (max(ends) - begun).total_seconds() if ends else 0.0]))
"""


@contextmanager
def a_quick_lab(folder: Path, speed: float) -> Iterator[dict[str, str]]:
    """A lab in which calls take their time and long tasks do not; yields the settings that lead to it."""
    script = LAB.format(quick=QUICK, folder=str(folder), speed=str(speed))
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.DEVNULL)
    told = folder / "lab.json"
    try:
        while not told.exists():
            time.sleep(0.05)
        yield json.loads(told.read_text())["settings"]
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def hosts(count: int, environment: dict[str, str]) -> Iterator[None]:
    """So many worker commands, each with a folder and a process group of its own."""
    with tempfile.TemporaryDirectory() as name:
        processes = []
        for number in range(count):
            folder = Path(name, str(number))
            folder.mkdir()
            own = environment | {"NODEPOINT_DATA": str(folder)}
            command = [sys.executable, "manage.py", "worker"]
            log = (folder / "worker.log").open("w")
            processes.append(
                subprocess.Popen(command, env=own, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
            )
        try:
            yield
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
            for process in processes:
                process.wait(60)


def makespan(count: int, batch: str, orders: int, environment: dict[str, str]) -> float:
    """Seconds in which so many hosts carry out the orders."""
    said(environment, ORDER, batch, str(orders))
    with hosts(count, environment):
        end = time.monotonic() + 600
        while time.monotonic() < end:
            done, seconds = json.loads(said(environment, DONE, batch))
            if done == orders:
                return seconds
            time.sleep(2)
    raise SystemExit(f"{batch}: {done} of {orders} are live")


def ratio(name: str, speed: float, orders: int, threads: int) -> float:
    """One host's time over that of two."""
    with ExitStack() as end:
        folder = Path(end.enter_context(tempfile.TemporaryDirectory()))
        settings = end.enter_context(a_quick_lab(folder, speed))
        environment = os.environ | settings | {"NODEPOINT_DATA": str(folder)}
        environment |= {"DJANGO_SETTINGS_MODULE": "nodepoint.settings", "PYTHONPATH": str(ROOT)}
        environment |= {"JOB_RUNNERS": "1", "JOB_THREADS": str(threads), "PROXMOX_CREATES": "64"}
        environment |= {"PROXMOX_CONCURRENCY": "64", "LOG_LEVEL": "WARNING"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"], env=environment, cwd=ROOT, check=True
        )
        alone = makespan(1, f"{name}-one", orders, environment)
        both = makespan(2, f"{name}-two", orders, environment)
    print(f"by {name}: {orders} orders in {alone:.1f} s by one host, {both:.1f} s by two", flush=True)
    return alone / both


def run(orders: int, threads: int) -> tuple[list[list[str]], list[Goal]]:
    """The table and the goal."""
    slots = ratio("slots", 1.0, orders, threads)
    processor = ratio("processor", 0.0, orders, 32)
    rows = [
        ["what bounds a host", "one host's time over that of two"],
        [f"slots: {threads} calls at a time, life-like calls", f"{slots:.2f}"],
        [f"the processors: {os.cpu_count()}, which both hosts and the lab share", f"{processor:.2f}"],
    ]
    return rows, [Goal("two hosts over one, by slots", slots, least=LEAST)]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--threads", type=int, default=3)
    parser.add_argument("--slack", type=float, default=0.0)
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("mysql"):
        raise SystemExit("DATABASE_URL: a MariaDB (script/mariadb). SQLite has one host.")
    rows, reached = run(options.orders, options.threads)
    for row in rows:
        print(" | ".join(row))
    return judged(reached, options.slack)


if __name__ == "__main__":
    sys.exit(main())
