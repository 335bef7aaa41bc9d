"""The daily look at each site from inside: read strictly, judged, shown to staff."""

from datetime import timedelta

from django.test import SimpleTestCase
from django.utils import timezone

from lab import health
from sites import diagnosis, inside
from sites.models import Site, SiteHealth
from tests.base import on_one_database
from tests.factories import SiteFactory
from tests.sites.base import SiteTestCase, make_foreign
from tests.staff.base import make_staff

WELL = "\n".join([*health.WELL, "end", ""])


@on_one_database
class AnswerTests(SimpleTestCase):
    def facts(self, *lines: str) -> diagnosis.Facts:
        return diagnosis.read("\n".join([*health.WELL, *lines, "end", ""]))

    def test_a_healthy_site_has_no_trouble_and_shows_its_versions(self):
        facts = self.facts()
        self.assertEqual(diagnosis.troubles(facts), [])
        self.assertEqual(diagnosis.updates(facts), "")
        self.assertEqual(
            diagnosis.versions(facts),
            {
                "WordPress": "6.9",
                "MariaDB": "1:11.8.3-0+deb13u1",
                "nginx": "1.26.3-3+deb13u1",
                "php8.4-fpm": "8.4.11-1~deb13u1",
                "System": "Debian GNU/Linux 13 (trixie) (13.1)",
            },
        )

    def test_each_trouble_is_named(self):
        for lines, words in (
            (["down nginx", "down php8.4-fpm"], "Not running: nginx, php8.4-fpm."),
            (["failed apt-daily"], "Failed services of the system: apt-daily."),
            (["disk 93"], "93 % of the disk"),
            (["inodes 90"], "90 % of the disk's inodes"),
            (["overdue 3"], "cron is stuck: 3 tasks"),
            (["mail 4 2"], "Of 6 mails of the last day the relay did not take 2."),
            (["refused 6.9.1"], "update to 6.9.1 failed"),
            (["test ssl_support critical"], "critical issues: ssl_support"),
            (["pending 9 4", "unattended 60"], "4 security updates"),
            (["lists 100"], "for 4 days"),
            (["restart needed"], "ask for a restart"),
        ):
            with self.subTest(lines):
                (said,) = diagnosis.troubles(self.facts(*lines))
                self.assertIn(words, said)

    def test_what_the_systems_own_timers_are_about_to_do_is_no_trouble(self):
        for lines in (
            ["pending 9 4"],
            ["pending 9 0", "unattended 900"],
            ["minor 6.9.1"],
            ["test x recommended"],
        ):
            self.assertEqual(diagnosis.troubles(self.facts(*lines)), [], lines)

    def test_waiting_updates_in_one_line(self):
        waiting = ("minor 6.9.1", "newer 7.0", "plugins 2", "themes 1", "pending 3 1")
        said = diagnosis.updates(self.facts(*waiting))
        wanted = "WordPress 6.9.1, WordPress 7.0 (a new branch), 2 plugins, 1 themes"
        wanted += ", 3 packages, 1 of them for security"
        self.assertEqual(said, wanted)

    def test_wordpress_that_says_nothing_is_a_trouble(self):
        lines = [line for line in health.WELL if not line.startswith(("answered", "test", "wordpress"))]
        (said,) = diagnosis.troubles(diagnosis.read("\n".join([*lines, "end", ""])))
        self.assertIn("does not start", said)

    def test_what_the_site_prints_between_is_passed_over(self):
        hostile = (
            "disk 5; rm -rf /",
            "down <script>alert(1)</script>",
            "failed \u0661\u0662",
            "test a b",
            "test x<y critical",
            "overdue -1",
            "overdue 99999999999999",
            "secret key",
            "",
            "release " + "9" * 100,
        )
        self.assertEqual(self.facts(*hostile), self.facts())

    def test_an_answer_that_was_cut_is_none(self):
        for text in ("", "end", WELL[:-5], WELL + "more\n", "\n".join(["disk 1"] * 500 + ["end", ""])):
            with self.assertRaises(diagnosis.NotWhole):
                diagnosis.read(text)


