"""The stored form of TXT records, and the text that others' stored forms stand for."""

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from dns import txt
from lab.ispconfig import zonefile

TEXTS = st.text(st.sampled_from('a"\\5é€中 ;😀('), min_size=1, max_size=700)


def strings(stored: str) -> list[bytes]:
    """The panel's pieces of a stored text."""
    data = stored.encode()
    return [data[i : i + zonefile.CHUNK] for i in range(0, len(data), zonefile.CHUNK)]


class EscapeTests(SimpleTestCase):
    @settings(max_examples=200, deadline=None, database=None)
    @given(TEXTS)
    def test_no_escape_lies_across_a_cut_and_nothing_is_lost(self, text: str) -> None:
        stored = txt.escape(text)
        self.assertEqual(txt.unescape(stored), text)
        for piece in strings(stored):
            self.assertTrue(piece.count(b'"') - piece.count(b'\\"') in (0, 2), piece)
            self.assertFalse(piece.replace(b"\\\\", b"").endswith(b"\\"), piece)

    def test_a_string_is_ended_before_an_escape_that_would_be_cut(self) -> None:
        self.assertEqual(txt.escape("a" * 254 + '"'), "a" * 252 + '" "' + 'aa\\"')
        self.assertEqual(txt.escape("a" * 252 + "😀"), "a" * 252 + '" "' + "\\240\\159\\152\\128")
        self.assertEqual(txt.escape('"' * 128), '\\"' * 126 + '" "' + '\\"' * 2)

    def test_characters_beyond_what_the_tables_hold_are_stored_as_bytes(self) -> None:
        self.assertEqual(txt.escape("ü€😀"), "ü€\\240\\159\\152\\128")


class UnescapeTests(SimpleTestCase):
    def test_what_others_stored_is_shown_as_it_is_public(self) -> None:
        for stored, public in (
            ("\\195\\188ber", "über"),
            ("\\240\\159\\152\\128", "😀"),
            ("\\252ber", "\\252ber"),  # Latin-1: no text, and shown as what it is
            ("\\a\\;", "a;"),
            ('"hello world"', "helloworld"),
            ('"a;b"', "a"),
            ('one" "two', "onetwo"),
            ("é" * 200, "é" * 200),
            ("\\300x", "300x"),
        ):
            with self.subTest(stored=stored):
                self.assertEqual(txt.unescape(stored), public)


class CleanTests(SimpleTestCase):
    def test_quotes_around_the_whole_are_those_of_a_zone_file(self) -> None:
        for given_, meant in (
            ('"v=spf1 -all"', "v=spf1 -all"),
            ('"a" "b"', "ab"),
            ('"a\\"b"', 'a"b'),
            ('"\\195\\188ber"', "über"),
            ("\\195\\188ber", "\\195\\188ber"),
            ('say "hi"', 'say "hi"'),
            ('"', '"'),
            ('"a" b', '"a" b'),
        ):
            with self.subTest(given=given_):
                self.assertEqual(txt.clean(given_), meant)

    def test_what_is_no_text_is_refused(self) -> None:
        for text in ("", " ", '""', "a\nb", "a\x00b", "x\x85x", "\ud800", '"\\252ber"', "😀" * 1025):
            with self.subTest(text=ascii(text)[:20]), self.assertRaises(txt.BadText):
                txt.clean(text)
