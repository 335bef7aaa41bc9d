"""GET /status: rows, and one reading of the cluster that all sites share."""

import time
from datetime import timedelta

from django.db import connection
from django.test import SimpleTestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.jobs.models import Lease
from sites import live, representation
from sites.models import ClusterReading, Site
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase

FIELDS = {
    "success",
    "service_id",
    "email",
    "vmid",
    "private_ip",
    "subdomain",
    "url",
    "public_ip",
    "plan",
    "status",
    "node",
    "resources",
    "primary",
    "domains",
    "usage",
    "options",
    "safe_mode",
    "proxy_enabled",
    "backups",
    "quota",
    "job",
}
READING = "GET /api2/json/cluster/resources"


class StatusCase(SiteTestCase):
    def status(self, service_id: str = "1001") -> dict:
        """The body of a 200."""
        answer = self.get(f"/status?service_id={service_id}")
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()

    def time_passes(self, seconds: float) -> None:
        """As if the last reading, its lease and the last job were older by `seconds`."""
        row, ago = ClusterReading.objects.get(), timedelta(seconds=seconds)
        if row.tried_at:
            taken = row.taken_at - ago if row.taken_at else None
            ClusterReading.objects.update(tried_at=row.tried_at - ago, taken_at=taken)
        for site in Site.objects.exclude(power_verified_at=None):
            Site.objects.filter(pk=site.pk).update(power_verified_at=site.power_verified_at - ago)
        for lease in Lease.objects.all():
            Lease.objects.filter(pk=lease.pk).update(until=lease.until - ago)
        live.forget()

    def halt(self, vmid: int) -> None:
        """The container stops by itself."""
        with self.lab.lock:
            self.lab.proxmox.cluster.power.halt(self.lab.proxmox.cluster.containers[vmid], time.time())


class FieldsTests(StatusCase):
    def test_a_live_site(self):
        site = self.live_site()
        body = self.status()
        self.assertEqual(set(body), FIELDS)
        expected = {
            "service_id": "1001",
            "email": "Jane.Doe@example.com",
            "vmid": 900,
            "private_ip": "192.168.1.100",
            "subdomain": "janedoe",
            "url": "https://janedoe.nodepoint.eu",
            "public_ip": "203.0.113.10",
            "plan": {
                "name": "basic",
                "memory_mb": 2048,
                "disk_gb": 20,
                "cores": 2,
                "backups": 2,
                "archives_daily": 7,
                "archives_weekly": 4,
                "domains": 3,
            },
            "status": "running",
            "node": "node1",
            "domains": ["janedoe.nodepoint.eu"],
            "proxy_enabled": True,
            "backups": {"used": 0, "allowed": 2},
            "quota": {"domains": {"used": 0, "allowed": 3, "remaining": 3}},
        }
        self.assertEqual(body | expected, body)
        resources = body["resources"]
        self.assertEqual(
            {name: resources[name] for name in ("cpu", "memory", "disk")},
            {"cpu": "0.5%", "memory": "512MB / 2048MB", "disk": "2.4GB / 20GB"},
        )
        self.assertRegex(resources["uptime"], r"\A\d+ seconds?\Z")
        self.assertEqual(body["job"]["id"], self.job(site).pk)
        self.assertEqual(body["job"]["state"], "succeeded")

    def test_quotas_that_staff_have_changed(self):
        SiteFactory(service_id="1001", backup_quota=9, domain_quota=0)
        body = self.status()
        self.assertEqual(body["backups"]["allowed"], 9)
        self.assertEqual(body["quota"]["domains"], {"used": 0, "allowed": 0, "remaining": 0})

    def test_the_running_job_goes_before_the_last_one(self):
        site = self.live_site()
        self.delete()
        self.assertEqual(self.status()["job"]["id"], self.job(site, "sites.terminate").pk)


class StateTests(StatusCase):
    def test_provisioning_until_wordpress_was_verified(self):
        site = self.create()
        for _ in range(60):
            state = self.status()["status"]
            verified = self.step(site, "verified").state == "done"
            self.assertEqual(state, "running" if verified else "provisioning")
            if verified:
                break
            self.run_calls(1)
        self.assertTrue(self.job(site).alive, "the snapshot follows")

    def test_running_and_stopped(self):
        self.live_site()
        self.assertEqual(self.status()["status"], "running")
        self.halt(900)
        self.time_passes(60)
        body = self.status()
        self.assertEqual((body["status"], body["resources"]["cpu"]), ("stopped", "0.0%"))

    def test_deleting_then_gone(self):
        self.live_site()
        self.delete()
        self.assertEqual(self.status()["status"], "deleting")
        self.run_jobs()
        self.assertEqual(self.get("/status?service_id=1001").status_code, 404)

    def test_failed_after_a_rollback(self):
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        self.create()
        self.run_jobs()
        body = self.status()
        self.assertEqual((body["status"], body["job"]["state"]), ("failed", "rolled_back"))
        nothing = ("vmid", "private_ip", "subdomain", "url", "resources", "node")
        self.assertEqual([body[name] for name in nothing], [None] * len(nothing))
        self.assertEqual(body["domains"], [])
        self.assert_readable(body["job"]["error"])

    def test_never_seen(self):
        answer = self.get("/status?service_id=never")
        self.assertEqual((answer.status_code, answer.json()["code"]), (404, "not_found"))

    def test_a_site_whose_container_the_cluster_does_not_know_is_unknown(self):
        SiteFactory(service_id="1001", power="", power_verified_at=None)
        body = self.status()
        self.assertEqual((body["status"], body["resources"]), ("unknown", None))
        self.assertNotIn("stale", body)

    def test_a_site_on_a_node_that_is_away_is_unknown(self):
        self.live_site()
        self.control("node", node="node1", up=False)
        self.time_passes(60)
        body = self.status()
        self.assertEqual(body["status"], "unknown")
        self.assertNotIn("stale", body)


