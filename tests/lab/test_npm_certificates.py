"""NPM's certificates: certbot succeeds only where the CA would be satisfied, and one run at a time."""

import threading
import time
from typing import Any

from tests.lab.npm_case import NpmCase


class OrderTests(NpmCase):
    def rows(self, query: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/nginx/certificates?query={query}").json())

    def cloudflare(self) -> dict[str, Any]:
        credentials = f"dns_cloudflare_api_token={self.lab.settings['CLOUDFLARE_API_TOKEN']}"
        return {"dns_challenge": True, "dns_provider": "cloudflare", "dns_provider_credentials": credentials}

    def test_there_is_a_wildcard_certificate_from_the_beginning(self) -> None:
        id = self.lab.settings["NPM_CERTIFICATE"]

        row = self.call("GET", f"/nginx/certificates/{id}").json()

        self.assertEqual(row["domain_names"], ["*.nodepoint.eu", "nodepoint.eu"])
        self.assertGreater(
            row["expires_on"], time.strftime("%Y-%m-%d", time.localtime(time.time() + 360 * 86400))
        )

    def test_http01_succeeds_when_the_name_leads_to_the_proxy(self) -> None:
        self.point_here("shop.example")
        self.lab.dns.set("www.shop.example", "CNAME", ["shop.example"])

        answer = self.order("shop.example", "www.shop.example", dns_challenge=False)

        self.assertEqual(answer.status_code, 201)
        body = answer.json()
        self.assertEqual(body["nice_name"], "shop.example, www.shop.example")
        self.assertEqual(body["meta"]["letsencrypt_certificate"]["cn"], "shop.example")
        self.assertGreater(
            body["expires_on"], time.strftime("%Y-%m-%d", time.localtime(time.time() + 80 * 86400))
        )
        self.assertEqual(self.rows("www.shop.example")[0]["meta"], {"dns_challenge": False})

    def test_an_order_gives_hosts_back_as_they_were_when_it_began(self) -> None:
        """Without their certificate, and those too that were switched off or deleted meanwhile."""
        names = ("kept.given.example", "off.given.example", "deleted.given.example")
        kept, off, deleted = ids = [self.host(name, certificate_id=1) for name in names]
        for id in ids:
            self.addCleanup(self.call, "DELETE", f"/nginx/proxy-hosts/{id}")
        for name in names:
            self.point_here(name)
        self.lab.clock.factor = 0.1
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)
        thread = threading.Thread(target=self.order, args=names)
        thread.start()
        while not self.rows("given.example"):
            time.sleep(0.01)
        self.call("POST", f"/nginx/proxy-hosts/{off}/disable")
        self.call("DELETE", f"/nginx/proxy-hosts/{deleted}")
        thread.join()
        nginx = self.lab.npm.state.nginx
        self.assertEqual([nginx.route(name) for name in names], [None] * 3)  # not told yet
        self.host("told.given.example")
        for name in names:
            with self.subTest(name):
                self.assertIsNotNone(nginx.route(name))
                self.assertIsNone(nginx.route(name, tls=True))
        self.call("PUT", f"/nginx/proxy-hosts/{kept}", {"ssl_forced": True})
        self.assertIsNotNone(nginx.route(names[0], tls=True))

    def test_caa_records_of_the_nearest_name_decide(self) -> None:
        for name, permits, status in (
            ("other.caa.example", '0 issue "ca.example"', 500),
            ("nobody.caa.example", '0 issue ";"', 500),
            ("ours.caa.example", '0 issue "letsencrypt.org; validationmethods=http-01"', 201),
            ("mail.caa.example", '0 iodef "mailto:a@caa.example"', 201),
        ):
            with self.subTest(permits):
                self.point_here(f"www.{name}")
                self.lab.dns.set(name, "CAA", [permits])
                self.assertEqual(self.order(f"www.{name}").status_code, status)

    def test_a_failed_challenge_leaves_no_row_and_tells_certbots_words(self) -> None:
        self.point_here("half.example")
        self.lab.dns.set("elsewhere.example", "A", ["198.51.100.7"])
        self.lab.dns.set("six.example", "AAAA", ["2001:db8::1"])
        self.lab.dns.set("six.example", "A", [self.lab.settings["PROXY_IP"]])
        for names in (
            ["nowhere.example"],
            ["elsewhere.example"],
            ["half.example", "nowhere.example"],
            ["six.example"],
        ):
            with self.subTest(names=names):
                answer = self.order(*names)

                self.assert_error(answer, 500, "Internal Error")
                debug = answer.json()["debug"]
                self.assertEqual(debug["stack"][0], "Error: Saving debug log to /data/logs/letsencrypt.log")
                self.assertEqual(debug["stack"][1], "Some challenges have failed.")
                self.assertIn(f"--domains {','.join(names)}", debug["previous"]["cmd"])
                self.assertEqual(self.rows(names[0]), [])

    def test_a_wildcard_needs_the_dns_challenge(self) -> None:
        self.assertIn("challenges over DNS", self.order("*.example.net").json()["debug"]["stack"][1])

    def test_dns01_needs_a_token_for_the_names_zone(self) -> None:
        answer = self.order("*.shop.nodepoint.eu", **self.cloudflare())
        self.assertEqual(answer.status_code, 201, answer.text)
        self.assertNotIn(self.lab.settings["CLOUDFLARE_API_TOKEN"], answer.text)

        foreign = self.order("*.example.net", **self.cloudflare())
        self.assertEqual(foreign.json()["debug"]["stack"][1], "Some challenges have failed.")
        wrong = self.cloudflare() | {"dns_provider_credentials": "dns_cloudflare_api_token=no"}
        self.assertEqual(self.order("*.nodepoint.eu", **wrong).status_code, 500)

    def test_the_sixth_order_of_one_set_in_a_week_is_refused(self) -> None:
        self.point_here("often.example")
        for _ in range(5):
            id = self.order("often.example").json()["id"]
            self.call("DELETE", f"/nginx/certificates/{id}")

        stack = self.order("often.example").json()["debug"]["stack"]

        self.assertIn("too many certificates (5) already issued", stack[2])

    def test_orders_that_npm_stumbles_over(self) -> None:
        old_keys = {"letsencrypt_email": "a@example.com", "letsencrypt_agree": True}
        more = "data/meta must NOT have additional properties"
        for body, status, message, stack in (
            (
                {"provider": "letsencrypt", "domain_names": ["a.example"], "meta": old_keys},
                400,
                f"{more}, {more}",
                "",
            ),
            ({"domain_names": ["a.example"]}, 400, "data must have required property 'provider'", ""),
            (
                {"provider": "zerossl", "domain_names": ["a.example"]},
                400,
                'data/provider must match pattern "^(letsencrypt|other)$"',
                "",
            ),
            ({"provider": "letsencrypt", "meta": {}}, 500, "Internal Error", "TypeError"),
            (
                {"provider": "letsencrypt", "domain_names": []},
                500,
                "Internal Error",
                "invalid number of arguments",
            ),
            (
                {"provider": "letsencrypt", "domain_names": ["a.example"]}
                | {
                    "meta": {"dns_challenge": True, "dns_provider": "nosuch", "dns_provider_credentials": "x"}
                },
                404,
                "Not Found - nosuch",
                "",
            ),
            (
                {"provider": "letsencrypt", "domain_names": ["a.example"]}
                | {"meta": {"dns_challenge": True, "dns_provider": "cloudflare"}},
                500,
                "Internal Error",
                "ERR_INVALID_ARG_TYPE",
            ),
        ):
            with self.subTest(body=body):
                answer = self.call("POST", "/nginx/certificates", body)

                self.assert_error(answer, status, message)
                self.assertIn(stack or message, answer.json()["debug"]["stack"][0])

    def test_unknown_ids(self) -> None:
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/renew")):
            answer = self.call(method, f"/nginx/certificates/99999{path}")
            self.assert_error(answer, 404, "Not Found - 99999")
            self.assertEqual(answer.json()["debug"], {"stack": ["Error: Not Found - 99999"]})

    def test_renewal_fails_without_a_change_when_the_name_has_moved(self) -> None:
        self.point_here("moved.example")
        id = self.order("moved.example").json()["id"]
        self.assertEqual(self.call("POST", f"/nginx/certificates/{id}/renew").status_code, 200)
        self.lab.dns.set("moved.example", "A", ["198.51.100.7"])
        before = self.call("GET", f"/nginx/certificates/{id}").json()

        answer = self.call("POST", f"/nginx/certificates/{id}/renew")

        self.assert_error(answer, 500, "Internal Error")
        self.assertEqual(self.call("GET", f"/nginx/certificates/{id}").json(), before)

    def test_an_uploaded_certificate_cannot_be_renewed(self) -> None:
        body = {"provider": "other", "nice_name": "origin"}
        id = self.call("POST", "/nginx/certificates", body).json()["id"]

        self.assert_error(
            self.call("POST", f"/nginx/certificates/{id}/renew"),
            400,
            "Only Let'sEncrypt certificates can be renewed",
        )

    def test_proxy_hosts_may_be_expanded(self) -> None:
        host = self.host("expanded.nodepoint.eu", certificate_id=1)

        rows = self.call("GET", "/nginx/certificates?expand=owner,proxy_hosts&query=*.nodepoint.eu").json()

        self.assertEqual([row["id"] for row in rows[0]["proxy_hosts"]], [host])
        self.assertEqual(rows[0]["owner"]["email"], self.lab.settings["NPM_EMAIL"])


