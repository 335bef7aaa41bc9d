"""Ours, not ours (any more), not seen, gone: four answers, of which only the last frees what is reserved."""

from unittest import mock

from django.test import override_settings

from lab.proxmox import readings
from nodepoint.clients.errors import NotFound
from nodepoint.jobs.models import Job
from sites.connections import cloudflare, npm, proxmox
from sites.models import Site, TakenName
from sites.steps.proxmox import Foreign, NotSeen, find, require
from tests.base import on_one_database
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase, make_foreign

NAME = "janedoe.nodepoint.eu"


class OwnershipCase(ActsMixin, SiteTestCase):
    def annotate(self, site: Site, description: str) -> None:
        """Somebody writes into the Notes panel of the site's container."""
        proxmox().set_config(site.node, site.vmid, description=description)

    def hide(self, vmid: int):
        """Our token lacks VM.Audit for this guest: lists leave it out, its configuration is refused, and only
        /cluster/nextid knows it (pve-manager API2/Cluster.pm `resources`, `nextid`)."""
        shown = readings.resources
        left = mock.patch.object(
            readings,
            "resources",
            lambda cluster, type: [guest for guest in shown(cluster, type) if guest.get("vmid") != vmid],
        )
        self.fault("proxmox", "refuse", f"/lxc/{vmid}/config", count=100_000)
        return left


@on_one_database
class FindTests(OwnershipCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()

    def test_notes_of_people_around_the_mark_change_nothing(self) -> None:
        for text in (f"Ask Bob first\n\n{self.site.owner_mark}\n\n- moved in May", "nodepoint:1001:%d\nx"):
            self.annotate(self.site, text.replace("%d", str(self.site.pk)))
            self.assertEqual(find(self.site).vmid, self.site.vmid)

    def test_without_the_mark_or_with_anothers_it_is_foreign(self) -> None:
        for text in ("", "mine now", f"nodepoint:elsewhere:1001:{self.site.pk}", "nodepoint:1002:1"):
            self.annotate(self.site, text)
            with self.assertRaises(Foreign):
                find(self.site)

    def test_what_the_token_does_not_see_is_neither_gone_nor_foreign(self) -> None:
        Site.objects.update(node="")
        self.site.refresh_from_db()
        with self.hide(self.site.vmid), self.assertRaises(NotSeen):
            find(self.site)

    def test_it_is_gone_only_where_its_vmid_is_free(self) -> None:
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[self.site.vmid]
        self.assertIsNone(find(self.site))
        with self.assertRaises(NotFound):
            require(self.site)

    def test_a_right_that_went_with_the_container_does_not_hide_that_it_is_gone(self) -> None:
        with self.lab.lock:
            del self.lab.proxmox.cluster.containers[self.site.vmid]
        self.fault("proxmox", "refuse", "/config", count=100)
        self.assertIsNone(find(self.site))


@on_one_database
class DeletionTests(OwnershipCase):
    def delete_now(self) -> Site:
        self.delete()
        self.run_jobs()
        return Site.objects.get(service_id="1001")

    def test_a_container_that_lost_its_mark_stays_and_so_do_its_reservations(self) -> None:
        site = self.live_site()
        held = (site.vmid, site.private_ip, site.subdomain)
        self.annotate(site, "mine now")
        ended = self.delete_now()
        self.assertEqual(ended.state, "deleted", self.tale(site))
        self.assertEqual((ended.vmid, ended.private_ip, ended.subdomain), held)
        self.assertEqual(self.container(site.vmid)["status"], "running")
        notes = {step.name: step.detail for step in self.job(site, "sites.terminate").steps.all()}
        self.assertIn("without our mark", notes["container_removed"])
        self.assertIn("stay reserved", notes["deleted"])
        self.assertEqual(self.leftovers()["records"], [])
        self.assertEqual(self.get("/status?service_id=1001").status_code, 404)
        again = self.live_site()
        self.assertNotIn(again.vmid, held)
        self.assertNotIn(again.private_ip, held)
        self.assertNotEqual(again.subdomain, held[2])

    def test_notes_below_the_mark_do_not_keep_it_from_being_removed(self) -> None:
        site = self.live_site()
        self.annotate(site, f"{site.owner_mark}\nask Bob")
        ended = self.delete_now()
        self.assertEqual((ended.state, ended.vmid), ("deleted", None))
        self.assert_nothing_left()

    def test_a_container_that_is_not_seen_holds_the_deletion_up(self) -> None:
        site = self.live_site()
        with self.hide(site.vmid):
            self.delete()
            self.run_for(600)
            site.refresh_from_db()
            self.assertEqual((site.state, site.vmid), ("live", 900))
            job = self.job(site, "sites.terminate")
            self.assertEqual(job.state, Job.State.WAITING, self.tale(site))
        self.clear_faults()
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid), ("deleted", None), self.tale(site))
        self.assert_nothing_left()

    def test_a_vmid_that_is_used_again_right_after_our_deletion_keeps_nothing_reserved(self) -> None:
        site = self.live_site()
        self.delete()
        for _ in range(300):
            self.run_calls(1)
            if site.vmid not in {one["vmid"] for one in self.state()["proxmox"]["containers"]}:
                break
        make_foreign(self, site.vmid)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid, site.private_ip), ("deleted", None, None), self.tale(site))

    def test_an_order_that_is_undone_keeps_what_is_not_ours_any_more_too(self) -> None:
        site = self.create()
        self.run_until(site, "started", state="done")
        site.refresh_from_db()
        self.annotate(site, "mine now")
        self.fault("ssh", "error", count=100_000)
        self.run_jobs()
        site.refresh_from_db()
        self.assertEqual((site.state, site.vmid, site.private_ip), ("failed", 900, "192.168.1.100"))
        self.assertIsNone(site.live_key)
        self.clear_faults()
        shown = self.get("/status?service_id=1001").json()
        self.assertEqual([shown[name] for name in ("vmid", "private_ip", "subdomain", "url")], [None] * 4)
        self.assertEqual(shown["domains"], [])
        self.assertEqual(self.live_site().private_ip, "192.168.1.101")

    def test_records_and_hosts_that_lost_their_mark_stay_and_their_name_is_given_to_nobody(self) -> None:
        site = self.live_site()
        cloudflare().update_record(site.dns_record_id, comment="mine now")
        npm().update_proxy_host(site.proxy_host_id, meta={})
        self.delete_now()
        self.assertEqual(len(self.leftovers()["records"]), 1)
        self.assertEqual(len(self.leftovers()["proxy_hosts"]), 1)
        self.assertEqual(TakenName.objects.get().subdomain, "janedoe")
        notes = " ".join(step.detail for step in self.job(site, "sites.terminate").steps.all())
        self.assertIn("Left alone, without our mark: A 203.0.113.10", notes)
        self.assertIn(f"proxy host {site.proxy_host_id}", notes)
        self.assertRegex(self.live_site().subdomain, "^janedoe-")


