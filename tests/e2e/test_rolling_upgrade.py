"""Two hosts are upgraded one after the other while orders keep coming, as docs/operations/keeping.md says:
the one that is up takes them all, no caller sees an error, and every order is live once.

The release before is a commit's, from its own files; with `today`, it is this code, and the next release is a
copy of it whose schema has grown. It takes two minutes, so that it runs by command only:

    NODEPOINT_UPGRADE_FROM=today script/test --sqlite-only tests.e2e.test_rolling_upgrade
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from unittest import skipIf, skipUnless

import requests
from django.conf import settings

from nodepoint.management.commands.serve import GRACE
from nodepoint.version import NOTED
from tests.base import on_one_database
from tests.e2e.hosts import PATIENCE, HostsTestCase
from tests.e2e.mariadb import MISSING, free_port

FROM = os.environ.get("NODEPOINT_UPGRADE_FROM", "")
TODAY = "today"
PARTS = ("pyproject.toml", "manage.py", "nodepoint", "sites", "dns", "support", "templates", "lab")
PACE = 1.5  # seconds between two orders
GROWN = """
Site.add_to_class("made_by", models.CharField(max_length=20, default="new", db_default="old"))
"""
MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sites", "{last}")]
    operations = [
        migrations.AddField(
            "site", "made_by", models.CharField(max_length=20, default="new", db_default="old")
        )
    ]
"""


def release(folder: Path, name: str, *, commit: str = TODAY, grows: bool = False) -> Path:
    """The files of a release: today's, or a commit's; `grows`: its schema is ahead of today's."""
    tree = folder / name
    tree.mkdir()
    if commit != TODAY:
        archive = subprocess.run(
            ["git", "archive", commit, *PARTS], cwd=settings.BASE_DIR, check=True, capture_output=True
        )
        subprocess.run(["tar", "-x"], cwd=tree, check=True, input=archive.stdout)
    else:
        for part in PARTS:
            source = settings.BASE_DIR / part
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, tree / part)
    if grows:
        last = max(file.stem for file in (tree / "sites/migrations").glob("0*.py"))
        (tree / "sites/migrations/9999_grown.py").write_text(MIGRATION.format(last=last))
        with (tree / "sites/models.py").open("a") as models:
            models.write(GROWN)
    (tree / NOTED).write_text(name)
    return tree


