"""Support keys as text."""

from unittest import mock

from django.test import SimpleTestCase

from support import keys

KEY = "SUP-AB12CD34EF56GH78"


class GenerateTests(SimpleTestCase):
    def test_keys_have_the_form_and_differ(self) -> None:
        made = {keys.generate() for _ in range(500)}
        self.assertEqual(len(made), 500)
        for key in made:
            self.assertRegex(key, r"\ASUP-[A-Z0-9]{16}\Z")
        self.assertEqual(set("".join(key[4:] for key in made)), set(keys.ALPHABET))

    def test_every_character_comes_from_the_cryptographic_source(self) -> None:
        with mock.patch.object(keys.secrets, "choice", side_effect="AB12CD34EF56GH78") as choice:
            self.assertEqual(keys.generate(), KEY)
        self.assertEqual(choice.call_args_list, [mock.call(keys.ALPHABET)] * 16)


class CompleteTests(SimpleTestCase):
    def test_what_people_write_is_understood(self) -> None:
        for text in (
            KEY,
            KEY.lower(),
            f"  {KEY}\n",
            "sup ab12 cd34 ef56 gh78",
            "SUPAB12CD34EF56GH78",
            "AB12CD34EF56GH78",
            "sup-ab12-cd34-ef56-gh78",
            "SUP–AB12CD34EF56GH78",
            "SUP-\u00a0AB12CD34\u2009EF56GH78",
        ):
            with self.subTest(text=text):
                self.assertEqual(keys.complete(text), KEY)

    def test_a_key_that_begins_with_sup_itself_keeps_its_letters(self) -> None:
        self.assertEqual(keys.complete("SUPSUP2CD34EF56GH78"), "SUP-SUP2CD34EF56GH78")
        self.assertEqual(keys.complete("SUP2CD34EF56GH78"), "SUP-SUP2CD34EF56GH78")

    def test_anything_else_is_no_whole_key(self) -> None:
        for text in ("", "SUP-", KEY[:-1], KEY + "9", "SUP-AB12CD34EF56GH7Ä", "SUP-AB12CD34EF56GH7%", "jane"):
            with self.subTest(text=text):
                self.assertEqual(keys.complete(text), "")


class TidyTests(SimpleTestCase):
    def test_beginnings_are_brought_into_form(self) -> None:
        table = {"sup-ab": "SUP-AB", "SUP AB": "SUP-AB", "ab12": "SUP-AB12", "sup": "", "a_b": "", "": ""}
        for text, expected in table.items():
            with self.subTest(text=text):
                self.assertEqual(keys.tidy(text), expected)