@on_one_database
class ActTests(OwnershipCase):
    def setUp(self) -> None:
        super().setUp()
        self.site = self.live_site()

    def test_acts_on_a_container_that_is_not_ours_any_more_fail_and_change_nothing(self) -> None:
        self.annotate(self.site, "mine now")
        before = self.container(self.site.vmid)
        for path, kind in (("/action/stop", "sites.stop"), ("/action/mkbak", "sites.backup")):
            answer = self.post(path, {"service_id": "1001"}, Prefer="respond-async")
            self.assertEqual(answer.status_code, 200, answer.content)
            self.run_jobs()
            self.assertNotEqual(self.job(self.site, kind).state, "succeeded", self.tale(self.site))
        self.assertEqual(self.container(self.site.vmid), before)

    def test_a_backup_of_such_a_container_is_not_said_to_be_deleted(self) -> None:
        self.post("/action/mkbak", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        backup = self.site.backups.get()
        self.annotate(self.site, "mine now")
        body = {"service_id": "1001", "bak": backup.name}
        self.post("/action/delbak", body, Prefer="respond-async")
        self.run_jobs()
        backup.refresh_from_db()
        self.assertEqual(
            (backup.state, self.job(self.site, "sites.delete_backup").state), ("ready", "failed")
        )

    def test_repair_keeps_the_notes_of_people_and_renews_an_old_mark(self) -> None:
        self.annotate(self.site, f"Ask Bob\nnodepoint:1001:{self.site.pk}\nmoved in May")
        proxmox().set_config(self.site.node, self.site.vmid, memory=512)
        self.post("/wp/upgrade/", {"service_id": "1001", "plan": "basic"}, Prefer="respond-async")
        self.run_jobs()
        config = self.config(self.site.vmid)
        self.assertEqual(config["memory"], 2048)
        self.assertEqual(config["description"].strip(), f"Ask Bob\n{self.site.owner_mark}\nmoved in May")

    def test_what_others_keep_in_the_meta_of_a_host_survives_our_writes(self) -> None:
        host = npm().proxy_host(self.site.proxy_host_id)
        npm().update_proxy_host(host.id, meta={**host.meta, "cost_centre": 7}, forward_port=81)
        self.post("/action/toggle", {"service_id": "1001", "enabled": False}, Prefer="respond-async")
        self.post("/action/toggle", {"service_id": "1001", "enabled": True}, Prefer="respond-async")
        self.run_jobs()
        meta = npm().proxy_host(host.id).meta
        self.assertEqual((meta["cost_centre"], meta["nodepoint"]), (7, self.site.owner_mark))


@override_settings(INSTALLATION_ID="eu-west-production-one-1")
@on_one_database
class LongIdentityTests(OwnershipCase):
    def test_a_site_lives_and_goes_with_marks_that_had_to_be_shortened(self) -> None:
        service_id = "x" * 64
        site = self.live_site(service_id=service_id)
        (record,) = self.state()["cloudflare"]["records"]
        self.assertIn("~", record["comment"])
        self.assertEqual(self.config(site.vmid)["description"].strip(), site.owner_mark)
        self.delete(service_id)
        self.run_jobs()
        self.assert_nothing_left()
