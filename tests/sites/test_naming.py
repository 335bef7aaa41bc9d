"""Subdomains: made from e-mail addresses by the contract's rules."""

import re
import unittest

from sites.naming import LONGEST, RESERVED, free_subdomain, wished_subdomain

WISHES = {
    "jane@example.com": "jane",
    "Jane.Doe@example.com": "janedoe",
    "JANE_DOE+shop@example.com": "janedoeshop",
    "jane-doe@example.com": "jane-doe",
    "-jane-@example.com": "jane",
    "--@example.com": "",
    "...@example.com": "",
    "1@example.com": "1",
    "Jürgen@example.com": "jrgen",
    "a" * 60 + "@example.com": "a" * 40,
    "a" * 39 + "-bc@example.com": "a" * 39,  # no hyphen at the end, wherever the cut falls
    "xn--bcher-kva@example.com": "xn--bcher-kva",
    "jane@doe@example.com": "janedoe",
    "$(reboot)@example.com": "reboot",
    "../../etc@example.com": "etc",
}
SUFFIXED = r"-[a-z0-9]{4}"


class WishedSubdomainTests(unittest.TestCase):
    def test_table(self):
        for email, wish in WISHES.items():
            with self.subTest(email=email):
                self.assertEqual(wished_subdomain(email), wish)

    def test_whatever_comes_is_a_host_name_or_empty(self):
        for email in (*WISHES, "İstanbul@x.eu", "ＡＢＣ@x.eu", "٣@x.eu", "\u0000@x.eu", "@x.eu", "nothing"):
            with self.subTest(email=email):
                name = wished_subdomain(email)
                self.assertRegex(name, r"\A([a-z0-9]([a-z0-9-]*[a-z0-9])?)?\Z")
                self.assertLessEqual(len(name), LONGEST)


class FreeSubdomainTests(unittest.TestCase):
    def test_a_free_wish_is_granted(self):
        self.assertEqual(free_subdomain("Jane.Doe@example.com", set()), "janedoe")

    def test_a_taken_wish_gets_a_suffix(self):
        self.assertRegex(free_subdomain("jane@example.com", {"jane"}), rf"\Ajane{SUFFIXED}\Z")

    def test_the_suffix_goes_beyond_the_forty_characters(self):
        name = free_subdomain("a" * 50 + "@example.com", {"a" * 40})
        self.assertRegex(name, rf"\A{'a' * 40}{SUFFIXED}\Z")

    def test_an_empty_wish_gets_a_name_with_a_suffix(self):
        self.assertRegex(free_subdomain("...@example.com", set()), rf"\A[a-z]+{SUFFIXED}\Z")

    def test_no_reserved_word_is_ever_given(self):
        named = {
            "www",
            "mail",
            "smtp",
            "imap",
            "pop",
            "ns1",
            "ns2",
            "ftp",
            "admin",
            "api",
            "panel",
            "billing",
        }
        self.assertEqual(named - RESERVED, set())
        for word in RESERVED:
            with self.subTest(word=word):
                self.assertTrue(re.fullmatch(rf"{word}{SUFFIXED}", free_subdomain(f"{word}@x.eu", set())))

    def test_a_suffix_that_is_taken_too_is_not_given(self):
        taken = {"jane"}
        for _ in range(200):
            name = free_subdomain("jane@example.com", taken)
            self.assertNotIn(name, taken)
            taken.add(name)
