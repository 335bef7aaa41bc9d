"""What Prometheus reads: true to the rows; queries and series stay as many, whatever the number of rows."""

from datetime import timedelta
from unittest import mock

from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from nodepoint.api.models import Token
from nodepoint.board import durations, findings, remote
from nodepoint.board.models import CallCount, RemoteCalls, SystemState
from nodepoint.board.tasks import count_durations
from nodepoint.clients import counting
from nodepoint.jobs import limits, queue
from nodepoint.jobs.models import Job, JobStep
from sites import watch
from tests.factories import SiteFactory
from tests.nodepoint.api.base import ApiTestCase


@override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.109", SITE_GATEWAY="192.168.1.1")
class MetricsTests(ApiTestCase):
    def setUp(self) -> None:
        self.secret = self.make_token("metrics")

    def read(self) -> dict[tuple, float]:
        """{(name, label values…): number}, of an answer that Prometheus' own parser understands."""
        response = self.call("/metrics")
        self.assertEqual(response.status_code, 200, response.content)
        families = text_string_to_metric_families(response.content.decode())
        samples = [sample for family in families for sample in family.samples]
        found = {(one.name.removeprefix("nodepoint_"), *one.labels.values()): one.value for one in samples}
        self.assertEqual(len(found), len(samples))
        return found

    def test_it_is_plain_text_of_the_known_version(self) -> None:
        response = self.call("/metrics/")
        self.assertEqual(response["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertIn(b"# HELP nodepoint_jobs ", response.content)

    def test_it_needs_the_scope_metrics(self) -> None:
        self.assert_error(self.call("/metrics", token=None), 401, "unauthorized")
        others = self.make_token("sites", "dns", "support")
        self.assert_error(self.call("/metrics", token=others), 403, "forbidden", "metrics")

    def test_jobs_are_counted_by_kind_and_state(self) -> None:
        for state in ("running", "running", "failed"):
            Job.objects.create(kind="sites.provision", subject="sites.site:1", state=state)
        found = self.read()
        self.assertEqual(found["jobs", "sites.provision", "running"], 2)
        self.assertEqual(found["jobs", "sites.provision", "failed"], 1)
        self.assertEqual(found["jobs", "sites.terminate", "failed"], 0, "zero is told, too")

    def test_the_longest_due_step_is_told_in_seconds(self) -> None:
        self.assertEqual(self.read()["oldest_due_step_seconds",], 0)
        job = Job.objects.create(kind="sites.provision", subject="sites.site:1")
        now = timezone.now()
        for position, seconds in enumerate((-3600, 5, 90)):
            due_at = now - timedelta(seconds=seconds)
            JobStep.objects.create(job=job, position=position, name=f"s{position}", due_at=due_at)
        self.assertAlmostEqual(self.read()["oldest_due_step_seconds",], 90, delta=10)

    @override_settings(JOB_RUNNERS=3, PROXMOX_CONCURRENCY=7)
    def test_workers_seats_and_limits_are_told_while_they_are_held(self) -> None:
        now = timezone.now()
        for holder in ("a", "b"):
            limits.take(queue.WORKER, 9, holder, now, 60)
            limits.take("proxmox", 7, holder, now, 60)
        limits.take(queue.SEAT, 3, "a", now, 60)
        limits.take(queue.SEAT, 3, "dead", now - timedelta(minutes=5), 60)
        limits.release("b", ["proxmox"])
        job = Job.objects.create(kind="sites.provision", subject="sites.site:1")
        JobStep.objects.create(job=job, position=1, name="s", awaits="proxmox", due_at=now)
        found = self.read()
        self.assertEqual((found["workers",], found["runners",], found["runner_seats",]), (2, 1, 6))
        self.assertEqual((found["limit_taken", "proxmox"], found["limit_slots", "proxmox"]), (1, 7))
        self.assertEqual((found["limit_waiting", "proxmox"], found["limit_waiting", "npm"]), (1, 0))

    def test_each_site_is_counted_once(self) -> None:
        SiteFactory(suspended_at=timezone.now())
        SiteFactory(suspended_at=timezone.now(), deleting=True)
        SiteFactory.create_batch(2)
        SiteFactory(provisioning=True)
        SiteFactory(failed=True)
        SiteFactory.create_batch(3, deleted=True)
        wanted = {"provisioning": 1, "live": 2, "suspended": 1, "deleting": 1, "failed": 1, "deleted": 3}
        found = self.read()
        self.assertEqual({state: found["sites", state] for state in wanted}, wanted)

    @override_settings(SITE_NAMESERVERS=["192.168.1.105", "9.9.9.9"], PROXY_LAN_IPS=["192.168.1.5"])
    def test_addresses_that_may_never_be_given_are_neither_used_nor_free(self) -> None:
        SiteFactory(private_ip="192.168.1.100")
        SiteFactory(private_ip="10.9.9.9")  # of a range that was set before
        SiteFactory(deleted=True)
        found = self.read()
        self.assertEqual((found["addresses", "used"], found["addresses", "free"]), (1, 8))

    def test_addresses_are_as_counted_last_and_read_anew_where_nobody_looked(self) -> None:
        SiteFactory(private_ip="192.168.1.100")
        findings.note(watch.POOL, watch.count())
        SiteFactory(private_ip="192.168.1.101")
        found = self.read()
        self.assertEqual((found["addresses", "used"], found["addresses", "free"]), (1, 9))
        findings.note(watch.POOL, watch.count(), timezone.now() - timedelta(minutes=11))
        SiteFactory(private_ip="192.168.1.102")
        found = self.read()
        self.assertEqual((found["addresses", "used"], found["addresses", "free"]), (3, 7))

    def test_tokens_are_counted_by_what_they_are_good_for(self) -> None:
        yesterday = timezone.now() - timedelta(days=1)
        Token.objects.create(name="old", secret_hash="x", expires_at=yesterday)
        Token.objects.create(name="both", secret_hash="x", expires_at=yesterday, revoked_at=yesterday)
        Token.objects.create(name="new", secret_hash="x", expires_at=timezone.now() + timedelta(days=1))
        found = self.read()
        states = {state: found["api_tokens", state] for state in ("usable", "expired", "revoked")}
        self.assertEqual(states, {"usable": 2, "expired": 1, "revoked": 1})

    def test_systems_are_told_as_the_last_checks_found_them(self) -> None:
        now = timezone.now()
        SystemState.objects.create(
            name="npm", ok=True, latency_ms=250, checked_at=now - timedelta(seconds=90)
        )
        SystemState.objects.create(name="ssh", ok=False, latency_ms=None, checked_at=now)
        found = self.read()
        self.assertEqual((found["system_up", "npm"], found["system_up", "ssh"]), (1, 0))
        self.assertEqual(found["system_latency_seconds", "npm"], 0.25)
        self.assertAlmostEqual(found["system_check_age_seconds",], 90, delta=10)

    def test_calls_of_the_hour_are_told_by_how_they_ended(self) -> None:
        hour = timezone.now().replace(minute=0, second=0, microsecond=0)
        for status, calls, ago in ((2, 5, 0), (2, 6, 0), (5, 1, 0), (2, 99, 1)):
            route = f"r{status}{calls}"
            CallCount.objects.create(
                hour=hour - timedelta(hours=ago), route=route, status=status, calls=calls
            )
        found = self.read()
        ended = {word: found["api_calls_of_the_hour", word] for word in ("answered", "refused", "failed")}
        self.assertEqual(ended, {"answered": 11, "refused": 0, "failed": 1})

    def test_calls_of_other_systems_are_told_of_all_processes(self) -> None:
        counting.taken()
        for seconds, outcome in ((0.07, "ok"), (0.2, "ok"), (500.0, "timed_out")):
            for _ in range(2):  # two processes, say
                counting.add("npm", "GET nginx/proxy-hosts", outcome, seconds)
                remote.write()
        found = self.read()
        what = ("GET nginx/proxy-hosts", "npm")
        ends = [found["remote_calls_total", what[0], end, what[1]] for end in ("ok", "timed_out")]
        self.assertEqual(ends, [4, 2])
        bounds = [
            found["remote_call_seconds_bucket", bound, *what] for bound in ("0.05", "0.25", "120.0", "+Inf")
        ]
        self.assertEqual(bounds, [0, 4, 4, 6])
        self.assertAlmostEqual(found["remote_call_seconds_sum", *what], 1000.54)
        with self.assertNumQueries(0):
            remote.write()

    def test_what_the_database_does_not_take_is_written_the_next_time(self) -> None:
        counting.taken()
        counting.add("npm", "x", "ok", 1.0)
        with (
            mock.patch.object(remote, "_add", side_effect=OperationalError),
            self.assertRaises(OperationalError),
        ):
            remote.write()
        remote.write()
        self.assertEqual(RemoteCalls.objects.get().calls, 1)

    def test_durations_of_orders_are_a_histogram_that_only_grows(self) -> None:
        now = timezone.now()
        job = Job.objects.create(
            kind="sites.provision", subject="sites.site:1", created_at=now - timedelta(minutes=5)
        )
        for number, (name, seconds) in enumerate((("container", 9), ("verified", 0.5), ("snapshot", None))):
            ended = now - timedelta(minutes=2)
            JobStep.objects.create(
                job=job, position=number, name=name, state="done", finished_at=ended, work_seconds=seconds
            )
        for _ in range(2):  # what was counted is not counted again
            count_durations()
        found = self.read()
        buckets = [found["order_seconds_bucket", bound, "container"] for bound in ("5", "10", "+Inf")]
        self.assertEqual(buckets, [0, 1, 1])
        self.assertEqual(
            (found["order_seconds_count", "verified"], found["order_seconds_sum", "verified"]), (1, 0.5)
        )
        self.assertEqual(found["order_seconds_sum", durations.WHOLE], 180)
        self.assertNotIn(("order_seconds_count", "snapshot"), found)
        job.delete()
        JobStep.objects.create(
            job=Job.objects.create(kind="sites.provision", subject="sites.site:2"),
            position=1,
            name="container",
            state="done",
            finished_at=timezone.now(),
            work_seconds=700,
        )
        durations.count("sites.provision", "verified", timezone.now() + timedelta(minutes=1))
        found = self.read()
        buckets = [found["order_seconds_bucket", bound, "container"] for bound in ("10", "600", "+Inf")]
        self.assertEqual(buckets, [1, 1, 2])

    def test_neither_queries_nor_series_grow_with_the_rows(self) -> None:
        Token.objects.update(last_used_at=timezone.now())
        findings.note(watch.POOL, watch.count())
        series = len(self.read())
        with self.assertNumQueries(14):  # the token's own, and the thirteen of six collectors
            self.call("/metrics")
        for number in range(20):
            site = SiteFactory()
            Job.objects.create(kind="sites.provision", subject=site.key, state="succeeded")
            limits.take(f"dns.customer:{number}", 1, "x", timezone.now(), 60)
        with self.assertNumQueries(14):
            self.assertEqual(len(self.read()), series)
