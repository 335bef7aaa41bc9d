"""What carries no mark of ours is never used, changed or removed, even where it has our name."""

from django.utils import timezone

from nodepoint.models import Restoration
from sites.connections import cloudflare, npm
from sites.models import TakenName
from sites.reconcile import compare
from tests.base import on_one_database
from tests.sites.base import SiteTestCase, foreign_record, make_foreign

NAME = "janedoe.nodepoint.eu"


@on_one_database
class ForeignThingsTests(SiteTestCase):
    def test_a_vmid_that_proxmox_uses_makes_the_order_take_the_next_free_one(self):
        for vmid in (900, 901, 903):
            make_foreign(self, vmid)
        self.lab.world.settle()
        before = self.config(900)
        site = self.create()
        self.assertEqual(site.vmid, 900, "nobody has asked Proxmox yet")
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), ("live", 902), self.tale(site))
        self.assertEqual(self.config(900), before)
        self.assertEqual(self.get("/status?service_id=1001").json()["vmid"], 902)

    def test_a_vmid_that_the_last_reading_has_seen_is_not_even_tried(self):
        make_foreign(self, 900)
        self.live_site(service_id="first")
        self.get("/status?service_id=first")  # takes a reading of the cluster
        self.assertEqual(self.create(service_id="second", email="second@example.com").vmid, 902)

    def test_a_vmid_that_is_taken_in_the_last_moment(self):
        site = self.create()
        self.fault("proxmox", "error", "GET /api2/json/nodes")  # looked, but not yet created
        self.run_calls(1)
        make_foreign(self, 900)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), ("live", 901), self.tale(site))

    def test_an_ended_undo_leaves_the_foreign_container_alone(self):
        make_foreign(self, 900)
        self.fault("cloudflare", "refuse", "POST ", count=1000)
        site = self.create()
        self.run_jobs()
        self.assertEqual(self.job(site).state, "rolled_back", self.tale(site))
        self.assertEqual([c["vmid"] for c in self.state()["proxmox"]["containers"]], [900])

    def test_a_name_that_the_comparison_has_seen_taken_is_not_even_tried(self):
        foreign_record("JaneDoe.nodepoint.eu")
        foreign_record("a.b.nodepoint.eu")
        foreign_record("text.nodepoint.eu", "TXT", "v=spf1 -all")
        npm().create_proxy_host(["johndoe.nodepoint.eu", "johndoe.example.org"], "192.168.1.77")
        site = self.live_site(email="mary@example.com")
        compare()
        self.assertEqual([row.subdomain for row in TakenName.objects.all()], ["janedoe", "johndoe"])
        for name in ("janedoe", "johndoe"):
            order = self.create(service_id=name, email=f"{name}@example.com")
            self.assertTrue(order.subdomain.startswith(f"{name}-"), order.subdomain)
        self.assertEqual(site.subdomain, "mary")

    def test_names_are_kept_while_one_of_the_systems_cannot_be_read(self):
        foreign_record(NAME)
        compare()
        with self.subTest("NPM is away"):
            self.fault("npm", "refuse", count=1000)
            cloudflare().delete_record(cloudflare().list_records()[0].id)
            compare()
            self.assertEqual(TakenName.objects.count(), 1)
        self.clear_faults()
        compare()
        self.assertEqual(TakenName.objects.count(), 0)

    def test_a_foreign_record_that_is_no_address_is_not_in_the_way(self):
        foreign_record(NAME, "TXT", "v=spf1 -all")
        site = self.create()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "live", self.tale(site))

    def test_our_record_with_another_content_is_put_right_and_twins_go(self):
        site = self.create()
        zone = [
            foreign_record(NAME, content=ip, comment=site.owner_mark)
            for ip in ("198.51.100.7", "198.51.100.8")
        ]
        self.run_jobs()
        self.assert_live(site)
        (record,) = self.state()["cloudflare"]["records"]
        self.assertIn(record["id"], zone)
        self.assertEqual(self.count("cloudflare", "POST "), len(zone), "only the test made records")

    def test_a_proxy_host_with_the_mark_of_an_order_that_has_made_none_is_a_lost_sites(self):
        site = self.create()
        npm().create_proxy_host([NAME], "192.168.1.77", meta={"nodepoint": site.owner_mark})
        self.run_for(600)
        self.assertIn("stands already", self.step(site, "proxy_host").error, self.tale(site))
        self.assertEqual(self.state()["npm"]["proxy_hosts"][0]["forward_host"], "192.168.1.77")
        Restoration.objects.create(released_at=timezone.now())
        self.run_jobs()
        self.assert_live(site)
        (host,) = self.state()["npm"]["proxy_hosts"]
        self.assertEqual(host["forward_host"], site.private_ip)
        self.assertTrue(host["ssl_forced"] and host["http2_support"] and host["block_exploits"])

    def test_the_things_of_an_earlier_order_of_the_service_are_foreign(self):
        first = self.live_site()
        first_mark = first.owner_mark
        self.delete()
        self.run_jobs()
        foreign_record(NAME, comment=first_mark)
        site = self.create()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "live", self.tale(site))
        self.assertNotEqual(site.hostname, NAME)
        self.assertEqual(len(self.state()["cloudflare"]["records"]), 2)
