"""Callers that send no Accept header look at the first word of a text."""

from tests.dns.base import DnsTestCase


class PlainTextTests(DnsTestCase):
    def plain(self, path: str, **body):
        answer = self.call(path, accept=None, **body)
        self.assertEqual(answer["Content-Type"], "text/plain; charset=utf-8")
        self.assertNotIn("\n", answer.content.decode())
        return answer.status_code, answer.content.decode()

    def test_every_writing_call(self) -> None:
        self.delegate("example.com")
        self.assertEqual(self.plain("add/zone", domain="example.com"), (200, "Success"))
        id = self.zone("example.com")["id"]
        a = {"zone_id": id, "type": "a", "name": "x", "ttl": 60, "ip": "192.0.2.1"}
        self.assertEqual(self.plain("add/record", **a), (200, "Success"))
        rc_id = next(r["id"] for r in self.zone("example.com")["records"].values() if r["name"][0] == "x")
        self.assertEqual(self.plain("update/record", **{**a, "ttl": 90, "rc_id": rc_id}), (200, "Success"))
        self.assertEqual(self.plain("delete/record", zone_id=id, rc_id=rc_id), (200, "Success"))
        self.assertEqual(self.plain("delete/zone", domain="example.com"), (200, "Success"))

    def test_refusals_are_the_sentence_with_the_same_status(self) -> None:
        self.assertEqual(self.plain("delete/zone", domain="example.com"), (404, "There is no such zone."))
        status, sentence = self.plain("add/zone", domain="example.com")
        self.assertEqual(status, 400)
        self.assertIn("Please set ns1.nodepoint.eu, ns2.nodepoint.eu", sentence)
        status, sentence = self.plain("add/record", type="a")
        self.assertEqual((status, sentence[:10]), (400, "The field "))

    def test_work_that_goes_on_is_a_success_too(self) -> None:
        self.delegate("example.com")
        answer = self.post(
            "/customdomain/add/zone", {"user_id": 42, "domain": "example.com"}, Prefer="wait=0"
        )
        self.assertTrue(answer.content.startswith(b"Success"), answer.content)

    def test_without_a_token(self) -> None:
        body = {"user_id": 42, "domain": "example.com"}
        answer = self.client.post("/customdomain/add/zone", body, content_type="application/json")
        self.assertEqual((answer.status_code, answer["Content-Type"]), (401, "text/plain; charset=utf-8"))
        answer = self.client.post(
            "/customdomain/add/zone", body, content_type="application/json", headers={"Accept": "*/*"}
        )
        self.assertEqual((answer.status_code, answer.json()["code"]), (401, "unauthorized"))

    def test_both_slashes_and_forms(self) -> None:
        answer = self.client.post(
            "/customdomain/delete/zone/", {"user_id": "42", "domain": "example.com"}, headers=self.headers()
        )
        self.assertEqual(answer.status_code, 415)
        answer = self.client.post(
            "/customdomain/delete/zone/",
            "user_id=42&domain=example.com",
            content_type="application/x-www-form-urlencoded",
            headers=self.headers(),
        )
        self.assertEqual((answer.status_code, answer.content), (404, b"There is no such zone."))
