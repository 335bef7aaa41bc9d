"""What an error means for a step: a pure decision, tested as a table."""

import random

from nodepoint.clients.errors import BadAnswer, ClientError
from nodepoint.jobs.outcomes import Fail, Outcome, Retry

SHORTEST_PAUSE = 1.0  # seconds between two calls of a step, whatever it or a vendor says (`engine`)
LONGEST_PAUSE = 15.0  # seconds between two tries of a step that others wait for
LONGEST_UNDO_PAUSE = 60.0
LONGEST_ASKED = 300.0  # whatever a vendor's Retry-After says
BAD_ANSWERS = 6  # a system that answers, but with its own faults, is not asked for ever: about half a minute
SURPRISES = 4  # a fault of ours hardly heals by itself, but a deadlock or a lost database connection does


def pause(tries: int, longest: float = LONGEST_PAUSE) -> float:
    """Seconds until the next try: 1, 2, 4, 8 … up to `longest`, each shortened at random by up to a fifth so
    that a crowd spreads; the engine makes SHORTEST_PAUSE of what is less."""
    return min(longest, SHORTEST_PAUSE * 2 ** min(tries, 10)) * (1 - 0.2 * random.random())  # noqa: S311


def decide(error: Exception, tries: int, endless: bool) -> Outcome:
    """Retry or Fail for an exception that a step ended with.

    `tries`: how often the step has failed before. `endless`: an undo, or a job that never gives up.
    """
    if not isinstance(error, ClientError):
        again = endless or tries + 1 < SURPRISES
        return _outcome(again, "Something went wrong on our side.", f"{type(error).__name__}: {error}")
    if error.permanent:
        return _outcome(endless, error.sentence, error.vendor)
    if isinstance(error, BadAnswer) and not endless and tries + 1 >= BAD_ANSWERS:
        return _outcome(False, error.sentence, error.vendor)
    asked = _asked(getattr(error, "retry_after", None))
    in_line = getattr(error, "in_line", False)
    return Retry(error=error.sentence, detail=error.vendor, seconds=asked, in_line=in_line)


def _asked(seconds: float | None) -> float | None:
    """The pause that a vendor asks for, as far as it is reasonable."""
    return min(LONGEST_ASKED, seconds) if seconds and seconds > 0 else None


def _outcome(again: bool, sentence: str, detail: str) -> Outcome:
    return Retry(error=sentence, detail=detail) if again else Fail(error=sentence, detail=detail)
