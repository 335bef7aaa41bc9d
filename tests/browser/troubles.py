"""What the cases of trouble share: found on the board, put right with few clicks, well again."""

from sites.models import Site
from tests.browser.base import BOARD, StaffBrowserTestCase

AWAY = {"kind": "drop_before", "count": 100_000}
MOST_CLICKS = 3
WELL = ("well", "All is well. Nothing needs you.")


class TroubleTestCase(StaffBrowserTestCase):
    def find_on_board(self, verdict: str, *words: str) -> None:
        """The first sentence of the board tells it, and so does its group."""
        self.look_at_everything()
        self.go(BOARD)
        state, sentence = self.verdict()
        self.assertIn(verdict, sentence, self.text("#np-needs"))
        self.assertEqual(state, "failing" if sentence.startswith("Look at this now") else "waiting")
        self.shows(*words, css="#np-needs")
        self.clicks = 0

    def put_right(self, said: str) -> None:
        """The last click; its page says what happens now, and the workers do it."""
        self.click("Yes, do it")
        self.shows(said, css="body")
        self.assertLessEqual(self.clicks, MOST_CLICKS)
        self.run_jobs()

    def is_well_again(self) -> None:
        """Nothing is left on the board."""
        self.pass_time(600)
        self.look_at_everything()
        self.go(BOARD)
        self.assertEqual(self.verdict(), WELL, self.text("#np-needs"))

    def healthy_site(self) -> Site:
        """One that has been live for a while."""
        site = self.live_site()
        self.pass_time(600)
        site.refresh_from_db()
        return site
