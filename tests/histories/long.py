"""The long run, and the replay of one history: what `script/histories` calls. The test runner does not find
it by itself."""

import logging
import os
import time
from pathlib import Path

from django.test import TestCase
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.histories.history import History, replay, shortest
from tests.histories.machine import Histories


def run(histories: int, acts: int, chosen: int) -> None:
    """So many histories of at most so many acts, drawn from a seed. They are not shrunk: `shortest` needs a
    tenth of the time for that."""
    profile = settings(
        max_examples=histories,
        stateful_step_count=acts,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(seed(chosen)(Histories), settings=profile)


class LongRun(TestCase):
    """`HISTORIES`, `HISTORIES_ACTS`, `HISTORIES_SEED`."""

    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)

    def test_histories(self) -> None:
        chosen, begun = int(os.environ["HISTORIES_SEED"]), time.process_time()
        Histories.stops = False
        try:
            run(int(os.environ["HISTORIES"]), int(os.environ["HISTORIES_ACTS"]), chosen)
        finally:
            seconds = time.process_time() - begun
            for end, count in sorted(Histories.ends.items()):
                print(f"{count:6} {end}")  # noqa: T201
            told = f"{Histories.played} histories, {Histories.acts} acts, {Histories.deaths} runners died, "
            told += f"{seconds:.0f} s of the processor"
            print(f"{told}, {len(Histories.broken)} broken, seed {chosen}", flush=True)  # noqa: T201
        self.assertEqual(Histories.broken, [], "\n".join(Histories.broken))

    def test_replay(self) -> None:
        history = History.read(Path(os.environ["HISTORY"]))
        said = replay(history)
        if said and "HISTORY_SHRINK" in os.environ:
            rule = said.partition(":")[0]
            history = shortest(history, lambda one: replay(one).startswith(rule))
            Path(os.environ["HISTORY_SHRINK"]).write_text(history.as_text())
            said = replay(history)
        self.assertEqual(said, "", history.as_text())
