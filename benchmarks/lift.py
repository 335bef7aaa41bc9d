"""How long a site is away while all of them are lifted, and how long that takes.

    .venv/bin/python benchmarks/lift.py [--sites 200] [--batch 5] [--speed 0.1] [--watched 10]

Starts a demo of its own in a temporary folder, orders the sites, sets their level back, has them lifted by
`manage.py lift`, and meanwhile visits through the proxy: all of them in turn, and some of them, spread over
the order in which they are lifted, again and again. Printed is how many answers were none, and the longest
time between two good answers of a watched one, which holds the pause between two visits: an upper bound of
how long it was away. What takes a site off the net here is the platform's own doing (a proxy host written, a
container stopped). The lab's script ends no service; how long a real one is away is measured by
tests/containers/test_lift.py.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.orders import demo, live, order  # noqa: E402
from tests.visitor import visit  # noqa: E402

BACK = """
import django
django.setup()
from django.conf import settings
from sites.models import Site
Site.objects.update(level=0)
print(settings.PROXY_CHECK_ADDRESS, *(site.hostname for site in Site.objects.filter(state="live")))
"""


class Visits(threading.Thread):
    """Visits names in turn. `away`: the longest time between two good answers of one; `bad`: how many were
    none; `rounds`: seconds of each round."""

    def __init__(self, address: str, names: list[str]) -> None:
        super().__init__(daemon=True)
        self.address, self.names, self.over = address, names, threading.Event()
        self.last = dict.fromkeys(names, 0.0)
        self.away, self.bad, self.rounds = 0.0, 0, []

    def run(self) -> None:
        while not self.over.is_set():
            begun = time.monotonic()
            for name in self.names:
                self.look(name)
            self.rounds.append(time.monotonic() - begun)

    def look(self, name: str) -> None:
        try:
            good = visit(self.address, f"https://{name}/", verify=False, timeout=5).status_code == 200
        except requests.RequestException:
            good = False
        now = time.monotonic()
        if not good:
            self.bad += 1
            return
        if self.last[name]:
            self.away = max(self.away, now - self.last[name])
        self.last[name] = now


def main() -> None:
    """Order, set back, lift, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--batch", type=int, default=5)
    parser.add_argument("--speed", type=float, default=0.1)
    parser.add_argument("--watched", type=int, default=10)
    options = parser.parse_args()
    requests.packages.urllib3.disable_warnings()
    # More than the range of the demo holds by default.
    wide = {"SITE_NETWORK": "192.168.0.0/16", "SITE_IP_RANGE": "192.168.1.100-192.168.3.250"}
    with tempfile.TemporaryDirectory() as name, demo(Path(name), options.speed, **wide) as access:
        folder = Path(name)
        order(access, "lift", options.sites)
        live(folder, "lift", 20 + options.sites * options.speed)
        time.sleep(30 * options.speed + 5)  # their first snapshots
        environment = os.environ | {"NODEPOINT_DATA": name, "DJANGO_SETTINGS_MODULE": "nodepoint.settings"}
        run = {"env": environment, "cwd": ROOT, "check": True}
        back = subprocess.run([sys.executable, "-c", BACK], capture_output=True, text=True, **run)
        address, *names = back.stdout.split()
        all_of_them = Visits(address, names)
        watched = Visits(address, names[:: max(1, len(names) // options.watched)])
        both = (all_of_them, watched)
        for visits in both:
            visits.start()
        begun = time.monotonic()
        subprocess.run([sys.executable, "manage.py", "lift", "--batch", str(options.batch)], **run)
        took = time.monotonic() - begun
        for visits in both:
            visits.over.set()
            visits.join()
        print(
            f"{len(names)} sites, {options.batch} at once: lifted in {took:.0f} s;"
            f" {sum(len(visits.rounds) * len(visits.names) for visits in both)} visits,"
            f" {sum(visits.bad for visits in both)} bad answers;"
            f" {len(watched.names)} sites watched: {watched.away:.1f} s at most between good answers"
        )


if __name__ == "__main__":
    main()
