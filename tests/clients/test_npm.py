"""Nginx Proxy Manager against the simulated one."""

from functools import partial

from nodepoint.clients.errors import BadAnswer, Conflict, NotFound, Refused, TimedOut
from sites.clients.npm import Cause, NoCertificate
from tests.clients.base import LabTestCase

SITE = {"forward_host": "192.168.1.100", "block_exploits": True, "allow_websocket_upgrade": True}


class Base(LabTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.client = cls.npm()

    def points_here(self, *names: str) -> None:
        """Public DNS leads these names to the proxy."""
        for name in names:
            self.lab.dns.set(name, "A", [self.settings["PROXY_IP"]])


class ProxyHostTests(Base):
    def test_a_host_is_made_with_its_certificate_and_options(self) -> None:
        options = {
            "certificate_id": 1,
            "ssl_forced": True,
            "http2_support": True,
            "meta": {"nodepoint": "s1"},
        }
        made = self.client.create_proxy_host(["One.nodepoint.eu"], **SITE, **options)
        host = self.client.proxy_host(made.id)
        self.assertEqual(host.domain_names, ("one.nodepoint.eu",))
        self.assertEqual(
            (host.forward_scheme, host.forward_host, host.forward_port), ("http", "192.168.1.100", 80)
        )
        self.assertEqual((host.certificate_id, host.enabled, host.caching_enabled), (1, True, False))
        self.assertTrue(host.ssl_forced and host.http2_support and host.block_exploits)
        self.assertTrue(host.allow_websocket_upgrade)
        self.assertEqual((host.online, host.nginx_error, host.meta["nodepoint"]), (True, "", "s1"))

    def test_only_the_exact_name_is_found(self) -> None:
        made = self.client.create_proxy_host(["two.nodepoint.eu", "www.two.nodepoint.eu"], **SITE)
        self.client.create_proxy_host(["aatwo.nodepoint.eu"], **SITE)
        for name in ("two.nodepoint.eu", "WWW.two.nodepoint.eu"):
            self.assertEqual([host.id for host in self.client.find_proxy_hosts(name)], [made.id])
        for name in ("wo.nodepoint.eu", "two.nodepoint.e_", "%", "nosuch.nodepoint.eu"):
            self.assertEqual(self.client.find_proxy_hosts(name), [])
        self.assertIn(made.id, [host.id for host in self.client.proxy_hosts()])

    def test_a_taken_name_is_a_conflict_also_when_disabled(self) -> None:
        made = self.client.create_proxy_host(["three.nodepoint.eu"], **SITE)
        with self.assert_fails(Conflict):
            self.client.create_proxy_host(["THREE.nodepoint.eu"], **SITE)
        self.client.disable_proxy_host(made.id)
        with self.assert_fails(Conflict):
            self.client.create_proxy_host(["x.nodepoint.eu", "three.nodepoint.eu"], **SITE)

    def test_a_host_that_nginx_refuses_is_seen_by_looking(self) -> None:
        made = self.client.create_proxy_host(
            ["four.nodepoint.eu"], **SITE, advanced_config="this is not nginx;"
        )
        self.assertIsNot(made.online, True)
        broken = self.client.proxy_host(made.id)
        self.assertIs(broken.online, False)
        self.assertIn("unknown directive", broken.nginx_error)
        self.assertTrue(self.client.update_proxy_host(made.id, advanced_config="").online)

    def test_enabling_and_disabling_can_be_repeated(self) -> None:
        made = self.client.create_proxy_host(["five.nodepoint.eu"], **SITE)
        for call, enabled in ((self.client.disable_proxy_host, False), (self.client.enable_proxy_host, True)):
            call(made.id)
            call(made.id)
            self.assertIs(self.client.proxy_host(made.id).enabled, enabled)

    def test_a_deleted_host_is_gone_and_a_repeat_is_fine(self) -> None:
        made = self.client.create_proxy_host(["six.nodepoint.eu"], **SITE)
        self.client.delete_proxy_host(made.id)
        self.client.delete_proxy_host(made.id)
        for call in (self.client.proxy_host, self.client.enable_proxy_host, self.client.disable_proxy_host):
            with self.assert_fails(NotFound):
                call(made.id)
        with self.assert_fails(NotFound):
            self.client.update_proxy_host(made.id, forward_port=81)

    def test_what_the_schema_refuses_is_refused(self) -> None:
        for change in ({"forward_port": 70000}, {"nosuch": 1}, {"forward_host": ""}):
            with self.subTest(change=change), self.assert_fails(Refused):
                self.client.create_proxy_host(["seven.nodepoint.eu"], **SITE | change)


class CertificateTests(Base):
    def test_the_shared_wildcard_is_there_and_usable(self) -> None:
        wildcard = self.client.certificate(int(self.settings["NPM_CERTIFICATE"]))
        self.assertEqual(wildcard.domain_names, {"*.nodepoint.eu", "nodepoint.eu"})
        self.assertTrue(wildcard.usable())
        self.assertEqual(self.client.find_certificates(["nodepoint.eu", "*.Nodepoint.eu"]), [wildcard])
        self.assertIn(wildcard, self.client.certificates())
        with self.assert_fails(NotFound):
            self.client.certificate(99999)

    def test_a_certificate_is_ordered_found_and_deleted(self) -> None:
        self.points_here("shop.example", "www.shop.example")
        made = self.client.create_certificate(["www.shop.example", "Shop.example"])
        self.assertEqual(made.domain_names, {"shop.example", "www.shop.example"})
        self.assertTrue(made.usable())
        self.assertEqual([c.id for c in self.client.find_certificates(made.domain_names)], [made.id])
        self.assertEqual(self.client.find_certificates(["shop.example"]), [])
        self.client.delete_certificate(made.id)
        self.client.delete_certificate(made.id)
        self.assertEqual(self.client.find_certificates(made.domain_names), [])

    def test_a_name_that_leads_elsewhere_is_refused_with_certbots_words(self) -> None:
        self.lab.dns.set("wrong.example", "A", ["198.51.100.7"])
        with self.assertRaises(Refused) as caught:
            self.client.create_certificate(["wrong.example"])
        self.assertIn("challenges have failed", caught.exception.vendor)
        self.assertEqual(self.client.find_certificates(["wrong.example"]), [])

    def test_the_authoritys_limit_is_known_and_lasts_long(self) -> None:
        self.points_here("often.example")
        for _ in range(5):
            self.client.create_certificate(["often.example"])
        with self.assertRaises(NoCertificate) as caught:
            self.client.create_certificate(["often.example"])
        self.assertIs(caught.exception.cause, Cause.LIMIT)
        self.assertGreaterEqual(caught.exception.retry_after, 3600)


class FailureTests(Base):
    def test_the_account_may_what_is_needed(self) -> None:
        user = self.client.whoami()
        self.assertEqual((user.visibility, user.proxy_hosts, user.certificates), ("all", "manage", "manage"))
        self.assertEqual(user.email, self.settings["NPM_EMAIL"])
        self.assertGreaterEqual(self.client.version(), (2, 12))

    def test_a_wrong_password_is_refused(self) -> None:
        with self.assert_fails(Refused):
            self.npm(NPM_PASSWORD="wrong-password").whoami()

    def test_each_fault_has_its_error(self) -> None:
        self.client.whoami()
        for kind, expected in (
            ("error", BadAnswer),
            ("refuse", BadAnswer),  # NPM's way to refuse a create: an internal error
            ("drop_before", TimedOut),
            ("drop_after", TimedOut),
        ):
            # twice: a refused call is made again with a new token
            self.lab.faults.add("npm", kind, match="POST /api/nginx/proxy-hosts", count=2)
            with self.subTest(kind=kind), self.assert_fails(expected):
                self.client.create_proxy_host([f"{kind.replace('_', '-')}.nodepoint.eu"], **SITE)
            self.lab.faults.clear()
        self.assertEqual(len(self.client.find_proxy_hosts("drop-after.nodepoint.eu")), 1)
        self.assertEqual(self.client.find_proxy_hosts("drop-before.nodepoint.eu"), [])
        self.lab.faults.add("npm", "refuse", match="/disable", count=2)
        with self.assert_fails(Refused):
            self.client.disable_proxy_host(1)

    def test_every_method_gives_up_in_time(self) -> None:
        hasty = self.npm(timeout=0.25)
        hasty.certificate_timeout = 0.25
        hasty.whoami()
        hasty.version()
        calls = {
            "whoami": hasty.whoami,
            "find_proxy_hosts": partial(hasty.find_proxy_hosts, "a.nodepoint.eu"),
            "proxy_hosts": hasty.proxy_hosts,
            "proxy_host": partial(hasty.proxy_host, 1),
            "create_proxy_host": partial(hasty.create_proxy_host, ["a.nodepoint.eu"], "192.168.1.100"),
            "update_proxy_host": partial(hasty.update_proxy_host, 1, forward_port=81),
            "delete_proxy_host": partial(hasty.delete_proxy_host, 1),
            "enable_proxy_host": partial(hasty.enable_proxy_host, 1),
            "disable_proxy_host": partial(hasty.disable_proxy_host, 1),
            "find_certificates": partial(hasty.find_certificates, ["a.example"]),
            "certificates": hasty.certificates,
            "certificate": partial(hasty.certificate, 1),
            "create_certificate": partial(hasty.create_certificate, ["a.example"]),
            "delete_certificate": partial(hasty.delete_certificate, 1),
            "version": self.npm(timeout=0.25).version,
        }
        public = {name for name in dir(hasty) if not name.startswith("_")}
        self.assertEqual(set(calls), public - {"certificate_timeout"})
        self.lab.faults.add("npm", "hang", count=len(calls), seconds=2)
        self.assert_all_time_out(calls, within=1.5)
