"""Where every second of a cold order goes, from its POST until the site is verified.

    .venv/bin/python benchmarks/seconds.py [--speed 1] [--orders 3]

Starts a demo with the golden template at life-like durations, lets two sites teach it the usual ones, orders
others one after the other, and prints of the median one each step of the longest chain: when it began, how
long it took, how much of that the systems took themselves (the lab's durations of its calls and of its task),
and the rest, which is ours. Exit code 1: it took longer than the goal.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.orders import demo, live, order  # noqa: E402
from benchmarks.tables import Goal, judged  # noqa: E402
from lab.clock import SECONDS  # noqa: E402

GOLDEN = "local:vztmpl/nodepoint-golden_1_amd64.tar.zst"
MOST = 25.0  # seconds
READ, WRITE, SSH = SECONDS["read"], SECONDS["write"], SECONDS["ssh"]
# Of the longest chain, in its order: what the lab takes for the calls of each step, and for its task.
OWN = {
    "place": 0.0,
    "container": 2 * READ + WRITE + SECONDS["create.golden"] + READ,
    "firewall": 4 * READ + 7 * WRITE,
    "started": READ + WRITE + SECONDS["start"] + 2 * READ,
    "wordpress": READ + SSH + SECONDS["install.site"],
    "verified": SSH + READ,
}
READER = """
import json, sys, django
django.setup()
from nodepoint.jobs.models import Job
job = Job.objects.get(kind="sites.provision", data__service_id=sys.argv[1])
steps = {step.name: step for step in job.steps.all()}
begun = job.created_at
print(json.dumps({
    name: [(step.started_at - begun).total_seconds(), (step.finished_at - begun).total_seconds(), step.calls]
    for name, step in steps.items() if step.started_at and step.finished_at
}))
"""


def times(folder: Path, service: str) -> dict[str, list[float]]:
    """Of each step of an order: seconds from its acceptance to begin and end, and how often it was called."""
    environment = os.environ | {"NODEPOINT_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "nodepoint.settings"}
    command = [sys.executable, "-c", READER, service]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def table(steps: dict[str, list[float]], speed: float) -> list[list[str]]:
    """The rows; each step's time begins where the one before it ended."""
    rows = [["step", "begins at", "takes", "of it the systems'", "ours", "calls"]]
    end = own = 0.0
    for name, theirs in OWN.items():
        _, finished, calls = steps[name]
        took, theirs = finished - end, theirs * speed
        figures = [f"{end:.2f} s", f"{took:.2f} s", f"{theirs:.2f} s", f"{took - theirs:.2f} s", f"{calls}"]
        rows.append([name, *figures])
        end, own = finished, own + theirs
    rows.append(["until it is verified", "", f"{end:.2f} s", f"{own:.2f} s", f"{end - own:.2f} s", ""])
    beside = [name for name in steps if name not in OWN and steps[name][1] < end]
    rows.append([f"beside it: {', '.join(beside)}", "", "", "", "", ""])
    return rows


def run(speed: float, orders: int) -> tuple[list[list[str]], list[Goal]]:
    """The table of the median order, and the goal."""
    expected = speed * sum(OWN.values())
    with (
        tempfile.TemporaryDirectory() as name,
        demo(Path(name), speed, PROXMOX_TEMPLATE=GOLDEN) as access,
    ):
        found = []
        for number in range(orders):
            batch = f"second{number}"
            order(access, batch, 1)
            live(Path(name), batch, expected)
            found.append(times(Path(name), f"{batch}-0"))
            time.sleep(speed * SECONDS["snapshot"])
    chosen = sorted(found, key=lambda steps: steps["verified"][1])[len(found) // 2]
    goal = Goal("seconds of a cold order, at life-like speed", chosen["verified"][1] / speed, most=MOST)
    return table(chosen, speed), [goal]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--orders", type=int, default=3)
    options = parser.parse_args()
    rows, goals = run(options.speed, options.orders)
    for row in rows:
        print(" | ".join(row))
    return judged(goals, 0.0)


if __name__ == "__main__":
    sys.exit(main())
