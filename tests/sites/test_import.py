"""Importing content from an address: guards that ask DNS and the container, the job, the way back."""

from datetime import timedelta

from django.utils import timezone

from lab.content import Archive
from nodepoint.audit.models import Entry
from nodepoint.jobs.models import Job
from nodepoint.jobs.tasks import prune
from tests.sites.backups import BackupsCase

OLD, OWN = "old.example", "janedoe.nodepoint.eu"
URL = "https://files.example.org/site.tar.gz?token=a&b=%20"
MB = 1 << 20


class ImportCase(BackupsCase):
    def setUp(self) -> None:
        super().setUp()
        self.control("dns", name="files.example.org", type="A", values=["198.51.100.20"])
        self.offer(URL)

    def offer(self, url: str, **values) -> None:
        tables = {"wp_posts": [f"https://{OLD}/a.png", OLD], "wp_options": [f"https://{OLD}"]}
        self.lab.guest.archives[url] = Archive(OLD, tables, **values)

    @property
    def tables(self) -> dict[str, list[str]]:
        return self.lab.guest._guests[900]["tables"]


class ImportTests(ImportCase):
    def test_the_content_is_that_of_the_archive_under_the_sites_own_name(self):
        before = dict(self.tables)
        answer = self.begun("/action/import", url=URL)
        self.assertEqual(
            (answer["state"], answer["job"]["kind"], answer["changes"]), ("running", "sites.import", None)
        )
        self.refused("/action/import", 409, "busy", url=URL)
        self.run_jobs()
        self.assertEqual(
            self.tables, {"wp_posts": [f"https://{OWN}/a.png", OLD], "wp_options": [f"https://{OWN}"]}
        )
        self.assertEqual(self.snapshots(), ["initial", "before"])
        self.assertEqual(self.get("/action/getdomain?service_id=1001").json()["replace"], [])
        self.done("/action/rollback", bak="before")
        self.assertEqual(self.tables, before)

    def test_an_address_that_nothing_is_fetched_from_is_refused_before_anything_begins(self):
        self.control("dns", name="inside.example.org", type="A", values=["192.168.1.1"])
        self.control("dns", name="six.example.org", type="AAAA", values=["fd00::1"])
        self.control("dns", name="local.example.org", type="A", values=["198.51.100.20", "127.0.0.1"])
        for bad in (
            "http://files.example.org/a.zip",
            "ftp://files.example.org/a",
            "https://192.168.1.1/a",
            "https://[::1]/",
            "https://localhost/a",
            "https://user:secret@files.example.org/a",
            "https://files.example.org:99999/a",
            'https://files.example.org/"',
            "https://files.example.org/a b",
            "https://files.example.org/\n-o/etc/passwd",
            "https://files.example.org/\\",
            f"https://files.example.org/{'a' * 2000}",
            "https://inside.example.org/a",
            "https://six.example.org/a",
            "https://local.example.org/a",
            "https://nowhere.example.org/a",
            "https://files.example.org/other.zip",
            None,
            ["x"],
        ):
            with self.subTest(bad):
                self.assertEqual(
                    list(self.refused("/action/import", 400, "validation", url=bad)["fields"]), ["url"]
                )
        self.assertEqual(self.count("ssh", "bash -s import"), 0)

    def test_what_does_not_fit_says_so_before_it_starts(self):
        self.offer(URL, size=6 * 1024 * MB)
        answer = self.refused("/action/import", 409, "disk_too_small", url=URL)
        self.assertIn("6144 MB", answer["error"])
        self.assertIn("2176 MB too little", answer["error"])

    def test_a_size_that_the_server_does_not_tell_is_no_obstacle(self):
        self.offer(URL, size=-1)
        self.assertEqual(self.done("/action/import", url=URL)["success"], True)

    def test_a_container_that_was_not_made_by_us_takes_nothing_in(self):
        self.lab.guest._guests[900]["site"] = False
        self.refused("/action/import", 409, "wrong_state", url=URL)

    def test_a_stopped_site_takes_nothing_in(self):
        self.done("/action/stop")
        self.refused("/action/import", 409, "wrong_state", url=URL)


class FaultTests(ImportCase):
    def failed(self) -> dict:
        self.begun("/action/import", url=URL)
        self.run_jobs()
        job = self.site_jobs("sites.import").first()
        self.assertEqual(job.state, "rolled_back", self.tale(self.site))
        return job

    def test_what_is_of_no_use_is_told_to_the_caller_and_leaves_the_site_as_it_was(self):
        before = dict(self.tables)
        for phase, says in (
            ("unpack", "wp-content"),
            ("database", "could not be loaded"),
            ("served", "there still"),
            ("fetch", "whether the address leads"),
        ):
            self.offer(URL, refused=phase)
            job = self.failed()
            self.assertIn(says, job.error)
            self.assertTrue(job.callers_fault)
            self.assertEqual(self.tables, before)
            job.delete()
            answer = self.done("/action/import", 400, url=URL)
            self.assertEqual((answer["code"], list(answer["fields"])), ("validation", ["url"]))
            self.assertEqual(answer["job"]["state"], "rolled_back")

    def test_a_script_that_is_killed_time_and_again_ends_the_import_long_before_its_deadline(self):
        before = dict(self.tables)
        self.fault("ssh", "drop_before", "CONTENT", count=1000)
        self.begun("/action/import", url=URL)
        self.run_for(45 * 60)
        self.assertEqual(self.site_jobs("sites.import").first().state, "rolling_back", self.tale(self.site))
        self.clear_faults()
        self.run_jobs()
        job = self.site_jobs("sites.import").first()
        self.assertEqual((job.state, self.tables), ("rolled_back", before))
        self.assertIn("come to no end", job.detail)

    def test_an_address_that_may_hold_a_key_is_on_no_page_and_goes_with_its_job(self):
        secret = f"{URL}?signature=0123456789"
        self.offer(secret)
        self.begun("/action/import", url=secret)
        job = self.site_jobs("sites.import").first()
        self.assertEqual((job.data["from_host"], job.secret), ("files.example.org", {"url": secret}))
        self.run_jobs()
        job.refresh_from_db()
        self.assertEqual((job.state, job.secret), ("succeeded", None))
        self.assert_kept_for_a_day(secret)
        kept = [*Entry.objects.values(), *Job.objects.values(), *job.steps.values()]
        self.assertNotIn("signature", str(kept))

    def assert_kept_for_a_day(self, url: str) -> None:
        """Of one that failed for a fault of ours, so that it can be asked for again."""
        self.fault("ssh", "error", "CONTENT", count=3)
        self.begun("/action/import", url=url)
        self.run_jobs()
        job = self.site_jobs("sites.import").first()
        self.assertEqual((job.state, job.secret), ("rolled_back", {"url": url}))
        Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - timedelta(days=2))
        prune()
        job.refresh_from_db()
        self.assertIsNone(job.secret)

    def test_a_script_that_fails_or_is_killed_is_run_again_and_in_the_end_undone(self):
        self.fault("ssh", "drop_before", "CONTENT")
        self.fault("ssh", "error", "CONTENT")
        self.begun("/action/import", url=URL)
        self.run_jobs()
        self.assertEqual(self.tables["wp_options"], [f"https://{OWN}"])
        self.fault("ssh", "error", "CONTENT", count=3)
        self.assertIn("WordPress", self.failed().error)
        self.assertEqual(self.count("ssh", "bash -s back"), 1)
