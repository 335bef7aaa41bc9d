"""What is read from a body, and what is refused before any view sees it."""

from tests.nodepoint.api.base import ApiTestCase

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class JsonBodyTests(ApiTestCase):
    def refused(self, raw: bytes, part: str = "") -> None:
        self.assert_error(self.call("/echo", raw=raw), 400, "validation", part)

    def test_an_object_is_taken_and_unknown_fields_are_ignored(self) -> None:
        response = self.call("/echo", {"service_id": "wp-1", "unknown": {"deep": [1, 2.5, None, True, "ü"]}})
        self.assertEqual(response.json(), {"success": True, "service_id": "wp-1"})

    def test_a_charset_or_other_parameters_make_no_difference(self) -> None:
        for content_type in (
            "application/json; charset=utf-8",
            "application/json;charset=nonsense",
            "APPLICATION/JSON",
        ):
            response = self.call("/echo", raw=b'{"service_id": "1"}', content_type=content_type)
            self.assertEqual(response.status_code, 200, content_type)

    def test_what_is_no_json_is_400(self) -> None:
        for raw in (
            b"{",
            b"{'a': 1}",
            b'{"a": 1}{',
            b'{"a": NaN}',
            b'{"a": -Infinity}',
            b"\xff\xfe{\x00}\x00",
            b"nul",
        ):
            with self.subTest(raw=raw):
                self.refused(raw)

    def test_what_is_no_object_is_400(self) -> None:
        for raw in (b"[]", b'"text"', b"1", b"null", b"true", b'[{"service_id": "1"}]'):
            with self.subTest(raw=raw):
                self.refused(raw, "must be a JSON object")

    def test_invalid_utf_8_is_400(self) -> None:
        for raw in (b'{"service_id": "\xff"}', b'{"service_id": "\xc3"}', b'{"service_id": "\xed\xa0\x80"}'):
            self.refused(raw, "UTF-8")

    def test_characters_that_no_database_takes_are_400(self) -> None:
        self.refused(rb'{"service_id": "1", "x": ["a\u0000b"]}', "NUL")
        self.refused(rb'{"service_id": "1", "a\u0000b": 1}', "NUL")
        self.refused(rb'{"service_id": "1", "x": "\ud800"}', "incomplete character")

    def test_an_escaped_backslash_is_no_nul(self) -> None:
        response = self.call("/echo", raw=rb'{"service_id": "1", "x": "\\u0000"}')
        self.assertEqual(response.status_code, 200)

    def test_numbers_beyond_all_bounds_are_400(self) -> None:
        self.refused(b'{"service_id": 1e999}', "too large")
        self.refused(b'{"service_id": ' + b"9" * 5000 + b"}")
        self.refused(b'{"service_id": ' + b"9" * 100 + b"}", "service_id")

    def test_deep_nesting_is_400(self) -> None:
        for depth in (100, 900, 30_000):
            self.refused(b'{"service_id":' + b"[" * depth + b"]" * depth + b"}")

    def test_no_body_means_an_empty_object(self) -> None:
        for content_type in (JSON, "", "text/plain", FORM):
            with self.subTest(content_type=content_type):
                response = self.call("/echo", raw=b"", content_type=content_type)
                self.assert_error(response, 400, "validation", "The field service_id is missing.")


class FormTests(ApiTestCase):
    def test_a_form_is_taken(self) -> None:
        response = self.call(
            "/echo", raw=b"service_id=wp-1&email=a%40example.com&x=%C3%BC", content_type=FORM
        )
        self.assertEqual(response.json(), {"success": True, "service_id": "wp-1", "email": "a@example.com"})

    def test_an_absent_boolean_is_absent_and_a_present_one_is_read(self) -> None:
        self.assertNotIn("enabled", self.call("/echo", raw=b"service_id=1", content_type=FORM).json())
        for text, value in ((b"false", False), (b"0", False), (b"true", True), (b"1", True)):
            response = self.call("/echo", raw=b"service_id=1&enabled=" + text, content_type=FORM)
            self.assertIs(response.json()["enabled"], value)

    def test_the_last_of_two_counts(self) -> None:
        response = self.call("/echo", raw=b"service_id=1&service_id=2", content_type=FORM)
        self.assertEqual(response.json()["service_id"], "2")

    def test_broken_forms_are_400(self) -> None:
        many = b"&".join(b"a%d=1" % number for number in range(300))
        for raw in (b"service_id=%FF", b"service_id=\xff", b"service_id=1&x=%00", many):
            with self.subTest(raw=raw[:20]):
                self.assert_error(self.call("/echo", raw=raw, content_type=FORM), 400, "validation")

    def test_a_strange_charset_is_ignored(self) -> None:
        response = self.call("/echo", raw=b"service_id=1", content_type=f"{FORM}; charset=zlib")
        self.assertEqual(response.status_code, 200)


class OtherTypeTests(ApiTestCase):
    def test_other_types_are_415(self) -> None:
        types = [
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "",
            "nonsense",
            "application/jsonp",
        ]
        for content_type in types:
            with self.subTest(content_type=content_type):
                response = self.call("/echo", raw=b'{"service_id": "1"}', content_type=content_type)
                self.assert_error(response, 415, "validation", "application/json")

    def test_the_token_is_looked_at_first(self) -> None:
        self.assert_error(self.call("/echo", raw=b"{", token=None), 401, "unauthorized")


class SizeTests(ApiTestCase):
    def sized(self, size: int) -> bytes:
        start = b'{"service_id": "1", "x": "'
        return start + b"a" * (size - len(start) - 2) + b'"}'

    def test_64_kib_are_taken_and_one_byte_more_is_413(self) -> None:
        self.assertEqual(self.call("/echo", raw=self.sized(65536)).status_code, 200)
        self.assert_error(self.call("/echo", raw=self.sized(65537)), 413, "validation", "too large")

    def test_a_length_that_is_no_number_is_400(self) -> None:
        request = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/echo",
            "CONTENT_TYPE": JSON,
            "CONTENT_LENGTH": "-1",
        }
        response = self.client.request(HTTP_AUTHORIZATION=f"Bearer {self.secret}", **request)
        self.assert_error(response, 400, "validation")
