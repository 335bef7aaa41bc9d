"""Fifty clients for two minutes, and database, broker and a worker host killed in the middle: nothing that
was accepted is lost, nothing is there twice, and no call takes longer than it may. By `script/load`."""

import os
from unittest import skipUnless

from tests.base import on_one_database
from tests.load.base import LoadCase
from tests.load.clients import PATIENCE

SECONDS = float(os.environ.get("NODEPOINT_LOAD_SECONDS", "0"))
CLIENTS = int(os.environ.get("NODEPOINT_LOAD_CLIENTS", "50"))


@skipUnless(SECONDS, "script/load")
@on_one_database
class LoadTests(LoadCase):
    def test_nothing_is_lost_or_double_after_restarts_under_load(self) -> None:
        happens = {0.25: self.restart_database, 0.5: self.restart_broker, 0.75: self.kill_worker_host}
        self.work(CLIENTS, SECONDS, happens)
        self.report(SECONDS)
        print(f"all had ended {self.settle():.0f} s after the last call")  # noqa: T201
        self.assert_nothing_is_lost_or_double()
        self.assertLess(max(self.account.seconds), PATIENCE)
        html = [kind for kind in self.account.ended if "JSONDecodeError" in kind]
        self.assertEqual(html, [], "an answer was no JSON")
