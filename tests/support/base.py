"""What the tests of support share: an order, a caller, and staff."""

import json
import threading
from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client, SimpleTestCase, TestCase, TransactionTestCase

from nodepoint.api.models import Token
from support import services
from support.models import SupportKey
from tests.base import ApiMixin

ORDER = {"service_id": "1001", "email": "jane@example.com", "firstname": "Jane", "lastname": "Doe"}
WRONG = "SUP-0000000000000000"


class SupportMixin(ApiMixin, SimpleTestCase):
    """Orders, keys, and the envelope of errors."""

    def create(self, **changes: Any) -> SupportKey:
        """The row of an order that was accepted."""
        return services.create_support_key(**{**ORDER, **changes}, actor="token tests")

    def verify(self, key: Any, **headers: str) -> Any:
        """POST /support/verify."""
        return self.post("/support/verify", {"support_key": key}, **headers)

    def assert_error(self, response: Any, status: int, code: str, *fields: str) -> dict[str, Any]:
        """The envelope, and which fields it complains about."""
        self.assertEqual(response.status_code, status, response.content)
        body = response.json()
        self.assertEqual((body["success"], body["code"]), (False, code))
        self.assertEqual(set(body.get("fields", {})), set(fields))
        return body

    def assert_status(self, service_id: str, status: str) -> None:
        """What GET /support/status says."""
        body = self.get(f"/support/status?service_id={service_id}").json()
        self.assertEqual(body["status"], status)


class SupportTestCase(SupportMixin, TestCase):
    """One thread, rolled back at the end."""


class AtOnceTestCase(SupportMixin, TransactionTestCase):
    """Clients that call at the same moment, each with a connection of its own."""

    def at_once(self, *calls: Callable[[Client], Any]) -> list[Any]:
        """What each call gives; all begin together."""
        answers: list[Any] = [None] * len(calls)
        start = threading.Barrier(len(calls))

        def work(place: int) -> None:
            try:
                start.wait(10)
                answers[place] = calls[place](Client())
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work, args=[place]) for place in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def poster(self, path: str, body: dict[str, Any]) -> Callable[[Client], Any]:
        """A POST to be made by another client."""
        data = json.dumps(body)
        return lambda client: client.post(path, data, content_type="application/json", headers=self.headers())


class StaffMixin(SupportMixin):
    """A member of staff in `self.client`."""

    def setUp(self) -> None:
        super().setUp()
        self.staff = get_user_model().objects.create_superuser("anna")
        self.client.force_login(self.staff)

    def log_in_with(self, *permissions: str) -> None:
        """Somebody else of the staff, who may do only this."""
        user = get_user_model().objects.create_user("bob", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        self.client.force_login(user)

    def search(self, text: str) -> list[str]:
        """The services that the admin's search box finds."""
        page = self.client.get("/admin/support/supportkey/", {"q": text})
        self.assertEqual(page.status_code, 200)
        return sorted(row.service_id for row in page.context["cl"].result_list)


class StaffTestCase(StaffMixin, TestCase):
    """One thread, rolled back at the end."""


def issue(name: str = "other", *scopes: str) -> str:
    """The text of another token."""
    return Token.issue(name, scopes or ["support"], rate_per_minute=0)[1]
