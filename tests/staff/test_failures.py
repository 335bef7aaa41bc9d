"""What staff read where there is no page: sentences of ours, and a way on."""

from django.test import Client, TestCase
from django.urls import path

from nodepoint.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.staff.base import make_staff


def _fail(request):
    raise ZeroDivisionError


urlpatterns = [path("admin/fail/", _fail), *urlpatterns]
DEFAULTS = (
    "Forbidden",
    "Perhaps it was deleted",
    "The requested resource",
    "yielded",
    "Server Error",
    "CSRF",
)


class FailurePageTests(TestCase):
    def setUp(self) -> None:
        self.client = Client(raise_request_exception=False)

    def log_in(self, role: str = "operator") -> None:
        self.client.force_login(make_staff(role, role))

    def assert_said(self, address: str, status: int, sentence: str, **options: str) -> None:
        answer = self.client.get(address, **options)
        self.assertContains(answer, sentence, status_code=status)
        for words in DEFAULTS:
            self.assertNotContains(answer, words, status_code=status)

    def test_an_address_of_nothing_and_a_row_that_is_gone(self) -> None:
        self.log_in()
        self.assert_said("/admin/nonsense/", 404, "There is nothing at this address")
        self.assert_said("/admin/sites/site/99/change/", 404, "There is no site 99: it was deleted")
        self.assert_said("/admin/sites/plan/99/change/", 404, "There is no plan 99: it was deleted")
        self.assert_said("/admin/jobs/job/x/change/", 404, "There is no job x")
        self.assert_said("/admin/sites/site/99/act/stop/", 404, "There is no site 99")

    def test_what_was_typed_cannot_write_on_the_page(self) -> None:
        self.log_in()
        answer = self.client.get("/admin/sites/site/%3Cscript%3Ealert(1)%3C%2Fscript%3E/change/")
        self.assertNotContains(answer, "<script>alert", status_code=404)

    def test_what_a_role_may_not(self) -> None:
        self.log_in("support")
        self.assert_said("/admin/api/token/add/", 403, "Your role does not allow this")

    def test_a_page_that_was_open_too_long(self) -> None:
        self.client = Client(enforce_csrf_checks=True)
        answer = self.client.post("/admin/login/", {"username": "x", "password": "y"})
        self.assertContains(answer, "load the page again", status_code=403)
        self.assertNotContains(answer, "CSRF", status_code=403)

    def test_an_empty_list_says_why(self) -> None:
        self.log_in()
        self.assert_said("/admin/sites/site/", 200, "There are none at the moment.")
        self.assert_said("/admin/sites/site/?q=zzz", 200, "Nothing is called so.")
        self.assert_said("/admin/sites/site/?is=live", 200, "The filters leave nothing.")

    def test_a_fault_of_ours_asks_no_database_and_names_the_request(self) -> None:
        with self.settings(ROOT_URLCONF=__name__), self.assertNumQueries(0):
            answer = self.client.get("/admin/fail/", headers={"X-Request-ID": "seen-in-the-log"})
        self.assertContains(answer, "This is a fault of NodePoint", status_code=500)
        self.assertContains(answer, "seen-in-the-log", status_code=500)

    def test_each_handler_is_ours(self) -> None:
        for handler in (handler400, handler403, handler404, handler500):
            self.assertTrue(handler.startswith("nodepoint.staff.failures."))

    def test_callers_of_the_api_get_its_own_form(self) -> None:
        answer = self.client.get("/nonsense")
        self.assertEqual((answer.status_code, answer.json()["code"]), (404, "not_found"))
