"""What the engine adds to the infrastructure's own time: ratios within one run.

    .venv/bin/python benchmarks/orders.py [--orders 1 60 200] [--speed 0.1] [--slots 3]

Starts a demo of its own (SQLite, lab at the given speed) in a temporary folder, lets it make three sites to
learn the usual durations, and then orders so many at once, and in a second demo 60 with few creation slots.
Printed is the time from the accepted order to the verified site, divided by the critical path: the lab's
durations of the longest chain of steps, each with the one call that begins it and the one look that sees its
end.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tables import Goal, judged  # noqa: E402
from lab.clock import SECONDS  # noqa: E402

CREATION = SECONDS["write"] + SECONDS["create.plain"] + SECONDS["read"]
START = SECONDS["write"] + SECONDS["start"] + SECONDS["read"]
INSTALLATION = SECONDS["ssh"] + SECONDS["install.full"] + SECONDS["ssh"]
VERIFICATION = SECONDS["ssh"] + SECONDS["read"]
AFTER_CREATION = START + INSTALLATION + VERIFICATION


@contextmanager
def demo(folder: Path, speed: float, **settings: str):
    """A running demo whose first site is live; yields what its demo.json says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = (
        os.environ
        | {"POOL_SIZE": "0"}
        | settings
        | {
            "NODEPOINT_DATA": str(folder),
            "NODEPOINT_PORT": str(port),
            "LAB_SPEED": str(speed),
        }
    )
    log = (folder / "demo.log").open("w")
    process = subprocess.Popen([ROOT / "script/demo"], env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        access = wait_for(lambda: read(folder / "demo.json"), 180)
        wait_for(lambda: " is live" in (folder / "demo.log").read_text(), 300 * max(speed, 0.1))
        order(access, "warm", 2)  # one sample of each duration is off by some per cent
        time.sleep(5 + speed * (CREATION + AFTER_CREATION + 2 * SECONDS["snapshot"]))
        yield access
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def read(file: Path) -> dict | None:
    """The JSON object in a file, None while there is none."""
    return json.loads(file.read_text()) if file.exists() else None


def wait_for(condition, seconds: float):
    """The first true value of `condition()`; SystemExit when it does not come in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise SystemExit("The demo did not get ready; see its demo.log.")


def order(access: dict, batch: str, count: int) -> list[float]:
    """Order `count` sites at once; seconds that each POST took."""

    def post(number: int) -> float:
        body = {
            "service_id": f"{batch}-{number}",
            "email": f"{batch}{number}@example.com",
            "plan": "basic",
            "public_ip": "203.0.113.10",
        }
        begun = time.monotonic()
        answer = requests.post(
            f"{access['url']}/create-site",
            json=body,
            headers={"Authorization": f"Bearer {access['token']}"},
            timeout=30,
        )
        answer.raise_for_status()
        return time.monotonic() - begun

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(post, range(count)))


READER = """
import json, sys, django
django.setup()
from nodepoint.jobs.models import Job
orders = Job.objects.filter(kind="sites.provision", data__service_id__startswith=sys.argv[1] + "-")
print(json.dumps([
    [job.created_at.timestamp(), step.finished_at.timestamp() if step.finished_at else None, job.state]
    for job in orders.prefetch_related("steps") for step in job.steps.all() if step.name == "verified"
]))
"""


def results(folder: Path, batch: str) -> list[list]:
    """[ordered at, verified at or None, job state] of each order of a batch, from the rows."""
    environment = os.environ | {"NODEPOINT_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "nodepoint.settings"}
    command = [sys.executable, "-c", READER, batch]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def live(folder: Path, batch: str, expected: float) -> list[list]:
    """The results once every order of the batch has ended or is live."""
    time.sleep(expected)
    end = time.monotonic() + 3 * expected + 60
    while time.monotonic() < end:
        rows = results(folder, batch)
        if all(verified or state in ("failed", "rolled_back", "cancelled") for _, verified, state in rows):
            return rows
        time.sleep(1)
    raise SystemExit(f"{batch}: not all orders ended.")


@dataclass(frozen=True)
class Burst:
    """Orders that came together: seconds of the median one and of the last over what they are measured
    against, and the median answer to a POST in ms."""

    name: str
    orders: int
    live: int
    answer_ms: float
    median: float
    last: float

    def row(self) -> list[str]:
        """For the table."""
        figures = [f"{self.live} of {self.orders}", f"{self.median:.2f}", f"{self.last:.2f}"]
        return [self.name, *figures, f"{self.answer_ms:.0f} ms"]


def burst(folder: Path, access: dict, name: str, count: int, path: float, bound: float) -> Burst:
    """Order and wait. `path`, `bound`: seconds of one order alone, and of the last of all."""
    batch = name.replace(" ", "-")
    posts = order(access, batch, count)
    rows = live(folder, batch, bound)
    took = sorted(verified - ordered for ordered, verified, _ in rows if verified)
    last = max(verified for _, verified, _ in rows if verified) - min(ordered for ordered, _, _ in rows)
    answer = median(posts) * 1000
    found = Burst(name, count, len(took), answer, median(took) / path, last / bound)
    print(
        f"{name}: {found.live} of {count} live; order answered in {answer:.0f} ms (median); median "
        f"{found.median:.3f}, last {found.last:.3f} of ideal ({path:.2f} s, {bound:.2f} s)",
        flush=True,
    )
    return found


ROOM = {"SITE_IP_RANGE": "10.0.0.10-10.0.9.250", "SITE_NETWORK": "10.0.0.0/16", "SITE_GATEWAY": "10.0.0.1"}
AIMS = {1: 1.01, 60: 1.06, 200: 1.2, 500: 2.0}  # of the median order over the critical path
MAKESPAN = 1.02  # of the last of 60 over the bound that few slots give


def run(sizes: list[int], slots: int, speed: float = 0.1) -> tuple[dict[str, list[list[str]]], list[Goal]]:
    """The table and the goals: so many at once, without limits, and 60 with few creation slots."""
    path, found = speed * (CREATION + AFTER_CREATION), []
    with tempfile.TemporaryDirectory() as name, demo(Path(name), speed, **ROOM) as access:
        found += [burst(Path(name), access, f"{size} at once", size, path, path) for size in sizes]
    goals = [Goal(f"orders, {one.name}", one.median, most=AIMS.get(one.orders)) for one in found]
    if slots:
        bound = speed * (-(-60 // slots) * CREATION + AFTER_CREATION)
        with (
            tempfile.TemporaryDirectory() as name,
            demo(Path(name), speed, PROXMOX_CREATES=str(slots)) as access,
        ):
            few = burst(Path(name), access, f"60 with {slots} slots", 60, path, bound)
        found.append(few)
        goals.append(
            Goal(f"the last of 60 with {slots} creation slots, over the bound", few.last, most=MAKESPAN)
        )
    head = [
        "orders",
        "live",
        "median over the critical path",
        "last over its bound",
        "answer to a POST, median",
    ]
    return {"orders": [head, *(one.row() for one in found)]}, [one for one in goals if one.most]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 60])
    parser.add_argument("--speed", type=float, default=0.1)
    parser.add_argument(
        "--slots", type=int, default=3, help="creation slots of the last case; 0: leave it out"
    )
    parser.add_argument("--slack", type=float, default=0.0)
    options = parser.parse_args()
    _, goals = run(options.orders, options.slots, options.speed)
    return judged(goals, options.slack)


if __name__ == "__main__":
    sys.exit(main())
