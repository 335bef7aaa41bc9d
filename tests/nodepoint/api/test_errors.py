"""The one form of every failure, whoever caused it."""

import json
from unittest import mock

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.test import override_settings

from nodepoint.api import errors
from nodepoint.clients.errors import Unreachable
from nodepoint.jobs import queue
from nodepoint.jobs.errors import JobRefused
from nodepoint.jobs.progress import Progress
from tests.nodepoint.api.base import ApiTestCase

BODY = {"service_id": "wp-1"}


class RaisedErrorTests(ApiTestCase):
    def answer_to(self, error: Exception):
        with self.acting(mock.Mock(side_effect=error)):
            return self.call("/echo", BODY)

    def test_each_exception_has_its_status_and_code(self) -> None:
        table = [
            (errors.BadRequest("No."), 400, "validation"),
            (errors.Forbidden("No."), 403, "forbidden"),
            (errors.Missing("No."), 404, "not_found"),
            (errors.Conflict("No.", code="quota_exceeded"), 409, "quota_exceeded"),
            (errors.InfrastructureFailed("No."), 500, "infrastructure"),
            (errors.Unavailable("No."), 503, "unavailable"),
            (errors.ApiError("No.", http=409, code="taken"), 409, "taken"),
            (Http404("/secret/path"), 404, "not_found"),
            (PermissionDenied("secret"), 403, "forbidden"),
            (SuspiciousOperation("secret"), 400, "validation"),
            (UnreadablePostError("secret"), 400, "validation"),
        ]
        for error, status, code in table:
            with self.subTest(error=error):
                body = self.assert_error(self.answer_to(error), status, code)
                self.assertNotIn("secret", json.dumps(body))

    def test_a_suspended_service_is_401_without_a_challenge(self) -> None:
        response = self.answer_to(errors.ServiceSuspended("The service is suspended."))
        self.assert_error(response, 401, "service_suspended", "suspended")
        self.assertNotIn("WWW-Authenticate", response)

    def test_further_facts_stand_beside_the_sentence(self) -> None:
        response = self.answer_to(errors.Conflict("Exists.", code="exists", status="running", vmid=900))
        body = self.assert_error(response, 409, "exists")
        self.assertEqual((body["status"], body["vmid"]), ("running", 900))

    def test_a_fault_of_ours_is_told_without_details_and_logged_with_them(self) -> None:
        with self.assertLogs("nodepoint.api", "ERROR") as logs:
            response = self.answer_to(ValueError("password hunter2 at 10.0.0.1"))
        body = self.assert_error(response, 500, "internal")
        self.assertNotIn("hunter2", json.dumps(body))
        self.assertIn("Traceback", logs.output[0])
        self.assertIn("hunter2 at 10.0.0.1", logs.output[0])

    def test_a_system_that_fails_is_named(self) -> None:
        with self.assertLogs("nodepoint.api", "ERROR") as logs:
            response = self.answer_to(Unreachable("npm", "connect to 10.0.0.5 refused"))
        self.assert_error(response, 500, "infrastructure", "Nginx Proxy Manager could not be reached.")
        self.assertNotIn(b"10.0.0.5", response.content)
        self.assertIn("10.0.0.5", logs.output[0])

    def test_a_database_that_is_away_is_503(self) -> None:
        for error in (OperationalError(2006, "gone at 10.0.0.2"), InterfaceError(0, "gone at 10.0.0.2")):
            with self.assertLogs("nodepoint.api", "ERROR"):
                response = self.answer_to(error)
            self.assert_error(response, 503, "unavailable")
            self.assertNotIn(b"10.0.0.2", response.content)

    def test_a_database_that_is_away_while_the_token_is_read_is_503(self) -> None:
        with (
            mock.patch("nodepoint.api.models.Token.of", side_effect=OperationalError("gone")),
            self.assertLogs("nodepoint.api", "ERROR"),
        ):
            self.assert_error(self.call("/whoami"), 503, "unavailable")

    def test_another_job_in_the_way_is_409_busy(self) -> None:
        job = queue.submit("test.edge", "edge:1")
        sentence = "Walk along the edge is still running."
        self.assert_error(self.answer_to(JobRefused(job)), 409, "busy", sentence)
        for eta, seconds in ((42, "42"), (0, "1"), (None, "10")):
            pace = mock.patch("nodepoint.api.jobs.progress.of", return_value=Progress(10, "First", eta))
            with pace:
                self.assertEqual(self.answer_to(JobRefused(job))["Retry-After"], seconds)


class FieldErrorTests(ApiTestCase):
    def test_the_sentence_names_a_missing_field(self) -> None:
        body = self.assert_error(
            self.call("/echo", {}), 400, "validation", "The field service_id is missing."
        )
        self.assertEqual(body["fields"], {"service_id": ["This field is required."]})

    def test_the_sentence_names_every_wrong_field(self) -> None:
        body = self.assert_error(self.call("/echo", {"service_id": "-", "email": "x"}), 400, "validation")
        self.assertIn("The field service_id is not valid: ", body["error"])
        self.assertIn("The field email is not valid: Enter a valid email address.", body["error"])
        self.assertEqual(set(body["fields"]), {"service_id", "email"})

    def test_null_is_missing(self) -> None:
        self.assert_error(
            self.call("/echo", {"service_id": None}), 400, "validation", "service_id is missing"
        )

    def test_a_query_is_checked_in_the_same_way(self) -> None:
        self.assert_error(self.call("/echo"), 400, "validation", "The field service_id is missing.")


class FrameworkErrorTests(ApiTestCase):
    def test_unknown_paths_are_404(self) -> None:
        for path in ("/", "/nothing", "/echo/more", "/wp-login.php", "/jobs", "/%ff%00", "//echo", "/echo//"):
            for debug in (False, True):
                with self.subTest(path=path), override_settings(DEBUG=debug):
                    self.assert_error(self.call(path), 404, "not_found")

    def test_other_methods_are_405(self) -> None:
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
            with self.subTest(method=method):
                response = self.call("/echo", method=method)
                self.assert_error(response, 405, "method_not_allowed")
                self.assertIn("POST", response["Allow"])
        self.assert_error(self.call("/whoami", {}), 405, "method_not_allowed")
        self.assert_error(self.call("/health", {}), 405, "method_not_allowed")

    def test_a_host_name_that_is_not_ours_is_400(self) -> None:
        for debug in (False, True):
            with (
                override_settings(DEBUG=debug, ALLOWED_HOSTS=["testserver"]),
                self.assertLogs("django", "ERROR"),
            ):
                self.assert_error(self.call("/whoami", Host="evil.example"), 400, "validation")

    def test_too_many_query_fields_are_400(self) -> None:
        self.assert_error(self.call("/echo?" + "&".join(f"a{n}=1" for n in range(1100))), 400, "validation")

    def test_the_admin_keeps_pages_for_people(self) -> None:
        response = self.client.get("/admin/")
        self.assertEqual(response.status_code, 302)
        self.assertEqual(self.client.get("/admin")["Location"], "/admin/")
        response = self.client.get("/static/nothing.css")
        self.assertEqual(response.status_code, 404)
        self.assertIn("text/html", response["Content-Type"])

    def test_any_accept_header_gets_json(self) -> None:
        for accept in ("text/html", "application/xml", "*/*", "nonsense", "", "image/*;q=0"):
            response = self.call("/echo?service_id=1&format=xml", Accept=accept)
            self.assertEqual((response.status_code, response["Content-Type"]), (200, "application/json"))
