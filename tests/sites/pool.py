"""What the tests of the pool share: a pool that is full, and orders that find one."""

import time
from copy import deepcopy
from datetime import timedelta
from typing import Any

from django.test import SimpleTestCase, override_settings
from django.utils import timezone

from sites.models import Site, Spare
from sites.pool import refill
from tests.sites.base import SiteTestCase


class PoolMixin(SimpleTestCase):
    """`POOL_SIZE` is 1 unless a test says otherwise."""

    size = 1

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(override_settings(POOL_SIZE=self.size))

    def fill(self) -> None:
        """The periodic look, and what it has begun, until the pool is full or nothing is begun any more."""
        self.clock.time = max(self.clock.time, timezone.now())
        self.run_jobs()
        while refill.top_up():
            self.run_jobs()
        self.run_jobs()

    def ready(self) -> list[Spare]:
        return list(Spare.objects.filter(state="ready").order_by("pk"))

    def spare(self) -> Spare:
        """The one that is ready."""
        if not self.ready():
            self.fill()
        (spare,) = self.ready()
        return spare

    def guest(self, vmid: int) -> dict[str, Any]:
        """The inside of a container in the lab."""
        with self.lab.lock:
            return deepcopy(self.lab.guest._look(vmid, time.time()))

    def ordered(self, service_id: str = "1001", **more: str) -> Site:
        """An order whose jobs have gone to their end."""
        site = self.create(service_id=service_id, **more)
        self.run_jobs()
        site.refresh_from_db()
        return site

    def later(self, **delta: float) -> None:
        """What has ended lies further back."""
        moved = timedelta(**delta)
        for spare in Spare.objects.exclude(ended_at=None):
            Spare.objects.filter(pk=spare.pk).update(ended_at=spare.ended_at - moved)


class PoolCase(PoolMixin, SiteTestCase):
    """One thread, rolled back at the end."""
