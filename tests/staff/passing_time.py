"""Time that passes for tests of the pages of staff, which go by the real clock: what has happened is moved
back."""

from django.db import models
from django.db.models import F
from django.utils import timezone

from dns.models import Zone
from nodepoint.board import tasks
from nodepoint.clients import breaker
from nodepoint.jobs.models import Job, JobStep, Lease
from sites import live, watch
from sites.models import Backup, ClusterReading, CustomDomain, Site, Template
from tests.sites.base import SiteMixin

MOVED = (Job, JobStep, Site, CustomDomain, Backup, Template, Zone, ClusterReading)


class PassingTimeMixin(SiteMixin):
    """Jobs run by the test's clock; afterwards it is now again."""

    def pass_time(self, seconds: float = 0) -> None:
        """Let jobs work for so long by the test's clock, or to their end; afterwards all that has happened so
        far lies that much further back, and it is now again."""
        if seconds:
            self.run_for(seconds)
        else:
            self.run_jobs()
        gone = self.clock.time - timezone.now()
        for model in MOVED:
            for name in (one.name for one in model._meta.fields if isinstance(one, models.DateTimeField)):
                rows = model._base_manager.exclude(**{name: None})
                rows.update(**{name: F(name) - gone})
        self.clock.time = timezone.now()
        Lease.objects.filter(name=live.LEASE).update(holder="")  # the cluster may be read anew
        live.forget()
        breaker.forget()  # its pauses went by the time that has passed

    def look_at_everything(self) -> None:
        """The periodic looks, as the workers make them. Jobs that wait for something go on waiting."""
        tasks.check_systems()
        tasks.count_days()
        watch.look()
        tasks.compare()
        self.run_for(10)
