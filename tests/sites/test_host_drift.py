"""Proxy hosts that somebody has changed by hand at Nginx Proxy Manager: seen, and put right where ours."""

from unittest import mock

from django.test import override_settings

from sites import connections, enforcement
from sites.clients.npm import ProxyHost
from sites.connections import npm, website
from sites.proxy_config import advanced_config
from sites.steps.hosts import own_name
from tests.base import on_one_database
from tests.sites.domains import SHOP, DomainMixin
from tests.sites.test_reconcile import NAME, ReconcileTestCase

# What a hand may have done to a host's fields, and the words in which staff read it.
EDITS = (
    ({"forward_scheme": "https"}, "forward_scheme https instead of http"),
    ({"forward_host": "192.168.1.250"}, "forward_host 192.168.1.250 instead of 192.168.1.100"),
    ({"forward_port": 8080}, "forward_port 8080 instead of 80"),
    ({"certificate_id": 0}, "certificate_id 0 instead of 1"),
    ({"ssl_forced": False}, "ssl_forced False instead of True"),
    ({"http2_support": False}, "http2_support False instead of True"),
    ({"hsts_enabled": True}, "hsts_enabled True instead of False"),
    ({"hsts_enabled": True, "hsts_subdomains": True}, "hsts_subdomains True instead of False"),
    ({"block_exploits": False}, "block_exploits False instead of True"),
    ({"caching_enabled": True}, "caching_enabled True instead of False"),
    ({"allow_websocket_upgrade": False}, "allow_websocket_upgrade False instead of True"),
    ({"access_list_id": 5}, "access_list_id 5 instead of 0"),
    ({"advanced_config": "deny all;"}, "advanced_config is not ours"),
    ({"domain_names": [NAME, "more.example"]}, f"it serves {NAME}, more.example"),
    (
        {
            "locations": [
                {"path": "/x", "forward_scheme": "http", "forward_host": "192.168.1.9", "forward_port": 80}
            ]
        },
        "1 locations instead of none",
    ),
)


@on_one_database
class HandEditTests(ReconcileTestCase):
    def host(self) -> ProxyHost:
        return npm().proxy_host(self.site.proxy_host_id)

    def repair(self) -> None:
        _, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(closing, "")
        self.run_jobs()
        self.settle()
        self.assert_found()

    def test_every_changed_field_is_seen_and_put_right(self) -> None:
        before = self.host()
        for edit, words in EDITS:
            with self.subTest(edit):
                npm().update_proxy_host(before.id, **edit)
                (finding,) = self.assert_found(("differs", "npm", f"proxy host {NAME}", True))
                self.assertIn(words, finding.detail)
                npm().update_proxy_host(before.id, domain_names=[NAME], **own_name(self.site).fields)
        everything = {field: value for edit, _ in EDITS for field, value in edit.items()}
        npm().update_proxy_host(before.id, **everything)
        self.repair()
        self.assertEqual(self.host(), before)
        self.assertEqual(before.advanced_config, advanced_config())

    def test_one_whose_name_was_taken_away_gets_it_back(self) -> None:
        npm().update_proxy_host(self.site.proxy_host_id, domain_names=["elsewhere.example"])
        self.assertEqual({"missing", "orphan"}, {finding.kind for finding in self.found()})
        self.repair_what_can_be()
        self.settle()
        self.assert_found()
        self.assertEqual(self.host().domain_names, (NAME,))

    def test_one_that_is_not_ours_any_more_is_left_alone(self) -> None:
        npm().update_proxy_host(
            self.site.proxy_host_id, domain_names=["elsewhere.example"], meta={"nodepoint": "somebody"}
        )
        self.repair_what_can_be()
        self.assertEqual(self.host().domain_names, ("elsewhere.example",))
        self.assertEqual(len(npm().find_proxy_hosts(NAME)), 1)

    def repair_what_can_be(self) -> None:
        self.reconcile("--fix", "--yes")
        self.run_jobs()

    def test_a_row_that_says_off_is_not_believed(self) -> None:
        npm().update_proxy_host(self.site.proxy_host_id, enabled=False)
        self.assertTrue(website().serves(NAME))
        (finding,) = self.assert_found(("differs", "npm", f"proxy host {NAME}", True))
        self.assertIn("off instead of on", finding.detail)
        self.post("/action/toggle", {"service_id": "1001", "enabled": False}, Prefer="respond-async")
        self.run_jobs()
        self.assertFalse(website().serves(NAME))

    def test_one_that_is_served_though_its_row_says_off_is_seen_and_taken_off(self) -> None:
        self.post("/action/toggle", {"service_id": "1001", "enabled": False}, Prefer="respond-async")
        self.run_jobs()
        self.settle()
        self.assert_found()
        self.served_though_off()
        (finding,) = self.assert_found(("differs", "npm", f"proxy host {NAME}", True))
        self.assertEqual(finding.detail, "its row says off, and it is served")
        self.repair()
        self.assertFalse(website().serves(NAME))

    def test_a_suspended_site_that_is_served_though_its_rows_say_off_is_suspended_again(self) -> None:
        self.post("/suspend", {"service_id": "1001"}, Prefer="respond-async")
        self.run_jobs()
        self.assertEqual(enforcement.enforce_suspensions(), 0)
        self.served_though_off()
        self.assertEqual(enforcement.enforce_suspensions(), 1)
        self.run_jobs()
        self.assertFalse(website().serves(NAME))
        self.assertEqual(enforcement.enforce_suspensions(), 0)

    def test_without_a_way_through_the_proxy_it_is_switched_off_for_certain(self) -> None:
        npm().update_proxy_host(self.site.proxy_host_id, enabled=False)
        look = website()
        with mock.patch("sites.steps.hosts.website", return_value=None):
            self.post("/action/toggle", {"service_id": "1001", "enabled": False}, Prefer="respond-async")
            self.run_jobs()
        self.assertFalse(look.serves(NAME))

    def served_though_off(self) -> None:
        """Somebody has switched it on, then written `enabled` false."""
        npm().enable_proxy_host(self.site.proxy_host_id)
        npm().update_proxy_host(self.site.proxy_host_id, enabled=False)


