"""What is no good order: a clear 4xx in the form of all errors; nothing written, nothing started."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_q.models import OrmQ

from nodepoint.api.models import KeptAnswer, Token
from nodepoint.jobs.models import Job, JobStep
from sites.models import Site
from tests.sites.base import ORDER, SiteTestCase

MISSING = object()
LONG = "x" * 65

SERVICE_IDS = [
    MISSING, None, "", " ", "a b", "-x", LONG, "ä", "a/b", "a.b", "a\nb", "1001 ", " 1001", "1001\n",
    1.5, -1, True, False, [], ["1001"], {}, {"id": 1}, 10**70, "٣", "a\u200bb", "'; DROP TABLE x; --",
]  # fmt: skip
EMAILS = [
    MISSING, None, "", " ", "nope", "a@", "@b.eu", "a@b", "a@@b.eu", "a b@x.eu", "a@x.eu, b@y.eu",
    "a@x.eu;b@y.eu", "a@x.eu\nBcc: b@y.eu", "a@x.eu\r\n", " a@x.eu", "a@x.eu ", '"a b"@x.eu', "<a@x.eu>",
    "Jane <a@x.eu>",
    "ü@x.eu", "a@" + "b" * 250 + ".eu", 5, True, [], ["a@x.eu"], {},
]  # fmt: skip
PLANS = [
    MISSING,
    None,
    "",
    " ",
    "gigantic",
    "basic\n\nx",
    LONG,
    5,
    True,
    [],
    ["basic"],
    {},
    "basic' OR '1'='1",
]
PUBLIC_IPS = [
    MISSING, None, "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "2001:db8::1", "::ffff:1.2.3.4", "01.2.3.4",
    "1.2.3.4/24", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "example.com", "0x7f.1", 3405803786, True, [], {},
]  # fmt: skip
BAD_FIELDS = {"service_id": SERVICE_IDS, "email": EMAILS, "plan": PLANS, "public_ip": PUBLIC_IPS}

BAD_BODIES = {
    b"": 400, b"{": 400, b"[]": 400, b'"x"': 400, b"null": 400, b"5": 400, b"\xff\xfe": 400, b"<xml/>": 400,
    b'{"service_id": NaN}': 400, b'{"service_id": 1e999}': 400, b'{"service_id": "a\\u0000b"}': 400,
    b'{"email": "\\ud800@x.eu"}': 400, b"[" * 5000: 400, b'{"a":' * 200 + b"1" + b"}" * 200: 400,
    json.dumps({**ORDER, "filler": "x" * 66_000}).encode(): 413,
}  # fmt: skip


class BadInputCase(SiteTestCase):
    def rows(self) -> dict[str, int]:
        """How many rows there are of all that an order writes."""
        return {model.__name__: model.objects.count() for model in (Site, Job, JobStep, OrmQ, KeptAnswer)}

    def assert_refused(self, answer: Any, status: int, field: str = "") -> None:
        """An error in the contract's form that says which field is wrong."""
        self.assertEqual(answer.status_code, status, answer.content)
        body = answer.json()
        self.assertEqual((answer["Content-Type"], body["success"]), ("application/json", False))
        self.assertTrue(body["error"] and body["code"] and body["request_id"])
        self.assertNotIn("Traceback", body["error"])
        if field:
            self.assertIn(field, body["fields"])
            self.assertTrue(all(isinstance(text, str) and text for text in body["fields"][field]))

    def assert_nothing_happened(self, before: dict[str, int]) -> None:
        self.assertEqual(self.rows(), before)
        self.assertEqual(self.calls, [])


