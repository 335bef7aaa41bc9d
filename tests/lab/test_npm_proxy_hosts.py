"""NPM's proxy hosts: what is accepted, how it comes back, and what refuses it."""

import requests

from tests.lab.npm_case import LAN_HOST, NpmCase

# As recorded; the schema's backslash is doubled.
DOMAIN_PATTERN = '"^[^&| @!#%^();:/\\\\}{=+?<>,~`\'"]+$"'


class CreateProxyHostTests(NpmCase):
    def test_a_minimal_host_comes_back_with_every_field(self) -> None:
        body = self.create("minimal.example.net").json()

        self.assertEqual(body["domain_names"], ["minimal.example.net"])
        self.assertEqual(body["meta"], {})
        self.assertIs(body["enabled"], True)
        self.assertIsNone(body["locations"])
        self.assertIsNone(body["certificate"])
        self.assertIsNone(body["access_list"])
        self.assertEqual(body["owner"]["id"], body["owner_user_id"])
        self.assertRegex(body["created_on"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")

    def test_whether_nginx_took_it_is_seen_only_afterwards(self) -> None:
        created = self.create("online.example.net", meta={"service": "7"}).json()

        self.assertEqual(created["meta"], {"service": "7"})
        meta = self.get(created["id"])["meta"]
        self.assertEqual(meta, {"service": "7", "nginx_online": True, "nginx_err": None})

    def test_numbers_and_switches_are_coerced(self) -> None:
        body = self.create(
            "coerced.example.net",
            forward_port="8080",
            block_exploits=1,
            allow_websocket_upgrade=0,
            certificate_id=None,
        ).json()

        self.assertEqual(body["forward_port"], 8080)
        self.assertIs(body["block_exploits"], True)
        self.assertIs(body["allow_websocket_upgrade"], False)
        self.assertEqual(body["certificate_id"], 0)

    def test_tls_flags_fall_without_a_certificate(self) -> None:
        flags = dict.fromkeys(("ssl_forced", "http2_support", "hsts_enabled", "hsts_subdomains"), True)

        bare = self.create("bare.example.net", **flags).json()
        covered = self.create("covered.nodepoint.eu", certificate_id=1, **flags).json()

        self.assertEqual({name: bare[name] for name in flags}, dict.fromkeys(flags, False))
        self.assertEqual({name: covered[name] for name in flags}, flags)
        self.assertEqual(covered["certificate"]["nice_name"], "*.nodepoint.eu, nodepoint.eu")

    def test_names_are_kept_as_sent_and_sorted(self) -> None:
        body = self.create("www.Sorted.example.net", "Sorted.example.net").json()

        self.assertEqual(body["domain_names"], ["Sorted.example.net", "www.Sorted.example.net"])

    def test_an_unknown_certificate_is_accepted(self) -> None:
        body = self.create("unknown-cert.example.net", certificate_id=9999, ssl_forced=True).json()

        self.assertEqual(
            (body["certificate_id"], body["ssl_forced"], body["certificate"]), (9999, True, None)
        )

    def test_wildcards_underscores_and_unicode_pass(self) -> None:
        for name in ("*.wild.example.net", "under_score.example.net", "bücher.example.net"):
            with self.subTest(name=name):
                self.assertEqual(self.create(name).json()["domain_names"], [name])

    def test_a_taken_name_is_refused_in_any_case_and_state(self) -> None:
        id = self.host("taken.example.net", "www.taken.example.net")
        self.call("POST", f"/nginx/proxy-hosts/{id}/disable")

        self.assert_error(self.create("TAKEN.example.net"), 400, "TAKEN.example.net is already in use")
        self.assert_error(
            self.create("new.example.net", "www.taken.example.net"),
            400,
            "www.taken.example.net is already in use",
        )
        self.assertEqual(self.create("ken.example.net").status_code, 201)

    def test_a_redirection_or_404_host_takes_a_name_that_no_list_of_proxy_hosts_shows(self) -> None:
        """backend/internal/host.js, isHostnameTaken: three tables are asked."""
        self.lab.npm.state.other_names.add("moved.example.net")
        self.assert_error(self.create("Moved.example.net"), 400, "Moved.example.net is already in use")
        self.assertNotIn("moved", self.call("GET", "/nginx/proxy-hosts").text.lower())

    def test_refusals_of_the_schema(self) -> None:
        for fields, message in (
            ({"domain_names": []}, "data/domain_names must NOT have fewer than 1 items"),
            (
                {"domain_names": ["d.example.net", "d.example.net"]},
                "data/domain_names must NOT have duplicate items (items ## 1 and 0 are identical)",
            ),
            ({"domain_names": ["a b"]}, f"data/domain_names/0 must match pattern {DOMAIN_PATTERN}"),
            ({"domain_names": ["https://a/"]}, f"data/domain_names/0 must match pattern {DOMAIN_PATTERN}"),
            ({"forward_port": 0}, "data/forward_port must be >= 1"),
            ({"forward_port": 70000}, "data/forward_port must be <= 65535"),
            ({"forward_port": "http"}, "data/forward_port must be integer"),
            ({"forward_scheme": "ftp"}, "data/forward_scheme must be equal to one of the allowed values"),
            ({"forward_host": ""}, "data/forward_host must NOT have fewer than 1 characters"),
            ({"ssl": True}, "data must NOT have additional properties"),
        ):
            with self.subTest(message=message):
                body = {"domain_names": ["s.example.net"], **LAN_HOST, **fields}
                answer = self.call("POST", "/nginx/proxy-hosts", body)
                self.assert_error(answer, 400, message)

    def test_every_missing_field_is_named(self) -> None:
        answer = self.call("POST", "/nginx/proxy-hosts", {"domain_names": ["m.example.net"]})

        missing = ("forward_scheme", "forward_host", "forward_port")
        self.assert_error(
            answer, 400, ", ".join(f"data must have required property '{name}'" for name in missing)
        )

    def test_broken_json_is_an_internal_error_of_status_400(self) -> None:
        answer = self.session.post(f"{self.api}/nginx/proxy-hosts", data='{"domain_names": [', timeout=5)

        self.assert_error(answer, 400, "Internal Error")


class ReadProxyHostTests(NpmCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        case = cls()
        cls.beta = case.host("beta.example.net", "www.beta.example.net", certificate_id=1)
        cls.alpha = case.host("alpha.example.net")

    def found(self, query: str) -> list[int]:
        return [row["id"] for row in self.call("GET", f"/nginx/proxy-hosts?query={query}").json()]

    def test_the_list_is_sorted_by_name_and_never_paged(self) -> None:
        rows = self.call("GET", "/nginx/proxy-hosts?limit=1&offset=1").json()

        self.assertEqual([row["id"] for row in rows], [self.alpha, self.beta])
        self.assertNotIn("owner", rows[0])

    def test_a_query_finds_parts_of_the_json_text(self) -> None:
        self.assertEqual(self.found("pha.example"), [self.alpha])
        self.assertEqual(self.found("%22alpha.example.net%22"), [self.alpha])
        self.assertEqual(self.found("%22pha.example.net%22"), [])
        self.assertEqual(self.found("ALPHA.EXAMPLE.NET"), [self.alpha])
        self.assertEqual(self.found("alpha_example"), [self.alpha])
        self.assertEqual(self.found("nothing.invalid"), [])

    def test_expansions(self) -> None:
        row = self.get(self.beta, "?expand=owner,certificate,access_list")

        self.assertEqual(row["certificate"]["meta"], {})
        self.assertIs(row["certificate"]["is_deleted"], False)
        self.assertIsNone(row["access_list"])
        self.assert_error(
            self.call("GET", f"/nginx/proxy-hosts/{self.beta}?expand=foo"), 500, "Internal Error"
        )

    def test_unknown_and_impossible_ids(self) -> None:
        self.assert_error(self.call("GET", "/nginx/proxy-hosts/99999"), 404, "Not Found - 99999")
        for id in ("abc", "0"):
            self.assert_error(self.call("GET", f"/nginx/proxy-hosts/{id}"), 400, "Internal Error")

    def test_a_trailing_slash_makes_no_difference(self) -> None:
        self.assertEqual(len(self.call("GET", "/nginx/proxy-hosts/").json()), 2)

    def test_the_report_counts_hosts(self) -> None:
        self.assertEqual(self.call("GET", "/reports/hosts").json()["proxy"], 2)


class ChangeProxyHostTests(NpmCase):
    def put(self, id: int, /, **fields: object) -> requests.Response:
        return self.call("PUT", f"/nginx/proxy-hosts/{id}", fields)

    def test_one_field_may_be_changed_and_meta_is_fresh(self) -> None:
        id = self.host("one.example.net")

        body = self.put(id, forward_host="192.168.1.101").json()

        self.assertEqual(body["forward_host"], "192.168.1.101")
        self.assertIs(body["meta"]["nginx_online"], True)
        self.assertEqual(body["owner"]["id"], 1)

    def test_meta_is_replaced_as_a_whole(self) -> None:
        id = self.host("meta.example.net", meta={"a": 1})

        self.assertEqual(
            self.put(id, meta={"b": 2}).json()["meta"], {"b": 2, "nginx_online": True, "nginx_err": None}
        )

    def test_refused_changes(self) -> None:
        id, _ = self.host("mine.example.net"), self.host("yours.example.net")
        self.assert_error(
            self.put(id, domain_names=["yours.example.net"]), 400, "yours.example.net is already in use"
        )
        self.assert_error(self.put(id), 400, "data must NOT have fewer than 1 properties")
        more = "data must NOT have additional properties"
        self.assert_error(self.put(id, id=1, created_on="x", forward_port=80), 400, f"{more}, {more}")
        self.assert_error(self.put(99999, forward_port=80), 404, "Not Found - 99999")
        self.assertEqual(self.put(id, domain_names=["mine.example.net"]).status_code, 200)

    def test_enable_and_disable_refuse_a_repeat(self) -> None:
        id = self.host("toggled.example.net")
        path = f"/nginx/proxy-hosts/{id}"

        self.assert_error(self.call("POST", f"{path}/enable"), 400, "Host is already enabled")
        self.assertIs(self.call("POST", f"{path}/disable").json(), True)
        self.assert_error(self.call("POST", f"{path}/disable"), 400, "Host is already disabled")
        self.assertIs(self.put(id, forward_port=8081).json()["enabled"], False)
        self.assertIs(self.call("POST", f"{path}/enable").json(), True)
        self.assert_error(self.call("POST", "/nginx/proxy-hosts/99999/enable"), 404, "Not Found - 99999")
        self.assert_error(self.call("POST", "/nginx/proxy-hosts/abc/disable"), 404, "Not Found")

    def test_delete_frees_the_name_and_never_the_id(self) -> None:
        id = self.host("gone.example.net")

        self.assertIs(self.call("DELETE", f"/nginx/proxy-hosts/{id}").json(), True)
        for method, path in (("DELETE", ""), ("GET", ""), ("POST", "/enable")):
            self.assert_error(self.call(method, f"/nginx/proxy-hosts/{id}{path}"), 404, f"Not Found - {id}")
        self.assertGreater(self.host("gone.example.net"), id)
