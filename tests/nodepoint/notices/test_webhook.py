"""Notices by the webhook, over the wire: signed, told once, tried until they are taken."""

import hashlib
import hmac
import json
import threading
import time
from base64 import b64decode, b64encode
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from unittest import mock

from django.test import SimpleTestCase, override_settings

from nodepoint.clients.http import PerThread
from nodepoint.clients.line import Line
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Fail
from nodepoint.notices import webhook
from nodepoint.notices.models import STAFF, WEBHOOK, Notice
from tests.nodepoint.jobs.base import EngineTestCase

SECRET = f"whsec_{b64encode(bytes(range(32))).decode()}"


class Receiver(ThreadingHTTPServer):
    """Takes posts on 127.0.0.1. `answers`: statuses, one after the other, the last for ever; None hangs up.
    `taken`: headers and body of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.answers: list[int | None] = [204]
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.trickles = threading.Event()  # one piece of the head after the other, without an end
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class _Talk(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
        while self.server.trickles.is_set():
            self.wfile.write(b"x")
            time.sleep(0.05)
        status = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        if status is not None:
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", "0")
            self.end_headers()

    def log_message(self, *args: object) -> None:
        """Nothing."""


class SignatureTests(SimpleTestCase):
    def test_the_example_of_the_specification(self) -> None:
        # standard-webhooks, libraries/python/tests/test_webhooks.py
        secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
        found = webhook.signature(secret, message, 1614265330, b'{"test": 2432232314}')
        self.assertEqual(found, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")


class WebhookTests(EngineTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)
        url = f"http://127.0.0.1:{self.receiver.server_port}/hook?token=s3cr3t"
        wish = {"NOTICE_WEBHOOK_URL": url, "NOTICE_WEBHOOK_SECRET": SECRET, "STAFF_EMAIL": []}
        self.enterContext(override_settings(**wish))

    def failing(self, seconds: float = 1) -> Job:
        """What tells of a job that did not succeed, `seconds` later."""
        self.flow(self.step("a", Fail(error="No.", detail="code 17")))
        self.submit(data={"service_id": "1001"})
        self.run_for(seconds)
        return Job.objects.get(kind=WEBHOOK)

    def run_for(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        self.run_jobs(until=end, most=5000)
        self.clock.time = max(self.clock.time, end)

    def posting(self) -> JobStep:
        return JobStep.objects.get(name="posted")

    def test_a_failed_job_is_told_once_signed_and_with_the_reason(self) -> None:
        job = self.failing()
        ((headers, body),) = self.receiver.taken
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = hmac.new(b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        self.assertEqual(headers["webhook-signature"], f"v1,{b64encode(mac).decode()}")
        told = json.loads(body)
        self.assertEqual(told["type"], "job.failed")
        self.assertEqual((told["data"]["about"], told["data"]["error"]), ("1001", "No."))
        self.assertIn("code 17", told["data"]["detail"])
        self.assertEqual(job.state, Job.State.SUCCEEDED)
        self.assertTrue(Notice.objects.filter(kind=STAFF).exists(), "staff are told, too")

    def test_it_is_tried_again_under_the_same_id_until_it_is_taken(self) -> None:
        self.receiver.answers = [None, 500, 302, 200]
        job = self.failing(3600)
        self.assertEqual(len(self.receiver.taken), 4)
        self.assertEqual(len({headers["webhook-id"] for headers, _ in self.receiver.taken}), 1)
        times = [int(headers["webhook-timestamp"]) for headers, _ in self.receiver.taken]
        pauses = [later - sooner for sooner, later in pairwise(times)]
        self.assertEqual(pauses, sorted(pauses), "growing")
        self.assertEqual(job.state, Job.State.SUCCEEDED)
        tries = [said for _, said in self.posting().data["attempts"]]
        self.assertEqual(tries, ["TimedOut", 500, "BadAnswer", 200])

    def test_one_that_trickles_is_given_up_in_time(self) -> None:
        self.receiver.trickles.set()
        self.addCleanup(self.receiver.trickles.clear)
        with mock.patch.object(webhook, "_line", PerThread(lambda: Line("webhook", 0.5))):
            self.failing()
        self.assertEqual([said for _, said in self.posting().data["attempts"]], ["TimedOut"])

    def test_one_that_is_gone_for_good_is_not_asked_again_and_tells_staff(self) -> None:
        self.receiver.answers = [410]
        job = self.failing(3600)
        self.assertEqual((job.state, len(self.receiver.taken)), (Job.State.FAILED, 1))
        self.assertTrue(Notice.objects.filter(kind=STAFF, cause=job.pk, says="failed").exists())
        self.assertEqual(Job.objects.filter(kind=WEBHOOK).count(), 1, "it does not tell of itself")

    def test_no_error_shows_the_address(self) -> None:
        self.receiver.answers = [None]
        self.failing(60)
        self.assertNotIn("s3cr3t", f"{self.posting().error} {self.posting().detail} {self.posting().data}")

    @override_settings(NOTICE_WEBHOOK_URL="")
    def test_without_an_address_nothing_is_written(self) -> None:
        self.flow(self.step("a", Fail(error="No.")))
        self.submit()
        self.run_for(1)
        self.assertFalse(Notice.objects.filter(kind=WEBHOOK).exists())
