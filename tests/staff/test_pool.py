"""Addresses and VMIDs on the board: counted by the periodic look, not by each page."""

from unittest import mock

from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nodepoint.board import findings
from nodepoint.board.models import Finding, Reading
from nodepoint.board.registry import Picture
from sites import watch
from sites.models import Site, TakenName
from sites.placement import reading
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase
from tests.staff.operations import BOARD, BoardTestCase, ago

SMALL = {"SITE_IP_RANGE": "192.168.1.100-192.168.1.109", "SITE_GATEWAY": "192.168.1.100"}


class LookTests(SiteTestCase):
    def test_the_pool_is_counted_although_proxmox_is_away(self) -> None:
        site = self.live_site()
        self.fault("proxmox", "refuse", count=100)
        watch.look()
        counted = Reading.objects.get(name=watch.POOL).data
        self.assertEqual((counted["used"], counted["vmids"], counted["highest"]), (1, 1, site.vmid))
        self.assertFalse(Reading.objects.filter(name=reading.NODES).exists(), "Proxmox VE was away")

    def test_sites_over_quota_are_noted(self) -> None:
        sites = [SiteFactory(domain_quota=0), SiteFactory(domain_quota=1), SiteFactory(backup_quota=0)]
        for site in sites[:2]:
            site.custom_domains.create(domain=f"{site.service_id.lower()}.example.org")
        sites[2].backups.create(name="BAK1", state="ready")
        for system in ("proxmox", "npm"):
            self.fault(system, "refuse", count=100)
        watch.look()
        noted = Reading.objects.get(name=watch.OVER_QUOTA).data
        self.assertEqual(noted, {"sites": [sites[2].pk, sites[0].pk]})


@override_settings(**SMALL)
class PoolTests(BoardTestCase):
    def hold(self, first: int, last: int) -> None:
        """Sites with the addresses from first to last."""
        for number in range(first, last + 1):
            SiteFactory(private_ip=f"192.168.1.{number}", vmid=900 + number)

    def numbers(self) -> Picture:
        """The picture of the pool."""
        pictures = [drawn["picture"] for drawn in self.board().context["pictures"]]
        return next(one for one in pictures if one.title == "Addresses and VMIDs")

    def test_the_board_shows_what_was_counted_last_and_when(self) -> None:
        self.hold(101, 103)
        self.assertIn("6 of 9 addresses are free", self.numbers().note, "counted now, before the first look")
        at = timezone.now()
        findings.note(watch.POOL, watch.count(), at)
        self.hold(104, 104)
        shown = self.numbers()
        said = "6 of 9 addresses are free; 3 VMIDs are held."
        self.assertEqual(shown.note, f"{said} Counted {at:%Y-%m-%d %H:%M} UTC.")
        self.assertEqual(dict(shown.rows)["highest VMID held"], 1003)

    def test_a_pool_without_sites_has_no_highest_vmid(self) -> None:
        findings.note(watch.POOL, watch.count())
        self.assertEqual(dict(self.numbers().rows)["highest VMID held"], "–")

    def test_a_full_range_is_told_as_it_was_counted(self) -> None:
        self.hold(101, 109)
        findings.note(watch.POOL, watch.count())
        self.assertEqual(self.trouble("Addresses").title, "No address is free: orders are refused")

    def test_an_old_count_neither_alarms_nor_hides_a_full_range(self) -> None:
        findings.note(watch.POOL, watch.count(), ago(minutes=11))
        self.hold(101, 109)
        self.assertIn("Addresses", self.groups())
        findings.note(watch.POOL, watch.count(), ago(minutes=11))
        Site.objects.all().delete()
        self.assertNotIn("Addresses", self.groups())

    def test_many_are_counted_by_index_alone(self) -> None:
        self.hold(101, 103)
        SiteFactory(private_ip="10.0.0.1")
        self.assertEqual(watch.addresses(), (3, 6, 1))
        with mock.patch.object(watch, "EXACT", 3):
            self.assertEqual(watch.addresses(), (4, 5, 1), "one is outside, which only a look at each tells")

    def test_a_page_counts_no_sites_itself(self) -> None:
        self.hold(101, 103)
        findings.note(watch.POOL, watch.count())
        with CaptureQueriesContext(connection) as captured:
            self.client.get(BOARD)
        counting = [one["sql"] for one in captured if "COUNT(" in one["sql"] and "sites_site" in one["sql"]]
        self.assertEqual(counting, [])
        self.assertFalse(any("private_ip" in one["sql"] and "IS NOT NULL" in one["sql"] for one in captured))

    def test_the_page_of_the_addresses_tells_what_was_counted_last(self) -> None:
        self.hold(101, 103)
        findings.note(watch.POOL, watch.count())
        self.hold(104, 104)
        with CaptureQueriesContext(connection) as captured:
            page = self.client.get("/admin/sites/site/addresses/")
        self.assertContains(page, "3 held, 6 free.")
        self.assertEqual(sum(place.site is not None for place in page.context["places"]), 4, "read now")
        self.assertFalse(any("IS NOT NULL" in one["sql"] and "private_ip" in one["sql"] for one in captured))
        findings.note(watch.POOL, watch.count(), ago(minutes=11))
        self.hold(105, 105)
        self.assertContains(self.client.get("/admin/sites/site/addresses/"), "5 held, 4 free.")

    def test_the_page_of_the_addresses_shows_the_names_that_strangers_hold(self) -> None:
        page = "/admin/sites/site/addresses/"
        self.assertNotContains(self.client.get(page), "Names that no order gets")
        TakenName.objects.create(subdomain="blog", holder="record A <b>198.51.100.7</b>")
        answer = self.client.get(page)
        self.assertContains(answer, "Names that no order gets")
        self.assertContains(answer, "record A &lt;b&gt;198.51.100.7&lt;/b&gt;, seen ")

    def test_differences_are_counted_no_further_than_a_hundred(self) -> None:
        row = {"look": "x", "system": "npm", "thing": "it", "kind": Finding.Kind.DIFFERS}
        Finding.objects.bulk_create(Finding(digest=str(number), **row) for number in range(103))
        group = self.groups()["Differences"]
        self.assertEqual((group.count, len(group.troubles)), ("100+", 5))