class RunningOrderTests(NpmCase):
    """While certbot runs."""

    def setUp(self) -> None:
        self.lab.clock.factor = 0.1
        self.addCleanup(setattr, self.lab.clock, "factor", 0.0)

    def order_in_background(self, name: str) -> tuple[threading.Thread, list[int]]:
        self.point_here(name)
        statuses: list[int] = []
        thread = threading.Thread(target=lambda: statuses.append(self.order(name).status_code))
        thread.start()
        self.addCleanup(thread.join)
        deadline = time.monotonic() + 2
        while not self.call("GET", f"/nginx/certificates?query={name}").json():
            self.assertLess(time.monotonic(), deadline, "the row never appeared")
        return thread, statuses

    def test_the_row_is_listed_at_once_and_expires_when_it_was_made(self) -> None:
        thread, statuses = self.order_in_background("slow.example")

        row = self.call("GET", "/nginx/certificates?query=slow.example").json()[0]

        self.assertEqual(row["expires_on"], row["created_on"])
        thread.join()
        self.assertEqual(statuses, [201])
        self.assertGreater(
            self.call("GET", f"/nginx/certificates/{row['id']}").json()["expires_on"], row["expires_on"]
        )

    def test_certbot_runs_once_at_a_time(self) -> None:
        thread, statuses = self.order_in_background("first.example")

        answer = self.order("second.example")

        self.assert_error(answer, 500, "Internal Error")
        self.assertEqual(
            answer.json()["debug"]["stack"], ["Error: Another instance of Certbot is already running.", ""]
        )
        self.assertEqual(self.call("GET", "/nginx/certificates?query=second.example").json(), [])
        thread.join()
        self.assertEqual(statuses, [201])

    def test_a_certificate_deleted_meanwhile_is_not_issued(self) -> None:
        thread, statuses = self.order_in_background("dropped.example")
        id = self.call("GET", "/nginx/certificates?query=dropped.example").json()[0]["id"]

        self.assertIs(self.call("DELETE", f"/nginx/certificates/{id}").json(), True)

        thread.join()
        self.assertEqual(statuses, [500])