class Portal(threading.Thread):
    """Orders at whichever host answers, in turn, as a load balancer would; notes what it has seen. `phase`:
    what goes on meanwhile."""

    def __init__(self, urls: dict[str, str], headers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.urls, self.headers = urls, headers
        self.phase, self.over = "before", threading.Event()
        self.services: list[str] = []
        self.taken: Counter[tuple[str, str]] = Counter()  # by phase and host
        self.errors: list[str] = []
        self.cut_off: list[str] = []
        self.longest = 0.0  # seconds

    def run(self) -> None:
        """Order after order, until it is over."""
        while not self.over.wait(PACE):
            number = len(self.services)
            hosts = list(self.urls)[:: 1 if number % 2 else -1]
            began = time.monotonic()
            if any(self._order(host, f"site-{number}") for host in hosts):
                self.services.append(f"site-{number}")
            else:
                self.errors.append(f"{self.phase}: nobody took an order")
            self.longest = max(self.longest, time.monotonic() - began)

    def _order(self, host: str, service: str) -> bool:
        """Whether the host is there and took it; who is not there is no error."""
        body = {"service_id": service, "email": "a@example.com", "plan": "basic", "public_ip": "203.0.113.10"}
        phase, once = self.phase, self.headers | {"Idempotency-Key": service}
        try:
            made = requests.post(f"{self.urls[host]}/create-site", json=body, headers=once, timeout=25)
            known = requests.get(
                f"{self.urls[host]}/status", params={"service_id": service}, headers=self.headers, timeout=25
            )
        except requests.ConnectionError as error:
            if "refused" not in str(error):
                self.cut_off.append(f"{phase}: {host} broke off: {error}")
            return False
        except requests.Timeout:
            self.errors.append(f"{phase}: {host} did not answer")
            return False
        for answer in (made, known):
            if answer.status_code != 200:
                self.errors.append(f"{phase}: {host} said {answer.status_code} {answer.text[:200]}")
        self.taken[phase, host] += made.status_code == 200
        return made.status_code == 200


@skipIf(MISSING, MISSING)
@skipUnless(FROM, "NODEPOINT_UPGRADE_FROM names no release to begin with")
@on_one_database
class RollingUpgradeTests(HostsTestCase):
    maxDiff = None

    def setUp(self) -> None:
        super().setUp()
        self.hosts: dict[str, subprocess.Popen[bytes]] = {}
        self.addCleanup(self.stop_all)

    def stop_all(self) -> None:
        """Nothing is left when the test is over, however it went."""
        for process in self.hosts.values():
            process.terminate()
        for process in self.hosts.values():
            process.wait(GRACE + 15)

    def run_release(self, name: str, tree: Path) -> None:
        """Start a host's `serve` from a release's files, on the port that it always has."""
        if name not in self.urls:
            self.urls[name] = f"http://127.0.0.1:{free_port()}"
        self.said_in = f"{name}.log"
        environment = self.environment(name, int(self.urls[name].rpartition(":")[2]))
        with (self.folder / self.said_in).open("ab") as log:
            self.hosts[name] = subprocess.Popen(
                [sys.executable, "manage.py", "serve"], env=environment, cwd=tree, stdout=log, stderr=log
            )

    def stop(self, name: str) -> float:
        """As `systemctl stop` does. Returns the seconds that it took."""
        began, process = time.monotonic(), self.hosts.pop(name)
        process.terminate()
        self.assertEqual(process.wait(GRACE + 15), 0, name)
        return round(time.monotonic() - began, 1)

    def version(self, name: str) -> str:
        """Which release a host runs."""
        answer = requests.get(f"{self.urls[name]}/health?deep=1", headers=self.headers, timeout=25)
        return answer.json()["version"]

    def orders_in(self, portal: Portal, phase: str, *hosts: str) -> None:
        """Wait until each host has taken an order in this phase."""
        portal.phase = phase
        self.until(lambda: portal.errors or all(portal.taken[phase, host] for host in hosts), PATIENCE)
        self.assertEqual(portal.errors, [])

    def test_orders_go_live_once_while_one_host_after_the_other_is_upgraded(self) -> None:
        old = release(self.folder, "the-release-before", commit=FROM)
        new = release(self.folder, "the-next-release", grows=FROM == TODAY)
        self.mariadb.start()
        for name in ("one", "two"):
            self.run_release(name, old)
            self.back(name)
        self.issue_token()
        portal = Portal(self.urls, self.headers)
        portal.start()
        self.addCleanup(portal.over.set)
        self.orders_in(portal, "before", "one", "two")

        away, stopping = {}, {}
        for name, other in (("one", "two"), ("two", "one")):
            portal.phase = f"{name} away"
            began = time.monotonic()
            stopping[name] = self.stop(name)
            self.orders_in(portal, f"{name} away", other)
            self.run_release(name, new)
            self.back(name)
            away[name] = round(time.monotonic() - began, 1)
            self.orders_in(portal, f"{name} is new", "one", "two")
            self.assertEqual(self.version(name), "the-next-release")
            expected = "the-release-before" if name == "one" else "the-next-release"
            self.assertEqual(self.version(other), expected)
        portal.over.set()
        portal.join(30)
        self.assertEqual(portal.errors, [])
        # Before 2.0.0 a host that stopped cut off whom the kernel had let in; he asked the next one.
        self.assertTrue(FROM != TODAY or not portal.cut_off, portal.cut_off)
        live = self.seconds_until(
            lambda: self.states("one", portal.services) == {"running": len(portal.services)}
        )
        self.seconds_until(lambda: all(one["snapshots"] for one in self.state()["proxmox"]["containers"]))
        self.assert_each_is_there_once(portal.services)
        print(  # noqa: T201 - figures for docs/running.md
            f"\n{len(portal.services)} orders while two hosts were upgraded, each away for {away} s, of these"
            f" {stopping} s to stop: no error, {len(portal.cut_off)} cut off, the slowest answered within"
            f" {portal.longest:.1f} s, all live {live:.1f} s after the last"
        )
