"""The error family: what callers decide by, and what never leaves."""

import pickle
import unittest

from nodepoint.clients import errors
from nodepoint.clients.errors import (
    SYSTEMS,
    BadAnswer,
    Busy,
    Conflict,
    NotFound,
    Refused,
    TimedOut,
    Unreachable,
    keep_secret,
    mask,
)

FAMILY = (Unreachable, TimedOut, Refused, NotFound, Conflict, Busy, BadAnswer)


class FamilyTests(unittest.TestCase):
    def test_only_what_may_have_happened_has_an_unknown_outcome(self) -> None:
        self.assertEqual({k for k in FAMILY if k.unknown_outcome}, {TimedOut, BadAnswer})

    def test_what_a_repeat_cannot_help_is_permanent(self) -> None:
        self.assertEqual({k for k in FAMILY if k.permanent}, {Refused, NotFound, Conflict})

    def test_every_sentence_names_the_system_and_nothing_of_the_vendor(self) -> None:
        for kind in FAMILY:
            for system, name in SYSTEMS.items():
                error = kind(system, "https://192.168.1.5:81 Internal Error")
                with self.subTest(kind=kind, system=system):
                    self.assertTrue(error.sentence.startswith(name))
                    self.assertTrue(error.sentence.endswith("."))
                    self.assertNotIn("192.168", error.sentence)
                    self.assertNotIn("Internal", error.sentence)

    def test_the_sentence_for_an_unreachable_proxy_is_the_one_of_the_contract(self) -> None:
        self.assertEqual(Unreachable("npm").sentence, "Nginx Proxy Manager could not be reached.")

    def test_vendor_text_is_one_line_of_at_most_500_characters(self) -> None:
        error = BadAnswer("npm", "first\nsecond\x1b[31m\x00third " + " ".join("long" for _ in range(300)))
        self.assertEqual(len(error.vendor), 500)
        self.assertTrue(error.vendor.startswith("first second [31m third"))

    def test_errors_survive_pickling(self) -> None:
        error = pickle.loads(pickle.dumps(Conflict("proxmox", "CT 900 already exists")))  # noqa: S301
        self.assertEqual(str(error), "proxmox: CT 900 already exists")


class MaskTests(unittest.TestCase):
    def setUp(self) -> None:
        before = set(errors._secrets)
        self.addCleanup(errors._secrets.intersection_update, before)

    def test_known_secrets_are_masked_in_every_escaping(self) -> None:
        keep_secret('pa"ss/wörd +1')
        for text in (
            'login with pa"ss/wörd +1 failed',
            "login with pa%22ss%2Fw%C3%B6rd%20%2B1 failed",
            "login with pa%22ss%2Fw%C3%B6rd+%2B1 failed",
            'login with pa\\"ss/w\\u00f6rd +1 failed',
        ):
            with self.subTest(text=text):
                self.assertEqual(mask(text), "login with *** failed")

    def test_a_secret_is_masked_before_the_text_is_cut(self) -> None:
        keep_secret("correct-horse-battery")
        self.assertNotIn("correct", str(BadAnswer("npm", "x" * 490 + "correct-horse-battery")))

    def test_what_looks_like_a_secret_is_masked_unknown(self) -> None:
        for text, masked in (
            ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
            ("PVEAPIToken=api@pam!np=0a1b-2c", "PVEAPIToken=api@pam!np=***"),
            ('{"secret": "hunter22", "identity": "a"}', '{"secret": "***", "identity": "a"}'),
            ("password=hunter22&x=1", "password=***&x=1"),
            ("Token has expired", "Token has expired"),
        ):
            with self.subTest(text=text):
                self.assertEqual(mask(text), masked)

    def test_a_text_too_short_to_be_a_secret_is_not_masked_everywhere(self) -> None:
        keep_secret("", "a")
        self.assertEqual(mask("a normal sentence"), "a normal sentence")