class LookTests(SiteTestCase):
    def row(self) -> SiteHealth:
        return SiteHealth.objects.get()

    def test_what_is_found_stands_on_the_board_and_on_the_page_of_the_site(self):
        site, now = self.live_site(), timezone.now()
        self.client.force_login(make_staff("anna", "operator"))
        page = f"/admin/sites/site/{site.pk}/change/"
        self.assertContains(self.client.get(page), "not been looked at from inside")
        self.assertEqual(inside.look(now), 1)
        self.assertEqual((self.row().troubles, self.row().facts["wordpress"]), ([], "6.9"))
        self.assertContains(self.client.get(page), "All is well inside")
        self.assertEqual(inside.look(now + timedelta(hours=23)), 0, "once a day")
        with self.lab.lock:
            self.lab.guest.feel(site.vmid, *health.WELL, "down cron", "overdue 4")
        inside.look(now + timedelta(hours=25))
        self.assertEqual(self.row().trouble_count, 2)
        for shown in (page, "/admin/"):
            self.assertContains(self.client.get(shown), "Not running: cron.")
        listed = self.client.get("/admin/sites/site/?attention=care").context["cl"]
        self.assertEqual([one.pk for one in listed.result_list], [site.pk])

    def test_a_site_that_does_not_answer_keeps_what_was_seen_and_is_asked_again(self):
        site, now = self.live_site(), timezone.now()
        inside.look(now)
        self.fault("ssh", "error", "bash -s health")
        day = now + timedelta(hours=25)
        inside.look(day)
        self.assertEqual((self.row().looked_at, self.row().facts["disk"]), (now, 12))
        self.assertTrue(self.row().error)
        self.assertEqual(inside.look(day + timedelta(minutes=30)), 0)
        self.assertEqual(inside.look(day + timedelta(hours=2)), 1)
        self.assertEqual(self.row().error, "")
        with self.lab.lock:
            self.lab.guest.feel(site.vmid, *["disk 1"] * 500)
        inside.look(day + timedelta(hours=30))
        self.assertEqual(self.row().error, "Its answer was not whole.")

    def test_one_that_does_not_answer_for_days_is_shown(self):
        site, now = self.live_site(), timezone.now()
        SiteHealth.objects.create(site=site, tried_at=now, looked_at=now - timedelta(days=2), error="No.")
        self.assertFalse(SiteHealth.needing_care().exists())
        SiteHealth.objects.update(looked_at=now - timedelta(days=4))
        (row,) = SiteHealth.needing_care()
        self.assertEqual(row.sentences, ["It has not answered from inside for days: No."])
        Site.objects.update(live_at=now - timedelta(days=4))
        SiteHealth.objects.update(looked_at=None)
        self.assertTrue(SiteHealth.needing_care().get().sentences)
        Site.objects.update(wanted_power="stopped")
        self.assertFalse(SiteHealth.needing_care().exists())

    def test_nothing_is_run_in_what_is_not_ours(self):
        make_foreign(self, 950)
        SiteFactory(vmid=950, node="node2")
        inside.look(timezone.now())
        self.assertIn("without our mark", self.row().error)
        self.assertEqual(self.count("ssh", "health"), 0)

    def test_those_that_run_share_the_day(self):
        now = timezone.now()
        SiteFactory(suspended_at=now)
        SiteFactory(wanted_power="stopped")
        SiteFactory(deleting=True)
        self.assertEqual(inside.due(now), [])
        first, second, third = SiteFactory.create_batch(3)
        self.assertEqual(inside.due(now), [first, second], "few at a time")
        for site, hours in ((first, 30), (second, 3), (third, 40)):
            SiteHealth.objects.create(site=site, tried_at=now - timedelta(hours=hours))
        self.assertEqual(inside.due(now), [third, first])
        Site.objects.bulk_create(SiteFactory.build_batch(1437, plan=first.plan))
        self.assertEqual(len(inside.due(now)), 3)
