"""POST /create-site, and what becomes of it."""

from nodepoint.jobs.models import Job
from sites import services
from sites.models import Site
from tests.base import LabTestCase

ORDER = {"service_id": "1001", "email": "Jane.Doe@example.com", "plan": "basic", "public_ip": "203.0.113.10"}


class CreateSiteTests(LabTestCase):
    def test_an_order_becomes_a_live_site(self):
        answer = self.post("/create-site", ORDER)
        self.assertEqual(answer.status_code, 200, answer.content)
        self.run_jobs()
        job = Job.objects.get(kind="sites.provision")
        for step in job.steps.all():
            print(step.name, step.state, step.calls, step.tries, step.detail)
        print(job.state, job.error, job.detail)
        print(self.state())
        print(self.get("/status?service_id=1001").json())
        self.post("/delete-site", {"service_id": "1001"})
        self.run_jobs()
        self.assert_nothing_left()
