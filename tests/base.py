"""What tests of the product share: a lab of their own, and jobs that run in the calling thread."""

import time
from importlib import import_module
from typing import Any
from unittest import mock

import requests
from django.apps import apps
from django.conf import settings
from django.test import SimpleTestCase, TestCase, TransactionTestCase, override_settings, tag

import lab
from dns import connections as dns_connections
from nodepoint import installation
from nodepoint.api.models import Token
from nodepoint.clients import breaker
from nodepoint.jobs import experience
from nodepoint.jobs.testing import MovedClock, run_until_idle
from sites import connections, live
from sites.steps import wordpress

on_one_database = tag("one_database")
"""For classes about what happens at the other systems, whatever database the rows are in: one of them is
enough. script/test spreads them over SQLite and MariaDB, `script/test --both` runs them on each."""


def typed(values: dict[str, str]) -> dict[str, Any]:
    """Settings as the environment gives them, in the types that settings.py makes of them."""
    makers = {list: lambda text: [item.strip() for item in text.split(",") if item.strip()], int: int}
    return {name: makers.get(type(getattr(settings, name, "")), str)(text) for name, text in values.items()}


class LabMixin(SimpleTestCase):
    """A lab without delays for each test."""

    lab: lab.Lab

    def setUp(self) -> None:
        super().setUp()
        self.lab = lab.start(speed=0.0)
        self.addCleanup(self.lab.stop)
        self.enterContext(override_settings(**typed(self.lab.settings)))
        breaker.forget()
        connections.forget()
        dns_connections.forget()
        experience.forget()
        # Where nothing takes time, what takes long without a golden template would be waited for, too.
        self.enterContext(mock.patch.object(wordpress, "SHORT", -1.0))
        live.forget()

    def state(self) -> dict[str, Any]:
        """What the simulated systems hold now."""
        return requests.get(f"{self.lab.url}/_lab/state", timeout=10).json()

    def control(self, path: str, **body: Any) -> None:
        """A control call of the lab; an error of it fails the test."""
        answer = requests.post(f"{self.lab.url}/_lab/{path}", json=body, timeout=10)
        self.assertEqual(answer.status_code, 200, answer.text)

    def fault(self, system: str, kind: str, match: str = "", count: int = 1, seconds: float = 0.2) -> None:
        """The next `count` calls that hold `match` fail."""
        self.control("faults", system=system, kind=kind, match=match, count=count, seconds=seconds)

    def clear_faults(self) -> None:
        """Forget all faults."""
        requests.delete(f"{self.lab.url}/_lab/faults", timeout=10)

    def leftovers(self) -> dict[str, list]:
        """Everything that NodePoint may have made in the lab's systems."""
        state = self.state()
        return {
            "containers": state["proxmox"]["containers"],
            "ha": state["proxmox"]["ha"],
            "records": state["cloudflare"]["records"],
            "proxy_hosts": state["npm"]["proxy_hosts"],
        }

    def assert_nothing_left(self) -> None:
        """No system holds anything that NodePoint made."""
        self.assertEqual({name: [] for name in self.leftovers()}, self.leftovers())

    def run_jobs(self, **options: Any) -> int:
        """Call all steps until nothing is left to do, by a clock that is moved; the lab works in real time
        without delays."""
        return run_until_idle(MovedClock(), **options)


class ApiMixin:
    """Calls of the API with a token of all scopes."""

    def setUp(self) -> None:
        super().setUp()
        _, self.secret = Token.issue("tests", ["sites", "dns", "support", "metrics"], rate_per_minute=0)

    def headers(self, **headers: str) -> dict[str, str]:
        """The token, and more headers."""
        return {"Authorization": f"Bearer {self.secret}", **headers}

    def post(self, path: str, body: Any, **headers: str):
        """POST JSON."""
        return self.client.post(path, body, content_type="application/json", headers=self.headers(**headers))

    def get(self, path: str, **headers: str):
        """GET."""
        return self.client.get(path, headers=self.headers(**headers))


@on_one_database
class LabTestCase(ApiMixin, LabMixin, TestCase):
    """One thread, rolled back at the end. What depends on the database has real transactions, or no lab."""


MIGRATED_ROWS = (
    "nodepoint.migrations.0001_installation",
    "sites.migrations.0002_plans",
    "dns.migrations.0002_template",
    "nodepoint.notices.migrations.0005_row",
)


class MigratedRows(TransactionTestCase):
    """Real transactions. Django empties all tables after each such test, and with them the rows that came
    with migrations; its own way to bring them back (serialized_rollback) fails after a test that does not
    use it."""

    def setUp(self) -> None:
        for name in MIGRATED_ROWS:
            import_module(name).add(apps, None)
        installation.forget()  # it was another row's
        super().setUp()


class LabTransactionTestCase(ApiMixin, LabMixin, MigratedRows):
    """Real transactions with a lab, for tests with threads."""


def eventually(condition, seconds: float = 10.0) -> bool:
    """Whether `condition()` becomes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False
