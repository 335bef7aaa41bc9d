"""Cases 7 to 12 of test_troubles.py: what was changed behind our back, and what fails inside a container or
at ISPConfig."""

import time
from datetime import timedelta

from django.utils import timezone

from nodepoint.jobs.models import Job
from sites.connections import cloudflare, npm
from sites.models import Site
from tests.browser.troubles import TroubleTestCase
from tests.factories import SiteFactory

ZONE = "example.com"
NAME_SERVERS = ["ns1.nodepoint.eu", "ns2.nodepoint.eu"]


class MoreTroubleTests(TroubleTestCase):
    def test_7_a_suspended_site_that_runs(self) -> None:
        site = self.healthy_site()
        self.act("/suspend")
        self.pass_time(600)
        cluster = self.lab.proxmox.cluster
        with self.lab.lock:
            cluster.power.fork_start(cluster.containers[site.vmid], "root@pam", time.time())
        self.lab.world.settle()
        self.find_on_board("Look at this now: suspended but running (1)", f"1001: container {site.vmid}")
        self.click(f"1001: container {site.vmid} (runs although suspended)")
        self.shows("It is suspended and its container runs all the same.", "SUSPENDED")
        self.picture("7-suspended-runs")
        self.click("Verify and repair")
        self.put_right("It is being looked at.")
        self.assertEqual(self.container(site.vmid)["status"], "stopped")
        self.is_well_again()

    def test_8_a_record_and_a_proxy_host_that_are_gone(self) -> None:
        site = self.healthy_site()
        cloudflare().delete_record(site.dns_record_id)
        npm().delete_proxy_host(site.proxy_host_id)
        self.find_on_board("Look at this now: things that are gone (2)", f"record {site.hostname}")
        self.picture("8-gone")
        self.click(f"record {site.hostname}")
        self.shows(f"Cloudflare: record {site.hostname} missing.", f"proxy host {site.hostname} missing.")
        self.click("Verify and repair")
        self.put_right("It is being looked at.")
        (record,) = cloudflare().find_records(site.hostname)
        self.assertEqual(record.content, site.public_ip)
        self.assertEqual(len(self.hosts_of(site.hostname)), 1)
        self.is_well_again()

    def test_9_a_container_that_is_gone(self) -> None:
        site = self.healthy_site()
        del self.lab.proxmox.cluster.containers[site.vmid]
        self.find_on_board("Look at this now: things that are gone (1)", f"1001: container {site.vmid}")
        self.click(f"1001: container {site.vmid}")
        self.shows(f"The cluster shows no container {site.vmid}.", "Unlink")
        self.picture("9-container-gone")
        self.click("Unlink")
        self.fill(typed="1001", reason="Destroyed by hand, the customer knows")
        self.put_right("It is being looked for.")
        self.assert_nothing_left()
        self.is_well_again()

    def test_10_something_left_over(self) -> None:
        gone = SiteFactory(service_id="0999", deleted=True, ended_at=timezone.now() - timedelta(days=3))
        cloudflare().create_record("A", "gone.nodepoint.eu", "203.0.113.9", comment=gone.owner_mark)
        self.find_on_board("Nothing is on fire. To be looked at today: differences (1)", "gone.nodepoint.eu")
        self.click("record gone.nodepoint.eu")
        self.shows("left over", "Put right")
        self.picture("10-left-over")
        self.click("Put right")
        self.put_right("It is being put right.")
        self.assertEqual(cloudflare().find_records("gone.nodepoint.eu"), [])
        self.is_well_again()

    def test_11_an_installation_that_fails_inside_the_container(self) -> None:
        self.fault("ssh", "error", "INSTALL 900 packages", count=100_000)
        self.create()
        self.pass_time()
        self.find_on_board(
            "Look at this now: failed jobs (1)", "Create site: 1001", "WordPress could not be installed."
        )
        self.click("Create site: 1001")
        self.shows("FAILED, UNDONE", "The system said: wordpress: failed packages", "Ask for it again")
        self.picture("11-installation")
        self.assert_nothing_left()
        self.clear_faults()
        self.click("Ask for it again")
        self.put_right("Asked for again: this is the new job.")
        self.assertEqual(Site.objects.get(live_key="1001").state, Site.State.LIVE)
        self.is_well_again()

    def dns(self, path: str, **body: object) -> None:
        """A customer's call, which does not wait."""
        answer = self.post(
            f"/customdomain/{path}", {"user_id": 42, **body}, Accept="application/json", Prefer="wait=0"
        )
        self.assertEqual(answer.status_code, 200, answer.content)

    def records(self) -> list[str]:
        """What the TXT records at ISPConfig say."""
        (zone,) = self.state()["ispconfig"]["zones"]
        return [record["data"] for record in zone["records"] if record["type"] == "TXT"]

    def test_12_a_dns_record_that_ispconfig_refused(self) -> None:
        self.lab.dns.set(ZONE, "NS", NAME_SERVERS)
        self.dns("add/zone", domain=ZONE)
        self.pass_time()
        self.pass_time(600)
        self.fault("ispconfig", "refuse", "dns_txt_add", count=100_000)
        self.dns("add/record", zone=ZONE, type="txt", name="@", ttl=3600, txt="v=spf1 -all")
        self.pass_time()
        self.find_on_board("Look at this now: failed jobs (1)", f"Add record: {ZONE}", "ISPConfig refused")
        self.click(f"Add record: {ZONE}")
        self.shows("FAILED", "Customers read: ISPConfig refused the request.", "The system said:")
        self.picture("12-record")
        self.assertEqual(self.records(), [])
        self.clear_faults()
        self.click("Ask for it again")
        self.put_right("Asked for again: this is the new job.")
        self.assertIn("v=spf1 -all", self.records()[0])
        self.assertEqual(Job.objects.filter(kind="dns.add_record", state="succeeded").count(), 1)
        self.is_well_again()