class OurWordTests(StatusCase):
    """A state that a job of ours verified later than the cluster's reading wins."""

    def test_over_an_older_reading(self):
        self.live_site()
        self.status()
        Site.objects.update(power="stopped", power_verified_at=timezone.now())
        self.assertEqual(self.status()["status"], "stopped")

    def test_over_a_reading_whose_figures_are_older_than_itself(self):
        """The nodes tell the cluster about their guests every 10 s only."""
        self.live_site()
        self.halt(900)
        self.assertEqual(self.status()["status"], "running")
        self.time_passes(15)
        self.assertEqual(self.status()["status"], "stopped")

    def test_not_over_a_later_one(self):
        self.live_site()
        Site.objects.update(power="stopped", power_verified_at=timezone.now() - timedelta(minutes=1))
        self.assertEqual(self.status()["status"], "running")


class SharedReadingTests(StatusCase):
    def test_fifty_sites_cost_one_call_to_proxmox(self):
        for site in SiteFactory.create_batch(50):
            self.status(site.service_id)
        self.assertLessEqual(self.count("proxmox"), 2)
        self.assertEqual(self.counts().keys(), {"proxmox"})

    def test_a_reading_is_used_for_five_seconds(self):
        self.live_site()
        self.calls.clear()
        self.status()
        self.time_passes(3)
        self.status()
        self.assertEqual(self.count("proxmox", READING), 1)
        self.time_passes(3)
        self.status()
        self.assertEqual(self.count("proxmox", READING), 2)

    def test_states_without_a_container_need_no_reading(self):
        self.create()
        self.status()
        SiteFactory(service_id="f", failed=True)
        self.status("f")
        self.assertEqual(self.calls, [])

    def test_the_number_of_queries_does_not_grow_with_the_sites(self):
        first = self.live_site()
        self.status()
        with CaptureQueriesContext(
            connection,
        ) as alone:
            self.status()
        SiteFactory.create_batch(30)
        with CaptureQueriesContext(connection) as among_many:
            self.status(first.service_id)
        self.assertEqual(len(among_many), len(alone))
        self.assertLessEqual(len(alone), 6, [query["sql"] for query in alone])


class ProxmoxAwayTests(StatusCase):
    def setUp(self) -> None:
        super().setUp()
        self.live_site()
        self.status()
        self.time_passes(60)

    def assert_stale(self) -> None:
        begun = time.monotonic()
        body = self.status()
        self.assertLess(time.monotonic() - begun, 1.0)
        self.assertEqual((body["status"], body["stale"], body["node"]), ("unknown", True, "node1"))
        self.assertEqual(body["resources"]["memory"], "512MB / 2048MB")

    def test_not_reachable(self):
        self.fault("proxmox", "drop_before", READING, count=1000)
        self.assert_stale()
        asked = self.count("proxmox", READING)
        self.assert_stale()
        self.assertEqual(self.count("proxmox", READING), asked, "who is away is not asked by every request")

    def test_silent(self):
        self.fault("proxmox", "hang", READING, count=1000, seconds=3)
        self.assert_stale()
        self.assert_stale()

    def test_refusing(self):
        self.fault("proxmox", "refuse", READING, count=1000)
        self.assert_stale()

    def test_back_again(self):
        self.fault("proxmox", "error", READING, count=1000)
        self.assert_stale()
        self.clear_faults()
        self.time_passes(6)
        body = self.status()
        self.assertEqual(body["status"], "running")
        self.assertNotIn("stale", body)

    def test_never_seen_before(self):
        ClusterReading.objects.update(guests={}, taken_at=None, tried_at=None)
        live.forget()
        self.fault("proxmox", "error", READING, count=1000)
        body = self.status()
        self.assertEqual((body["status"], body["stale"], body["resources"]), ("unknown", True, None))


class WordsTests(SimpleTestCase):
    def test_durations(self):
        table = {
            0: "0 seconds",
            1: "1 second",
            59: "59 seconds",
            60: "1 minute",
            3599: "59 minutes",
            3600: "1 hour",
            86399: "23 hours",
            86400: "1 day",
            5 * 86400 + 7: "5 days",
        }
        self.assertEqual({seconds: representation.duration(seconds) for seconds in table}, table)

    def test_resources(self):
        mb, gb = 1024**2, 1024**3
        usage = live.Usage("node1", "running", 0.0051, 512 * mb, 2048 * mb, int(3.1 * gb), 20 * gb, 86400)
        expected = {"cpu": "0.5%", "memory": "512MB / 2048MB", "disk": "3.1GB / 20GB", "uptime": "1 day"}
        self.assertEqual(representation.resources(usage), expected)
