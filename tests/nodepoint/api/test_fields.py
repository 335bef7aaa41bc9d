from django.test import SimpleTestCase
from rest_framework.serializers import ValidationError

from nodepoint.api.fields import EmailField, PublicIpField, ServiceIdField


class FieldCase(SimpleTestCase):
    def assert_takes(self, field, table: dict) -> None:
        for given, expected in table.items():
            with self.subTest(given=given):
                self.assertEqual(field.run_validation(given), expected)

    def assert_refuses(self, field, values: list) -> None:
        for given in values:
            with self.subTest(given=given), self.assertRaises(ValidationError):
                field.run_validation(given)


class ServiceIdTests(FieldCase):
    def test_it_takes_ids_and_numbers(self) -> None:
        longest = "a" * 64
        table = {"wp-1": "wp-1", "WP-1": "WP-1", "_x": "_x", "5": "5", 5: "5", 0: "0", 10**30: "1" + "0" * 30}
        self.assert_takes(ServiceIdField(), {**table, longest: longest, "007": "007"})

    def test_it_refuses_everything_else(self) -> None:
        texts = [
            "",
            "-1",
            "--help",
            "a b",
            "a/b",
            "ä",
            "a\n",
            "\n",
            "a" * 65,
            "a.b",
            "$(id)",
            "a'b",
            "٣",
            " 5",
        ]
        self.assert_refuses(
            ServiceIdField(), [*texts, -1, True, False, 1.0, 2.5, None, [], {}, ["a"], 10**64]
        )


class PublicIpTests(FieldCase):
    def test_it_takes_dotted_quads(self) -> None:
        self.assert_takes(PublicIpField(), {"203.0.113.10": "203.0.113.10", "10.0.0.255": "10.0.0.255"})

    def test_it_refuses_everything_else(self) -> None:
        texts = [
            "",
            "203.0.113.010",
            "203.0.113",
            "256.1.1.1",
            "203.0.113.10 ",
            "203.0.113.10\n",
            "::1",
            "1.1.1.1/32",
        ]
        self.assert_refuses(
            PublicIpField(), [*texts, "0x7f.1.1.1", "١.1.1.1", 3405803786, True, None, [], {}]
        )


class EmailTests(FieldCase):
    def test_it_takes_addresses(self) -> None:
        for address in (
            "john@example.com",
            "o'brien+tag@mail.example.co.uk",
            "a@xn--bcher-kva.example",
            "A.B@Example.com",
        ):
            self.assert_takes(EmailField(), {address: address})

    def test_it_takes_254_characters_and_no_more(self) -> None:
        def domain(rest: str) -> str:
            return f"a@{'b' * 63}.{'c' * 63}.{'d' * 63}.{rest}.example"

        fits = domain("e" * (254 - len(domain(""))))
        self.assertEqual(len(fits), 254)
        self.assert_takes(EmailField(), {fits: fits})
        self.assert_refuses(EmailField(), [domain("e" * (255 - len(domain(""))))])

    def test_it_refuses_everything_else(self) -> None:
        texts = [
            "",
            "x",
            "@example.com",
            "a@",
            "a@b",
            "a@example.com\n",
            "a@example.com\r\nBcc: b@example.com",
            "a b@example.com",
        ]
        texts += [
            "a@example.com,b@example.com",
            "A <a@example.com>",
            '"a b"@example.com',
            '"\x01"@example.com',
            "jürgen@example.com",
        ]
        texts += [
            "a@example.com\0",
            " a@example.com",
            "a@exa mple.com",
            "a@-example.com",
            "a\u202e@example.com",
            "a;b@example.com",
        ]
        self.assert_refuses(EmailField(), [*texts, None, 5, True, [], {}])
