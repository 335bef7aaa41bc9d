"""The database against the systems: what is found, what `--fix` does about it, and what it leaves alone."""

from datetime import timedelta
from io import StringIO
from unittest import mock

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from nodepoint.jobs.models import Job
from nodepoint.reconcile import Side
from sites import guests
from sites.clients.proxmox import FirewallOptions
from sites.connections import cloudflare, npm, proxmox
from sites.models import Site
from sites.orphans import remove
from sites.reconcile import Finding, Report, compare
from sites.services.repair import repair_site
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase, foreign_record, make_foreign
from tests.sites.domains import SHOP, DomainMixin

NAME = "janedoe.nodepoint.eu"
GONE = "nodepoint:9999:4242"
SHOWN = ("kind", "system", "thing", "repairable")


class ReconcileTestCase(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()
        self.settle()

    def settle(self) -> None:
        """The jobs ended a while ago, not in this moment."""
        Job.objects.filter(finished_at__isnull=False).update(finished_at=timezone.now() - timedelta(hours=1))
        self.calls.clear()

    def found(self) -> list[Finding]:
        report = compare()
        self.assertEqual(report.unread, [])
        return report.findings

    def assert_found(self, *wanted: tuple) -> list[Finding]:
        """Exactly these: (kind, system, thing, repairable)."""
        findings = self.found()
        shown = [tuple(getattr(finding, name) for name in SHOWN) for finding in findings]
        self.assertEqual(sorted(shown), sorted(wanted), findings)
        return findings

    def reconcile(self, *words: str, answer: str | None = None) -> tuple[str, str]:
        """What the command prints and what it closes with."""
        out = StringIO()
        said = mock.Mock(side_effect=EOFError) if answer is None else mock.Mock(return_value=answer)
        with mock.patch("builtins.input", said):
            try:
                call_command("reconcile", *words, stdout=out)
            except CommandError as error:
                return out.getvalue(), str(error)
        return out.getvalue(), ""

    def by(self, report: Report):
        """The command acts by this report, which is older than what the systems hold now."""
        side = Side(lambda: report, repair_site, remove)
        return mock.patch("nodepoint.management.commands.reconcile.sides", return_value=[side])

    def ended_mark(self) -> str:
        """The mark of a site that ended three days ago."""
        return SiteFactory(deleted=True, ended_at=timezone.now() - timedelta(days=3)).owner_mark

    def end(self, site: Site, days: float) -> str:
        """Make the site's row one that ended `days` ago, its things left where they are. Returns its mark."""
        ended = timezone.now() - timedelta(days=days)
        free = dict.fromkeys(("vmid", "private_ip", "subdomain", "live_key"))
        Site.objects.filter(pk=site.pk).update(state=Site.State.DELETED, ended_at=ended, **free)
        return site.owner_mark


class CompareTests(ReconcileTestCase):
    @mock.patch.object(guests, "CONFIGURATIONS", 1)
    def test_whole_sites_are_well_with_eight_calls_that_change_nothing(self) -> None:
        self.assert_found()
        first = self.counts()
        self.live_site(service_id="2", email="b@example.com", plan="premium")
        self.live_site(service_id="3", email="c@example.com")
        self.settle()
        self.assert_found()
        self.assertEqual(self.counts(), first, "the calls do not grow with the sites")
        self.assertLessEqual(first.total(), 8, self.calls)
        self.assertEqual([call for call in self.calls if not call[1].startswith("GET ")], [])

    def test_queries_do_not_grow_with_the_sites(self) -> None:
        with self.assertNumQueries(8):
            compare()
        self.live_site(service_id="2", email="b@example.com")
        self.settle()
        with self.assertNumQueries(8):
            compare()

    def test_what_is_gone_is_missing(self) -> None:
        cloudflare().delete_record(self.site.dns_record_id)
        npm().delete_proxy_host(self.site.proxy_host_id)
        del self.lab.proxmox.cluster.containers[self.site.vmid]
        self.assert_found(
            ("missing", "cloudflare", f"record {NAME}", True),
            ("missing", "npm", f"proxy host {NAME}", True),
            ("missing", "proxmox", f"container {self.site.vmid}", False),
        )

    def test_what_was_changed_by_hand_differs(self) -> None:
        cloudflare().update_record(self.site.dns_record_id, content="192.0.2.9")
        npm().update_proxy_host(self.site.proxy_host_id, forward_host="192.168.1.9", ssl_forced=False)
        proxmox().set_config(self.site.node, self.site.vmid, memory=512, cores=1)
        proxmox().stop(self.site.node, self.site.vmid)
        proxmox().add_ha_resource(self.site.vmid, "stopped")
        details = self.assert_found(
            ("differs", "cloudflare", f"record {NAME}", True),
            ("differs", "npm", f"proxy host {NAME}", True),
            ("differs", "proxmox", f"container {self.site.vmid}", True),
        )
        text = " | ".join(finding.detail for finding in details)
        for part in (
            "content 192.0.2.9 instead of 203.0.113.10",
            "forward_host 192.168.1.9",
            "ssl_forced False instead of True",
            "memory 512 MB instead of 2048",
            "1 cores instead of 2",
            "stopped instead of running",
            "high availability is on",
        ):
            self.assertIn(part, text)

    def test_a_suspended_site_is_to_be_off(self) -> None:
        Site.objects.update(suspended_at=timezone.now())
        self.assert_found(
            ("differs", "npm", f"proxy host {NAME}", True),
            ("differs", "proxmox", f"container {self.site.vmid}", True),
        )
        self.post("/suspend", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        self.settle()
        self.assert_found()

    def test_twins_of_ours_differ(self) -> None:
        foreign_record(NAME, content="192.0.2.8", comment=self.site.owner_mark)
        self.assert_found(("differs", "cloudflare", f"record {NAME}", True))

    def test_strangers_are_reported_only_where_something_is_ours(self) -> None:
        make_foreign(self, 777)
        foreign_record("elsewhere.nodepoint.eu")
        npm().create_proxy_host(["elsewhere.example"], "192.168.1.7", meta={"nodepoint": "by hand"})
        self.assert_found()
        foreign_record(NAME, type="AAAA", content="2001:db8::7")
        host = npm().create_proxy_host(["other.example"], self.site.private_ip, meta={"nodepoint": ["x"]})
        self.assert_found(
            ("foreign", "cloudflare", f"record {NAME} AAAA 2001:db8::7", False),
            ("foreign", "npm", f"proxy host {host.id} other.example", False),
        )

    def test_a_stranger_on_a_vmid_of_ours_is_foreign(self) -> None:
        proxmox().set_config(
            self.site.node, self.site.vmid, description="mine now", hostname="mine", tags=["x"]
        )
        self.assert_found(("foreign", "proxmox", f"container {self.site.vmid}", False))

    def test_a_container_that_only_lost_name_and_tag_is_still_ours(self) -> None:
        proxmox().set_config(self.site.node, self.site.vmid, hostname="renamed", tags=["x"])
        self.assert_found(("differs", "proxmox", f"container {self.site.vmid}", True))

    def test_sites_that_a_job_works_on_or_just_did_are_left_out(self) -> None:
        cloudflare().delete_record(self.site.dns_record_id)
        self.assertEqual(len(self.found()), 1)
        Job.objects.update(finished_at=timezone.now())
        self.assert_found()
        Job.objects.update(finished_at=None, state=Job.State.WAITING)
        self.assert_found()

    def test_a_site_in_the_making_is_left_out_but_its_things_are_no_orphans(self) -> None:
        self.create(service_id="2", email="b@example.com")
        self.run_calls(6)
        self.settle()
        self.assert_found()

    def test_a_node_that_is_away_says_nothing(self) -> None:
        self.control("node", node=self.site.node, up=False)
        self.assert_found()

    def test_a_system_that_does_not_answer_is_told_and_the_others_are_compared(self) -> None:
        cloudflare().delete_record(self.site.dns_record_id)
        self.fault("npm", "refuse", count=50)
        report = compare()
        self.assertEqual([error.system for error in report.unread], ["npm"])
        self.assertEqual([finding.thing for finding in report.findings], [f"record {NAME}"])
        text, closing = self.reconcile()
        self.assertIn("could not be read: npm: ", text)
        self.assertEqual(closing, "Not everything could be read.")

    def test_what_carries_a_mark_without_a_site_is_an_orphan(self) -> None:
        mark = self.end(self.site, days=2)
        foreign_record("lost.nodepoint.eu", comment=GONE)
        findings = self.found()
        self.assertEqual({finding.mark for finding in findings if finding.unproven}, {GONE})
        self.assertEqual({finding.kind for finding in findings}, {"orphan"})
        self.assertEqual(sorted(f.system for f in findings), ["cloudflare", "cloudflare", "npm", "proxmox"])
        self.assertTrue(all(finding.orphan for finding in findings))
        self.assertEqual({finding.mark for finding in findings}, {mark, GONE})

    def test_the_things_of_a_site_that_ended_today_are_not_removable_yet(self) -> None:
        self.end(self.site, days=0.5)
        self.assertEqual([finding.orphan for finding in self.found()], [None] * 3)

    def test_a_second_thing_with_the_mark_of_a_standing_site_is_not_removable(self) -> None:
        foreign_record("copy.nodepoint.eu", comment=self.site.owner_mark)
        (finding,) = self.found()
        self.assertEqual((finding.kind, finding.orphan), ("orphan", None))


class DomainTests(DomainMixin, ReconcileTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.domain = self.add()
        self.settle()

    def test_a_domain_that_is_served_is_well(self) -> None:
        self.assertEqual((self.domain.status, self.domain.certificate), ("active", "active"))
        self.assert_found()

    def test_its_host_is_compared_like_the_site_s_own_and_made_again(self) -> None:
        npm().delete_proxy_host(self.domain.proxy_host_id)
        self.assert_found(("missing", "npm", f"proxy host {SHOP}", True))
        self.assertEqual(self.reconcile("--fix", "--yes")[1], "")
        self.run_jobs()
        self.settle()
        self.assert_found()
        self.assertEqual(self.host_of()["certificate_id"], self.domain.certificate_id)

    def test_its_host_without_its_certificate_differs(self) -> None:
        npm().update_proxy_host(self.domain.proxy_host_id, certificate_id=0)
        (finding,) = self.assert_found(("differs", "npm", f"proxy host {SHOP}", True))
        self.assertIn("certificate_id 0 instead of", finding.detail)

    def test_a_certificate_that_is_gone_is_missing_and_not_ordered_in_masses(self) -> None:
        npm().update_proxy_host(self.domain.proxy_host_id, certificate_id=0)
        npm().delete_certificate(self.domain.certificate_id)
        self.assertIn(f"certificate {self.domain.certificate_id}", [one.thing for one in self.found()])

    def test_traffic_that_is_switched_off_needs_no_hosts(self) -> None:
        self.toggle(enabled=False)
        self.run_jobs()
        self.settle()
        self.assert_found()
        npm().delete_proxy_host(self.domain.proxy_host_id)
        self.assert_found()
        npm().enable_proxy_host(self.site.proxy_host_id)
        self.assert_found(("differs", "npm", f"proxy host {NAME}", True))

    def test_a_domain_whose_certificate_is_on_order_is_left_out(self) -> None:
        npm().update_proxy_host(self.domain.proxy_host_id, certificate_id=0)
        Job.objects.filter(subject=self.domain.key).update(finished_at=None, state=Job.State.WAITING)
        self.assert_found()

    def test_the_host_of_a_domain_without_a_row_is_an_orphan_that_stays_while_its_site_stands(self) -> None:
        self.domain.delete()
        (finding,) = self.found()
        self.assertEqual((finding.kind, finding.system, finding.orphan), ("orphan", "npm", None))


class FixTests(ReconcileTestCase):
    def test_without_fix_nothing_is_changed(self) -> None:
        cloudflare().update_record(self.site.dns_record_id, content="192.0.2.9")
        foreign_record("lost.nodepoint.eu", comment=self.ended_mark())
        before = self.state()
        text, closing = self.reconcile()
        self.assertEqual(closing, "Left as they are: 2.", text)
        self.assertIn("--fix repairs it", text)
        self.assertIn("--fix removes it", text)
        self.assertEqual(*({**state, "requests": None} for state in (before, self.state())))
        self.assertEqual(Job.objects.filter(kind="sites.repair").count(), 0)

    def test_it_asks_before_it_changes_anything(self) -> None:
        foreign_record("lost.nodepoint.eu", comment=self.ended_mark())
        for answer in (None, "", "n", "maybe"):
            _, closing = self.reconcile("--fix", answer=answer)
            self.assertEqual(closing, "Nothing was changed.")
        self.assertEqual(len(self.state()["cloudflare"]["records"]), 2)
        text, closing = self.reconcile("--fix", answer="y")
        self.assertEqual(closing, "", text)
        self.assertEqual([r["name"] for r in self.state()["cloudflare"]["records"]], [NAME])

    def test_what_differs_or_is_missing_is_made_right_by_a_job(self) -> None:
        cloudflare().delete_record(self.site.dns_record_id)
        npm().update_proxy_host(self.site.proxy_host_id, forward_host="192.168.1.9")
        proxmox().set_config(self.site.node, self.site.vmid, memory=512, tags=["x"])
        proxmox().stop(self.site.node, self.site.vmid)
        text, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(closing, "", text)
        self.run_jobs()
        job = self.job(self.site, "sites.repair")
        self.assertEqual(
            (job.state, job.warning, job.actor), ("succeeded", "", "reconcile"), self.tale(self.site)
        )
        self.settle()
        self.assert_found()
        self.assert_live(self.site)

    def test_one_that_cannot_be_mended_does_not_keep_the_others_from_it(self) -> None:
        proxmox().set_config(self.site.node, self.site.vmid, memory=512)
        npm().delete_proxy_host(self.site.proxy_host_id)
        cloudflare().update_record(self.site.dns_record_id, ttl=60)
        foreign_record(NAME, type="AAAA", content="2001:db8::7")
        _, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(closing, "Left as they are: 1.")
        self.run_jobs()
        job = self.job(self.site, "sites.repair")
        self.assertEqual(job.state, "succeeded", self.tale(self.site))
        self.assertIn("Cloudflare has another record", job.warning)
        self.settle()
        self.assertEqual({finding.system for finding in self.found()}, {"cloudflare"})

    def test_a_site_on_which_something_began_meanwhile_is_left_to_that(self) -> None:
        cloudflare().update_record(self.site.dns_record_id, ttl=60)
        report = compare()
        self.post("/action/restart", {"service_id": "1001"}, Prefer="respond-async")
        with self.by(report):
            text, closing = self.reconcile("--fix", "--yes")
        self.assertIn("something else goes on there", text)
        self.assertEqual(closing, "Left as they are: 1.")

    def test_all_that_is_left_of_an_ended_site_is_removed(self) -> None:
        proxmox().add_ha_resource(self.site.vmid, "started", comment=self.site.owner_mark)
        proxmox().set_firewall_options(self.site.node, self.site.vmid, FirewallOptions())
        self.end(self.site, days=2)
        text, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(closing, "", text)
        self.assert_nothing_left()

    def test_the_things_of_others_survive_a_fix(self) -> None:
        make_foreign(self, 777)
        foreign_record("elsewhere.nodepoint.eu")
        foreign_record(NAME, type="AAAA", content="2001:db8::7")
        npm().create_proxy_host(["elsewhere.example"], self.site.private_ip)
        proxmox().add_ha_resource(777, "stopped", comment="theirs")
        before = self.leftovers()
        self.reconcile("--fix", "--yes")
        self.run_jobs()
        self.assertEqual(self.leftovers(), before)

    def test_an_orphan_whose_mark_changed_after_the_report_stays(self) -> None:
        self.end(self.site, days=2)
        report = compare()
        self.assertEqual(len(report.findings), 3)
        cloudflare().update_record(self.site.dns_record_id, comment="taken over")
        npm().update_proxy_host(self.site.proxy_host_id, meta={"nodepoint": "theirs"})
        proxmox().set_config(self.site.node, self.site.vmid, description="taken over")
        before = self.leftovers()
        with self.by(report):
            text, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(text.count("does not carry the mark any more"), 3, text)
        self.assertEqual(closing, "Left as they are: 3.")
        self.assertEqual(self.leftovers(), before)

    def test_an_orphan_that_is_gone_meanwhile_is_fine(self) -> None:
        self.end(self.site, days=2)
        report = compare()
        cloudflare().delete_record(self.site.dns_record_id)
        npm().delete_proxy_host(self.site.proxy_host_id)
        del self.lab.proxmox.cluster.containers[self.site.vmid]
        with self.by(report):
            self.assertEqual(self.reconcile("--fix", "--yes")[1], "")

    def test_a_mass_change_is_refused_whole_without_force(self) -> None:
        for number in range(10):
            foreign_record(f"lost{number}.nodepoint.eu", comment=self.ended_mark())
        before = self.leftovers()
        _, closing = self.reconcile("--fix", "--yes")
        self.assertIn("more than 30% of what we have at cloudflare. Nothing was changed", closing)
        self.assertEqual(self.leftovers(), before)
        self.assertEqual(self.reconcile("--fix", "--yes", "--force")[1], "")
        self.assertEqual([r["name"] for r in self.state()["cloudflare"]["records"]], [NAME])

    def test_names_of_others_cannot_write_on_the_terminal(self) -> None:
        foreign_record("lost.nodepoint.eu", "TXT", "\x1b[2Jx", comment=GONE)
        text, _ = self.reconcile()
        self.assertNotIn("\x1b", text)
        self.assertIn("TXT ?[2Jx", text)
