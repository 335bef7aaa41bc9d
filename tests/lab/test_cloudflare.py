"""Cloudflare's DNS records: envelope, filters, errors with their codes, rate limit, batch."""

import re
import unittest
from typing import Any

import requests

import lab

A = {"type": "A", "content": "203.0.113.10", "ttl": 300, "proxied": False, "comment": "nodepoint:1"}


class CloudflareCase(unittest.TestCase):
    """One lab per class."""

    lab: lab.Lab

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.lab = lab.start()
        cls.addClassCleanup(cls.lab.stop)
        settings = cls.lab.settings
        cls.base = settings["CLOUDFLARE_API_URL"]
        cls.zone = f"/zones/{settings['CLOUDFLARE_ZONE_ID']}"
        cls.records = f"{cls.zone}/dns_records"
        cls.session = requests.Session()
        cls.addClassCleanup(cls.session.close)
        cls.session.headers["Authorization"] = f"Bearer {settings['CLOUDFLARE_API_TOKEN']}"

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, self.base + path, json=body, timeout=5)

    def create(self, name: str, /, **fields: Any) -> requests.Response:
        return self.call("POST", self.records, A | {"name": name} | fields)

    def record(self, name: str, /, **fields: Any) -> dict[str, Any]:
        answer = self.create(name, **fields)
        self.assertEqual(answer.status_code, 200, answer.text)
        return dict(answer.json()["result"])

    def found(self, query: str) -> list[str]:
        return [row["name"] for row in self.call("GET", f"{self.records}?{query}").json()["result"]]

    def assert_refused(
        self, answer: requests.Response, status: int, code: int, chain: int | None = None
    ) -> None:
        body = answer.json()
        self.assertEqual((answer.status_code, body["success"], body["result"]), (status, False, None))
        error = body["errors"][0]
        self.assertEqual(error["code"], code)
        self.assertEqual(error["error_chain"][0]["code"] if "error_chain" in error else None, chain)


class AccessTests(CloudflareCase):
    def ask(self, authorization: str | None) -> requests.Response:
        headers = {"Authorization": authorization} if authorization else {}
        return requests.get(self.base + self.records, headers=headers, timeout=5)

    def test_the_token_can_be_verified(self) -> None:
        body = self.call("GET", "/user/tokens/verify").json()

        self.assertEqual((body["success"], body["result"]["status"]), (True, "active"))

    def test_wrong_and_malformed_tokens(self) -> None:
        self.assert_refused(self.ask("Bearer " + "x" * 40), 403, 10000)
        for header in (None, "Bearer ", "Bearer two words", "Basic YTpi"):
            with self.subTest(header=header):
                self.assert_refused(self.ask(header), 400, 6003, chain=6111)

    def test_the_zone_is_found_by_name_and_by_id(self) -> None:
        listed = self.call("GET", "/zones?name=nodepoint.eu").json()["result"]
        shown = self.call("GET", self.zone).json()["result"]

        self.assertEqual(listed, [shown])
        self.assertRegex(shown["id"], r"^[0-9a-f]{32}$")
        self.assertEqual((shown["name"], shown["status"]), ("nodepoint.eu", "active"))
        self.assertEqual(self.call("GET", "/zones?name=example.com").json()["result"], [])

    def test_a_zone_name_is_no_id_and_a_foreign_zone_is_refused(self) -> None:
        answer = self.call("GET", "/zones/nodepoint.eu/dns_records")

        self.assert_refused(answer, 400, 7003)
        self.assertIn("/client/v4/zones/nodepoint.eu/dns_records", answer.json()["errors"][0]["message"])
        self.assert_refused(self.call("GET", f"/zones/{'0' * 32}/dns_records"), 403, 10000)

    def test_faults_take_cloudflares_own_forms(self) -> None:
        self.lab.faults.add("cloudflare", "refuse", match="POST")
        self.assert_refused(self.create("refused"), 403, 10000)
        self.lab.faults.add("cloudflare", "error")
        self.assertEqual(self.create("failed").status_code, 500)
        self.lab.faults.add("cloudflare", "drop_after")
        with self.assertRaises(requests.ConnectionError):
            self.create("lost")

        self.assertEqual(self.found("name.contains=.nodepoint.eu"), ["lost.nodepoint.eu"])


