"""Owner marks: what they look like, how they are found in texts that people edit, and whose they are."""

import re

from django.test import SimpleTestCase, TestCase, override_settings
from hypothesis import given
from hypothesis import strategies as st

from nodepoint import installation
from nodepoint.models import Installation
from sites import marks
from sites.models import Site, Template
from tests.base import on_one_database

HERE = "eu1"
SERVICE_IDS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}", fullmatch=True)
INSTALLATIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,23}", fullmatch=True)
ROWS = st.integers(1, 2**63 - 1)
NOTES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(
    lambda text: not marks.carried(text)
)


def site(service_id: str = "1001", pk: int = 7) -> Site:
    return Site(service_id=service_id, pk=pk)


@override_settings(INSTALLATION_ID=HERE)
@on_one_database
class ShapeTests(SimpleTestCase):
    def test_a_mark_names_installation_service_and_row(self) -> None:
        self.assertEqual(site().owner_mark, "nodepoint:eu1:1001:7")
        self.assertEqual(Template(build_id="ab12").owner_mark, "nodepoint-template:eu1:ab12")

    @given(INSTALLATIONS, SERVICE_IDS, ROWS)
    def test_what_is_written_is_read_again(self, name: str, service_id: str, pk: int) -> None:
        with override_settings(INSTALLATION_ID=name):
            mark = marks.of(site(service_id, pk))
            self.assertEqual(marks.parse(mark), marks.Mark(name, service_id, pk))
            self.assertEqual(str(marks.parse(mark)), mark)
        old = f"nodepoint:{service_id}:{pk}"
        self.assertEqual(marks.parse(old), marks.Mark("", service_id, pk))

    @given(INSTALLATIONS, SERVICE_IDS, ROWS)
    def test_it_always_fits_into_a_comment_and_says_the_same(self, name: str, service: str, pk: int) -> None:
        owner = site(service, pk)
        with override_settings(INSTALLATION_ID=name):
            comment = marks.for_comment(owner)
            self.assertLessEqual(len(comment), marks.COMMENT)
            self.assertTrue(marks.is_of(marks.carried_by_comment(comment), owner))
            read = marks.parse(comment)
            self.assertEqual((read.installation, read.pk), (name, pk))
            self.assertFalse(read.is_anothers)

    def test_with_the_identity_that_is_made_no_mark_has_to_be_shortened(self) -> None:
        with override_settings(INSTALLATION_ID="abcde"):
            whole = marks.for_comment(site("x" * 64, 2**63 - 1))
            self.assertEqual((len(whole), whole.count("~")), (100, 0))

    def test_two_services_that_begin_alike_have_different_short_marks(self) -> None:
        with override_settings(INSTALLATION_ID="a" * 24):
            first, second = site("x" * 63 + "1"), site("x" * 63 + "2")
            self.assertNotEqual(marks.for_comment(first), marks.for_comment(second))
            self.assertFalse(marks.is_of(marks.for_comment(first), second))

    @given(st.text(max_size=80))
    def test_hostile_texts_are_read_strictly_or_not_at_all(self, text: str) -> None:
        for line in (text, f"nodepoint:{text}", f"nodepoint:{text}:7", f"nodepoint:a:{text}:7"):
            if read := marks.parse(line):
                self.assertEqual(str(read), line)
                self.assertRegex(line, re.compile(r"\A[!-~]+\Z"))

    def test_what_is_nearly_a_mark_is_none(self) -> None:
        for text in (
            "nodepoint:1001",
            "nodepoint::1001:7",
            "nodepoint:eu1:1001:07",
            "nodepoint:eu1:1001:٧",  # an Arabic digit
            "nodepoint:eu1:1001:7\n",
            "nodepoint:eu1:-1001:7",
            "nodepoint:eu1:1001:7:8",
            "nodepoint:eu1:10 01:7",
            "Nodepoint:eu1:1001:7",
            "nodepoint-template:eu1:ab12",
        ):
            self.assertIsNone(marks.parse(text), text)


