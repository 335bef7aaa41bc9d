"""Lists: filters that answer questions, bulk acts within a limit, and a cost that does not grow."""

from datetime import timedelta
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint import lists
from nodepoint.audit.models import Entry
from nodepoint.board import findings, statistics
from nodepoint.board.models import Dismissal, Finding
from nodepoint.jobs import lists as job_lists
from nodepoint.jobs.models import Job, JobStep
from sites import watch
from sites.admin import lists as site_lists
from sites.models import Backup, Plan, Site
from tests.factories import SiteFactory
from tests.staff.operations import BoardTestCase, ago, make_job

SITES, JOBS, DOMAINS = "/admin/sites/site/", "/admin/jobs/job/", "/admin/sites/customdomain/"


class ListTestCase(BoardTestCase):
    def listed(self, path: str, **query: str) -> list:
        """The rows that a list shows."""
        answer = self.client.get(path, query)
        self.assertEqual(answer.status_code, 200, (path, query))
        return list(answer.context["cl"].result_list)

    def services(self, **query: str) -> list[str]:
        return sorted(site.service_id for site in self.listed(SITES, **query))


class SiteFilterTests(ListTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site, self.other = SiteFactory(service_id="A"), SiteFactory(service_id="B")

    def test_failed_are_those_whose_last_act_was_not_made_good(self) -> None:
        make_job(self.site.key, state=Job.State.ROLLED_BACK)
        make_job(self.other.key, state=Job.State.ROLLED_BACK, created_at=ago(hours=1))
        make_job(self.other.key)
        self.assertEqual(self.services(attention="failed"), ["A"])

    def test_stuck_and_busy(self) -> None:
        make_job(self.site.key, state=Job.State.WAITING, started_at=ago(minutes=20))
        make_job(self.other.key, state=Job.State.RUNNING)
        self.assertEqual(self.services(attention="stuck"), ["A"])
        self.assertEqual(self.services(attention="busy"), ["A", "B"])

    def test_suspended_but_running_and_different(self) -> None:
        row = {"look": "x", "system": "proxmox", "thing": "container 900"}
        Finding.objects.create(kind="runs", subject=self.site.key, digest="1", **row)
        Finding.objects.create(kind="differs", subject=self.other.key, digest="2", **row)
        Finding.objects.create(kind="orphan", subject="", digest="3", **row)
        self.assertEqual(self.services(attention="suspended_running"), ["A"])
        self.assertEqual(self.services(attention="differs"), ["B"])

    def test_over_quota_counts_what_the_site_may_have(self) -> None:
        for number in range(4):
            self.site.custom_domains.create(domain=f"a{number}.example.org")
            self.other.custom_domains.create(domain=f"b{number}.example.org")
        self.assertEqual(self.services(attention="over_quota"), ["A", "B"], "basic allows 3")
        Site.objects.filter(pk=self.site.pk).update(domain_quota=4)
        self.assertEqual(self.services(attention="over_quota"), ["B"])
        Site.objects.filter(pk=self.other.pk).update(plan=Plan.objects.get(name="premium"))
        self.assertEqual(self.services(attention="over_quota"), [])

    def test_over_quota_is_of_the_last_look_and_gone_at_once_when_put_right(self) -> None:
        self.other.custom_domains.create(domain="b.example.org")
        Site.objects.update(domain_quota=0)
        findings.note(watch.OVER_QUOTA, {"sites": watch.over_quota()})
        self.assertEqual(self.services(attention="over_quota"), ["B"])
        self.site.custom_domains.create(domain="a.example.org")
        self.assertEqual(self.services(attention="over_quota"), ["B"], "the next look finds the other")
        findings.note(watch.OVER_QUOTA, {"sites": watch.over_quota()})
        self.assertEqual(self.services(attention="over_quota"), ["A", "B"])
        self.other.custom_domains.all().delete()
        self.assertEqual(self.services(attention="over_quota"), ["A"])
        Site.objects.update(domain_quota=1)
        self.assertEqual(self.services(attention="over_quota"), [])
        self.assertContains(self.client.get(SITES), "over quota, as of the last look")

    def test_of_too_many_over_quota_the_newest_are_kept(self) -> None:
        for site in (self.site, self.other):
            site.custom_domains.create(domain=f"{site.service_id.lower()}.example.org")
        Site.objects.update(domain_quota=0)
        with mock.patch.object(watch, "MOST_OVER", 1):
            self.assertEqual(watch.over_quota(), [self.other.pk])
        self.assertEqual(watch.over_quota(), [self.other.pk, self.site.pk])
        self.assertEqual(watch.over_quota([self.site.pk]), [self.site.pk])
        self.assertEqual(watch.over_quota([]), [])

    def test_backups_count_as_long_as_they_stand(self) -> None:
        for number, state in enumerate(("ready", "ready", "creating", "deleted", "failed")):
            Backup.objects.create(site=self.site, name=f"BAK{number}", state=state)
        Backup.objects.create(site=self.other, name="BAK1", state="ready")
        self.assertEqual(self.services(attention="over_quota"), ["A"])
        Site.objects.filter(pk=self.other.pk).update(backup_quota=0)
        self.assertEqual(self.services(attention="over_quota"), ["A", "B"])

    def test_slower_than_usual(self) -> None:
        self.assertEqual(self.services(attention="slow"), [], "without experience nothing is slow")
        with mock.patch.object(statistics, "usual_seconds", return_value={"sites.provision": 60.0}):
            live = timezone.now()
            Site.objects.filter(pk=self.site.pk).update(created_at=live - timedelta(seconds=95), live_at=live)
            Site.objects.filter(pk=self.other.pk).update(
                created_at=live - timedelta(seconds=85), live_at=live
            )
            SiteFactory(provisioning=True, service_id="C", created_at=ago(seconds=95))
            SiteFactory(provisioning=True, service_id="D", created_at=ago(seconds=20))
            self.assertEqual(self.services(attention="slow"), ["A", "C"])

    def test_slow_are_looked_for_among_the_newest_and_all_that_go_on(self) -> None:
        for site, begun, live in ((self.site, 300, 100), (self.other, 200, 10)):
            Site.objects.filter(pk=site.pk).update(created_at=ago(seconds=begun), live_at=ago(seconds=live))
        SiteFactory(provisioning=True, service_id="C", created_at=ago(seconds=400))
        usual = mock.patch.object(statistics, "usual_seconds", return_value={"sites.provision": 60.0})
        with usual, mock.patch.object(lists, "NEWEST", 1):
            self.assertEqual(self.services(attention="slow"), ["B", "C"])
        with usual, mock.patch.object(lists, "NEWEST", 3):
            self.assertEqual(self.services(attention="slow"), ["A", "B", "C"])

    def test_state_plan_and_node(self) -> None:
        SiteFactory(service_id="C", suspended_at=ago(hours=1), node="node2")
        SiteFactory(service_id="D", deleting=True, plan=Plan.objects.get(name="premium"))
        SiteFactory(service_id="E", failed=True)
        SiteFactory(service_id="F", deleted=True)
        SiteFactory(service_id="G", provisioning=True)
        SiteFactory(service_id="H", wanted_power="stopped")
        for state, services in (
            ("live", ["A", "B", "D", "H"]),
            ("suspended", ["C"]),
            ("deleting", ["D"]),
            ("failed", ["E"]),
            ("deleted", ["F"]),
            ("provisioning", ["G"]),
            ("stopped", ["H"]),
        ):
            self.assertEqual(self.services(**{"is": state}), services, state)
        self.assertEqual(self.services(node="node2"), ["C"])
        premium = Plan.objects.get(name="premium").pk
        self.assertEqual(self.services(plan__id__exact=str(premium)), ["D"])


class JobFilterTests(ListTestCase):
    def kinds(self, **query: str) -> list[str]:
        return sorted(job.subject for job in self.listed(JOBS, **query))

    def test_the_questions_of_the_board(self) -> None:
        make_job("s:failed", state=Job.State.FAILED)
        make_job("s:stuck", state=Job.State.WAITING, started_at=ago(minutes=20))
        make_job("s:running", state=Job.State.RUNNING)
        warned = make_job("s:warned")
        JobStep.objects.filter(job=warned, position=0).update(state=JobStep.State.FAILED)
        make_job("s:old", state=Job.State.FAILED, finished_at=ago(days=9))
        made_good = make_job("s:good", state=Job.State.FAILED)
        make_job("s:good", created_at=timezone.now())
        for question, subjects in (
            ("alive", ["s:running", "s:stuck"]),
            ("stuck", ["s:stuck"]),
            ("failed", ["s:failed"]),
            ("failed_lately", ["s:failed", "s:good"]),
            ("warning", ["s:warned"]),
            ("slow", []),
        ):
            self.assertEqual(self.kinds(attention=question), subjects, question)
        Dismissal.objects.create(key=f"job:{made_good.pk}", by="x")

    def test_slow_are_looked_for_among_the_newest_and_all_that_go_on(self) -> None:
        make_job("s:past", created_at=ago(minutes=30), finished_at=ago(minutes=20))
        make_job("s:newest", created_at=ago(minutes=10), finished_at=ago(minutes=5))
        make_job("s:on", state=Job.State.RUNNING, created_at=ago(hours=1))
        usual = mock.patch.object(statistics, "usual_seconds", return_value={"sites.suspend": 60.0})
        with usual, mock.patch.object(lists, "NEWEST", 1):
            self.assertEqual(self.kinds(attention="slow"), ["s:newest", "s:on"])
        with usual, mock.patch.object(lists, "NEWEST", 2):
            self.assertEqual(self.kinds(attention="slow"), ["s:newest", "s:on", "s:past"])

    def test_kind_and_state(self) -> None:
        make_job("s:1")
        make_job("s:2", "sites.toggle")
        self.assertEqual(self.kinds(kind="sites.toggle"), ["s:2"])
        self.assertEqual(self.kinds(state__exact="failed"), [])

    def test_jobs_are_taken_off_the_board_together(self) -> None:
        jobs = [make_job(f"s:{number}", state=Job.State.FAILED) for number in range(3)]
        alive = make_job("s:9", state=Job.State.RUNNING)
        chosen = {"action": "dismiss", "_selected_action": [job.pk for job in (*jobs, alive)]}
        answer = self.client.post(JOBS, {**chosen, "confirmed": "1", "reason": "test"}, follow=True)
        self.assertContains(answer, "3 taken off the board.")
        self.assertContains(answer, "1 not:")
        self.assertEqual(self.kinds(attention="failed"), [])
        self.assertEqual(Entry.objects.filter(act="board.dismiss", reason="test").count(), 3)


class BulkTests(ListTestCase):
    def choose(self, action: str, sites: list[Site], **data: str):
        chosen = {"action": action, "_selected_action": [site.pk for site in sites], "select_across": "0"}
        return self.client.post(SITES, {**chosen, **data}, follow=True)

    def do(self, action: str, sites: list[Site], reason: str = ""):
        return self.choose(action, sites, confirmed="1", reason=reason)

    def test_it_asks_first_and_names_what_it_is_about(self) -> None:
        sites = [SiteFactory(), SiteFactory()]
        page = self.choose("stop", sites)
        self.assertContains(page, "not reachable until somebody starts them")
        for site in sites:
            self.assertContains(page, site.service_id)
        self.assertFalse(Job.objects.exists())

    def test_each_goes_through_its_service_and_the_summary_says_who_was_refused(self) -> None:
        live = [SiteFactory() for _ in range(2)]
        suspended = SiteFactory(suspended_at=ago(hours=1))
        gone = SiteFactory(deleted=True)
        answer = self.do("stop", [*live, suspended, gone], reason="Maintenance")
        self.assertContains(answer, "2 being stopped.")
        self.assertContains(answer, f"{suspended.service_id}: This service is suspended.")
        self.assertContains(answer, f"{gone.service_id}: nothing to be done")
        jobs = Job.objects.filter(kind="sites.stop")
        self.assertEqual({job.subject for job in jobs}, {site.key for site in live})
        self.assertEqual({job.actor for job in jobs}, {"staff olga"})
        reasons = set(Entry.objects.filter(act="sites.stop").values_list("reason", "actor"))
        self.assertEqual(reasons, {("Maintenance", "olga")})

    def test_every_act_that_is_offered_works(self) -> None:
        for act, kind in (
            ("start", "sites.start"),
            ("restart", "sites.restart"),
            ("back_up", "sites.backup"),
            ("suspend", "sites.suspend"),
            ("repair", "sites.repair"),
        ):
            site = SiteFactory()
            self.do(act, [site])
            self.assertTrue(Job.objects.filter(subject=site.key).exists(), act)
            self.assertEqual(Job.objects.get(subject=site.key).kind.partition(".")[0], "sites", kind)
        self.do("unsuspend", [site := SiteFactory(suspended_at=ago(hours=1))])
        site.refresh_from_db()
        self.assertFalse(site.suspended)

    def test_a_row_of_the_past_never_acts_on_its_services_new_site(self) -> None:
        past = SiteFactory(deleted=True, service_id="7")
        SiteFactory(service_id="7")
        self.do("stop", [past])
        self.assertFalse(Job.objects.exists())

    def test_more_than_fifty_at_once_are_refused_as_a_whole(self) -> None:
        sites = [SiteFactory() for _ in range(lists.MOST_AT_ONCE + 1)]
        answer = self.do("stop", sites)
        self.assertContains(answer, "Nothing was done: choose 50 at most.")
        across = {"action": "stop", "_selected_action": [sites[0].pk], "select_across": "1", "confirmed": "1"}
        self.assertContains(self.client.post(SITES, across, follow=True), "choose 50 at most")
        self.assertFalse(Job.objects.exists())

    def test_a_reason_of_several_lines_is_asked_for_again(self) -> None:
        answer = self.do("stop", [SiteFactory()], reason="one\x00two")
        self.assertContains(answer, "Null characters are not allowed.")
        self.assertFalse(Job.objects.exists())

    def test_support_may_use_power_and_backups_and_nothing_else(self) -> None:
        self.log_in_as("support")
        site = SiteFactory()
        page = self.client.get(SITES).content.decode()
        for act, allowed in (("start", True), ("back_up", True), ("suspend", False), ("repair", False)):
            self.assertEqual(f'value="{act}"' in page, allowed, act)
        self.do("suspend", [site])
        self.do("repair", [site])
        self.assertFalse(Job.objects.exists())
        site.refresh_from_db()
        self.assertFalse(site.suspended)
        self.do("restart", [site])
        self.assertEqual(Job.objects.get().kind, "sites.restart")

    def test_without_the_permission_to_view_there_is_no_list(self) -> None:
        self.client.force_login(User.objects.create_user("nobody", is_staff=True))
        self.assertEqual(self.client.get(SITES).status_code, 403)
        self.assertEqual(self.do("stop", [SiteFactory()]).status_code, 403)


class CostTests(ListTestCase):
    def fill(self, count: int) -> None:
        for number in range(count):
            site = SiteFactory()
            site.custom_domains.create(domain=f"{site.service_id.lower()}.example.org")
            make_job(site.key, state=Job.State.RUNNING if number % 3 else Job.State.SUCCEEDED)
            Finding.objects.create(
                look="x", digest=site.key, kind="differs", system="npm", thing="it", subject=site.key
            )

    def test_the_queries_of_a_list_do_not_grow_with_its_rows(self) -> None:
        paths = (
            SITES,
            *(f"{SITES}?attention={question}" for question in site_lists.Attention.questions),
            *(f"{SITES}?is={state}" for state in site_lists.Standing.questions),
            f"{SITES}?q=S",
            JOBS,
            *(f"{JOBS}?attention={question}" for question in job_lists.Attention.questions),
            f"{JOBS}?q=example",
            DOMAINS,
            *(f"{DOMAINS}?attention={question}" for question in site_lists.DomainAttention.questions),
            "/admin/board/finding/",
            "/admin/board/callcount/",
            "/admin/sites/site/addresses/",
            "/admin/dns/zone/",
            "/admin/dns/customer/",
        )
        self.fill(3)
        findings.note(watch.POOL, watch.count())
        findings.note(watch.OVER_QUOTA, {"sites": watch.over_quota()})
        few = {path: self.queries_of(path) for path in paths}
        self.fill(40)
        self.assertEqual({path: self.queries_of(path) for path in paths}, few)
        self.assertLessEqual(max(few.values()), 22, few)

    def test_over_quota_reads_no_other_domains_than_those_of_the_last_look(self) -> None:
        self.fill(3)
        site = Site.objects.first()
        Site.objects.filter(pk=site.pk).update(domain_quota=0)
        findings.note(watch.OVER_QUOTA, {"sites": watch.over_quota()})
        with CaptureQueriesContext(connection) as captured:
            self.assertEqual(self.services(attention="over_quota"), [site.service_id])
        counting = [one["sql"] for one in captured if "sites_customdomain" in one["sql"]]
        self.assertEqual(len(counting), 1)
        self.assertIn(f"IN ({site.pk})", counting[0])

    def test_a_list_is_sorted_in_one_direction_as_its_index_is_read(self) -> None:
        for chosen, order in (("4", ("email", "pk")), ("-4", ("-email", "-pk"))):
            listed = self.client.get(SITES, {"o": chosen}).context["cl"]
            self.assertEqual(listed.queryset.query.order_by, order)

    def test_nobody_counts_further_than_somebody_reads(self) -> None:
        self.fill(8)
        with mock.patch.object(lists, "COUNTED", 5):
            self.assertEqual(self.client.get(SITES).context["cl"].result_count, 5)


class AddressTests(ListTestCase):
    def test_it_shows_who_holds_what(self) -> None:
        site = SiteFactory(private_ip="192.168.1.101")
        ranges = {"SITE_IP_RANGE": "192.168.1.100-192.168.1.104", "SITE_GATEWAY": "192.168.1.100"}
        with self.settings(**ranges, SITE_NAMESERVERS=["192.168.1.103"], PROXY_LAN_IPS=[]):
            page = self.client.get("/admin/sites/site/addresses/")
        self.assertContains(page, "1 held, 2 free.")
        shown = {place.address: (place.site, place.why) for place in page.context["places"]}
        self.assertEqual(len(shown), 5)
        self.assertEqual(shown["192.168.1.101"], (site, ""))
        self.assertEqual(shown["192.168.1.100"], (None, "gateway"))
        self.assertEqual(shown["192.168.1.103"], (None, "name server"))

    def test_a_large_range_comes_in_parts(self) -> None:
        with self.settings(SITE_IP_RANGE="10.0.0.0-10.255.255.255"):
            page = self.client.get("/admin/sites/site/addresses/?p=3")
        self.assertEqual(page.context["places"][0].address, "10.0.2.0")
        self.assertContains(page, "Part 3 of 65536.")