class RecordTests(CloudflareCase):
    def test_a_record_comes_back_complete(self) -> None:
        record = self.record("Complete.nodepoint.eu")

        self.assertEqual(record["name"], "complete.nodepoint.eu")
        self.assertEqual({name: record[name] for name in A}, A)
        self.assertTrue(re.fullmatch("[0-9a-f]{32}", record["id"]))
        self.assertEqual(self.call("GET", f"{self.records}/{record['id']}").json()["result"], record)

    def test_a_name_outside_the_zone_gets_the_zone_appended(self) -> None:
        self.assertEqual(self.record("mail.other.example")["name"], "mail.other.example.nodepoint.eu")
        self.assertEqual(self.record("@")["name"], "nodepoint.eu")

    def test_repeats(self) -> None:
        self.record("twice")

        self.assert_refused(self.create("twice"), 400, 81058)
        self.assert_refused(self.create("twice", ttl=600), 400, 81057)
        self.assertEqual(self.record("twice", content="198.51.100.7")["content"], "198.51.100.7")
        self.assertEqual(len(self.found("name.exact=twice.nodepoint.eu")), 2)

    def test_a_cname_stands_alone(self) -> None:
        self.record("alias", type="CNAME", content="target.example")
        self.record("plain")

        self.assert_refused(self.create("alias"), 400, 81053)
        self.assert_refused(self.create("plain", type="CNAME", content="target.example"), 400, 81053)
        self.assert_refused(self.create("alias", type="TXT", content="text"), 400, 81054)

    def test_refused_fields(self) -> None:
        for fields, code, chain in (
            ({"content": "not-an-ip"}, 9005, None),
            ({"type": "AAAA"}, 9006, None),
            ({"ttl": 30}, 9021, None),
            ({"ttl": 86401}, 9021, None),
            ({"comment": "x" * 101}, 9313, None),
            ({"tags": ["owner:nodepoint"]}, 1004, 9300),
            ({"type": "LOC"}, 1004, 9004),
            ({"content": None}, 1004, 9002),
            ({"name": "two words"}, 1004, 9000),
            ({"type": "TXT", "content": "x", "proxied": True}, 9041, None),
            ({"type": "MX", "content": "mail.example"}, 1004, 9100),
        ):
            with self.subTest(fields=fields):
                self.assert_refused(self.create("refused", **fields), 400, code, chain)
        self.assertEqual(self.found("name.exact=refused.nodepoint.eu"), [])

    def test_a_body_that_is_no_object(self) -> None:
        self.assert_refused(self.call("POST", self.records, ["A"]), 400, 9207)

    def test_patch_keeps_and_put_forgets_what_is_not_given(self) -> None:
        id = self.record("changed", ttl=600)["id"]

        patched = self.call("PATCH", f"{self.records}/{id}", {"content": "203.0.113.20"}).json()["result"]
        self.assertEqual((patched["content"], patched["ttl"]), ("203.0.113.20", 600))
        self.assertEqual(patched["comment"], "nodepoint:1")
        whole = {"type": "A", "name": "changed.nodepoint.eu", "content": "203.0.113.21"}
        put = self.call("PUT", f"{self.records}/{id}", whole).json()["result"]
        self.assertEqual((put["content"], put["ttl"], put["comment"]), ("203.0.113.21", 1, None))
        self.assertEqual(put["id"], id)

    def test_a_change_that_repeats_another_record_is_refused(self) -> None:
        self.record("pair")
        second = self.record("pair", content="198.51.100.7")

        answer = self.call("PATCH", f"{self.records}/{second['id']}", {"content": A["content"]})

        self.assert_refused(answer, 400, 81058)
        self.assertEqual(self.call("GET", f"{self.records}/{second['id']}").json()["result"], second)

    def test_deleting(self) -> None:
        id = self.record("deleted")["id"]

        self.assertEqual(self.call("DELETE", f"{self.records}/{id}").json()["result"], {"id": id})
        for method in ("DELETE", "GET"):
            self.assert_refused(self.call(method, f"{self.records}/{id}"), 404, 81044)
        self.assert_refused(self.call("PATCH", f"{self.records}/{id}", {"ttl": 60}), 404, 81044)

    def test_a_proxied_record_has_an_automatic_ttl_and_hides_the_address(self) -> None:
        self.assertEqual(self.record("hidden", proxied=True)["ttl"], 1)

        self.assertNotIn("203.0.113.10", self.lab.dns.resolve("hidden.nodepoint.eu", "A"))

    def test_public_dns_follows_the_records(self) -> None:
        id = self.record("live")["id"]
        self.assertEqual(self.lab.dns.resolve("live.nodepoint.eu", "A"), ["203.0.113.10"])

        self.call("DELETE", f"{self.records}/{id}")

        self.assertEqual(self.lab.dns.resolve("live.nodepoint.eu", "A"), [])


