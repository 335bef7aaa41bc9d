"""What is given to an order is free at Proxmox VE, whatever the rows say; one look for many orders."""

from datetime import timedelta
from unittest import mock

from django.test import override_settings

from sites import occupied
from sites.clients.proxmox import Config
from sites.models import Occupancy, Site, Template
from sites.services.template import build_template
from tests.base import on_one_database
from tests.sites.base import SiteTestCase, make_foreign


@on_one_database
class PlaceTests(SiteTestCase):
    def stranger(self, vmid: int, ip: str = "192.168.1.100/24") -> None:
        """A container of somebody else's, with this address."""
        make_foreign(self, vmid, net0=f"name=eth0,bridge=vmbr1,ip={ip},gw=192.168.1.1")

    def looks(self) -> int:
        """How often the cluster's list was read for places, and strangers' configurations."""
        return sum("/cluster/resources" in call for _, call in self.calls)

    def test_an_address_that_a_container_of_others_uses_is_left_to_it(self) -> None:
        self.stranger(5000)
        answer = self.order().json()
        self.assertEqual(answer["private_ip"], "192.168.1.100", "nobody has asked Proxmox VE yet")
        site = Site.objects.get()
        self.run_jobs()
        self.assert_moved(site, "192.168.1.101")
        self.assertIn("Container 5000 uses 192.168.1.100", self.step(site, "place").detail)
        later = self.order(service_id="2", email="b@example.com").json()
        self.assertEqual(later["private_ip"], "192.168.1.102", "it is known by now")

    def assert_moved(self, site: Site, address: str) -> None:
        site.refresh_from_db()
        self.assertEqual((site.state, site.private_ip), ("live", address), self.tale(site))
        self.assertIn(f"{address}/24", self.config(site.vmid)["net0"])
        (host,) = self.state()["npm"]["proxy_hosts"]
        self.assertEqual(host["forward_host"], address)

    def test_a_vmid_that_is_in_use_is_exchanged_before_anything_is_made(self) -> None:
        make_foreign(self, 900)
        site = self.live_site()
        self.assertEqual(site.vmid, 901)
        self.assertIn("VMID 900 is in use: now 901.", self.step(site, "place").detail)
        self.assertEqual(self.creations(), 2)

    def test_one_look_for_many_orders_and_each_stranger_is_read_once(self) -> None:
        for vmid in (5000, 5001):
            self.stranger(vmid, f"192.168.1.{vmid - 4800}/24")
        for number in range(3):
            self.create(service_id=f"S{number}", email=f"s{number}@example.com")
        self.calls.clear()
        for number in range(3):
            self.run_until(Site.objects.get(live_key=f"S{number}"), "place", state="done")
        self.assertEqual(self.looks(), 1)
        self.assertEqual(self.count("proxmox", "/config"), 2)
        with mock.patch.object(occupied, "KEPT", timedelta(0)):
            self.calls.clear()
            self.assertIsNotNone(occupied.reading())
            self.assertEqual((self.looks(), self.count("proxmox", "/config")), (1, 0))

    @override_settings(SITE_IP_RANGE="192.168.1.100-192.168.1.100")
    def test_where_no_other_is_free_the_order_is_undone_with_the_reason(self) -> None:
        self.stranger(5000)
        site = self.create()
        self.run_jobs()
        job = self.job(site)
        self.assertEqual(job.state, "rolled_back")
        self.assertEqual(job.error, "There is no free address for another site at the moment.")
        self.assertIn("container 5000 uses 192.168.1.100", job.detail)

    def test_one_that_is_gone_by_now_keeps_nothing_from_anybody(self) -> None:
        self.stranger(5000)
        occupied.reading()
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[5000]
        self.assertFalse(occupied.known().still_has("192.168.1.100"))

    def test_a_template_that_is_built_takes_nobodys_address(self) -> None:
        self.stranger(5000)
        template, _ = build_template()
        self.assertEqual(template.private_ip, "192.168.1.100")
        self.run_calls(2)
        self.assertEqual(Template.objects.get().private_ip, "192.168.1.101")


@on_one_database
class ReadingTests(SiteTestCase):
    def test_more_than_one_look_takes_is_read_in_parts_before_anybody_believes_it(self) -> None:
        for vmid in range(5000, 5003):
            make_foreign(self, vmid)
        with mock.patch.object(occupied, "MOST", 2):
            self.assertIsNone(occupied.reading())
            self.assertIsNotNone(occupied.reading())
        self.assertEqual(self.count("proxmox", "/config"), 3)

    def test_a_node_that_is_away_or_hangs_holds_up_nobody(self) -> None:
        for vmid in (5000, 5001):
            make_foreign(self, vmid)
        self.fault("proxmox", "drop_before", "/config", count=50)
        self.assertEqual(occupied.reading().addresses, {})
        asked = {call for _, call in self.calls if "/config" in call}
        self.assertEqual(len(asked), 1, "each node is asked about one")
        self.clear_faults()
        self.control("node", node="node2", up=False)
        Occupancy.objects.update(taken_at=None)
        self.calls.clear()
        self.assertIsNotNone(occupied.reading())
        self.assertEqual(self.count("proxmox", "/config"), 0)

    def test_addresses_of_configurations(self) -> None:
        fields = dict.fromkeys(Config.__dataclass_fields__, "")
        for written, address in (("10.0.0.5/24", "10.0.0.5"), ("dhcp", ""), ("manual", ""), ("", "")):
            with self.subTest(written):
                self.assertEqual(occupied.address_of(Config(**fields | {"net0": {"ip": written}})), address)
