"""Containers that become sites, and sites whose container is gone."""

from datetime import timedelta

from django.utils import timezone

from nodepoint.jobs.models import Job
from sites import services
from sites.connections import cloudflare, npm, proxmox
from sites.models import Site
from sites.reconcile import compare
from sites.services import overrides
from sites.services.adoption import adopt_again, adopt_site
from tests.sites.base import ORDER, make_foreign
from tests.staff.overrides import BY, OverridesCase


class UnlinkTests(OverridesCase):
    def test_everything_but_the_container_is_removed_and_the_address_is_free(self) -> None:
        site = self.live_site(plan="premium")
        self.lose_container(site)
        form = {"reason": "disk failure", "typed": "1001"}
        self.client.post(f"/admin/sites/site/{site.pk}/act/unlink/", form)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.private_ip, site.vmid), ("deleted", None, None), self.tale(site))
        self.assert_nothing_left()
        self.assertEqual(self.get("/status?service_id=1001").status_code, 404)
        self.assertEqual(self.create().vmid, 900)

    def test_not_while_the_container_stands(self) -> None:
        site = self.live_site()
        self.read_anew()
        self.refused(overrides.unlink_site, site, **BY)

    def test_not_while_nobody_can_tell(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        self.stale()
        self.assertIn("does not answer", self.refused(overrides.unlink_site, site, **BY))

    def test_the_job_looks_for_itself_and_changes_nothing_where_it_is_there_after_all(self) -> None:
        site = self.live_site()
        with self.lab.lock:
            kept = self.lab.proxmox.cluster.containers[site.vmid]
        self.lose_container(site)
        job = overrides.unlink_site(site, **BY)
        with self.lab.lock:
            self.lab.proxmox.cluster.containers[site.vmid] = kept
        self.run_jobs()
        job.refresh_from_db()
        site.refresh_from_db()
        self.assertEqual((job.state, site.state, site.deletion_requested_at), ("failed", "live", None))
        self.assertEqual(self.places(site)["traffic"], [True])

    def test_something_on_its_vmid_may_be_the_site_s_own_and_keeps_it_linked(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        job = overrides.unlink_site(site, **BY)
        make_foreign(self, site.vmid)
        self.run_jobs()
        job.refresh_from_db()
        site.refresh_from_db()
        self.assertEqual((job.state, site.state, site.vmid), ("failed", "live", 900), self.tale(site))
        self.assertIn("without our mark", job.detail)
        self.assertEqual([c["name"] for c in self.state()["proxmox"]["containers"]], ["theirs"])

    def test_systems_that_are_away_are_waited_for(self) -> None:
        site = self.live_site()
        self.lose_container(site)
        overrides.unlink_site(site, **BY)
        self.fault("cloudflare", "refuse", count=10_000)
        self.run_for(4000)
        self.assertEqual(services.own_status(Site.objects.get(pk=site.pk)), "deleting")
        self.clear_faults()
        self.run_jobs()
        self.assert_nothing_left()


class AdoptTests(OverridesCase):
    def stranger(self, service_id: str = "old", **config: str) -> int:
        """A WordPress that runs in a container of somebody else's making."""
        site = self.live_site(service_id=service_id)
        vmid, node = site.vmid, site.node
        changes = {"description": "made by hand", "tags": {"web"}, **config}
        proxmox().set_config(node, vmid, **changes)
        gone = {"live_key": None, "vmid": None, "private_ip": None, "subdomain": None}
        Site.objects.filter(pk=site.pk).update(state="deleted", ended_at=timezone.now(), **gone)
        for record in self.state()["cloudflare"]["records"]:
            cloudflare().delete_record(record["id"])
        for host in self.state()["npm"]["proxy_hosts"]:
            npm().delete_proxy_host(host["id"])
        self.read_anew()
        return vmid

    def adopt(self, vmid: int, **changes) -> Site:
        order = {**ORDER, "service_id": "77", "vmid": vmid, **changes}
        return adopt_site(**order, **BY)[0]

    def test_a_container_becomes_a_site(self) -> None:
        vmid = self.stranger()
        site = self.adopt(vmid)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "live", self.tale(site))
        self.assertEqual((site.vmid, site.private_ip, site.subdomain), (900, "192.168.1.100", "janedoe"))
        self.assertEqual(self.config(vmid)["description"].strip(), f"{site.owner_mark}\nmade by hand")
        left = self.leftovers()
        self.assertEqual([r["content"] for r in left["records"]], [site.public_ip])
        self.assertEqual([h["forward_host"] for h in left["proxy_hosts"]], [site.private_ip])
        self.act("/action/stop", "77")
        self.assertEqual(self.container(vmid)["status"], "stopped")

    def test_one_whose_wordpress_does_not_answer_is_given_back_as_it_was(self) -> None:
        vmid = self.stranger()
        site = self.adopt(vmid)
        self.fault("ssh", "error", count=100_000)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), ("failed", vmid), self.tale(site))
        self.assertEqual(self.config(vmid)["description"].strip(), "made by hand")
        self.assertNotIn("nodepoint", str(self.config(vmid).get("tags")))
        self.assertEqual((self.leftovers()["records"], self.leftovers()["proxy_hosts"]), ([], []))

    def test_the_address_of_one_that_was_adopted_in_vain_is_nobody_elses_and_its_own_again(self) -> None:
        vmid = self.stranger()
        site = self.adopt(vmid)
        self.fault("ssh", "error", count=100_000)
        self.run_jobs()
        self.clear_faults()
        site.refresh_from_db()
        self.assertEqual((site.private_ip, self.live_site().private_ip), ("192.168.1.100", "192.168.1.101"))
        Job.objects.update(finished_at=timezone.now() - timedelta(hours=1))
        (finding,) = compare().findings
        self.assertIn("192.168.1.100, VMID and name of 77, which has ended, stay reserved", finding.detail)
        again, _ = adopt_again(site, vmid)
        self.run_jobs()
        again.refresh_from_db()
        self.assertEqual((again.state, again.private_ip), ("live", "192.168.1.100"), self.tale(again))
        site.refresh_from_db()
        self.assertEqual((site.vmid, site.private_ip, site.subdomain), (None, None, None))

    def test_one_that_is_gone_by_then_holds_nothing(self) -> None:
        vmid = self.stranger()
        site = self.adopt(vmid)
        self.run_until(site, "marked", kind="sites.adopt", state="done")
        del self.lab.proxmox.cluster.containers[vmid]
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid, site.private_ip), ("failed", None, None), self.tale(site))

    def test_what_belongs_to_a_site_is_refused(self) -> None:
        site = self.live_site()
        self.read_anew()
        self.assertIn("belongs to a site", self.refused(self.adopt, site.vmid))

    def test_what_carries_the_mark_of_a_standing_site_is_left_alone(self) -> None:
        vmid = self.stranger()
        other = self.live_site(service_id="other")
        proxmox().set_config("node1", vmid, description=other.owner_mark)
        self.read_anew()
        site = self.adopt(vmid)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual(site.state, "failed")
        self.assertIn("which stands", self.job(site, "sites.adopt").detail)
        self.assertEqual(self.config(vmid)["description"].strip(), other.owner_mark)

    def test_what_carries_the_mark_of_another_installation_is_left_alone(self) -> None:
        vmid = self.stranger(description="nodepoint:elsewhere:9:9\nlive over there")
        site = self.adopt(vmid)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), ("failed", None))
        self.assertIn("of another installation", self.job(site, "sites.adopt").detail)
        self.assertEqual(self.config(vmid)["description"].strip(), "nodepoint:elsewhere:9:9\nlive over there")

    def test_what_people_wrote_while_it_was_adopted_in_vain_is_kept(self) -> None:
        vmid = self.stranger()
        site = self.adopt(vmid)
        self.run_until(site, "marked", kind="sites.adopt", state="done")
        description = self.config(vmid)["description"]
        proxmox().set_config(
            "node1", vmid, description=f"{description.strip()}\nask Bob", tags={"web", "nodepoint", "vip"}
        )
        self.fault("ssh", "error", count=100_000)
        self.run_jobs()
        self.assertEqual(self.config(vmid)["description"].strip(), "made by hand\nask Bob")
        self.assertEqual(set(self.config(vmid)["tags"].split(";")), {"web", "vip"})

    def test_an_address_that_no_site_can_have_is_refused(self) -> None:
        vmid = self.stranger()
        for address in ("dhcp", "10.0.0.5/24"):
            net0 = {"name": "eth0", "bridge": "vmbr1", "ip": address}
            proxmox().set_config("node1", vmid, net0=net0)
            self.read_anew()
            site = self.adopt(vmid)
            self.run_jobs()
            site.refresh_from_db()
            self.assertEqual(site.state, "failed")
            self.assertIn(address, self.job(site, "sites.adopt").detail)
        self.assertEqual(self.config(vmid)["description"].strip(), "made by hand")

    def test_what_is_not_there_or_cannot_be_seen_is_refused(self) -> None:
        self.read_anew()
        self.assertIn("There is no container 4711", self.refused(self.adopt, 4711))
        self.stale()
        self.assertIn("does not answer", self.refused(self.adopt, 4711))

    def test_a_service_that_has_a_site_is_refused(self) -> None:
        vmid = self.stranger()
        self.live_site(service_id="77")
        self.read_anew()
        self.assertIn("exists already", self.refused(self.adopt, vmid))

    def test_by_the_page_the_vmid_is_typed_twice(self) -> None:
        vmid = self.stranger()
        form = {
            **ORDER,
            "service_id": "77",
            "vmid": str(vmid),
            "typed": "901",
            "reason": "from the old panel",
        }
        page = "/admin/sites/site/adopt-container/"
        self.assertContains(self.client.post(page, form), "The two VMIDs differ.")
        self.assertFalse(Job.objects.filter(kind="sites.adopt").exists())
        answer = self.client.post(page, form | {"typed": str(vmid)})
        site = Site.objects.get(live_key="77")
        self.assertEqual(answer["Location"], f"/admin/sites/site/{site.pk}/change/")
        self.assertEqual(self.entry(site).reason, "from the old panel")
        self.assertContains(self.client.get(answer["Location"]), "Adopt container")

    def test_a_bad_form_is_refused_field_by_field(self) -> None:
        form = {
            "service_id": "-x y",
            "email": "no",
            "public_ip": "::1",
            "plan": "gold",
            "vmid": "1",
            "typed": "1",
        }
        page = self.client.post("/admin/sites/site/adopt-container/", form)
        self.assertEqual(set(page.context["form"].errors), {*form} - {"typed"} | {"reason"})
