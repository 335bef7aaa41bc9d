"""What a customer asks for while his site is being made: 409 `busy`, with the job that is at work and when to
come again."""

from typing import Any

from nodepoint.jobs.models import Job
from tests.sites.acts import ActsMixin
from tests.sites.base import SiteTestCase

ACTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/action/start", {}),
    ("/action/stop", {}),
    ("/action/restart", {}),
    ("/action/mkbak", {}),
    ("/action/delbak", {"bak": "BAK01012026-1"}),
    ("/action/rollback", {"bak": "BAK01012026-1"}),
    ("/action/reset", {}),
    ("/action/login", {}),
    ("/action/setdomain", {"domain": "shop.example.com"}),
    ("/action/toggle", {"proxy": "off"}),
    ("/action/options", {"options": {"cache": False}}),
    ("/action/safemode", {"enabled": True}),
)


class BusyTests(ActsMixin, SiteTestCase):
    def test_every_act_names_the_job_and_when_to_come_again(self) -> None:
        site = self.create()
        self.run_calls(3)
        for path, body in ACTS:
            with self.subTest(path):
                answer = self.post(path, {"service_id": "1001", **body})
                refusal = self.assert_refused(answer, 409, "busy")
                self.assertIn(self.job(site).title, refusal["error"])
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        self.assertEqual(Job.objects.count(), 1)
