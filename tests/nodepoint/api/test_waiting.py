"""A POST waits for its job, but not for ever, and never with all threads."""

import threading
import time
from unittest import mock

from django.db import OperationalError
from django.test import SimpleTestCase, override_settings

from nodepoint.api import waiting
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from tests.nodepoint.api.base import ApiTestCase, JobStartView


class PreferenceTests(SimpleTestCase):
    def test_headers_are_read_as_rfc_7240_says(self) -> None:
        table = {
            "": (None, ""),
            "respond-async": (0, "respond-async"),
            "Respond-Async": (0, "respond-async"),
            "wait=5": (5, "wait=5"),
            'wait="5"': (5, "wait=5"),
            " wait = 5 ": (5, "wait=5"),
            "wait=0": (0, "wait=0"),
            "wait=100": (20, "wait=20"),
            "wait=99999999999999999999": (20, "wait=20"),
            "respond-async, wait=10": (10, "wait=10"),
            "wait=3, wait=9": (3, "wait=3"),
            "return=minimal; foo=bar, wait=4; x": (4, "wait=4"),
            "wait=-1": (None, ""),
            "wait=1.5": (None, ""),
            "wait=abc": (None, ""),
            "wait": (None, ""),
            "wait=٣": (None, ""),
            "handling=lenient": (None, ""),
            ",;=,": (None, ""),
        }
        for header, (seconds, applied) in table.items():
            with self.subTest(header=header):
                self.assertEqual(waiting.preference(header), waiting.Preference(seconds, applied))


class FinishTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = JobStartView.job = queue.submit("test.edge", "edge:1")
        JobStartView.default_wait = None
        self.waited = self.enterContext(mock.patch.object(queue, "wait_for", side_effect=self.wait_for))

    def wait_for(self, job_id: str, seconds: float) -> Job:
        self.seconds = seconds
        return Job.objects.get(pk=job_id)

    def end(self, state: str, error: str = "") -> None:
        Job.objects.update(state=state, error=error)

    def test_a_job_that_is_done_gives_its_result(self) -> None:
        self.end(Job.State.SUCCEEDED)
        response = self.call("/start", {})
        self.assertEqual(response.json(), {"success": True, "vmid": 900})

    def test_a_job_that_goes_on_gives_what_is_known(self) -> None:
        body = self.call("/start", {}).json()
        self.assertEqual((body["success"], body["state"], body["vmid"]), (True, "running", 900))
        self.assertEqual(body["job"]["id"], self.job.pk)
        self.assertEqual(body["job"]["state"], "running")

    def test_a_job_that_failed_is_an_error_with_its_sentence(self) -> None:
        for state in (Job.State.FAILED, Job.State.ROLLED_BACK):
            self.end(state, "Cloudflare could not be reached.")
            body = self.assert_error(
                self.call("/start", {}), 500, "infrastructure", "Cloudflare could not be reached."
            )
            self.assertEqual(body["job"]["state"], state)

    def test_a_job_that_was_cancelled_is_409(self) -> None:
        self.end(Job.State.CANCELLED)
        self.assert_error(self.call("/start", {}), 409, "wrong_state", "taken back")

    def test_it_waits_as_long_as_the_setting_says(self) -> None:
        for setting, seconds in ((7, 7), (0, 0), (90, 20)):
            with override_settings(API_WAIT_SECONDS=setting):
                self.call("/start", {})
            self.assertEqual(self.seconds, seconds)

    def test_a_view_can_answer_at_once_unless_asked_to_wait(self) -> None:
        JobStartView.default_wait = 0
        self.assertNotIn("Preference-Applied", self.call("/start", {}))
        self.assertEqual(self.seconds, 0)
        self.assertEqual(self.call("/start", {}, Prefer="wait=9")["Preference-Applied"], "wait=9")
        self.assertEqual(self.seconds, 9)

    def test_the_caller_can_have_the_answer_at_once(self) -> None:
        response = self.call("/start", {}, Prefer="respond-async")
        self.assertEqual(self.seconds, 0)
        self.assertEqual(response["Preference-Applied"], "respond-async")

    def test_the_preference_is_told_with_an_error_too(self) -> None:
        self.end(Job.State.FAILED, "No.")
        self.assertEqual(self.call("/start", {}, Prefer="wait=9")["Preference-Applied"], "wait=9")

    def test_what_the_view_used_up_before_is_taken_off(self) -> None:
        def later(request) -> None:
            request.arrived_at -= 15

        with mock.patch.object(JobStartView, "initial", lambda view, request: later(request._request)):
            self.call("/start", {})
        self.assertAlmostEqual(self.seconds, 6, delta=0.5)


