"""Exporting a site: guards, the archive at its own name, once and for a day, and the way into another one."""

from datetime import timedelta

from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from sites.models import Site
from tests.sites.backups import BackupsCase
from tests.visitor import visit

GB = 1 << 30
NOTHING = {"url": None, "size_mb": None, "expires_at": None}


class ExportCase(BackupsCase):
    @property
    def guest(self) -> dict:
        return self.lab.guest._guests[900]

    def offered(self, service_id: str = "1001") -> dict:
        answer = self.get(f"/action/export?service_id={service_id}")
        self.assertEqual(answer.status_code, 200, answer.content)
        return {name: answer.json()[name] for name in NOTHING}

    def fetch(self, url: str):
        authority = str(self.lab.keys.authority_file)
        return visit(f"127.0.0.1:{self.lab.npm.https_port}", url, verify=authority)

    def exported(self) -> Job:
        self.begun("/action/export")
        self.run_jobs()
        return self.site_jobs("sites.export").first()


class ExportTests(ExportCase):
    def test_the_archive_is_had_once_at_the_sites_own_name(self):
        self.assertEqual(self.offered(), NOTHING)
        answer = self.begun("/action/export")
        self.assertEqual((answer["state"], answer["job"]["kind"]), ("running", "sites.export"))
        self.assertEqual({name: answer[name] for name in NOTHING}, NOTHING)
        self.refused("/action/export", 409, "busy")
        self.run_jobs()
        made = self.offered()
        self.assertTrue(made["url"].startswith(f"https://{self.site.hostname}/nodepoint-export/"))
        self.assertIn(b"wp_posts", self.fetch(made["url"]).content)
        self.assertEqual(self.fetch(made["url"]).status_code, 404)
        self.assertEqual(self.offered(), NOTHING)
        self.assertEqual(self.snapshots(), ["initial"])

    def test_who_waits_is_answered_with_the_address(self):
        answer = self.done("/action/export")
        self.assertEqual(answer["url"], self.offered()["url"])
        until = timezone.datetime.fromisoformat(answer["expires_at"]) - timezone.now()
        self.assertLess(timedelta(hours=23), until)
        self.assertLess(until, timedelta(days=1, minutes=5))

    def test_a_second_archive_takes_the_place_of_the_first(self):
        first = self.done("/action/export")["url"]
        second = self.done("/action/export")["url"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.fetch(first).status_code, 404)
        self.assertEqual(self.offered()["url"], second)

    def test_it_is_gone_after_a_day(self):
        self.exported()
        self.guest["offer"]["made"] -= 24 * 3600
        self.assertEqual(self.offered(), NOTHING)

    def test_the_address_stands_in_no_row(self):
        job = self.exported()
        token = self.offered()["url"].rpartition("/")[2].partition(".")[0]
        rows = [*Entry.objects.values(), *Job.objects.values(), *job.steps.values()]
        self.assertNotIn(token, str(rows))

    def test_another_site_takes_it_in(self):
        other = self.live_site(service_id="1002", email="other@example.com")
        url = self.done("/action/export")["url"]
        self.control("dns", name=self.site.hostname, type="A", values=["203.0.113.10"])
        self.begun("/action/import", service_id="1002", url=url)
        self.run_jobs()
        tables = self.lab.guest._guests[other.vmid]["tables"]
        self.assertIn(f"https://{other.hostname}/?page_id=2", tables["wp_posts"])
        self.assertEqual(self.offered(), NOTHING)


class RefusalTests(ExportCase):
    def test_a_disk_without_room_says_how_much_is_missing(self):
        self.guest["needed"] = 12 * GB
        answer = self.refused("/action/export", 409, "disk_too_small")
        self.assertIn(f"{2 * 1024} MB more", answer["error"])

    def test_a_disk_that_fills_while_it_is_packed_says_so_too_and_nothing_stays(self):
        self.guest["fills"] = 11 * GB
        answer = self.done("/action/export", 409)
        self.assertEqual(answer["code"], "disk_too_small")
        self.assertIn("1024 MB more", answer["error"])
        self.assertTrue(self.site_jobs("sites.export").first().callers_fault)
        self.assertNotIn("offer", self.guest)
        self.assertEqual(self.offered(), NOTHING)

    def test_a_stopped_site_and_one_without_traffic_are_refused_with_a_sentence(self):
        self.done("/action/toggle", enabled=False)
        self.assertIn("switched off", self.refused("/action/export", 409, "wrong_state")["error"])
        self.done("/action/toggle", enabled=True)
        self.done("/action/stop")
        self.refused("/action/export", 409, "wrong_state")

    def test_a_suspended_service_is_refused_and_its_offer_cannot_be_seen(self):
        self.exported()
        self.ask("/suspend")
        self.run_jobs()
        self.assert_refused(self.ask("/action/export"), 401, "service_suspended")
        self.assertEqual(self.offered(), NOTHING)

    def test_a_container_that_was_not_made_by_us_gives_nothing(self):
        self.guest["site"] = False
        self.refused("/action/export", 409, "wrong_state")

    def test_a_service_that_is_not_there(self):
        self.assertEqual(self.get("/action/export?service_id=nobody").status_code, 404)


class FaultTests(ExportCase):
    def test_a_script_that_fails_or_is_killed_is_run_again_and_in_the_end_undone(self):
        self.fault("ssh", "drop_before", "CONTENT")
        self.fault("ssh", "error", "CONTENT")
        self.assertEqual(self.exported().state, "succeeded")
        self.fault("ssh", "error", "CONTENT", count=3)
        job = self.exported()
        self.assertEqual(job.state, "rolled_back", self.tale(self.site))
        self.assertNotIn("offer", self.guest)
        self.assertEqual(Site.objects.get().state, "live")

    def test_a_lost_answer_packs_nothing_twice(self):
        self.fault("ssh", "drop_after", "bash -s export")
        self.assertEqual(self.exported().state, "succeeded")
        self.assertEqual(self.count("ssh", "phase pack"), 0)

    def test_a_deletion_ends_it(self):
        self.fault("ssh", "drop_before", "CONTENT", count=1000)
        self.begun("/action/export")
        self.ask("/delete-site")
        self.clear_faults()
        self.run_jobs()
        self.assertEqual(self.site_jobs("sites.export").first().state, "cancelled", self.tale(self.site))
        self.assertEqual(Site.objects.get().state, "deleted")
