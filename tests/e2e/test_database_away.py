"""MariaDB is away at the start and in the middle, and a host loses its network: all goes on by itself when it
comes back.

Short by default. The long forms of the issue, with figures, beside nothing else:

    NODEPOINT_AWAY_SECONDS=600 NODEPOINT_CUT_ORDERS=50 NODEPOINT_CUT_SECONDS=60 script/test --sqlite-only \\
        tests.e2e.test_database_away
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from unittest import skipIf

from nodepoint.management.commands.serve import manage
from tests.base import on_one_database
from tests.e2e.hosts import PATIENCE, HostsTestCase
from tests.e2e.mariadb import MISSING, Relay

AWAY = float(os.environ.get("NODEPOINT_AWAY_SECONDS", "20"))  # in the middle
AWAY_AT_START = AWAY if AWAY > 20 else 5.0
CUT = float(os.environ.get("NODEPOINT_CUT_SECONDS", "20"))  # longer than a lease
ORDERS = int(os.environ.get("NODEPOINT_CUT_ORDERS", "8"))


@skipIf(MISSING, MISSING)
@on_one_database
class DatabaseAwayTests(HostsTestCase):
    def test_it_waits_at_the_start_and_in_the_middle_and_comes_back_by_itself(self) -> None:
        self.mariadb.start()
        self.supervisor.call(manage("migrate", "--verbosity=0"), self.environment("command"))
        self.mariadb.kill()
        self.start_host("host")
        log = self.folder / "host.log"
        self.until(lambda: log.exists() and "database_away" in log.read_text(), PATIENCE)
        self.assertIn("STAFF_EMAIL is not set", log.read_text(), "what is for a demo only is named")
        self.supervisor.tick(AWAY_AT_START)
        self.assertEqual(self.supervisor.deaths("host"), 0)
        self.mariadb.start()
        at_start = self.seconds_until(lambda: self.health("host") == 200)

        self.issue_token()
        services = [f"site-{number}" for number in range(3)]
        for service in services:
            self.order("host", service)
        self.supervisor.tick(2)
        self.mariadb.kill()
        self.supervisor.tick(AWAY)
        self.assertEqual(self.health("host"), 503)
        calls = self.calls()
        self.mariadb.start()
        in_the_middle = self.seconds_until(lambda: self.calls() > calls and self.health("host") == 200)
        live = self.seconds_until(lambda: self.states("host", services) == {"running": 3})
        # Live comes before the snapshot `initial`, which is the last thing of an order.
        self.seconds_until(lambda: all(one["snapshots"] for one in self.state()["proxmox"]["containers"]))
        self.assert_each_is_there_once(services)
        self.assertEqual(self.supervisor.deaths("host"), 0)
        for line in log.read_text().splitlines():
            self.assertIsInstance(json.loads(line), dict)
        print(  # noqa: T201 - figures of the long form
            f"\nMariaDB {AWAY_AT_START:.0f} s away at the start: up {at_start:.1f} s after its return;"
            f" {AWAY:.0f} s in the middle: work goes on {in_the_middle:.1f} s after its return,"
            f" all live {live:.1f} s later"
        )

    def calls(self) -> int:
        """How many calls the infrastructure has had."""
        return sum(self.state()["requests"].values())


@skipIf(MISSING, MISSING)
@on_one_database
class CutOffTests(HostsTestCase):
    """The lost host still reaches the infrastructure: it can act, and record nothing."""

    def test_orders_of_a_host_that_is_cut_off_go_live_once(self) -> None:
        self.mariadb.start()
        relay = Relay(self.mariadb.port)
        self.addCleanup(relay.close)
        self.start_host("one", "--only=web")
        self.back("one")
        self.start_host("worker", "--only=worker")
        self.start_host("two", database=relay.port)
        self.back("two")
        self.issue_token()
        services = [f"site-{number}" for number in range(ORDERS)]
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(self.order, ["one", "two"] * (ORDERS // 2), services))
        self.supervisor.tick(2)
        relay.cut()
        ready = sum(bool(one["snapshots"]) for one in self.state()["proxmox"]["containers"])
        self.assertLess(ready, ORDERS, "all was done before the host was cut off")
        began = time.monotonic()
        self.supervisor.tick(CUT)
        meanwhile = self.states("one", services)
        relay.mend()
        self.until(lambda: self.states("one", services) == {"running": ORDERS}, 4 * PATIENCE)
        live = time.monotonic() - began
        self.seconds_until(lambda: all(one["snapshots"] for one in self.state()["proxmox"]["containers"]))
        self.assert_each_is_there_once(services)
        self.back("two")
        self.assertEqual([self.supervisor.deaths(name) for name in ("one", "worker", "two")], [0, 0, 0])
        self.assertEqual(self.health("worker"), 0)  # it listens nowhere
        print(  # noqa: T201 - figures of the long form
            f"\n{ORDERS} orders, one of two hosts cut off for {CUT:.0f} s when {ready} were done:"
            f" {meanwhile['running']} live when it came back, all {live:.1f} s after the cut"
        )
