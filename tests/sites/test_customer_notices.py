"""What customers are told in the life of a site: each fact once, its end only to whoever knew of it, in the
operator's name and language."""

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from nodepoint.notices.models import Notice, Preferences
from sites.flows.domain_notices import DOMAIN_READY
from sites.flows.notices import SITE_BACK, SITE_SUSPENDED
from sites.models import CustomDomain
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase
from tests.sites.domains import SHOP, DomainMixin

SENDER = "Beispiel Hosting <noreply@example.com>"


@override_settings(DEFAULT_FROM_EMAIL=SENDER)
class CustomerNoticesTests(ActsMixin, DomainMixin, SiteTestCase):
    def told(self) -> list[EmailMultiAlternatives]:
        """What was sent since the last question."""
        self.run_jobs()
        found = list(mail.outbox)
        mail.outbox.clear()
        return found

    def subjects(self) -> list[str]:
        return [message.subject for message in self.told()]

    def test_from_the_order_to_the_end_of_a_suspension(self) -> None:
        Preferences.objects.update(portal_url="https://my.example.com", contact="help@example.com")
        site = self.live_site()
        (ready,) = self.told()
        self.assertEqual((ready.from_email, ready.to), (SENDER, ["Jane.Doe@example.com"]))
        self.assertEqual(ready.extra_headers["Reply-To"], "help@example.com")
        (html,) = ready.alternatives
        self.assertEqual(html.mimetype, "text/html")
        for text in (ready.body, html.content):
            for said in ("Beispiel Hosting", "https://my.example.com", site.url, "action=rp"):
                self.assertIn(said, text)
        self.assertEqual(Notice.objects.get().recipient, site.email)

        for path, subject in (("/suspend", "is suspended"), ("/unsuspend", "is back")):
            self.act(path)
            self.assertEqual(self.subjects(), [f"Your WordPress site {site.hostname} {subject}"])
            self.act(path)
            self.assertEqual(self.subjects(), [], "once")

    def test_a_suspension_that_is_over_before_anybody_was_told_is_told_to_nobody(self) -> None:
        self.live_site()
        self.told()
        Notice.objects.filter(kind=SITE_SUSPENDED).delete()
        with override_settings(EMAIL_BACKEND="tests.nodepoint.notices.server.Away"):
            self.act("/suspend")
            self.act("/unsuspend")
        self.assertEqual(self.subjects(), [])
        kinds = Notice.objects.filter(kind__in=(SITE_SUSPENDED, SITE_BACK), sent_at=None)
        self.assertEqual(kinds.count(), 2)

    def test_a_domain_is_ready_once_until_it_was_lost(self) -> None:
        site = self.live_site()
        self.told()
        domain = self.add()
        self.assertEqual(self.subjects(), [f"{SHOP} leads to your WordPress site"])
        CustomDomain.objects.filter(pk=domain.pk).update(
            certificate=CustomDomain.CertificateStatus.FAILED, status=CustomDomain.Status.ACTIVE
        )
        self.set_domain(Prefer="wait=0")  # its certificate is asked for anew
        self.assertEqual(self.subjects(), [], "no news")
        self.assertEqual(Notice.objects.filter(kind=DOMAIN_READY, about=domain.key).count(), 2)
        self.assertEqual(site.email, "Jane.Doe@example.com")

    def test_in_the_language_of_the_installation_and_not_what_is_switched_off(self) -> None:
        Preferences.objects.update(language="de", silenced=[SITE_SUSPENDED])
        site = self.live_site()
        (ready,) = self.told()
        self.assertEqual(ready.subject, f"Ihre WordPress-Website {site.hostname} ist bereit")
        self.assertEqual(ready.extra_headers["Content-Language"], "de")
        self.assertIn('<html lang="de">', ready.alternatives[0].content)
        self.act("/suspend")
        self.act("/unsuspend")
        self.assertEqual(self.subjects(), [], "nor the end of what nobody was told")
