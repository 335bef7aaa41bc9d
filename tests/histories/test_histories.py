"""Random histories, other ones in each run: as many as the time allows. `script/histories` plays more."""

import logging
import os
import random
import time

from django.test import TestCase

from tests.base import on_one_database
from tests.histories.long import run
from tests.histories.machine import Histories

MOST, ACTS = 50, 30
SECONDS = 50.0  # of the processor


@on_one_database
class HistoriesTests(TestCase):
    """`HISTORIES_SEED` has the same ones drawn once more."""

    def test_nothing_is_broken_whatever_happens(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        chosen = int(os.environ.get("HISTORIES_SEED") or random.SystemRandom().randrange(10**9))
        Histories.ends_at, Histories.stops = time.process_time() + SECONDS, True
        self.addCleanup(setattr, Histories, "ends_at", None)
        try:
            run(MOST, ACTS, chosen)
        finally:
            said = f"{Histories.played} histories, {Histories.acts} acts, HISTORIES_SEED={chosen}"
            print(said, *Histories.broken, sep="\n", flush=True)  # noqa: T201
