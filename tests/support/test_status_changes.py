"""POST /support/suspend, /unsuspend and /terminate; GET /support/status."""

from datetime import datetime, timedelta

from django.utils import timezone

from support.models import HistoryEntry
from tests.support.base import SupportTestCase, issue

STATUS_OF = {"suspend": "SUSPENDED", "unsuspend": "ACTIVE", "terminate": "INACTIVE"}


class ChangeTests(SupportTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create()

    def act(self, name: str, service_id: object = "1001"):
        return self.post(f"/support/{name}", {"service_id": service_id})

    def test_each_leads_to_its_status_from_every_other(self) -> None:
        for first in STATUS_OF:
            for second, status in STATUS_OF.items():
                with self.subTest(first=first, second=second):
                    self.act(first)
                    answer = self.act(second)
                    self.assertEqual(answer.status_code, 200, answer.content)
                    self.assertEqual(answer.json(), {"success": True, "status": status})
                    self.assert_status("1001", status)

    def test_repeats_change_nothing_and_are_no_history(self) -> None:
        for _ in range(3):
            self.assertEqual(self.act("suspend").json()["status"], "SUSPENDED")
        self.assertEqual(list(HistoryEntry.objects.values_list("kind", flat=True)), ["suspended", "created"])

    def test_the_key_is_the_same_after_everything(self) -> None:
        for name in ("suspend", "terminate", "unsuspend"):
            self.act(name)
        body = self.get("/support/status?service_id=1001").json()
        self.assertEqual((body["support_key"], body["status"]), (self.row.support_key, "ACTIVE"))
        self.assertIs(self.verify(self.row.support_key).json()["valid"], True)

    def test_other_services_are_left_alone(self) -> None:
        self.create(service_id="1002")
        self.act("terminate")
        self.assert_status("1002", "ACTIVE")

    def test_unknown_services_are_404_and_bad_ones_400(self) -> None:
        for name in STATUS_OF:
            self.assert_error(self.act(name, "7"), 404, "not_found")
            self.assert_error(self.act(name, "a b"), 400, "validation", "service_id")
            self.assert_error(self.post(f"/support/{name}", {}), 400, "validation", "service_id")

    def test_the_case_of_the_service_counts(self) -> None:
        self.create(service_id="WP-1")
        self.assert_error(self.act("suspend", "wp-1"), 404, "not_found")

    def test_a_token_needs_the_scope(self) -> None:
        self.secret = issue("sites only", "sites")
        for name in (*STATUS_OF, "create", "verify"):
            self.assert_error(self.act(name), 403, "forbidden")
        self.assert_error(self.get("/support/status?service_id=1001"), 403, "forbidden")

    def test_a_change_costs_seven_queries_and_a_repeat_four(self) -> None:
        self.act("unsuspend")
        with self.assertNumQueries(7):  # token, savepoint, row, status, history, log of acts, savepoint
            self.act("suspend")
        with self.assertNumQueries(4):
            self.act("suspend")


class StatusTests(SupportTestCase):
    def test_it_tells_key_status_email_and_age(self) -> None:
        row = self.create()
        body = self.get("/support/status/?service_id=1001").json()
        created_at = datetime.fromisoformat(body.pop("created_at"))
        self.assertLess(abs(timezone.now() - created_at), timedelta(minutes=1))
        facts = {"support_key": row.support_key, "status": "ACTIVE", "email": "jane@example.com"}
        self.assertEqual(body, {"success": True, **facts})

    def test_unknown_services_are_404_and_bad_ones_400(self) -> None:
        self.assert_error(self.get("/support/status?service_id=7"), 404, "not_found")
        self.assert_error(self.get("/support/status"), 400, "validation", "service_id")

    def test_it_costs_two_queries(self) -> None:
        self.create()
        self.get("/support/status?service_id=1001")
        with self.assertNumQueries(2):
            self.get("/support/status?service_id=1001")
