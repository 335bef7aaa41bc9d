"""What the tests of overrides share: losing a container, reading the cluster anew, refusals."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from nodepoint.api.errors import ApiError
from nodepoint.audit.models import Entry
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.models import Job, Lease
from sites import live
from sites.models import ClusterReading, Site
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff

BY = {"actor": "staff anna"}


class OverridesCase(ActsMixin, SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.object(live, "KEPT", timedelta(hours=1)))  # until it is read anew
        self.client.force_login(make_staff("anna", "operator"))

    def read_anew(self) -> None:
        """Have the cluster read now, whatever was read before."""
        ClusterReading.objects.update(tried_at=None, taken_at=None)
        Lease.objects.filter(name=live.LEASE).update(holder="")
        live.forget()
        live.reading()

    def stale(self) -> None:
        """The cluster does not answer."""
        ClusterReading.objects.update(error="away")
        live.forget()

    def lose_container(self, site: Site) -> None:
        """The container is gone, and so it has been for an hour."""
        with self.lab.lock:
            self.lab.proxmox.cluster.containers.pop(site.vmid)
        before = timezone.now() - timedelta(hours=1)
        Site.objects.filter(pk=site.pk).update(live_at=before, power_verified_at=before, created_at=before)
        site.refresh_from_db()
        self.read_anew()

    def refused(self, work, *arguments, **given) -> str:
        """The sentence of a refusal; nothing is written."""
        before = list(Site.objects.order_by("pk").values()), Entry.objects.count(), Job.objects.count()
        with self.assertRaises((ApiError, JobRefused)) as caught:
            work(*arguments, **given)
        self.assertEqual(
            (list(Site.objects.order_by("pk").values()), Entry.objects.count(), Job.objects.count()), before
        )
        return str(caught.exception)

    def entry(self, site: Site) -> Entry:
        return Entry.objects.filter(subject=site.key)[0]
