"""The search box of the admin."""

from unittest import mock

from support import search, services
from tests.support.base import StaffTestCase


class SearchTests(StaffTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.row = self.create(
            service_id="WP-1", email="j.doe@Example.com", firstname="José María", lastname="O'Brien"
        )
        self.create(
            service_id="wp-12", email="mueller@example.org", firstname="Anne", lastname="Meyer-Landrut"
        )
        self.create(service_id="900", email="li@example.net", firstname="小龍", lastname="")

    def assert_finds(self, table: dict[str, list[str]]) -> None:
        for text, services_found in table.items():
            with self.subTest(text=text):
                self.assertEqual(self.search(text), services_found)

    def test_keys_are_found_as_people_write_them(self) -> None:
        key = self.row.support_key
        spaced = " ".join(key[at : at + 4] for at in range(0, 20, 4))
        for text in (
            key,
            key.lower(),
            f" {spaced.lower()} ",
            key[4:],
            key[:10],
            key[:10].lower().replace("-", " "),
        ):
            self.assert_finds({text: ["WP-1"]})

    def test_services_are_found_by_their_beginning_in_any_case(self) -> None:
        self.assert_finds({"WP-1": ["WP-1", "wp-12"], "wp-12": ["wp-12"], "9": ["900"], "p-1": []})

    def test_email_addresses_are_found_by_address_and_domain(self) -> None:
        self.assert_finds(
            {"J.DOE@example.com": ["WP-1"], "example": ["900", "WP-1", "wp-12"], "example.net": ["900"]}
        )

    def test_names_are_found_without_case_and_accents(self) -> None:
        self.assert_finds(
            {"jose": ["WP-1"], "MARÍA": ["WP-1"], "obrien": [], "brien": ["WP-1"], "o'br": ["WP-1"]}
        )
        self.assert_finds({"landrut": ["wp-12"], "meyer-land": ["wp-12"], "小": ["900"]})

    def test_every_word_has_to_fit(self) -> None:
        self.assert_finds(
            {"  brien   jose ": ["WP-1"], "jose meyer": [], "anne meyer example.org": ["wp-12"]}
        )

    def test_signs_of_patterns_mean_themselves(self) -> None:
        self.assert_finds({"%": [], "_": [], "\\": [], "'": [], "*": [], "\U0010ffff": [], "x" * 5000: []})

    def test_nothing_but_blanks_is_no_search(self) -> None:
        self.assert_finds({"   ": ["900", "WP-1", "wp-12"]})

    def test_a_new_key_is_found_and_the_old_one_is_not(self) -> None:
        old = self.row.support_key
        new = services.rotate_key("WP-1", old_key=old, actor="x", reason="x").support_key
        self.assert_finds({new: ["WP-1"], old: []})

    def test_too_many_hits_are_cut_off_and_said(self) -> None:
        with mock.patch.object(search, "MOST", 2):
            page = self.client.get("/admin/support/supportkey/", {"q": "example"})
        self.assertEqual(len(page.context["cl"].result_list), 2)
        self.assertContains(page, "More than 2 keys match")

    def test_the_history_is_searched_by_the_same_words(self) -> None:
        services.suspend_support("900", actor="x")
        page = self.client.get("/admin/support/historyentry/", {"q": "li@example.net"})
        self.assertEqual([entry.kind for entry in page.context["cl"].result_list], ["suspended", "created"])
