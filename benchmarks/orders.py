"""What the engine adds to the infrastructure's own time: ratios within one run.

    .venv/bin/python benchmarks/orders.py [--orders 60] [--speed 0.1] [--slots 3]

Starts a demo of its own (SQLite, lab at the given speed) in a temporary folder, lets it make three sites to
learn the usual durations, and then orders: one site; many at once; many at once with few creation slots.
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
from pathlib import Path
from statistics import median

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

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


def run(folder: Path, access: dict, batch: str, count: int, path: float, bound: float) -> None:
    """Order, wait, and print the ratios. `path`, `bound`: seconds of one order alone, and of the last of
    all."""
    posts = order(access, batch, count)
    rows = live(folder, batch, bound)
    took = sorted(verified - ordered for ordered, verified, _ in rows if verified)
    last = max(verified for _, verified, _ in rows if verified) - min(ordered for ordered, _, _ in rows)
    print(
        f"{batch:>8}: {len(took)} of {count} live; order answered in {median(posts) * 1000:.0f} ms (median); "
        f"median {median(took) / path:.3f}, last {last / bound:.3f} of ideal ({path:.2f} s, {bound:.2f} s)",
        flush=True,
    )


def main() -> None:
    """Run the three cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=60)
    parser.add_argument("--speed", type=float, default=0.1)
    parser.add_argument("--slots", type=int, default=3)
    parser.add_argument("--only", choices=["one", "many", "slots"])
    options = parser.parse_args()
    speed, count, slots = options.speed, options.orders, options.slots
    path = speed * (CREATION + AFTER_CREATION)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only != "slots":
            with demo(folder, speed) as access:
                if options.only != "many":
                    run(folder, access, "one", 1, path, path)
                if options.only != "one":
                    run(folder, access, "many", count, path, path)
    if options.only not in ("one", "many"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            bound = speed * (-(-count // slots) * CREATION + AFTER_CREATION)
            with demo(folder, speed, PROXMOX_CREATES=str(slots)) as access:
                run(folder, access, "slots", count, path, bound)


if __name__ == "__main__":
    main()
