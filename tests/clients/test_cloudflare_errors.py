"""What Cloudflare says, by a double: for the answers that the simulated one has no reason to give."""

import unittest

from nodepoint.clients.errors import BadAnswer, Busy, ClientError, Conflict, NotFound, Refused
from sites.clients.cloudflare import Cloudflare
from tests.clients.double import Request, double

ROW = {"id": "ab" * 16, "type": "A", "name": "a.nodepoint.eu", "content": "203.0.113.10", "ttl": 300}

# Status, code, text, error: codes seen in answers, there is no published list.
ANSWERS = (
    (400, 81058, "An identical record already exists.", Conflict),
    (400, 81057, "The record already exists.", Conflict),
    (400, 81053, "An A, AAAA, or CNAME record with that host already exists.", Conflict),
    (404, 81044, "Record does not exist.", NotFound),
    (400, 81045, "Record quota exceeded.", Refused),
    (400, 9005, "Content for A record must be a valid IPv4 address.", Refused),
    (400, 9021, "Invalid TTL.", Refused),
    (400, 6003, "Invalid request headers", Refused),
    (403, 10000, "Authentication error", Refused),
    (404, 7003, "Could not route to /zones/x, perhaps your object identifier is invalid?", Refused),
    (400, 7003, "Could not route to /zones/x, perhaps your object identifier is invalid?", Refused),
    (200, 10000, "Authentication error", Refused),
    (500, 1000, "Internal error", BadAnswer),
    (200, 1000, "not a success", BadAnswer),
)


class Base(unittest.TestCase):
    def client(self, answer, timeout: float = 5.0) -> Cloudflare:
        """A client of a double that answers with `answer`; the double is `self.server`."""
        self.server = self.enterContext(double(answer))
        return Cloudflare(f"{self.server.url}/client/v4", "cf-token-0a1b2c", "cd" * 16, timeout)

    def failure(self, call, answer) -> ClientError:
        """The error that `call` ends with when this is the answer."""
        with self.assertRaises(ClientError) as caught:
            call(self.client(answer))
        return caught.exception


class MappingTests(Base):
    def test_every_known_code_has_its_error(self) -> None:
        for status, code, text, kind in ANSWERS:
            body = {"success": False, "errors": [{"code": code, "message": text}], "result": None}
            error = self.failure(Cloudflare.verify, lambda r, s=status, b=body: r.reply(s, b))
            with self.subTest(status=status, code=code):
                self.assertIs(type(error), kind)
                self.assertEqual(error.vendor, f"{status} {code} {text}")

    def test_the_code_that_tells_may_be_in_the_chain(self) -> None:
        chain = [{"code": 81058, "message": "An identical record already exists."}]
        body = {"success": False, "errors": [{"code": 1004, "message": "DNS", "error_chain": chain}]}
        error = self.failure(Cloudflare.verify, lambda r: r.reply(400, body))
        self.assertIsInstance(error, Conflict)

    def test_the_rate_limit_says_how_long(self) -> None:
        body = {"success": False, "errors": [{"code": 10429, "message": "More than 1200 requests"}]}
        error = self.failure(Cloudflare.verify, lambda r: r.reply(429, body, Retry_After="17"))
        self.assertIsInstance(error, Busy)
        self.assertEqual(error.retry_after, 17)
        error = self.failure(Cloudflare.verify, lambda r: r.reply(429, b"slow down"))
        self.assertEqual(error.retry_after, 300)

    def test_what_is_no_envelope_is_a_bad_answer(self) -> None:
        for status, body in (
            (200, b"<html>"),
            (200, b"[]"),
            (200, b"{}"),
            (200, b'{"success": true}'),
            (200, b'{"success": true, "result": {}}'),
            (200, b'{"success": true, "result": [7]}'),
            (200, b'{"success": true, "result": [{"id": "x"}]}'),
            (502, b"<html>"),
            (520, b""),
        ):
            with self.subTest(status=status, body=body):
                error = self.failure(
                    lambda c: c.find_records("a.nodepoint.eu"), lambda r, s=status, b=body: r.reply(s, b)
                )
                self.assertIs(type(error), BadAnswer)

    def test_no_secret_is_in_an_error(self) -> None:
        error = self.failure(Cloudflare.verify, lambda r: r.reply(500, dict(r.headers)))
        self.assertIn("Authorization", error.vendor)
        self.assertNotIn("cf-token", f"{error} {error!r}")

    def test_a_record_that_is_gone_is_deleted(self) -> None:
        body = {"success": False, "errors": [{"code": 81044, "message": "Record does not exist."}]}
        self.client(lambda r: r.reply(404, body)).delete_record("ef" * 16)
        with self.assertRaises(NotFound):
            self.client(lambda r: r.reply(404, body)).update_record("ef" * 16, ttl=60)


class ListTests(Base):
    def test_all_pages_are_read(self) -> None:
        def answer(request: Request) -> None:
            page = 1 if "page=1" in request.path.split("&")[-1] else 2
            row = {**ROW, "id": f"{page:032x}"}
            request.reply(200, {"success": True, "result": [row], "result_info": {"total_pages": 2}})

        found = self.client(answer).list_records()
        self.assertEqual([int(record.id, 16) for record in found], [1, 2])
        self.assertEqual(len(self.server.seen), 2)

    def test_only_the_exact_name_counts_whatever_the_server_filters(self) -> None:
        rows = [{**ROW, "name": name} for name in ("A.nodepoint.eu", "aa.nodepoint.eu", "a.nodepoint.eu.x")]
        client = self.client(lambda r: r.reply(200, {"success": True, "result": rows}))
        self.assertEqual([r.name for r in client.find_records("a.NodePoint.eu.")], ["A.nodepoint.eu"])

    def test_a_hostile_record_id_stays_one_segment(self) -> None:
        client = self.client(lambda r: r.reply(200, {"success": True, "result": {"id": "x"}}))
        client.delete_record("../../zones")
        self.assertIn("dns_records/..%2F..%2Fzones", self.server.seen[0])
