from datetime import timedelta

from django.test import SimpleTestCase
from django.utils import timezone

from nodepoint.api.models import Token, digest
from tests.nodepoint.api.base import ApiTestCase


class TokenTests(ApiTestCase):
    def test_the_secret_is_kept_as_a_hash_only(self) -> None:
        kind, prefix, secret = self.secret.split("_", 2)
        self.assertEqual((kind, prefix), ("np", self.token.prefix))
        self.assertGreaterEqual(len(secret), 43)
        row = Token.objects.values().get()
        self.assertNotIn(secret, str(row))
        self.assertEqual(row["secret_hash"], digest(secret))

    def test_scopes_and_networks_are_checked_when_issued(self) -> None:
        for wrong in ({"scopes": ["sites", "root"]}, {"scopes": ["sites"], "networks": ["10.0.0.1/8"]}):
            with self.assertRaises(ValueError):
                Token.issue("x", **wrong)
        self.assertEqual(Token.objects.count(), 1)

    def test_scopes_stand_in_their_usual_order(self) -> None:
        token, _ = Token.issue("x", ["support", "sites", "support"])
        self.assertEqual(token.scopes, ["sites", "support"])


class AuthenticationTests(ApiTestCase):
    def assert_refused(self, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header}
        response = self.call("/whoami", token=None, **headers)
        self.assert_error(response, 401, "unauthorized", "token")
        self.assertEqual(response["WWW-Authenticate"], "Bearer")

    def test_a_valid_token_passes(self) -> None:
        self.assertEqual(self.call("/whoami").status_code, 200)

    def test_the_scheme_is_case_insensitive(self) -> None:
        self.assertEqual(
            self.call("/whoami", token=None, Authorization=f"bearer {self.secret}").status_code, 200
        )

    def test_whatever_is_no_valid_token_is_401(self) -> None:
        _kind, prefix, secret = self.secret.split("_", 2)
        other, _text = Token.issue("Other", ["sites"])
        wrong = [
            None,
            "",
            "Bearer",
            "Bearer ",
            self.secret,
            f"Basic {self.secret}",
            "Bearer np_",
            "Bearer np__",
        ]
        wrong += [
            f"Bearer {part}" for part in (f"np_{prefix}_", f"np_{prefix}_{secret}x", f"xx_{prefix}_{secret}")
        ]
        wrong += [f"Bearer np_{other.prefix}_{secret}", f"Bearer {self.secret} {self.secret}", "Bearer ü\xff"]
        wrong += [f"Bearer np_{prefix.upper()}_{secret}", "Bearer " + "a" * 5000]
        for header in wrong:
            with self.subTest(header=header):
                self.assert_refused(header)

    def test_expired_and_revoked_tokens_are_401(self) -> None:
        self.token.expires_at = timezone.now() - timedelta(seconds=1)
        self.token.save()
        self.assert_refused(f"Bearer {self.secret}")
        self.token.expires_at = timezone.now() + timedelta(days=1)
        self.token.save()
        self.assertEqual(self.call("/whoami").status_code, 200)
        self.token.revoke()
        self.assert_refused(f"Bearer {self.secret}")

    def test_a_token_without_the_scope_is_403(self) -> None:
        dns = self.make_token("dns")
        self.assert_error(self.call("/echo?service_id=1", token=dns), 403, "forbidden", "scope sites")
        self.assertEqual(self.call("/whoami", token=dns).status_code, 200)

    def test_a_view_without_a_scope_is_open_to_nobody(self) -> None:
        with self.assertLogs("nodepoint.api", "ERROR") as logs:
            self.assert_error(self.call("/scopeless"), 500, "internal")
        self.assertIn("ScopelessView declares no scope", logs.output[0])

    def test_use_is_noted_at_most_once_a_minute(self) -> None:
        self.call("/whoami")
        first = Token.objects.get().last_used_at
        self.assertIsNotNone(first)
        self.call("/whoami")
        self.assertEqual(Token.objects.get().last_used_at, first)
        Token.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
        self.call("/whoami")
        self.assertGreater(Token.objects.get().last_used_at, first)

    def test_whoami_costs_one_query_once_the_use_is_noted(self) -> None:
        self.call("/whoami")
        with self.assertNumQueries(1):
            response = self.call("/whoami")
        expected = {"success": True, "name": "Tester", "scopes": ["sites"], "expires_at": None}
        self.assertEqual(response.json(), expected)


class NetworkTests(ApiTestCase):
    def setUp(self) -> None:
        self.secret = self.make_token("sites", networks=["10.0.0.0/8", "2001:db8::/32"])

    def status(self, address: str, forwarded: str = "") -> int:
        extra = {"X_Forwarded_For": forwarded} if forwarded else {}
        self.client.defaults["REMOTE_ADDR"] = address
        return self.call("/whoami", **extra).status_code

    def test_a_token_is_bound_to_its_networks(self) -> None:
        for address in ("10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3"):
            self.assertEqual(self.status(address), 200, address)
        for address in ("192.168.1.1", "2001:db9::1", "::ffff:192.168.1.1", "", "unix:"):
            self.assertEqual(self.status(address), 403, address)


class DigestTests(SimpleTestCase):
    def test_it_is_sha_256(self) -> None:
        self.assertEqual(digest(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


class LimitedTokenTests(ApiTestCase):
    """Tokens that may only read, and tokens that nobody uses."""

    def test_a_token_that_may_only_read(self) -> None:
        self.secret = self.make_token("sites", "dns", "support", read_only=True)
        self.assertEqual(self.call("/whoami").status_code, 200)
        for path, body in (
            ("/echo", {"service_id": "1"}),
            ("/support/create", {"service_id": "1"}),
            ("/create-site", {"service_id": "1"}),
            ("/customdomain/add/zone", {"user_id": "1", "domain": "example.com"}),
        ):
            refused = self.call(path, body, Accept="application/json")
            self.assert_error(refused, 403, "forbidden", "read only")
        self.assertEqual(self.call("/support/verify", {"support_key": "SUP-X"}).status_code, 200)

    def test_a_token_that_nobody_uses_is_refused(self) -> None:
        self.secret = self.make_token("sites", max_unused_days=30)
        now = timezone.now()
        Token.objects.filter(pk=self.token.pk).update(last_used_at=now - timedelta(days=29))
        self.assertEqual(self.call("/whoami").status_code, 200)  # which counts as use
        Token.objects.filter(pk=self.token.pk).update(last_used_at=now - timedelta(days=31))
        self.assert_error(self.call("/whoami"), 401, "unauthorized")
        Token.objects.filter(pk=self.token.pk).update(last_used_at=None, created_at=now - timedelta(days=31))
        self.assert_error(self.call("/whoami"), 401, "unauthorized")

    def test_when_it_ends_is_what_comes_first(self) -> None:
        now = timezone.now()
        token = Token(created_at=now, expires_at=now + timedelta(days=60), max_unused_days=30)
        self.assertEqual(token.ends_at, now + timedelta(days=30))
        token.last_used_at = now + timedelta(days=40)
        self.assertEqual(token.ends_at, token.expires_at)
        self.assertIsNone(Token(created_at=now).ends_at)