class ListTests(CloudflareCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        case = cls()
        case.record("one", comment="nodepoint:1")
        case.record("two", comment="nodepoint:2")
        case.record("two", type="TXT", content="hello", comment="")

    def test_filters(self) -> None:
        one, two = "one.nodepoint.eu", "two.nodepoint.eu"
        for query, names in (
            ("type=A", [one, two]),
            ("name.exact=TWO.nodepoint.eu", [two, two]),
            ("type=A&name.exact=two.nodepoint.eu&match=all", [two]),
            ("type=TXT&name.exact=one.nodepoint.eu&match=any", [one, two]),
            ("name=one.nodepoint.eu", [one]),
            ("name.startswith=tw", [two, two]),
            ("content.exact=203.0.113.10", [one, two]),
            ("comment.startswith=nodepoint:", [one, two]),
            ("comment.absent=true", [two]),
            ("comment.exact=nodepoint:2", [two]),
            ("order=name&direction=desc", [two, two, one]),
            ("name.exact=none.nodepoint.eu", []),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.found(query), names)

    def test_pages(self) -> None:
        body = self.call("GET", f"{self.records}?page=2&per_page=2").json()

        self.assertEqual(len(body["result"]), 1)
        self.assertEqual(
            body["result_info"], {"page": 2, "per_page": 2, "count": 1, "total_count": 3, "total_pages": 2}
        )


class LimitTests(CloudflareCase):
    def test_every_answer_tells_what_is_left(self) -> None:
        header = self.call("GET", self.records).headers["Ratelimit"]

        self.assertRegex(header, r'^"default";r=\d+;t=\d+$')

    def test_beyond_the_limit_everything_is_refused_for_a_while(self) -> None:
        limit = self.lab.cloudflare.rate_limit
        self.addCleanup(setattr, limit, "quota", limit.quota)
        limit.quota = 0

        answer = self.call("GET", self.records)

        self.assertEqual(answer.status_code, 429)
        self.assertIn("More than 0 requests per 300 seconds reached", answer.json()["errors"][0]["message"])
        self.assertGreater(int(answer.headers["retry-after"]), 0)

    def test_a_full_zone_takes_no_more(self) -> None:
        zone = self.lab.cloudflare.state
        self.addCleanup(setattr, zone, "record_quota", zone.record_quota)
        zone.record_quota = len(zone.records())

        self.assert_refused(self.create("too-many"), 400, 81045)


class BatchTests(CloudflareCase):
    def test_all_changes_are_made(self) -> None:
        old, kept = self.record("old"), self.record("kept")
        changes = {
            "deletes": [{"id": old["id"]}],
            "patches": [{"id": kept["id"], "content": "203.0.113.20"}],
            "posts": [A | {"name": "new"}],
        }

        result = self.call("POST", f"{self.records}/batch", changes).json()["result"]

        self.assertEqual([row["name"] for row in result["posts"]], ["new.nodepoint.eu"])
        self.assertEqual(result["puts"], [])
        self.assertEqual(self.found("name.exact=old.nodepoint.eu"), [])
        self.assertEqual(self.lab.dns.resolve("kept.nodepoint.eu", "A"), ["203.0.113.20"])

    def test_one_failure_undoes_the_whole(self) -> None:
        first = self.record("first")
        before = self.call("GET", f"{self.records}?order=name").json()["result"]
        changes = {
            "deletes": [{"id": first["id"]}],
            "posts": [A | {"name": "second"}, A | {"name": "third", "content": "no"}],
        }

        self.assert_refused(self.call("POST", f"{self.records}/batch", changes), 400, 9005)

        self.assertEqual(self.call("GET", f"{self.records}?order=name").json()["result"], before)
        self.assertEqual(self.lab.dns.resolve("first.nodepoint.eu", "A"), ["203.0.113.10"])
        self.assertEqual(self.lab.dns.resolve("second.nodepoint.eu", "A"), [])
