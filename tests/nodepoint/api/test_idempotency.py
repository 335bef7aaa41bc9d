"""`Idempotency-Key`: what was done once is not done again."""

import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unittest import mock

from django.db import connections
from django.test import Client, override_settings
from django.utils import timezone

from nodepoint.api import idempotency
from nodepoint.api.errors import Conflict
from nodepoint.api.models import KeptAnswer, digest
from nodepoint.jobs import queue
from nodepoint.jobs.models import Job
from tests.nodepoint.api.base import ApiMixin, ApiTestCase, EchoView, JobStartView, SeveralConnectionsTestCase

BODY = {"service_id": "wp-1"}


class RepeatTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.act = mock.Mock()
        self.enterContext(self.acting(self.act))

    def post(self, body=BODY, key: str = "key-1", path: str = "/echo", **options):
        return self.call(path, body, Idempotency_Key=key, **options)

    def test_a_repeat_gets_the_first_answer_and_nothing_is_done(self) -> None:
        first, second = self.post(), self.post()
        self.assertEqual((first.status_code, second.status_code), (200, 200))
        self.assertEqual(first.json(), second.json())
        self.assertEqual(self.act.call_count, 1)
        self.assertEqual(second["Idempotency-Replayed"], "true")
        self.assertNotIn("Idempotency-Replayed", first)

    def test_the_repeat_is_the_same_to_the_last_digit_of_a_timestamp(self) -> None:
        moment = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
        with mock.patch.object(
            EchoView, "read", lambda view, request: {"at": moment, "price": Decimal("1.10")}
        ):
            first, second = self.post(), self.post()
        self.assertEqual(first.content, second.content)
        self.assertIn(b"2026-01-02T03:04:05.123456Z", second.content)

    def test_without_a_key_every_call_is_done(self) -> None:
        self.call("/echo", BODY)
        self.call("/echo", BODY)
        self.assertEqual(self.act.call_count, 2)
        self.assertFalse(KeptAnswer.objects.exists())

    def test_keys_are_told_apart_byte_by_byte(self) -> None:
        for key in ("key-1", "KEY-1", "key-1.", "x" * 255):
            self.post(key=key)
        self.assertEqual(self.act.call_count, 4)

    def test_the_same_request_in_another_spelling_is_a_repeat(self) -> None:
        self.post({"service_id": "wp-1", "email": "a@example.com"})
        self.post({"email": "a@example.com", "service_id": "wp-1"}, path="/echo/")
        self.assertEqual(self.act.call_count, 1)

    def test_another_body_or_path_is_a_mismatch(self) -> None:
        self.post()
        self.assert_error(self.post({"service_id": "wp-2"}), 409, "idempotency_mismatch")
        self.assert_error(self.post(path="/start"), 409, "idempotency_mismatch")
        self.assertEqual(self.act.call_count, 1)

    def test_keys_belong_to_the_token(self) -> None:
        self.post()
        self.post(token=self.make_token())
        self.assertEqual(self.act.call_count, 2)

    def test_a_failure_is_not_kept(self) -> None:
        self.act.side_effect = [Conflict("Busy."), ValueError("ours"), None]
        self.assert_error(self.post(), 409, "wrong_state")
        with self.assertLogs("nodepoint.api", "ERROR"):
            self.assert_error(self.post(), 500, "internal")
        self.assertEqual(self.post().status_code, 200)
        self.assertEqual(self.act.call_count, 3)

    def test_a_bad_request_is_not_kept(self) -> None:
        self.assert_error(self.post({}), 400, "validation")
        self.assertEqual(self.post().status_code, 200)

    def test_an_answer_is_forgotten_after_24_hours(self) -> None:
        self.post()
        self.age(timedelta(hours=23, minutes=59))
        self.post()
        self.assertEqual(self.act.call_count, 1)
        self.age(timedelta(hours=24, seconds=1))
        self.assertEqual(self.post({"service_id": "wp-2"}).status_code, 200)
        self.assertEqual(self.act.call_count, 2)

    def test_old_answers_are_deleted_as_new_ones_are_made(self) -> None:
        self.post()
        self.age(timedelta(days=2))
        with mock.patch.object(idempotency, "_swept_at", -1e9):
            self.post(key="key-2")
        self.assertEqual(KeptAnswer.objects.get().key_hash, digest("key-2"))

    def test_while_the_first_is_being_answered_a_repeat_is_409(self) -> None:
        answers = []
        self.act.side_effect = lambda request: answers.append(self.post())
        self.assertEqual(self.post().status_code, 200)
        self.assert_error(answers[0], 409, "in_progress")

    def test_a_request_that_died_frees_its_key_after_30_seconds(self) -> None:
        self.post()
        KeptAnswer.objects.update(status=None, body=None, claimed_at=timezone.now() - timedelta(seconds=29))
        self.assert_error(self.post(), 409, "in_progress")
        KeptAnswer.objects.update(claimed_at=timezone.now() - timedelta(seconds=31))
        self.assertEqual(self.post().status_code, 200)
        self.assertEqual(self.act.call_count, 2)

    def test_a_request_that_was_given_up_cannot_overwrite_the_later_answer(self) -> None:
        def overtaken(request) -> None:
            self.act.side_effect = None
            self.age(timedelta(seconds=31))
            self.assertEqual(self.post({"service_id": "wp-2"}).status_code, 200)

        self.act.side_effect = overtaken
        self.post()
        self.assertEqual(KeptAnswer.objects.get().body["service_id"], "wp-2")

    def test_the_key_itself_is_not_stored(self) -> None:
        self.post(key="secret-key")
        self.assertNotIn("secret-key", str(KeptAnswer.objects.values().get()))

    def test_keys_that_are_no_keys_are_400(self) -> None:
        for key in ("", "x" * 256, "tab\tkey", "ü"):
            with self.subTest(key=key):
                self.assert_error(self.post(key=key), 400, "validation", "Idempotency-Key")
        self.assertEqual(self.act.call_count, 0)

    def test_a_get_ignores_the_header(self) -> None:
        self.assertEqual(self.call("/whoami", Idempotency_Key="").status_code, 200)

    def age(self, age: timedelta) -> None:
        KeptAnswer.objects.update(claimed_at=timezone.now() - age)


class JobTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.job = JobStartView.job = queue.submit("test.edge", "edge:1")

    def post(self):
        return self.call("/start", BODY, Idempotency_Key="key-1", Prefer="respond-async")

    def test_the_answer_is_kept_while_the_job_runs_and_when_it_succeeded(self) -> None:
        first = self.post()
        Job.objects.update(state=Job.State.SUCCEEDED)
        self.assertEqual(self.post().json(), first.json())
        self.assertEqual(first.json()["job"]["id"], self.job.pk)

    def test_it_is_forgotten_when_the_job_ended_badly(self) -> None:
        for state in Job.ENDED_BADLY:
            with self.subTest(state=state):
                KeptAnswer.objects.all().delete()
                Job.objects.update(state=Job.State.RUNNING)
                self.post()
                Job.objects.update(state=state)
                self.assertNotIn("Idempotency-Replayed", self.post())

    def test_a_view_that_does_not_ask_for_it_keeps_the_answer(self) -> None:
        with mock.patch.object(JobStartView, "forgets_key_when_job_fails", False):
            self.post()
            Job.objects.update(state=Job.State.FAILED)
            self.assertIn("Idempotency-Replayed", self.post())


@override_settings(ROOT_URLCONF="tests.nodepoint.api.base")
class SameMomentTests(ApiMixin, SeveralConnectionsTestCase):
    """Several requests at the very same moment, each on a connection of its own."""

    def test_exactly_one_of_many_is_carried_out(self) -> None:
        self.secret = self.make_token()
        calls, answers, start = [], [], threading.Barrier(6)

        def act(request) -> None:
            calls.append(request)
            time.sleep(0.3)

        def post() -> None:
            try:
                caller = ApiMixin()
                caller.client, caller.secret = Client(), self.secret
                start.wait()
                answers.append(caller.call("/echo", BODY, Idempotency_Key="key-1"))
            finally:
                connections.close_all()

        with mock.patch.object(EchoView, "act", staticmethod(act)):
            threads = [threading.Thread(target=post) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self.assertEqual(len(calls), 1)
        self.assertEqual(sorted(answer.status_code for answer in answers), [200, 409, 409, 409, 409, 409])
        codes = {answer.json().get("code") for answer in answers if answer.status_code == 409}
        self.assertEqual(codes, {"in_progress"})
