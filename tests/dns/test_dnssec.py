"""POST /customdomain/dnssec, and what the zone above says of a zone."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone

from dns import parents, published, watch
from dns.connections import ispconfig
from dns.models import Parent, Zone
from dns.steps import dnssec
from nodepoint.jobs.models import Job
from tests.base import on_one_database
from tests.dns.base import OURS, DnsTestCase

NAME = "example.com"
HOUR = timedelta(hours=1)


class ZoneCase(DnsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.zone_id = self.add_zone(NAME)["id"]
        self.at = timezone.now() - 2 * HOUR

    def switch(self, enabled: bool) -> dict:
        return self.done("dnssec", zone_id=self.zone_id, enabled=enabled)["dnssec"]

    def serial(self) -> int:
        return int(self.in_panel(NAME)["serial"])

    def served(self) -> int:
        return int(self.lab.dns.names.look_up(NAME, "SOA", recursive=False).answer[0].data.split()[2])

    def set_ds(self, *values: str) -> None:
        self.lab.dns.set(NAME, "DS", values)
        self.lab.dns.set(NAME, "NS", OURS)

    def look(self, after: timedelta = HOUR) -> dict:
        """The zone after one more look at the zone above."""
        self.at += after
        parents.look(self.at)
        return self.zone(NAME)


@on_one_database
class SwitchTests(ZoneCase):
    def test_it_is_signed_and_its_ds_are_told(self) -> None:
        self.assertEqual(self.zone(NAME)["dnssec"], {"enabled": False, "ds": [], "at_parent": None})
        said = self.switch(True)
        self.assertTrue(said["enabled"])
        (ds,) = said["ds"]
        self.assertRegex(ds, r"^\d+ 13 2 [0-9a-f]{64}$")
        self.assertEqual(self.served(), self.serial() + 1)
        self.assertEqual(self.zone(NAME)["dnssec"]["ds"], [ds])
        self.assertEqual(self.switch(True)["ds"], [ds])
        watch.look()
        self.assertIs(self.zone(NAME)["published"], True)

    def test_off_only_once_no_ds_is_left_above_and_none_is_known(self) -> None:
        (ds,) = self.switch(True)["ds"]
        served = self.served()
        self.set_ds(ds)
        sentence = self.refused(409, "wrong_state", "dnssec", zone_id=self.zone_id, enabled=False)
        self.assertIn(ds, sentence)
        self.set_ds()
        self.assertIn(
            "resolvers may know it until",
            self.refused(409, "wrong_state", "dnssec", zone_id=self.zone_id, enabled=False),
        )
        Parent.objects.update(ds_until=timezone.now() - HOUR)
        self.assertEqual(self.switch(False), {"enabled": False, "ds": [], "at_parent": "none"})
        self.assertGreater(self.served(), served)
        self.assertEqual(self.served(), self.serial())
        self.assertEqual(self.switch(True)["ds"], [ds])  # the keys were kept

    def test_nobody_who_would_know_of_a_ds_answers(self) -> None:
        self.switch(True)
        self.fault("dns", "error", match=f"QUERY {NAME} DS", count=20)
        self.refused(500, "infrastructure", "dnssec", zone_id=self.zone_id, enabled=False)
        self.assertEqual(self.in_panel(NAME)["dnssec_wanted"], "Y")

    def test_a_zone_whose_keys_never_come_is_as_it_was_after_half_an_hour(self) -> None:
        with self.lab.lock:
            self.lab.ispconfig.served.stopped = True
        self.refused(500, "infrastructure", "dnssec", zone_id=self.zone_id, enabled=True)
        self.assertEqual(Job.objects.get(kind="dns.switch_dnssec").state, Job.State.ROLLED_BACK)
        self.assertEqual(self.in_panel(NAME)["dnssec_wanted"], "N")

    def test_lost_answers(self) -> None:
        self.fault("ispconfig", "drop_after", match="dns_zone_update", count=1)
        self.call("dnssec", zone_id=self.zone_id, enabled=True)
        self.run_jobs()
        self.assertTrue(self.zone(NAME)["dnssec"]["ds"])

    def test_another_s_zone_and_bad_bodies(self) -> None:
        self.refused(404, "not_found", "dnssec", zone_id=self.zone_id, enabled=True, user=7)
        for enabled in (None, "perhaps", 5):
            self.refused(400, "validation", "dnssec", zone_id=self.zone_id, enabled=enabled)

    def test_a_panel_that_does_not_switch_is_no_success(self) -> None:
        with mock.patch.object(dnssec, "ispconfig") as panel:
            panel.return_value.zone.return_value = ispconfig().zone(int(self.zone_id))
            self.refused(500, "infrastructure", "dnssec", zone_id=self.zone_id, enabled=True)


@on_one_database
class ParentTests(ZoneCase):
    def test_a_domain_that_leads_away_is_told_from_the_second_look_on(self) -> None:
        self.assertEqual(self.look()["problem"], None)
        self.delegate(NAME, servers=["ns.other.net"])
        self.assertEqual(self.look()["problem"], None)
        zone = self.look()
        self.assertIs(zone["published"], False)
        self.assertIn("its name servers are ns.other.net", zone["problem"])
        self.delegate(NAME)
        self.assertEqual(self.look()["problem"], None)

    def test_a_ds_that_does_not_fit_is_told(self) -> None:
        self.set_ds(f"1 13 2 {'ab' * 32}")
        zone = self.look()
        self.assertEqual((zone["published"], zone["problem"]), (False, published.DS_UNSIGNED))
        self.assertEqual(zone["dnssec"]["at_parent"], "wrong")
        (ds,) = self.switch(True)["ds"]
        self.assertEqual(self.zone(NAME)["problem"], published.DS_WRONG)
        self.set_ds(ds)
        zone = self.look()
        self.assertEqual((zone["problem"], zone["dnssec"]["at_parent"]), (None, "right"))

    def test_only_what_is_due_is_asked_and_silence_changes_nothing(self) -> None:
        self.assertEqual(parents.look(self.at), 1)
        self.assertEqual(parents.look(self.at + HOUR / 2), 0)
        self.fault("dns", "error", match=f"QUERY {NAME} NS", count=20)
        self.assertEqual(parents.look(self.at + 2 * HOUR), 0)
        self.assertIsNone(Parent.objects.get().away_since)

    def test_an_old_look_says_nothing(self) -> None:
        self.delegate(NAME, servers=["ns.other.net"])
        self.at -= 5 * HOUR
        self.look()
        self.assertEqual(self.look()["problem"], None)

    def test_zones_that_are_gone_are_not_asked_for(self) -> None:
        self.done("delete/zone", domain=NAME)
        self.assertEqual(Zone.objects.get().state, "deleted")
        self.assertEqual(parents.look(self.at), 0)
