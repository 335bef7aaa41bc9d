"""How often each system is asked for one site. A number that grows must have its reason."""

from django.test import override_settings

from sites import connections
from sites.clients.npm import calls
from tests.base import on_one_database
from tests.sites.base import SiteTestCase


@on_one_database
class RemoteCallTests(SiteTestCase):
    def setUp(self) -> None:
        super().setUp()
        connections.npm.cache_clear()
        calls._logins.clear()

    def assert_calls(self, **most: int) -> None:
        self.assertEqual(dict(self.counts()), most, "\n".join(f"{s} {what}" for s, what in self.calls))
        self.calls.clear()

    def test_the_first_site_and_its_end(self):
        self.live_site()
        # One look at the places in use, which later orders share. One login at NPM; the front page is looked
        # at once through the proxy. Over SSH: the script, a look at it, a look at the site, the link for the
        # e-mail.
        self.assert_calls(proxmox=28, cloudflare=2, npm=5, ssh=4, front=1)
        self.delete()
        self.run_jobs()
        self.assert_calls(proxmox=12, cloudflare=2, npm=2)

    def test_a_later_site_with_high_availability(self):
        self.live_site(service_id="first", email="first@example.com")
        self.calls.clear()
        self.live_site(plan="premium")
        self.assert_calls(proxmox=30, cloudflare=2, npm=4, ssh=4, front=1)

    @override_settings(NPM_CERTIFICATE="letsencrypt")
    def test_a_site_that_orders_its_own_certificate(self):
        self.live_site()
        self.assertEqual((self.count("npm"), self.count("cloudflare")), (10, 2), self.calls)
