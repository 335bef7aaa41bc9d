"""NPM's tokens: how they are given, and in how many ways a call without a good one is refused."""

import time
from datetime import datetime

import requests

from tests.lab.npm_case import NpmCase

EXPIRED_I18N = {"name": "TokenExpiredError", "message": "jwt expired"}


class TokenTests(NpmCase):
    def login(self, **body: str) -> requests.Response:
        return requests.post(f"{self.api}/tokens", json=body, timeout=5)

    def credentials(self) -> dict[str, str]:
        return {"identity": self.lab.settings["NPM_EMAIL"], "secret": self.lab.settings["NPM_PASSWORD"]}

    def list_with(self, authorization: str | None) -> requests.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return requests.get(f"{self.api}/nginx/proxy-hosts", headers=headers, timeout=5)

    def test_health_needs_no_token(self) -> None:
        body = requests.get(f"{self.api}/", timeout=5).json()

        self.assertEqual(
            body, {"status": "OK", "setup": True, "version": {"major": 2, "minor": 15, "revision": 1}}
        )

    def test_the_base_without_a_slash_is_a_redirect(self) -> None:
        answer = requests.get(self.api, allow_redirects=False, timeout=5)

        self.assertEqual(answer.status_code, 302)

    def test_login_gives_a_token_of_three_parts_that_works(self) -> None:
        body = self.login(**self.credentials()).json()

        self.assertEqual(set(body), {"token", "expires"})
        self.assertEqual(body["token"].count("."), 2)
        self.assertEqual(self.list_with(f"Bearer {body['token']}").status_code, 200)

    def test_the_identity_is_trimmed_and_lower_cased(self) -> None:
        given = self.credentials()

        self.assertIn(
            "token", self.login(identity=f" {given['identity'].upper()} ", secret=given["secret"]).json()
        )

    def test_refused_logins(self) -> None:
        good = self.credentials()
        for body, message in (
            (good | {"secret": "wrong"}, "Invalid email or password"),
            (good | {"identity": "nobody@example.com"}, "Invalid email or password"),
            ({"identity": good["identity"]}, "data must have required property 'secret'"),
            (good | {"expiry": "1y"}, "data must NOT have additional properties"),
            (good | {"scope": "admin"}, "data/scope must be equal to one of the allowed values"),
        ):
            with self.subTest(message=message):
                self.assert_error(self.login(**body), 400, message)

    def test_a_broken_or_missing_body_is_refused(self) -> None:
        broken = requests.post(f"{self.api}/tokens", data='{"identity":', timeout=5)
        missing = requests.post(f"{self.api}/tokens", timeout=5)

        self.assert_error(broken, 400, "Internal Error")
        self.assert_error(missing, 400, "Payload is undefined")

    def test_no_bearer_token_looks_like_an_unknown_path(self) -> None:
        for header in (None, "Basic YTpi", f"bearer {self.token}"):
            with self.subTest(header=header):
                self.assert_error(self.list_with(header), 404, "Not Found - /nginx/proxy-hosts")

    def test_a_damaged_token_is_an_internal_error(self) -> None:
        for token in ("garbage", "a.b.c", self.token[:-2], self.token.replace("e", "f", 1)):
            with self.subTest(token=token):
                self.assert_error(self.list_with(f"Bearer {token}"), 500, "Internal Error")

    def test_a_refreshed_token_may_live_longer(self) -> None:
        for query, days in (("", 1), ("?expiry=30d", 30), ("?expiry=1y", 365.25)):
            with self.subTest(query=query):
                body = self.call("GET", f"/tokens{query}").json()

                expires = datetime.fromisoformat(body["expires"]).timestamp()
                self.assertAlmostEqual(expires, time.time() + days * 86400, delta=30)
                self.assertEqual(self.list_with(f"Bearer {body['token']}").status_code, 200)

    def test_refused_refreshes(self) -> None:
        self.assert_error(self.call("GET", "/tokens?expiry=forever"), 400, "Invalid expiry time: forever")
        self.assert_error(requests.get(f"{self.api}/tokens", timeout=5), 500, "Internal Error")

    def test_an_expired_token_says_so(self) -> None:
        token = self.call("GET", "/tokens?expiry=1ms").json()["token"]
        time.sleep(0.01)

        answer = self.list_with(f"Bearer {token}")

        self.assert_error(answer, 400, "Token has expired")
        i18n = answer.json()["error"]["message_i18n"]
        self.assertEqual({name: i18n[name] for name in EXPIRED_I18N}, EXPIRED_I18N)
        self.assertEqual(
            requests.get(
                f"{self.api}/tokens", headers={"Authorization": f"Bearer {token}"}, timeout=5
            ).status_code,
            400,
        )

    def test_users_me_shows_permissions_only_when_asked(self) -> None:
        plain = self.call("GET", "/users/me").json()
        expanded = self.call("GET", "/users/me?expand=permissions").json()

        self.assertEqual(plain["email"], self.lab.settings["NPM_EMAIL"])
        self.assertNotIn("permissions", plain)
        self.assertEqual(expanded["permissions"]["proxy_hosts"], "manage")

    def test_unknown_routes_and_methods(self) -> None:
        self.assert_error(self.call("GET", "/does-not-exist"), 404, "Not Found - /does-not-exist")
        self.assert_error(
            self.call("PATCH", "/nginx/proxy-hosts/1", {"enabled": True}),
            404,
            "Not Found - /nginx/proxy-hosts/1",
        )

    def test_faults_take_npms_own_forms(self) -> None:
        self.lab.faults.add("npm", "error", match="GET /api/nginx")
        self.assert_error(self.call("GET", "/nginx/proxy-hosts"), 500, "Internal Error")
        self.lab.faults.add("npm", "refuse")
        self.assert_error(self.call("GET", "/nginx/proxy-hosts"), 404, "Not Found - /nginx/proxy-hosts")
        self.lab.faults.add("npm", "refuse")
        self.assert_error(self.create("refused.example.net"), 500, "Internal Error")

        self.assertEqual(self.call("GET", "/nginx/proxy-hosts?query=refused").json(), [])

    def test_a_call_whose_answer_is_lost_has_had_its_effect(self) -> None:
        self.lab.faults.add("npm", "drop_after", match="POST /api/nginx/proxy-hosts")
        with self.assertRaises(requests.ConnectionError):
            self.create("lost.example.net")

        self.assert_error(self.create("lost.example.net"), 400, "lost.example.net is already in use")
