"""Our zones against those at ISPConfig: what is found, repaired or removed, and what is left alone."""

from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from dns.connections import ispconfig
from dns.models import Customer, Zone
from dns.reconcile import compare, remove
from dns.services import repair_zone
from nodepoint.clients.errors import Conflict
from nodepoint.jobs.models import Job
from tests.dns.base import DnsTestCase

NAME = "example.com"


class ReconcileTests(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_zone(NAME)
        self.row = Zone.objects.get()
        self.settle()

    def settle(self) -> None:
        """The jobs ended a while ago."""
        Job.objects.update(finished_at=timezone.now() - timedelta(hours=1))

    def assert_found(self, *wanted: tuple) -> list:
        report = compare()
        self.assertEqual(report.unread, [])
        shown = [(f.kind, f.thing, f.repairable, bool(f.orphan)) for f in report.findings]
        self.assertEqual(shown, list(wanted), report.findings)
        return report.findings

    def panel_zones(self) -> list[str]:
        return [zone["origin"] for zone in self.state()["ispconfig"]["zones"]]

    def end(self, days: float) -> None:
        """The zone's row has ended; what is at ISPConfig was left over."""
        ended = timezone.now() - timedelta(days=days)
        Zone.objects.filter(pk=self.row.pk).update(name_key=None, state="deleted", ended_at=ended)

    def test_all_is_well_by_one_call_for_any_number_of_zones(self):
        self.assert_found()
        before = self.state()["requests"]["ispconfig"]
        self.assert_found()
        one = self.state()["requests"]["ispconfig"] - before
        self.add_zone("other.example", user=43)
        self.add_zone("third.example", user=44)
        self.settle()
        before = self.state()["requests"]["ispconfig"]
        self.assert_found()
        self.assertEqual(self.state()["requests"]["ispconfig"] - before, one)
        self.assertLessEqual(one, 3, "a login, the list")
        self.assertEqual(compare().things, {"ispconfig": 3})

    def test_a_zone_that_is_gone(self):
        ispconfig().delete_zone(self.row.ispconfig_id)
        self.assert_found(("missing", f"zone {NAME}", False, False))

    def test_one_that_is_not_served_is_published_again(self):
        ispconfig().set_zone_active(self.row.ispconfig_id, False, 2026010101)
        (finding,) = self.assert_found(("differs", f"zone {NAME}", True, False))
        self.assertEqual(finding.detail, "not served")
        job = repair_zone(self.row)
        self.assertIsNone(repair_zone(self.row), "one is on its way")
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual(job.state, "succeeded")
        self.settle()
        self.assert_found()

    def test_another_id_is_noted(self):
        Zone.objects.update(ispconfig_id=4711)
        self.assert_found(("differs", f"zone {NAME}", True, False))
        repair_zone(self.row)
        self.run_jobs()
        self.settle()
        self.assert_found()

    def test_somebody_elses_zone_of_that_name_is_left_alone(self):
        Customer.objects.update(group_id=999)
        self.assert_found(("foreign", f"zone {NAME}", False, False))

    def test_what_is_left_of_an_ended_zone_is_removed_after_a_day(self):
        self.end(days=0.5)
        self.assert_found(("orphan", f"zone {NAME}", False, False))
        self.end(days=2)
        (finding,) = self.assert_found(("orphan", f"zone {NAME}", False, True))
        remove(finding.orphan, finding.mark)
        self.assertEqual(self.panel_zones(), [])
        remove(finding.orphan, finding.mark)

    def test_a_zone_made_anew_meanwhile_is_not_removed(self):
        self.end(days=2)
        (finding,) = self.assert_found(("orphan", f"zone {NAME}", False, True))
        ispconfig().delete_zone(self.row.ispconfig_id)
        self.add_zone(NAME, user=77)
        with self.assertRaises(Conflict):
            remove(finding.orphan, finding.mark)
        self.assertEqual(self.panel_zones(), [f"{NAME}."])

    def test_zones_that_a_job_works_on_are_left_out(self):
        ispconfig().set_zone_active(self.row.ispconfig_id, False, 2026010101)
        repair_zone(self.row)
        self.assert_found()

    def test_zones_made_in_the_panel_are_nobodys_mistake(self):
        owner = self.row.customer
        ispconfig().create_zone(owner.client_id, "panel.example.", "ns1.x.", "a.b.", 2026010101)
        self.assert_found()

    def test_ispconfig_away(self):
        self.fault("ispconfig", "refuse", count=100)
        report = compare()
        self.assertEqual((report.findings, len(report.unread)), ([], 1))

    def test_the_command_repairs_and_says_so(self):
        ispconfig().set_zone_active(self.row.ispconfig_id, False, 2026010101)
        out = StringIO()
        call_command("reconcile", "--fix", "--yes", stdout=out)
        self.assertIn(f"repairing: {NAME}: job ", out.getvalue())
        self.run_jobs()
        self.settle()
        out = StringIO()
        call_command("reconcile", stdout=out)
        self.assertIn("Looked at ispconfig 1; 0 found.", out.getvalue())
        ispconfig().delete_zone(self.row.ispconfig_id)
        with self.assertRaisesRegex(CommandError, "Left as they are: 1"):
            call_command("reconcile", "--fix", "--yes", stdout=StringIO())
