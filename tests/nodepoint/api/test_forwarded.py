"""Where a request comes from, by whose word."""

from django.core.checks import ERROR
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, SimpleTestCase, override_settings

from nodepoint.api.forwarded import ForwardedMiddleware
from nodepoint.production import deployment

EVERYWHERE = "0.0.0.0"  # noqa: S104 - it is what is judged
PROXIES = ["127.0.0.1", "::1", "192.0.2.0/28"]


class ForwardedTests(SimpleTestCase):
    def caller(self, sender: str, chain: str | None, trusted: list[str] = PROXIES) -> HttpRequest:
        """The request as the views get it."""
        headers = {} if chain is None else {"HTTP_X_FORWARDED_FOR": chain, "HTTP_X_FORWARDED_PROTO": "https"}
        request = RequestFactory().get("/", REMOTE_ADDR=sender, **headers)
        with override_settings(TRUSTED_PROXIES=trusted):
            ForwardedMiddleware(lambda request: HttpResponse())(request)
        return request

    def test_the_caller_is_what_a_trusted_proxy_says(self) -> None:
        table = [
            ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
            ("::1", "203.0.113.7", "203.0.113.7"),
            ("::ffff:127.0.0.1", "203.0.113.7", "203.0.113.7"),
            ("192.0.2.14", "2001:DB8::7", "2001:db8::7"),
            ("192.0.2.16", "203.0.113.7", "192.0.2.16"),  # outside the network
            ("203.0.113.9", "203.0.113.7", "203.0.113.9"),
            ("127.0.0.1", None, "127.0.0.1"),
            ("127.0.0.1", "", "127.0.0.1"),
            (
                "127.0.0.1",
                "198.51.100.1, 203.0.113.7",
                "203.0.113.7",
            ),  # the first one is the caller's own claim
            ("127.0.0.1", "198.51.100.1, 203.0.113.7, 192.0.2.3", "203.0.113.7"),  # two proxies of ours
            ("127.0.0.1", "192.0.2.3", "192.0.2.3"),
            ("127.0.0.1", "203.0.113.7, nonsense", "127.0.0.1"),
            ("127.0.0.1", "203.0.113.7:1234", "127.0.0.1"),
            ("127.0.0.1", "' OR 1=1 --", "127.0.0.1"),
            ("127.0.0.1", "203.0.113.7\n", "203.0.113.7"),
            ("", "203.0.113.7", ""),  # a unix socket
        ]
        for sender, chain, expected in table:
            with self.subTest(sender=sender, chain=chain):
                self.assertEqual(self.caller(sender, chain).META["REMOTE_ADDR"], expected)

    @override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
    def test_https_is_believed_of_a_trusted_proxy_only(self) -> None:
        self.assertTrue(self.caller("127.0.0.1", "203.0.113.7").is_secure())
        self.assertFalse(self.caller("203.0.113.9", "203.0.113.7").is_secure())
        self.assertFalse(self.caller("127.0.0.1", "203.0.113.7", trusted=[]).is_secure())

    def test_what_others_say_reaches_nobody(self) -> None:
        left = self.caller("203.0.113.9", "203.0.113.7").META
        self.assertEqual([name for name in left if "FORWARDED" in name], [])


class CheckTests(SimpleTestCase):
    def ids(self, bind: str, **options: object) -> set[str]:
        with override_settings(**options, NODEPOINT_BIND=bind):
            return {message.id for message in deployment()} & {"nodepoint.E008", "nodepoint.W003"}

    def test_nobody_trusts_everybody(self) -> None:
        for network in ("0.0.0.0/0", "::/0"):
            self.assertEqual(self.ids("127.0.0.1", TRUSTED_PROXIES=[network]), {"nodepoint.E008"})
        self.assertGreaterEqual(next(m for m in self.messages() if m.id == "nodepoint.E008").level, ERROR)

    @override_settings(TRUSTED_PROXIES=["0.0.0.0/0"])
    def messages(self) -> list:
        return deployment()

    def test_an_open_port_behind_tls_is_named(self) -> None:
        local, other = ["127.0.0.1"], ["127.0.0.1", "192.168.1.5"]
        self.assertEqual(self.ids(EVERYWHERE, BEHIND_TLS=True, TRUSTED_PROXIES=local), {"nodepoint.W003"})
        self.assertEqual(self.ids(EVERYWHERE, BEHIND_TLS=True, TRUSTED_PROXIES=other), set())
        self.assertEqual(self.ids("127.0.0.1", BEHIND_TLS=True, TRUSTED_PROXIES=local), set())
        self.assertEqual(self.ids("", BEHIND_TLS=True, TRUSTED_PROXIES=local), set())
        self.assertEqual(self.ids(EVERYWHERE, BEHIND_TLS=False, TRUSTED_PROXIES=local), set())
