"""manage.py verify_key."""

import io

from django.core.management import CommandError, call_command

from support import services
from tests.support.base import WRONG, SupportTestCase


class VerifyKeyTests(SupportTestCase):
    def answer(self, *words: str) -> str:
        out = io.StringIO()
        call_command("verify_key", *words, stdout=out)
        return out.getvalue().strip()

    def refusal(self, *words: str) -> str:
        with self.assertRaises(CommandError) as caught:
            self.answer(*words)
        self.assertEqual(caught.exception.returncode, 1)
        return str(caught.exception)

    def test_a_good_key_tells_whose_it_is(self) -> None:
        key = self.create().support_key
        expected = f"{key} is good: service 1001, Jane Doe, jane@example.com."
        self.assertEqual(self.answer(key), expected)
        self.assertEqual(self.answer("sup", key[4:12].lower(), key[12:]), expected)

    def test_all_others_end_with_exit_code_1_and_the_reason(self) -> None:
        key = self.create().support_key
        services.suspend_support("1001", actor="x")
        self.assertIn("is not good: suspended since", self.refusal(key))
        services.rotate_key("1001", old_key=key, actor="x", reason="x")
        self.assertIn("it was replaced by a newer one", self.refusal(key))
        self.assertIn("there is no such key", self.refusal(WRONG))
        self.assertIn("This is no support key", self.refusal("hello"))

    def test_a_new_key_of_a_suspended_service_keeps_the_day_of_the_suspension(self) -> None:
        self.create()
        row = services.suspend_support("1001", actor="x")
        suspended = services._day(row.history.first())
        row = services.rotate_key("1001", old_key=row.support_key, actor="x", reason="x")
        self.assertIn(f"suspended since {suspended}", self.refusal(row.support_key))