class PlacesTests(ApiTestCase):
    """Waiting for real, with a job that does not move."""

    def setUp(self) -> None:
        super().setUp()
        JobStartView.job = queue.submit("test.edge", "edge:1")
        JobStartView.default_wait = None

    def test_it_really_waits(self) -> None:
        begun = time.monotonic()
        with mock.patch.object(waiting, "LONGEST", 0.3):
            response = self.call("/start", {})
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)
        self.assertEqual(response.json()["state"], "running")

    def test_when_all_places_are_taken_the_answer_comes_at_once(self) -> None:
        places = threading.BoundedSemaphore(1)
        places.acquire()
        with mock.patch.object(waiting, "_places", places):
            begun = time.monotonic()
            response = self.call("/start", {}, Prefer="wait=5")
        self.assertLess(time.monotonic() - begun, 1)
        self.assertEqual(response.json()["state"], "running")
        self.assertNotIn("Preference-Applied", response)

    def test_a_place_is_given_back(self) -> None:
        places = threading.BoundedSemaphore(1)
        with mock.patch.object(waiting, "_places", places), mock.patch.object(waiting, "LONGEST", 0.05):
            self.call("/start", {})
            self.assertTrue(places.acquire(blocking=False))

    def test_a_service_has_two_waiting_calls_in_all_processes_and_no_more(self) -> None:
        JobStartView.job = queue.submit("test.edge", "edge:2", data={"service_id": "slow"})
        with waiting.place("service_id:slow") as one, waiting.place("service_id:slow") as two:
            self.assertEqual((one, two), (True, True))
            begun = time.monotonic()
            response = self.call("/start", {}, Prefer="wait=5")
            self.assertLess(time.monotonic() - begun, 1)
            self.assertEqual((response.status_code, response.json()["state"]), (200, "running"))
            self.assertNotIn("Preference-Applied", response)
            self.assertEqual(
                waiting._places._value, waiting._places._initial_value - 2, "took no third place"
            )
            JobStartView.job = queue.submit("test.edge", "edge:3", data={"service_id": "Slow"})
            self.assertEqual(self.call("/start", {}, Prefer="wait=1")["Preference-Applied"], "wait=1")
        with waiting.place("service_id:slow") as again:
            self.assertTrue(again, "both were given back")

    def test_a_dns_user_is_told_from_a_service_of_the_same_name(self) -> None:
        with waiting.place("service_id:7"), waiting.place("service_id:7"), waiting.place("user_id:7") as free:
            self.assertTrue(free)

    def test_whose_wait_it_is(self) -> None:
        for data, whose in (
            ({"service_id": "wp-1", "user_id": "4"}, "service_id:wp-1"),
            ({"user_id": "4", "zone": "example.com"}, "user_id:4"),
            ({}, "edge:1"),
        ):
            self.assertEqual(waiting._whose(Job(subject="edge:1", data=data)), whose)

    def test_a_database_that_is_away_costs_the_wait_alone(self) -> None:
        away = mock.patch.object(waiting.limits, "take", side_effect=OperationalError("gone"))
        with away, self.assertLogs("nodepoint.api", "WARNING"):
            response = self.call("/start", {}, Prefer="wait=5")
        self.assertEqual((response.status_code, response.json()["state"]), (200, "running"))

    @override_settings(WEB_THREADS=8)
    def test_half_of_the_threads_may_wait(self) -> None:
        self.assertEqual(waiting._places._initial_value, 4)