class BadFieldTests(BadInputCase):
    def test_each_bad_value_of_each_field_of_an_order(self):
        before = self.rows()
        for field, values in BAD_FIELDS.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    body = {**ORDER, field: value}
                    if value is MISSING:
                        del body[field]
                    self.assert_refused(self.post("/create-site", body), 400, field)
        self.assert_nothing_happened(before)

    def test_all_fields_at_once_are_all_named(self):
        answer = self.post("/create-site", {})
        self.assert_refused(answer, 400)
        self.assertEqual(set(answer.json()["fields"]), set(BAD_FIELDS))

    def test_bad_service_ids_of_a_deletion(self):
        before = self.rows()
        for value in SERVICE_IDS:
            with self.subTest(value=value):
                body = {} if value is MISSING else {"service_id": value}
                self.assert_refused(self.post("/delete-site", body), 400, "service_id")
        self.assert_nothing_happened(before)

    def test_bad_service_ids_of_a_status(self):
        for value in SERVICE_IDS:
            if isinstance(value, str) or value is MISSING:
                with self.subTest(value=value):
                    query = {} if value is MISSING else {"service_id": value}
                    answer = self.client.get("/status", query, headers=self.headers())
                    self.assert_refused(answer, 400, "service_id")
        self.assertEqual(self.calls, [])

    def test_good_ones_at_the_edge_and_unknown_fields(self):
        good = {
            "service_id": ["x" * 64, "_", "a-", "00", 0, 10**63],
            "email": ["a@x.eu", "a" * 60 + "@" + ".".join(["b" * 40] * 4) + ".eu", "o'neil+x@x.eu"],
            "plan": ["Basic", " basic "],
            "public_ip": ["198.51.100.1"],
        }
        number = 0
        for field, values in good.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    number += 1
                    body = {**ORDER, "service_id": f"edge{number}", field: value, "unknown": {"deep": []}}
                    self.assertEqual(self.post("/create-site", body).status_code, 200)


class BadRequestTests(BadInputCase):
    def send(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Any:
        return self.client.generic("POST", path, body, kind, headers={**self.headers(), **headers})

    def test_bodies_that_are_no_json_object(self):
        before = self.rows()
        for path in ("/create-site", "/delete-site/"):
            for body, status in BAD_BODIES.items():
                with self.subTest(path=path, body=body[:40]):
                    self.assert_refused(self.send(path, body), status)
        self.assert_nothing_happened(before)

    def test_other_kinds_of_body(self):
        before = self.rows()
        for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml", "nonsense"):
            with self.subTest(kind=kind):
                self.assert_refused(self.send("/create-site", json.dumps(ORDER).encode(), kind), 415)
        self.assert_nothing_happened(before)

    def test_bad_idempotency_keys(self):
        before = self.rows()
        for key in ("", "x" * 256, "ä"):
            with self.subTest(key=key):
                self.assert_refused(self.post("/create-site", ORDER, **{"Idempotency-Key": key}), 400)
        self.assert_nothing_happened(before)

    def test_a_refused_order_leaves_no_key(self):
        self.post("/create-site", {**ORDER, "plan": "gigantic"}, **{"Idempotency-Key": "k"})
        self.assertEqual(self.post("/create-site", ORDER, **{"Idempotency-Key": "k"}).status_code, 200)

    def test_methods(self):
        before = self.rows()
        for method, path in (
            ("GET", "/create-site"),
            ("PUT", "/create-site"),
            ("DELETE", "/delete-site"),
            ("GET", "/delete-site/"),
            ("POST", "/status"),
            ("PATCH", "/status/"),
        ):
            with self.subTest(method=method, path=path):
                answer = self.client.generic(method, path, json.dumps(ORDER), headers=self.headers())
                self.assert_refused(answer, 405)
        self.assert_nothing_happened(before)


class BadTokenTests(BadInputCase):
    PATHS = (("POST", "/create-site"), ("POST", "/delete-site"), ("GET", "/status"))

    def assert_all_refused(self, status: int, headers: dict[str, str]) -> None:
        before = self.rows()
        for method, path in self.PATHS:
            with self.subTest(path=path):
                body = json.dumps(ORDER)
                answer = self.client.generic(method, path, body, "application/json", headers=headers)
                self.assert_refused(answer, status)
                if status == 401:
                    self.assertEqual(answer["WWW-Authenticate"], "Bearer")
        self.assert_nothing_happened(before)

    def test_missing_malformed_and_unknown(self):
        self.assert_all_refused(401, {})
        for value in ("", "Bearer", "Bearer  ", f"Basic {self.secret}", self.secret, "Bearer " + "x" * 5000):
            self.assert_all_refused(401, {"Authorization": value})

    def test_expired_and_revoked(self):
        for change in (
            {"expires_at": timezone.now() - timedelta(seconds=1)},
            {"revoked_at": timezone.now(), "expires_at": None},
        ):
            Token.objects.update(**change)
            self.assert_all_refused(401, self.headers())

    def test_another_scope(self):
        _, secret = Token.issue("dns only", ["dns", "support", "metrics"])
        self.assert_all_refused(403, {"Authorization": f"Bearer {secret}"})
