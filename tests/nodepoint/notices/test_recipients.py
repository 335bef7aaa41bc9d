"""What a mail server says of some of the recipients."""

from unittest import TestCase

from nodepoint.notices.recipients import NOT_ASKED, Tally, left, tally

A, B, C = "a@example.com", "b@example.com", "c@example.com"
NOBODY, FULL = (550, b"5.1.1 nobody\r\nof that name"), (452, "4.2.2 full")
NO, LATER = "550 5.1.1 nobody of that name", "452 4.2.2 full"


class TallyTests(TestCase):
    def test_each_recipient_has_it_gets_it_later_or_never(self) -> None:
        for refused, taken, have, later, never in (
            ({}, True, [A, B], {}, {}),
            ({1: NOBODY}, True, [A], {}, {B: NO}),
            ({0: FULL}, True, [B], {A: LATER}, {}),
            ({0: NOBODY, 1: FULL}, False, [], {B: LATER}, {A: NO}),
            ({0: NOBODY, 1: NOBODY}, False, [], {}, {A: NO, B: NO}),
            ({0: (421, b"")}, False, [], {A: "421", B: NOT_ASKED}, {}),
        ):
            self.assertEqual(tally([A, B], refused, taken), Tally(have, later, never), refused)

    def test_who_was_refused_for_good_before_is_not_forgotten(self) -> None:
        found = tally([B], {}, True, {A: NO})
        self.assertEqual((found.have, found.never, found.words), ([B], {A: NO}, f"{A}: {NO}"))

    def test_those_who_are_left_are_asked_about_once_each(self) -> None:
        self.assertEqual(left([A, B, A, C], have=[B], never={C: NO}), [A])
