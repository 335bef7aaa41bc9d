"""The list of what was told, the button that sends it again, and the pages of how people are told."""

from datetime import timedelta
from unittest import mock

from django.core import mail
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from nodepoint.audit.models import Entry
from nodepoint.board.models import Alert
from nodepoint.jobs.models import Job
from nodepoint.notices import letters
from nodepoint.notices.models import SUMMARY, WEBHOOK, Notice, Preferences
from sites import access
from sites.flows.notices import DISK_FILLS, SITE_LIVE
from sites.models import Site, SiteUsage
from tests.sites.base import SiteTestCase
from tests.staff.base import make_staff
from tests.staff.test_csp import policy

LIST = "/admin/notices/notice/"
PREFERENCES = "/admin/notices/preferences/1/change/"
HOSTILE = "<img src=x onerror=alert(1)>"


class DeliveriesTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("olivia", "operator"))
        links = (
            f"https://janedoe.nodepoint.eu/wp-login.php?action=rp&key=k{number}&login=x"
            for number in range(9)
        )
        self.enterContext(mock.patch.object(access, "password_link", lambda site: next(links)))

    def shown(self, **query: str) -> list[Notice]:
        """The rows of the list."""
        return list(self.client.get(LIST, query).context["cl"].result_list)

    def send_again(self, row: Notice, **extra: str) -> str:
        """Press the button, and answer yes; what is said then."""
        address = reverse("admin:notices_notice_act", args=[row.pk, "send_again"])
        self.assertEqual(self.client.get(address).status_code, 200)
        answer = self.client.post(address, {"reason": "he asked for it"}, follow=True)
        said = [str(message) for message in answer.context["messages"]]
        self.run_jobs()
        return said[0]

    def notice(self, kind: str = SITE_LIVE) -> Notice:
        return Notice.objects.filter(kind=kind).latest("created_at")

    def test_what_was_told_to_whom_is_found_by_address_kind_and_state(self) -> None:
        site = self.live_site()
        other = self.live_site(service_id="1002", email="joe@example.com")
        (row,) = self.shown(q=site.email)
        self.assertEqual((row.about, row.recipient), (site.key, site.email))
        self.assertEqual(len(self.shown(q="joe@")), 1)
        self.assertEqual(len(self.shown(q="1002")), 1)
        Site.objects.filter(pk=other.pk).update(email="new@example.com")
        self.assertEqual(len(self.shown(q="joe@example.com")), 1, "by the address it went to")
        self.assertEqual(len(self.shown(state="sent", kind=SITE_LIVE)), 2)
        for state in ("waiting", "held", "failed", "nobody"):
            self.assertEqual(self.shown(state=state), [], state)
        with self.assertNumQueries(9):
            self.assertContains(self.client.get(LIST), site.email)
        page = self.client.get(f"{LIST}{row.pk}/change/").content.decode()
        for said in (site.email, "e-mail", "sent", "1001", "Send again"):
            self.assertIn(said, page)
        self.assertContains(
            self.client.get(f"/admin/sites/site/{site.pk}/change/"), f"{LIST}?q=Jane.Doe%40example.com"
        )

    def test_hostile_text_is_text(self) -> None:
        self.live_site()
        row = self.notice()
        Notice.objects.filter(pk=row.pk).update(recipient=HOSTILE, sent_to=HOSTILE)
        job = Job.objects.get(subject=row.key)
        job.steps.update(detail=HOSTILE, data={"attempts": [["2026-11-30T10:00:00+00:00", HOSTILE]]})
        alert = Alert.objects.create(
            key="k", group=HOSTILE, title=HOSTILE, detail=HOSTILE, url=f"javascript:{HOSTILE}", level=2
        )
        for path in (
            LIST,
            f"{LIST}{row.pk}/change/",
            "/admin/board/alert/",
            f"/admin/board/alert/{alert.pk}/change/",
        ):
            page = self.client.get(path).content.decode()
            self.assertNotIn("<img src=x", page)
            self.assertNotIn('href="javascript', page)
            self.assertIn("&lt;img src=x", page)

    def test_what_was_sent_is_sent_again_with_a_link_of_its_own(self) -> None:
        site = self.live_site()
        row = self.notice()
        self.assertEqual(self.send_again(row), "It is being sent.")
        first, second = mail.outbox
        self.assertEqual((first.to, first.subject), (second.to, second.subject))
        self.assertNotEqual(first.extra_headers["Message-ID"], second.extra_headers["Message-ID"])
        self.assertIn("key=k0", first.body)
        self.assertIn("key=k1", second.body)
        entry = Entry.objects.get(act="notices.send_again")
        self.assertEqual((entry.subject, entry.reason, entry.actor), (site.key, "he asked for it", "olivia"))
        self.assertEqual(Notice.objects.filter(kind=SITE_LIVE).count(), 2)
        Job.objects.filter(subject=row.key).delete()  # pruned
        self.assertEqual(self.send_again(row), "It is being sent.")
        self.assertEqual(len(mail.outbox), 3)

    def test_twice_at_once_is_sent_once(self) -> None:
        self.live_site()
        row = self.notice()
        address = reverse("admin:notices_notice_act", args=[row.pk, "send_again"])
        said = [
            str(next(iter(self.client.post(address, {"reason": ""}, follow=True).context["messages"])))
            for _ in range(2)
        ]
        self.assertEqual(said, ["It is being sent.", "It is on its way already."])
        self.run_jobs()
        self.assertEqual(len(mail.outbox), 2)

    def test_what_is_not_true_any_more_is_refused_in_a_sentence(self) -> None:
        site = self.live_site()
        usage, _ = SiteUsage.objects.update_or_create(site=site, defaults={"disk_percent": 91})
        row = Notice.objects.create(pk="d" * 32, kind=DISK_FILLS, about=site.key, sent_at=timezone.now())
        self.assertEqual(self.send_again(row), "It is being sent.")
        self.assertIn("91 %", mail.outbox[-1].subject)
        SiteUsage.objects.filter(pk=usage.pk).update(disk_percent=20)
        self.assertEqual(self.send_again(row), "There is room again, or the site is gone.")
        Site.objects.filter(pk=site.pk).update(deletion_requested_at=timezone.now())
        self.assertEqual(self.send_again(self.notice()), "The site is not there any more.")
        Preferences.objects.update(silenced=[SITE_LIVE])
        self.assertEqual(self.send_again(self.notice()), "This kind of e-mail is switched off.")
        for changes, said in (
            ({"kind": WEBHOOK}, "The webhook has taken it: ask its operator."),
            (
                {"held_at": timezone.now(), "sent_at": None},
                "It is held back by quiet hours, and told when they end.",
            ),
            ({"held_at": None, "summary": "x"}, "It was told in a summary. Send that one again, if need be."),
        ):
            Notice.objects.filter(pk=row.pk).update(**changes)
            row.refresh_from_db()
            self.assertEqual(self.send_again(row), said)
        self.assertEqual(len(mail.outbox), 2)

    @override_settings(EMAIL_BACKEND="tests.nodepoint.notices.server.Away")
    def test_what_waits_is_tried_at_once_and_what_nobody_took_goes_out_as_the_same_notice(self) -> None:
        site = self.create()
        self.run_for(900)
        row = self.notice()
        self.assertEqual([one.pk for one in self.shown(state="waiting")], [row.pk])
        with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
            self.clock.time = timezone.now() + timedelta(seconds=60)
            self.assertEqual(self.send_again(row), "It is being sent.")
        self.assertEqual([message.to for message in mail.outbox], [[site.email]])
        self.assertEqual(Notice.objects.filter(kind=SITE_LIVE).count(), 1)

    def test_the_permission_is_asked(self) -> None:
        self.live_site()
        row = self.notice()
        self.client.force_login(make_staff("nobody"))
        address = reverse("admin:notices_notice_act", args=[row.pk, "send_again"])
        self.assertEqual(self.client.post(address, {"reason": ""}).status_code, 403)
        for path in (LIST, PREFERENCES, "/admin/notices/preferences/mails/site_live/en/"):
            self.assertEqual(self.client.get(path).status_code, 403)
        self.run_jobs()
        self.assertEqual(len(mail.outbox), 1)


