"""Tokens in the admin."""

import re

from django.contrib.auth import get_user_model
from django.test import TestCase

from nodepoint.api.models import Token

FORM = {
    "name": "Paymenter",
    "scopes": ["sites", "dns"],
    "networks": '["10.0.0.0/8"]',
    "rate_per_minute": "60",
}


class TokenAdminTests(TestCase):
    def setUp(self) -> None:
        self.client.force_login(get_user_model().objects.create_superuser("staff"))

    def add(self, **changes):
        return self.client.post("/admin/api/token/add/", {**FORM, **changes}, follow=True)

    def test_a_new_token_is_shown_once(self) -> None:
        page = self.add()
        text = re.search(r"np_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", page.content.decode())[0]
        token = Token.of(text)
        self.assertEqual(
            (token.scopes, token.networks, token.rate_per_minute), (["sites", "dns"], ["10.0.0.0/8"], 60)
        )
        self.assertNotContains(self.client.get("/admin/api/token/"), text)
        self.assertNotContains(self.client.get(f"/admin/api/token/{token.pk}/change/"), text.split("_", 2)[2])

    def test_bad_scopes_and_networks_are_refused(self) -> None:
        for changes in (
            {"scopes": ["root"]},
            {"networks": '["10.0.0.1/8"]'},
            {"networks": '{"a": 1}'},
            {"networks": "["},
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.add(**changes).status_code, 200)
                self.assertFalse(Token.objects.exists())

    def test_a_change_keeps_the_secret(self) -> None:
        token, text = Token.issue("Old name", ["sites"])
        form = {**FORM, "name": "New name", "networks": "[]"}
        self.client.post(f"/admin/api/token/{token.pk}/change/", form)
        self.assertEqual((Token.of(text).name, Token.of(text).scopes), ("New name", ["sites", "dns"]))

    def test_tokens_are_revoked_and_never_deleted(self) -> None:
        token, text = Token.issue("x", ["sites"])
        action = {"action": "revoke", "_selected_action": [token.pk]}
        page = self.client.post("/admin/api/token/", action, follow=True)
        self.assertContains(page, "1 revoked.")
        self.assertIsNone(Token.of(text))
        self.assertEqual(
            self.client.post(f"/admin/api/token/{token.pk}/delete/", {"post": "yes"}).status_code, 403
        )

    def test_the_list_costs_the_same_for_many(self) -> None:
        Token.issue("a", ["sites"])
        self.client.get("/admin/api/token/")
        with self.assertNumQueries(6):
            self.client.get("/admin/api/token/")
        for _ in range(5):
            Token.issue("a", ["sites"])
        with self.assertNumQueries(6):
            self.client.get("/admin/api/token/")
