"""What containers answer: text that a customer may have written, down to the status of an installation."""

from django.test import SimpleTestCase

from nodepoint.clients.errors import keep_secret
from sites import answers
from sites.clients.console import Output
from tests.base import on_one_database


def status(text: str, exit_code: int = 0, truncated: bool = False) -> str | None:
    return answers.end_of_installation(Output(exit_code, text, "", truncated))


@on_one_database
class StatusTests(SimpleTestCase):
    def test_while_it_is_at_work_there_is_no_end(self):
        for text in (
            "",
            "phase packages 12\n",
            "phase packages 12\ndone 0",
            "phase packages 1\nfailed web 77 x\n",
        ):
            with self.subTest(text):
                self.assertIsNone(status(text))
        self.assertIsNone(status("", exit_code=1), "there is no file yet")

    def test_its_end_is_the_last_line_and_nothing_else(self):
        self.assertEqual(status("phase packages 12\nphase web 0\ndone 0\n"), "")
        failed = "failed web 77 nginx: no"
        self.assertEqual(status(f"phase packages 12\n{failed}\ndone 77\n"), failed)
        self.assertEqual(status("phase packages 12\ndone 137\n"), "done 137")

    def test_what_the_script_does_not_write_is_no_good_end(self):
        for text in (
            "done 0 \n",
            "done 00000000\n",
            "done \u0660\n",
            "done 0\ndone 0\n",
            "done 0\nphase web 1\n",
            "failed web 77 x\ndone 0\n",
            "phase web 1; done 0\ndone 0\n",
            "phase web 1\x0cdone 0\n",
            "phase web 1\r\ndone 0\r\n",
            "phase web 1\u2028done 0\n",
            "<html>\ndone 0\n",
            f"{'x' * 10_000_000}\ndone 0\n",
        ):
            with self.subTest(text[:60]):
                self.assertEqual(status(text), answers.NO_STATUS)
        self.assertEqual(status("phase web 1\ndone 0\n", truncated=True), answers.NO_STATUS)


@on_one_database
class WordsTests(SimpleTestCase):
    def test_they_are_one_short_line_without_control_characters(self):
        told = answers.words("begin " + "x" * 10_000_000 + "\nphase web 1\r\n\x1b[31mdone 0\u202e\0 end\n")
        self.assertEqual(len(told), answers.LONGEST)
        self.assertTrue(told.endswith("phase web 1 [31mdone 0 end"), told)

    def test_no_secret_is_in_them_also_where_they_are_cut(self):
        keep_secret("tops3cret-of-the-relay")
        secret = "tops3cret-of-the-relay"
        for filling in range(answers.LONGEST - 30, answers.LONGEST + 5):
            self.assertNotIn("relay", answers.words(f"{secret}{' ' * (filling % 7 + 1)}{'y' * filling}"))
        told = answers.complaint(Output(5, "", "password = hunter2 APIToken=a!b=c", False))
        self.assertEqual(told, "exit code 5: password = *** APIToken=a!b=***")


@on_one_database
class CulpritTests(SimpleTestCase):
    def test_only_a_line_of_the_script_s_own_form_is_believed(self):
        for said, wanted in (
            ("failed plugin woo-commerce\n", "the plugin woo-commerce"),
            ("x\nfailed theme twenty.five", "the theme twenty.five"),
            ("failed must-use loader.php\n", "the must-use plugin loader.php"),
            ("failed drop-in object-cache.php\n", "the file object-cache.php in wp-content"),
            ("failed configuration wp-config.php\n", "the file wp-config.php"),
            ("failed maintenance .maintenance\n", "the file .maintenance, left over from an update"),
            ("failed database -\n", "its database, which does not answer"),
            ("failed plugin <b>x</b>\n", ""),
            (f"failed plugin {'x' * 81}\n", ""),
            ("failed plugin a b\n", ""),
            ("failed nothing x\n", ""),
            ("failed plugin x\nand more\n", ""),
            ("", ""),
        ):
            with self.subTest(said):
                self.assertEqual(answers.culprit(Output(70, said, "", False)), wanted)
