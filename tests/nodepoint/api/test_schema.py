"""The description of the API is complete, and so is its protection: both are checked over all routes."""

from django.contrib.auth import get_user_model
from django.test import SimpleTestCase, TestCase
from django.urls import URLPattern, URLResolver, get_resolver

from nodepoint.api.documents import openapi
from nodepoint.api.models import SCOPES
from nodepoint.api.routes import SlashOptional
from nodepoint.api.views import ApiView
from tests.nodepoint.api.base import ApiMixin

NOT_THE_API = {"admin", "admin/"}


def routes(resolver: URLResolver) -> list[URLPattern]:
    """Every route of the API in the project."""
    found = []
    for pattern in resolver.url_patterns:
        if str(pattern.pattern) in NOT_THE_API:
            continue
        found += routes(pattern) if isinstance(pattern, URLResolver) else [pattern]
    return found


class RouteTests(ApiMixin, TestCase):
    def setUp(self) -> None:
        self.routes = routes(get_resolver("nodepoint.urls"))

    def test_every_route_is_an_api_view_that_declares_its_scope(self) -> None:
        self.assertGreaterEqual(len(self.routes), 5)
        for route in self.routes:
            with self.subTest(route=str(route.pattern)):
                view = route.callback.cls
                self.assertTrue(issubclass(view, ApiView))
                self.assertIn(view.scope, (None, *SCOPES))
                self.assertIsInstance(route.pattern, SlashOptional)

    def test_every_route_but_health_demands_a_token(self) -> None:
        for route in self.routes:
            path = "/" + str(route.pattern).replace("<str:job_id>", "0" * 32)
            self.assertNotIn("<", path, "give this test a value for the new parameter")
            for method in ("get", "post"):
                if path == "/health" or not hasattr(route.callback.cls, method):
                    continue
                with self.subTest(path=path, method=method):
                    response = self.call(path, method=method.upper(), token=None, accept="application/json")
                    self.assert_error(response, 401, "unauthorized")
                    self.assertEqual(response["WWW-Authenticate"], "Bearer")

    def test_every_route_with_a_scope_refuses_tokens_without_it(self) -> None:
        for route in self.routes:
            view = route.callback.cls
            if view.scope is None:
                continue
            token = self.make_token(*(scope for scope in SCOPES if scope != view.scope))
            method = "POST" if hasattr(view, "post") else "GET"
            with self.subTest(route=str(route.pattern)):
                response = self.call(
                    f"/{route.pattern}", method=method, token=token, accept="application/json"
                )
                self.assert_error(response, 403, "forbidden", view.scope)


class SchemaTests(SimpleTestCase):
    def test_every_route_is_described_with_its_errors(self) -> None:
        paths = openapi()["paths"]
        for route in routes(get_resolver("nodepoint.urls")):
            path = "/" + str(route.pattern).replace("<str:", "{").replace(">", "}")
            for method in ("get", "post"):
                if not hasattr(route.callback.cls, method):
                    continue
                with self.subTest(path=path, method=method):
                    operation = paths[path][method]
                    self.assertTrue(operation["description"])
                    self.assertLessEqual({"200", "4XX", "5XX"}, set(operation["responses"]))
                    self.assertEqual(
                        operation.get("security", []), [] if path == "/health" else [{"token": []}]
                    )

    def test_operations_have_names_of_their_own(self) -> None:
        names = [one["operationId"] for methods in openapi()["paths"].values() for one in methods.values()]
        self.assertEqual(len(names), len(set(names)))

    def test_nothing_was_guessed(self) -> None:
        self.assertNotIn("Unspecified response body", str(openapi()))


class DocumentTests(ApiMixin, TestCase):
    def test_any_token_reads_them(self) -> None:
        self.secret = self.make_token("metrics")
        document = self.call("/schema").json()
        self.assertEqual(document["openapi"][:2], "3.")
        self.assertIn("/whoami", document["paths"])
        page = self.call("/docs/")
        self.assertEqual(page["Content-Type"], "text/html; charset=utf-8")
        self.assertContains(page, "/jobs/{job_id}")
        self.assertContains(page, "Needs a token with the scope `sites`.")

    def test_the_page_loads_nothing_from_elsewhere(self) -> None:
        self.secret = self.make_token()
        page = self.call("/docs").content.decode()
        for sign in ("src=", "<link", "<script", "@import", "url("):
            self.assertNotIn(sign, page)

    def test_a_staff_session_reads_them(self) -> None:
        users = get_user_model().objects
        self.client.force_login(users.create_user("staff", password="x", is_staff=True))
        self.assertEqual(self.call("/docs", token=None).status_code, 200)
        self.assertEqual(self.call("/schema", token=None).status_code, 200)
        self.assert_error(self.call("/whoami", token=None), 401, "unauthorized")
        self.client.force_login(users.create_user("visitor", password="x"))
        self.assert_error(self.call("/docs", token=None), 401, "unauthorized")

    def test_nobody_else_does(self) -> None:
        for path in ("/schema", "/docs"):
            self.assert_error(self.call(path, token=None), 401, "unauthorized")