@on_one_database
class PlainHostTests(DomainMixin, ReconcileTestCase):
    """A customer's domain whose certificate is not there yet: its host has no TLS that could be looked at."""

    def setUp(self) -> None:
        super().setUp()
        self.fault("npm", "error", "POST /api/nginx/certificates", count=1000)
        self.accept()
        self.run_for(60)

    def served_though_off(self) -> None:
        host = self.host_of()
        self.assertEqual(host["certificate_id"], 0)
        npm().enable_proxy_host(host["id"])
        npm().update_proxy_host(host["id"], enabled=False)
        self.assertTrue(self.served())

    def test_one_that_is_served_though_its_row_says_off_is_seen_and_taken_off(self) -> None:
        self.toggle(enabled=False)
        self.run_for(5)
        self.settle()
        self.assert_found()
        self.served_though_off()
        (finding,) = self.assert_found(("differs", "npm", f"proxy host {SHOP}", True))
        self.assertEqual(finding.detail, "its row says off, and it is served")
        _, closing = self.reconcile("--fix", "--yes")
        self.assertEqual(closing, "")
        self.run_for(5)
        self.assertFalse(self.served())
        self.settle()
        self.assert_found()

    def test_one_of_a_suspended_site_is_suspended_again(self) -> None:
        self.post("/suspend", {"service_id": "1001"}, Prefer="respond-async")
        self.run_for(60)
        self.assertEqual(enforcement.enforce_suspensions(), 0)
        self.served_though_off()  # the container does not run: nginx answers 502
        self.assertEqual(enforcement.enforce_suspensions(), 1)
        self.run_for(60)
        self.assertFalse(self.served())

    def test_where_the_proxys_http_side_is_not_known_nothing_is_claimed(self) -> None:
        self.toggle(enabled=False)
        self.run_for(5)
        self.settle()
        self.served_though_off()
        for settings in ({"PROXY_CHECK_HTTP_ADDRESS": ""}, {"PROXY_CHECK_HTTP_ADDRESS": "127.0.0.1:1"}):
            with self.subTest(settings), override_settings(**settings):
                connections.forget()
                self.assert_found()
        connections.forget()