@override_settings(INSTALLATION_ID=HERE)
@on_one_database
class OwnershipTests(SimpleTestCase):
    def test_a_mark_of_before_the_installation_is_ours(self) -> None:
        self.assertTrue(marks.owns(site(), "nodepoint:1001:7"))
        self.assertFalse(marks.parse("nodepoint:1001:7").is_anothers)

    def test_another_installation_row_or_service_is_somebody_elses(self) -> None:
        for mark in ("nodepoint:eu2:1001:7", "nodepoint:eu1:1001:8", "nodepoint:eu1:1002:7"):
            self.assertFalse(marks.owns(site(), mark), mark)
        self.assertTrue(marks.parse("nodepoint:eu2:1001:7").is_anothers)

    def test_a_service_called_like_the_installation_is_not_mistaken(self) -> None:
        self.assertFalse(marks.owns(site("eu1", 7), "nodepoint:eu1:eu1:8"))
        self.assertTrue(marks.owns(site("eu1", 7), "nodepoint:eu1:7"))
        self.assertFalse(marks.owns(site("7", 7), "nodepoint:eu1:7"))

    @given(NOTES, NOTES)
    def test_notes_around_the_mark_change_nothing(self, above: str, below: str) -> None:
        for text in (f"{above}\n{marks.of(site())}\n{below}", f"{above}\n  nodepoint:eu1:1001:7 \r\n{below}"):
            self.assertTrue(marks.owns(site(), text), text)

    def test_a_mark_inside_a_sentence_is_none(self) -> None:
        for text in ("was nodepoint:eu1:1001:7", "nodepoint:eu1:1001:7 is to go", "xnodepoint:eu1:1001:7"):
            self.assertFalse(marks.owns(site(), text), text)

    def test_of_two_marks_the_first_decides(self) -> None:
        self.assertFalse(marks.owns(site(), "nodepoint:eu2:5:5\nnodepoint:eu1:1001:7"))
        self.assertTrue(marks.owns(site(), "nodepoint:eu1:1001:7\nnodepoint:eu2:5:5"))

    def test_a_comment_begins_with_it(self) -> None:
        for text in ("nodepoint:eu1:1001:7", "nodepoint:eu1:1001:7 ask Bob"):
            self.assertTrue(marks.is_of(marks.carried_by_comment(text), site()), text)
        for text in ("", "was nodepoint:eu1:1001:7", "nodepoint:eu1:1001:7,"):
            self.assertEqual(marks.carried_by_comment(text), "", text)


@override_settings(INSTALLATION_ID=HERE)
@on_one_database
class WritingTests(SimpleTestCase):
    @given(NOTES)
    def test_notes_are_kept_whatever_stands_there(self, notes: str) -> None:
        text = marks.written(site(), notes)
        self.assertTrue(marks.owns(site(), text))
        self.assertIn(notes.strip(), text)
        self.assertEqual(marks.written(site(), text), text)

    def test_a_mark_is_renewed_in_its_place(self) -> None:
        text = "mine\nnodepoint:1001:7\nyours"
        self.assertEqual(marks.written(site(), text), "mine\nnodepoint:eu1:1001:7\nyours")

    def test_taking_it_out_leaves_notes_and_the_marks_of_others(self) -> None:
        text = "nodepoint:eu1:1001:7\nnote\nnodepoint:eu2:5:5"
        self.assertEqual(marks.removed(site(), text), "note\nnodepoint:eu2:5:5")


@on_one_database
class InstallationTests(TestCase):
    def setUp(self) -> None:
        installation.forget()
        self.addCleanup(installation.forget)

    def test_it_is_made_once_and_kept_in_the_database(self) -> None:
        row = Installation.objects.get()
        self.assertRegex(row.identity, r"^[a-z0-9]{5}$")
        self.assertEqual(installation.identity(), row.identity)
        with self.assertNumQueries(0):
            self.assertEqual(installation.identity(), row.identity)

    def test_the_setting_goes_before_it(self) -> None:
        with override_settings(INSTALLATION_ID="staging"):
            self.assertEqual(installation.identity(), "staging")
        self.assertNotEqual(installation.identity(), "staging")

    def test_a_row_that_somebody_deleted_is_made_anew(self) -> None:
        Installation.objects.all().delete()
        made = installation.identity()
        self.assertEqual(Installation.objects.get().identity, made)
