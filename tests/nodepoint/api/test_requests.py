"""What surrounds every request: ids, log lines, slashes."""

import structlog
from django.http import HttpResponse
from django.test import RequestFactory, SimpleTestCase

from nodepoint import logs
from nodepoint.api.middleware import RequestIdMiddleware
from nodepoint.jobs import queue
from tests.nodepoint.api.base import ApiTestCase


class RequestIdTests(ApiTestCase):
    def test_a_good_id_is_taken_over(self) -> None:
        for given in ("a", "req-1.2:3_X", "x" * 128):
            self.assertEqual(self.call("/health", X_Request_ID=given)["X-Request-ID"], given)

    def test_anything_else_is_replaced(self) -> None:
        seen = set()
        for given in ("", "x" * 129, "a b", "a\nb", "ü", "<script>", "a/b"):
            made = self.call("/health", X_Request_ID=given)["X-Request-ID"]
            self.assertRegex(made, r"^[0-9a-f]{32}$")
            seen.add(made)
        self.assertEqual(len(seen), 7)

    def test_it_stands_in_what_the_request_caused(self) -> None:
        jobs = []
        with self.acting(lambda request: jobs.append(queue.submit("test.edge", "edge:1"))):
            self.call("/echo", {"service_id": "1"}, X_Request_ID="order-7")
        self.assertEqual(jobs[0].request_id, "order-7")

    def test_it_is_forgotten_afterwards(self) -> None:
        self.call("/whoami", X_Request_ID="order-7")
        self.assertEqual(logs.request_id(), "")

    def test_pages_for_people_have_one_too(self) -> None:
        self.assertIn("X-Request-ID", self.client.get("/admin/"))


class AccessLogTests(ApiTestCase):
    def lines(self, *args, **options) -> list[dict]:
        with structlog.testing.capture_logs() as captured:
            self.call(*args, **options)
        return [line for line in captured if line["event"] == "request"]

    def test_a_line_says_who_asked_what_and_how_it_ended(self) -> None:
        (line,) = self.lines("/echo?service_id=hunter2")
        self.assertGreaterEqual(line.pop("ms"), 0)
        expected = {"method": "GET", "path": "/echo", "status": 200, "token": "Tester"}
        self.assertEqual(line, {**expected, "event": "request", "log_level": "info"})

    def test_a_refusal_is_logged_without_a_name(self) -> None:
        (line,) = self.lines("/whoami", token="np_secret_hunter2")
        self.assertEqual((line["status"], line["token"]), (401, None))
        self.assertNotIn("hunter2", str(line))


class RaisingTests(SimpleTestCase):
    def test_the_id_is_forgotten_even_when_the_server_ends_the_request(self) -> None:
        def ended(request) -> HttpResponse:
            raise SystemExit

        with self.assertRaises(SystemExit):
            RequestIdMiddleware(ended)(RequestFactory().get("/"))
        self.assertEqual(logs.request_id(), "")


class SlashTests(ApiTestCase):
    def test_paths_answer_with_and_without_a_slash(self) -> None:
        for path in ("/echo", "/echo/"):
            response = self.call(path, {"service_id": "1"})
            self.assertEqual((response.status_code, response.json()["service_id"]), (200, "1"))
        for path in ("/whoami", "/whoami/", "/health", "/health/"):
            self.assertEqual(self.call(path).status_code, 200)
