"""Killed at every border of every call: the job goes on when the lease has run out; nothing is made twice."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.core import mail
from django.test import override_settings

from nodepoint.jobs import engine
from sites.flows import PROVISION, TERMINATE
from sites.models import Site
from tests.sites.base import SiteTestCase

CREATED = {  # what must be asked for exactly once, whatever happens
    "containers": ("proxmox", "POST /api2/json/nodes/node1/lxc"),
    "records": ("cloudflare", "POST "),
    "proxy hosts": ("npm", "POST /api/nginx/proxy-hosts"),
    "certificates": ("npm", "POST /api/nginx/certificates"),
    "HA resources": ("proxmox", "POST /api2/json/cluster/ha/resources"),
}


RENAMING = {"name", "renamed"}  # steps of an order that met a stranger on its name
STEPS = {step.name for step in PROVISION.steps if step.run} - RENAMING | {"mail_sent"}


class Killed(BaseException):
    """As if the worker had been killed: nothing catches it, nothing is tidied up."""


class CrashTests(SiteTestCase):
    """Every call is killed once at each border: a function of the engine, at its end or at its beginning."""

    BORDERS = {
        "before the call": ("_call", False),
        "between call and record": ("_call", True),
        "in the record": ("_changes_nothing", False),
        "after the record": ("_log", False),
    }

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(NPM_CERTIFICATE="letsencrypt"))

    @contextmanager
    def _killing(self, border: str, killed: set[str]):
        name, afterwards = self.BORDERS[border]
        real: Callable = getattr(engine, name)
        seen: set[tuple[Any, ...]] = set()

        def kill_once(*args: Any, **options: Any) -> Any:
            step = next(arg for arg in args if isinstance(arg, engine.JobStep))
            key = (step.pk, step.calls, step.state)
            first = key not in seen
            seen.add(key)
            if first and not afterwards:
                killed.add(step.name)
                raise Killed
            answer = real(*args, **options)
            if first:
                killed.add(step.name)
                raise Killed
            return answer

        with mock.patch.object(engine, name, kill_once):
            yield

    def _survive(self, border: str) -> set[str]:
        """Run all jobs to their end; returns the names of the steps that were killed."""
        killed: set[str] = set()
        with self._killing(border, killed):
            for _ in range(300):
                try:
                    self.run_jobs()
                except Killed:
                    continue
                return killed
        raise AssertionError("killed without end")

    def assert_made_once(self) -> None:
        made = {what: 0 for what in CREATED}
        for what, (system, call) in CREATED.items():
            made[what] = sum(where == system and is_call(call, asked) for where, asked in self.calls)
        self.assertEqual(made, dict.fromkeys(CREATED, 1))

    def test_provisioning(self):
        for number, border in enumerate(self.BORDERS):
            with self.subTest(border):
                self.calls.clear()
                mail.outbox.clear()
                customer = f"crash{number}"
                site = self.create(service_id=customer, email=f"{customer}@example.com", plan="premium")
                killed = self._survive(border)
                self.assertEqual(killed, STEPS)
                self.assert_live(site)
                self.assert_made_once()
                # Whether it was sent stands in the notice's row before the step is recorded.
                self.assertEqual(len(mail.outbox), 1)
                self.delete(customer)
                self.run_jobs()

    def test_taking_another_name(self):
        """The stranger is met when the record stands and WordPress is installed."""
        for number, border in enumerate(self.BORDERS):
            with self.subTest(border):
                customer = f"crash{number}"
                site = self.create(service_id=customer, email=f"{customer}@example.com")
                self.fault("npm", "drop_before", count=100_000)
                self.run_until(site, "wordpress", state="done")
                self.clear_faults()
                self.lab.npm.state.other_names.add(site.hostname)
                killed = self._survive(border)
                self.assertGreaterEqual(killed, RENAMING)
                self.assert_live(site)
                self.assertRegex(site.subdomain, f"^{customer}-")
                self.assertEqual(site.serves_as, site.hostname)
                self.delete(customer)
                self.run_jobs()
                self.assert_nothing_left()

    def test_deleting(self):
        for number, border in enumerate(self.BORDERS):
            with self.subTest(border):
                customer = f"crash{number}"
                site = self.live_site(service_id=customer, email=f"{customer}@example.com", plan="premium")
                self.delete(customer)
                killed = self._survive(border)
                # Without ARCHIVE_STORAGE nothing is archived; whoever asks later whether an archive was kept
                # has a job of its own.
                self.assertEqual(killed - {"mail_sent"}, {*TERMINATE.by_name} - {"last_archive"})
                site.refresh_from_db()
                self.assertEqual(site.state, Site.State.DELETED, self.tale(site))
                self.assert_nothing_left()

    def test_undoing(self):
        for number, border in enumerate(self.BORDERS):
            with self.subTest(border):
                customer = f"crash{number}"
                self.fault("ssh", "refuse", "curl", count=1000)
                site = self.create(service_id=customer, email=f"{customer}@example.com", plan="premium")
                self._survive(border)
                self.clear_faults()
                self.assert_undone(site)


def is_call(call: str, asked: str) -> bool:
    """Whether it is this very call, or one of that beginning where the rest is left open by a blank."""
    return asked.startswith(call) if call.endswith(" ") else asked == call
