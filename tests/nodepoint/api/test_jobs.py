"""Jobs as callers see them."""

from unittest import mock

from nodepoint.api import jobs
from nodepoint.jobs import experience, queue, testing
from nodepoint.jobs.errors import UnknownFlow
from nodepoint.jobs.models import Job, JobStep
from tests.nodepoint.api.base import ApiTestCase

FIELDS = {"id", "kind", "state", "percent", "step", "eta_seconds", "error"}


class JobTests(ApiTestCase):
    def setUp(self) -> None:
        super().setUp()
        experience.forget()
        self.job = queue.submit("test.edge", "edge:1")

    def test_a_running_job_tells_how_far_it_is(self) -> None:
        response = self.call(f"/jobs/{self.job.pk}")
        body = response.json()
        self.assertIs(body["success"], True)
        job = body["job"]
        self.assertEqual(set(job), FIELDS | {"steps"})
        self.assertEqual((job["id"], job["kind"], job["state"]), (self.job.pk, "test.edge", "running"))
        self.assertEqual((job["step"], job["error"]), ("Taking the first step", None))
        self.assertEqual([step["name"] for step in job["steps"]], ["first", "second"])
        self.assertEqual([step["state"] for step in job["steps"]], ["running", "pending"])
        self.assertEqual(job["steps"][1]["started_at"], None)

    def test_a_finished_job_is_at_100_percent(self) -> None:
        testing.run_until_idle()
        job = self.call(f"/jobs/{self.job.pk}/").json()["job"]
        self.assertEqual((job["state"], job["percent"], job["eta_seconds"]), ("succeeded", 100, None))
        self.assertEqual([step["state"] for step in job["steps"]], ["done", "done"])
        self.assertIsInstance(job["steps"][0]["seconds"], float)

    def test_what_the_system_said_is_for_staff(self) -> None:
        Job.objects.update(
            error="Cloudflare could not be reached.", detail="10.0.0.1 secret", data={"a": "secret"}
        )
        JobStep.objects.update(error="Not yet.", detail="10.0.0.1 secret")
        response = self.call(f"/jobs/{self.job.pk}")
        self.assertEqual(response.json()["job"]["error"], "Cloudflare could not be reached.")
        self.assertEqual(response.json()["job"]["steps"][0]["error"], "Not yet.")
        self.assertNotIn(b"secret", response.content)

    def test_a_job_of_another_scope_is_404(self) -> None:
        self.secret = self.make_token("dns", "support", "metrics")
        self.assert_error(self.call(f"/jobs/{self.job.pk}"), 404, "not_found")

    def test_unknown_jobs_are_404(self) -> None:
        for job_id in ("0" * 32, "x", self.job.pk.upper() + "A", "%00", "a" * 1000, "%F0%9F%98%80"):
            self.assert_error(self.call(f"/jobs/{job_id}"), 404, "not_found")

    def test_notices_to_staff_cannot_be_read(self) -> None:
        notice = queue.submit("notices.staff", "notice:1", data={"job": self.job.pk, "about": "failed"})
        self.secret = self.make_token("sites", "dns", "support", "metrics")
        self.assert_error(self.call(f"/jobs/{notice.pk}"), 404, "not_found")

    def test_a_job_of_another_release_can_be_shown(self) -> None:
        with mock.patch("nodepoint.jobs.progress.of", side_effect=UnknownFlow):
            self.assertEqual(jobs.render(self.job)["percent"], 0)
        Job.objects.update(kind="gone")
        self.assert_error(self.call(f"/jobs/{self.job.pk}"), 404, "not_found")

    def test_it_costs_three_queries(self) -> None:
        self.call(f"/jobs/{self.job.pk}")
        with self.assertNumQueries(3):  # token, job, steps
            self.call(f"/jobs/{self.job.pk}")