class PreferencesTests(SiteTestCase):
    form = {"language": "de", "portal_url": "", "contact": "", "quiet_from": "", "quiet_until": ""}

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(make_staff("olivia", "operator"))

    def test_staff_choose_and_the_log_of_acts_says_so(self) -> None:
        self.assertRedirects(self.client.get("/admin/notices/preferences/"), PREFERENCES)
        given = {**self.form, "silenced": [SITE_LIVE], "quiet_from": "22:00", "quiet_until": "07:00"}
        self.assertEqual(self.client.post(PREFERENCES, given).status_code, 302)
        row = Preferences.current()
        self.assertEqual(
            (row.language, row.silenced, f"{row.quiet_from:%H:%M}"), ("de", [SITE_LIVE], "22:00")
        )
        entry = Entry.objects.get(act="notices.change_preferences")
        self.assertEqual(entry.after["silenced"], [SITE_LIVE])

    def test_bad_input_is_one_sentence_and_changes_nothing(self) -> None:
        for wrong, said in (
            ({"quiet_from": "22:00"}, "Quiet hours need a beginning and an end"),
            ({"quiet_from": "22:00", "quiet_until": "22:00"}, "would be none, or last for ever"),
            ({"quiet_from": "quarter past"}, "Enter a valid time."),
            ({"language": "tlh"}, "not one of the available choices"),
            ({"portal_url": "javascript:alert(1)"}, "Enter a valid URL."),
            ({"contact": "a@example.com\nBcc: b@example.com"}, "Enter a valid email address."),
            ({"silenced": ["notices.staff"]}, "not one of the available choices"),
            ({"held_too": ["everything"]}, "not one of the available choices"),
        ):
            with self.subTest(wrong=wrong):
                answer = self.client.post(PREFERENCES, {**self.form, **wrong})
                self.assertContains(answer, said)
        self.assertEqual(Preferences.current().language, "en")

    def test_each_e_mail_is_shown_in_each_language_before_it_is_used(self) -> None:
        overview = self.client.get(PREFERENCES).content.decode()
        for one in letters.mails():
            for language, said in (("en", "Hello,"), ("de", "Guten Tag,")):
                address = f"/admin/notices/preferences/mails/{one.template}/{language}/"
                self.assertIn(address, overview)
                page, frame = self.client.get(address), self.client.get(f"{address}page/")
                self.assertContains(page, said)
                self.assertContains(frame, f'<html lang="{language}">')
        self.assertEqual(policy(page)["frame-src"], "'self'")
        found = policy(frame)
        self.assertEqual((found["default-src"], found["frame-ancestors"]), ("'none'", "'self'"))
        self.assertIn("sandbox", found)
        self.assertEqual(frame["X-Frame-Options"], "SAMEORIGIN")
        for wrong in ("nothing/en/", "site_live/tlh/", "site_live/tlh/page/"):
            self.assertEqual(self.client.get(f"/admin/notices/preferences/mails/{wrong}").status_code, 404)
        self.assertEqual((mail.outbox, Notice.objects.exclude(kind=SUMMARY).count()), ([], 0))