class NewCertificateWithHostTests(NpmCase):
    """certificate_id "new" inside a host's call."""

    def test_on_create_the_tls_flags_are_lost(self) -> None:
        self.point_here("lost-flags.example")

        body = self.create(
            "lost-flags.example", certificate_id="new", ssl_forced=True, http2_support=True
        ).json()

        self.assertGreater(body["certificate_id"], 1)
        self.assertIs(body["ssl_forced"], False)
        self.assertIs(body["http2_support"], False)
        self.assertIs(body["meta"]["nginx_online"], True)

    def test_a_failure_leaves_the_row_and_a_put_repairs_it(self) -> None:
        self.assert_error(
            self.create("left.example", certificate_id="new", ssl_forced=True), 500, "Internal Error"
        )
        row = self.call("GET", "/nginx/proxy-hosts?query=left.example").json()[0]
        self.assertEqual((row["enabled"], row["certificate_id"], row["meta"]), (True, 0, {}))
        self.assert_error(self.create("left.example"), 400, "left.example is already in use")

        self.point_here("left.example")
        fields = {"certificate_id": "new", "ssl_forced": True, "http2_support": True}
        body = self.call("PUT", f"/nginx/proxy-hosts/{row['id']}", fields).json()

        self.assertIs(body["ssl_forced"], True)
        self.assertIs(body["http2_support"], True)
        self.assertEqual(body["certificate"]["domain_names"], ["left.example"])

    def test_a_failed_put_changes_nothing(self) -> None:
        id = self.host("kept.example")
        before = self.get(id)

        answer = self.call("PUT", f"/nginx/proxy-hosts/{id}", {"certificate_id": "new", "ssl_forced": True})

        self.assert_error(answer, 500, "Internal Error")
        self.assertEqual(self.get(id), before)
        self.assertEqual(self.lab.npm.state.nginx.route("kept.example")["forward_port"], 80)
