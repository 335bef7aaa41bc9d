"""POST /support/create."""

from unittest import mock
from urllib.parse import urlencode

from support import keys
from support.models import HistoryEntry, SearchTerm, SupportKey
from tests.support.base import ORDER, SupportTestCase

FIRST, SECOND = "SUP-AAAAAAAAAAAAAAAA", "SUP-BBBBBBBBBBBBBBBB"


class CreateTests(SupportTestCase):
    def order(self, **changes):
        return self.post("/support/create", {**ORDER, **changes})

    def test_a_service_gets_a_key(self) -> None:
        response = self.order()
        self.assertEqual(response.status_code, 200, response.content)
        body = response.json()
        key = body.pop("support_key")
        self.assertEqual(body, {"success": True, "service_id": "1001", "status": "ACTIVE"})
        self.assertRegex(key, r"\ASUP-[A-Z0-9]{16}\Z")
        row = SupportKey.objects.get()
        self.assertEqual((row.support_key, row.key_hash), (key, keys.digest(key)))
        self.assertEqual((row.email, row.firstname, row.lastname), ("jane@example.com", "Jane", "Doe"))

    def test_both_slashes_and_forms_are_taken(self) -> None:
        form = "application/x-www-form-urlencoded"
        answer = self.client.post("/support/create/", urlencode(ORDER), form, headers=self.headers())
        self.assertEqual((answer.status_code, answer.json()["service_id"]), (200, "1001"))

    def test_a_number_means_its_decimal_string(self) -> None:
        self.assertEqual(self.order(service_id=1001).json()["service_id"], "1001")
        self.assert_error(self.order(service_id="1001"), 409, "exists")

    def test_a_repeat_makes_no_second_key(self) -> None:
        key = self.order().json()["support_key"]
        self.assert_error(self.order(firstname="Mallory"), 409, "exists")
        row = SupportKey.objects.get()
        self.assertEqual((row.support_key, row.firstname), (key, "Jane"))
        self.assertEqual(HistoryEntry.objects.count(), 1)

    def test_a_terminated_service_keeps_its_key_and_gets_no_other(self) -> None:
        self.order()
        self.post("/support/terminate", {"service_id": "1001"})
        self.assert_error(self.order(), 409, "exists")
        self.assert_status("1001", "INACTIVE")

    def test_service_ids_are_case_sensitive(self) -> None:
        first = self.order(service_id="WP-1").json()["support_key"]
        second = self.order(service_id="wp-1").json()["support_key"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.get("/support/status?service_id=WP-1").json()["support_key"], first)

    def test_a_repeat_with_an_idempotency_key_gets_the_first_answer(self) -> None:
        answers = [self.post("/support/create", ORDER, **{"Idempotency-Key": "o1"}).json() for _ in range(2)]
        self.assertEqual(*answers)
        self.assertEqual(SupportKey.objects.count(), 1)

    def test_a_key_that_is_taken_is_not_given_twice(self) -> None:
        with mock.patch.object(keys, "generate", side_effect=[FIRST, FIRST, FIRST, SECOND]):
            given = [self.order(service_id=name).json()["support_key"] for name in ("a", "b")]
        self.assertEqual(given, [FIRST, SECOND])

    def test_a_source_that_only_repeats_itself_ends_in_503(self) -> None:
        with mock.patch.object(keys, "generate", return_value=FIRST):
            self.order(service_id="a")
            self.assert_error(self.order(service_id="b"), 503, "unavailable")
        self.assertEqual(SupportKey.objects.count(), 1)

    def test_it_costs_seven_queries(self) -> None:
        self.order(service_id="0")
        with self.assertNumQueries(7):  # the token, four rows, two for the savepoint
            self.order()


class NameTests(SupportTestCase):
    def test_names_are_kept_as_they_are(self) -> None:
        names = [
            "José",
            "Jose\u0301",
            "  Jane  ",
            "李小龍",
            "مريم",
            "O'Brien <b>&amp;\"",
            "👩‍👩‍👧",
            "\u202eabc",
            "'; DROP TABLE x; --",
            "=1+1",
            "ß" * 255,
        ]
        for place, name in enumerate(names):
            with self.subTest(name=name):
                order = {**ORDER, "service_id": place, "firstname": name, "lastname": name}
                answer = self.post("/support/create", order)
                self.assertEqual(answer.status_code, 200, answer.content)
                found = self.verify(answer.json()["support_key"]).json()
                self.assertEqual((found["firstname"], found["lastname"]), (name, name))

    def test_people_with_one_name_have_no_last_one(self) -> None:
        answer = self.post("/support/create", {**ORDER, "lastname": ""})
        self.assertEqual(self.verify(answer.json()["support_key"]).json()["lastname"], "")

    def test_control_characters_are_refused(self) -> None:
        for char in "\x01\t\n\r\x1b\x7f\x85\x9f\u2028\u2029":
            for field in ("firstname", "lastname"):
                with self.subTest(char=repr(char), field=field):
                    answer = self.post("/support/create", {**ORDER, field: f"Ja{char}ne"})
                    self.assert_error(answer, 400, "validation", field)
        self.assert_error(self.post("/support/create", {**ORDER, "firstname": "Ja\0ne"}), 400, "validation")
        self.assertFalse(SupportKey.objects.exists())


class RefusalTests(SupportTestCase):
    def test_every_field_is_needed(self) -> None:
        for field in ORDER:
            for wrong in (None, "missing", 7.5, [], {}, True):
                with self.subTest(field=field, wrong=wrong):
                    order = {**ORDER, field: wrong}
                    if wrong == "missing":
                        del order[field]
                    self.assert_error(self.post("/support/create", order), 400, "validation", field)

    def test_values_that_are_wrong_are_named(self) -> None:
        table = {
            "service_id": ["", "-1", "a b", "a/b", "ä", "a" * 65, -1],
            "email": ["", "jane", "jane@", "a@b", "a@example.com\n", "a@example.com,b@example.com"],
            "firstname": ["", " ", "\u3000", "x" * 256],
            "lastname": ["x" * 256, 5],
        }
        for field, values in table.items():
            for value in values:
                with self.subTest(field=field, value=value):
                    answer = self.post("/support/create", {**ORDER, field: value})
                    self.assert_error(answer, 400, "validation", field)
        self.assertFalse(SupportKey.objects.exists() or SearchTerm.objects.exists())

    def test_every_complaint_is_made_at_once(self) -> None:
        self.assert_error(self.post("/support/create", {}), 400, "validation", *ORDER)

    def test_other_methods_are_refused(self) -> None:
        self.assert_error(self.get("/support/create"), 405, "method_not_allowed")
