"""From the accepted order to the live site, out of the pool and beside it, in one run.

    .venv/bin/python benchmarks/pool.py [--speed 1] [--orders 3]

Starts a demo of its own with a golden template, at life-like durations (`--speed` 1), orders sites by the API
one after the other, asks for `GET /status` ten times a second, and prints the seconds until it says
`running`: in turn with a ready container, and before the next one is ready. Exit code 1: an order failed, a
pooled one took more than MOST seconds at life-like speed, or a cold one more than MOST_COLD.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.orders import demo  # noqa: E402 - the path comes first
from nodepoint.management.portal import Portal  # noqa: E402

GOLDEN = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"
READY = 'nodepoint_pool{state="ready"}'
MOST, MOST_COLD = 5.0, 25.0  # seconds
PATIENCE = 300.0


def main(speed: float, orders: int) -> int:
    """Prints the table; the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"PROXMOX_TEMPLATE": GOLDEN, "POOL_SIZE": "1"}
        with demo(Path(folder), speed, **settings) as place:
            portal = Portal(place["url"], place["token"])
            cold, pooled = [], []
            for number in range(orders):
                wait(portal)
                pooled.append(seconds(portal, f"pooled-{number}"))
                cold.append(seconds(portal, f"cold-{number}"))  # before the next container is ready
    print("| order | seconds | of the cold one |\n| --- | --- | --- |")
    for fast, slow in zip(pooled, cold, strict=True):
        print(f"| golden template, nothing waits | {slow:.1f} | |")
        print(f"| out of the pool | {fast:.1f} | {fast / slow:.2f} |")
    return int(median(pooled) > MOST * speed or median(cold) > MOST_COLD * speed)


def seconds(portal: Portal, service: str) -> float:
    """How long an order takes until its site runs; SystemExit where it fails."""
    order = {
        "service_id": service,
        "email": f"{service}@example.com",
        "plan": "basic",
        "public_ip": "203.0.113.10",
    }
    begun = time.monotonic()
    portal.post("/create-site", service, **order)
    while time.monotonic() < begun + PATIENCE:
        status = portal.get("/status", service_id=service)["status"]
        if status == "running":
            return time.monotonic() - begun
        if status != "provisioning":
            raise SystemExit(f"{service}: {status}")
        time.sleep(0.1)
    raise SystemExit(f"{service} is not live after {PATIENCE:.0f} s")


def wait(portal: Portal) -> None:
    """Until a container is ready, and nothing else goes on."""
    end = time.monotonic() + PATIENCE
    while not portal.metric(READY):
        if time.monotonic() > end:
            raise SystemExit(f"no container is ready after {PATIENCE:.0f} s")
        time.sleep(0.5)
    time.sleep(2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--orders", type=int, default=3)
    arguments = parser.parse_args()
    sys.exit(main(arguments.speed, arguments.orders))
