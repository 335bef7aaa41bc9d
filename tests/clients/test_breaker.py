"""A system that does not answer is not asked by everybody again and again, and is found when it is back."""

from concurrent.futures import ThreadPoolExecutor

from django.test import SimpleTestCase

from nodepoint.clients import breaker
from nodepoint.clients.breaker import FAILURES, PAUSES, guarded
from nodepoint.clients.deadline import deadline
from nodepoint.clients.errors import BadAnswer, Busy, NotFound, TimedOut, Unreachable


class BreakerTestCase(SimpleTestCase):
    def setUp(self) -> None:
        super().setUp()
        breaker.forget()
        self.time = 1_000_000.0
        self.enterContext(breaker.timed_by(lambda: self.time))
        self.asked = 0

    def call(self, *of: str, ends: Exception | None = None, **options: bool) -> str:
        """One call that ends so; what it raised, in words."""
        try:
            with guarded(*(of or ("npm",)), **options):
                self.asked += 1
                if ends:
                    raise ends
        except (Unreachable, TimedOut, Busy, BadAnswer, NotFound) as error:
            return error.vendor
        return ""

    def silence(self, *of: str) -> None:
        for _ in range(FAILURES):
            self.call(*of, ends=TimedOut("npm", "no answer"))
        self.asked = 0


class BreakerTests(BreakerTestCase):
    def test_after_failures_in_a_row_nobody_asks_until_the_pause_is_over(self) -> None:
        for _ in range(FAILURES):
            self.assertEqual(self.call(ends=TimedOut("npm", "no answer")), "no answer")
        self.time += PAUSES[0] - 1
        self.assertIn("next try in 1 s", self.call())
        self.assertEqual(self.asked, FAILURES)
        self.time += 1
        self.assertEqual((self.call(), self.asked), ("", FAILURES + 1))
        self.assertEqual(breaker.silences(), [])

    def test_the_refusal_says_that_nothing_has_happened_and_since_when(self) -> None:
        self.silence()
        with (
            self.assertRaisesRegex(Unreachable, r"not asked: no answer since \d\d:\d\d:\d\d") as caught,
            guarded("npm"),
        ):
            self.fail("it was asked")
        self.assertFalse(caught.exception.unknown_outcome or caught.exception.permanent)
        self.assertEqual(caught.exception.sentence, "Nginx Proxy Manager could not be reached.")

    def test_pauses_grow_while_it_stays_silent(self) -> None:
        self.silence()
        for pause in (*PAUSES, PAUSES[-1]):
            self.time += pause - 0.5
            self.assertIn("not asked", self.call())
            self.time += 0.5
            self.assertEqual(self.call(ends=Unreachable("npm", "gone")), "gone")
        self.assertEqual(self.asked, len(PAUSES) + 1)

    def test_of_many_that_want_to_try_one_does(self) -> None:
        self.silence()
        self.time += PAUSES[0]
        with guarded("npm"), ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda _: self.call(), range(4)))
        self.assertEqual([one[-17:] for one in said], ["it is being tried"] * 4)
        self.assertEqual(self.call(), "")

    def test_a_try_that_ends_in_a_fault_of_ours_leaves_the_next_one_free(self) -> None:
        self.silence()
        self.time += PAUSES[0]
        with self.assertRaises(ZeroDivisionError), guarded("npm"):
            raise ZeroDivisionError
        self.assertEqual(self.call(), "")

    def test_any_answer_says_that_it_is_there(self) -> None:
        for answer in (None, BadAnswer("npm"), Busy("npm"), NotFound("npm")):
            with self.subTest(answer=answer):
                for _ in range(FAILURES - 1):
                    self.call(ends=TimedOut("npm"))
                self.call(ends=answer)
                self.call(ends=TimedOut("npm"))
                self.assertEqual(breaker.silences(), [])
                breaker.forget()

    def test_a_caller_in_a_hurry_proves_nothing_but_is_spared_the_wait(self) -> None:
        with deadline(0.5):
            for _ in range(FAILURES):
                self.call(ends=TimedOut("npm"))
        self.assertEqual(breaker.silences(), [])
        self.silence()
        with deadline(0.5):
            self.assertIn("not asked", self.call())

    def test_a_node_that_is_silent_says_nothing_of_the_others_and_of_the_cluster(self) -> None:
        for _ in range(FAILURES):
            self.call("proxmox", "node1", ends=TimedOut("proxmox"), through=True)
        self.assertIn("no answer of node1 since", self.call("proxmox", "node1", through=True))
        self.assertEqual(self.call("proxmox", "node2", through=True), "")
        self.assertEqual(self.call("proxmox"), "")
        self.assertEqual([(one.system, one.part) for one in breaker.silences()], [("proxmox", "node1")])

    def test_an_address_that_cannot_be_reached_says_nothing_of_the_node_behind_it(self) -> None:
        for node in ("node1", "node2", "node3"):
            error = Unreachable("proxmox", "refused")
            error.__cause__ = ConnectionRefusedError()
            self.call("proxmox", node, ends=error, through=True)
        self.assertEqual([(one.system, one.part) for one in breaker.silences()], [("proxmox", "")])
        self.assertIn("not asked", self.call("proxmox", "node4", through=True))

    def test_who_looks_whether_it_is_there_asks_anyway(self) -> None:
        self.silence()
        with breaker.asking_anyway():
            self.assertEqual(self.call(), "")
        self.assertEqual((self.call(), breaker.silences()), ("", []))

    def test_a_clock_that_was_set_back_keeps_nobody_waiting(self) -> None:
        self.silence()
        self.time -= 3600
        self.assertEqual(self.call(), "")
