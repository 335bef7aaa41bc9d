"""The stored form of TXT records."""

from django.test import SimpleTestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from dns import txt

TEXTS = st.text(st.sampled_from('a"\\5é€ ;'), min_size=1, max_size=700)


class EscapeTests(SimpleTestCase):
    @settings(max_examples=300, deadline=None, database=None)
    @given(TEXTS)
    def test_no_escape_lies_across_a_cut_and_nothing_is_lost(self, text: str) -> None:
        try:
            stored = txt.escape(text)
        except txt.BadText:
            self.assertGreater(text.count('"') + text.count("\\"), 20)
            return
        self.assertEqual(txt.unescape(stored), text)
        data = stored.encode()
        chunks = [data[i : i + 255] for i in range(0, len(data), 255)]
        for chunk in chunks:
            self.assertEqual(
                len(chunk.replace(b"\\\\", b"")) and chunk.replace(b"\\\\", b"")[-1:] == b"\\", False
            )

    def test_a_letter_before_the_cut_makes_room(self) -> None:
        self.assertEqual(txt.escape("a" * 254 + '"'), "a" * 253 + "\\a" + '\\"')
        self.assertEqual(txt.escape("a" * 253 + '5"'), "a" * 252 + "\\a5" + '\\"')

    def test_what_cannot_be_cut_is_refused(self) -> None:
        with self.assertRaises(txt.BadText):
            txt.escape('"' * 128)

    def test_quotes_around_the_whole_are_those_of_a_zone_file(self) -> None:
        for given_, meant in (
            ('"v=spf1 -all"', "v=spf1 -all"),
            ('"a" "b"', "ab"),
            ('"a\\"b"', 'a"b'),
            ('say "hi"', 'say "hi"'),
            ('"', '"'),
            ('"a" b', '"a" b'),
        ):
            self.assertEqual(txt.clean(given_), meant)
