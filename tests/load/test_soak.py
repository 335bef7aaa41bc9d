"""Hours of quiet work: memory, file descriptors, connections and rows that should stay as many do not grow.
By `script/soak`."""

import os
import threading
import time
from collections import defaultdict
from pathlib import Path
from statistics import median
from unittest import skipUnless

from tests.base import on_one_database
from tests.load.base import LoadCase
from tests.load.clients import Client

SECONDS = float(os.environ.get("NODEPOINT_SOAK_SECONDS", "0"))
CLIENTS = int(os.environ.get("NODEPOINT_SOAK_CLIENTS", "4"))
HOSTS = ("web", "workers-1", "workers-2")
# What is read, and by how much the last quarter may lie above the second: a share, and as much besides.
MORE = {"PSS MB": (0.10, 15.0), "descriptors": (0.10, 10.0), "connections": (0.25, 6.0), "rows": (0.5, 100.0)}
TABLES = ("django_q_ormq", "jobs_lease", "board_unasked", "board_finding", "django_session")


@skipUnless(SECONDS, "script/soak")
@on_one_database
class SoakTests(LoadCase):
    def test_nothing_grows(self) -> None:
        over, readings = threading.Event(), defaultdict(list)
        crowd = [Client(n, self.urls["web"], self.headers, self.account) for n in range(CLIENTS)]
        threads = [threading.Thread(target=one.run, args=(over.is_set,), daemon=True) for one in crowd]
        for thread in threads:
            thread.start()
        began, every = time.monotonic(), max(2.0, SECONDS / 200)
        following = began
        while time.monotonic() - began < SECONDS:
            self.supervisor.tick(0.2)
            if time.monotonic() >= following:
                following += every
                self.read(readings)
        over.set()
        for thread in threads:
            while thread.is_alive():
                self.supervisor.tick(0.2)
        self.settle()
        self.report(SECONDS)
        self.assert_nothing_is_lost_or_double()
        self.assertEqual(self.growing(readings), [])

    def read(self, readings: dict[tuple[str, str], list[float]]) -> None:
        for host in HOSTS:
            pids = self.tree(host)
            readings["PSS MB", host].append(sum(map(_pss, pids)) / 1024)
            readings["descriptors", host].append(sum(map(_descriptors, pids)))
        ((_, count),) = self.rows("SHOW STATUS LIKE 'Threads_connected'")
        readings["connections", "MariaDB"].append(float(count))
        for table in TABLES:
            ((count,),) = self.rows(f"SELECT COUNT(*) FROM {table}")  # noqa: S608
            readings["rows", table].append(float(count))

    def growing(self, readings: dict[tuple[str, str], list[float]]) -> list[str]:
        """What lies higher at the end than after the first quarter, in which caches fill."""
        found = []
        for (what, where), values in readings.items():
            quarter = max(1, len(values) // 4)
            early, late = median(values[quarter : 2 * quarter]), median(values[-quarter:])
            share, besides = MORE[what]
            line = f"{what} of {where}: {early:.0f} → {late:.0f} (most {max(values):.0f})"
            print(line, flush=True)  # noqa: T201
            if late > early * (1 + share) + besides:
                found.append(line)
        return found


def _pss(pid: int) -> float:
    """KB; 0 of a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("Pss:")), 0.0)


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
