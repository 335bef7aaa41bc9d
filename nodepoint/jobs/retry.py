"""What an error means for a step: a pure decision, tested as a table."""

import random
from dataclasses import replace

from nodepoint.clients.errors import BadAnswer, ClientError
from nodepoint.jobs.models import JobStep
from nodepoint.jobs.outcomes import Fail, Outcome, Retry

SHORTEST_PAUSE = 1.0  # seconds between two calls of a step, whatever it or a vendor says (`changes`)
LONGEST_PAUSE = 15.0  # seconds between two tries of a step that others wait for
LONGEST_UNDO_PAUSE = 60.0
LONGEST_ASKED = 300.0  # whatever a vendor's Retry-After says
BAD_ANSWERS = 6  # a system that answers, but with its own faults, is not asked for ever: about half a minute
SURPRISES = 4  # a fault of ours hardly heals by itself, but a deadlock or a lost database connection does
# In a step's data as long as it comes to no word of its own: how often faults of each kind have ended its
# calls, and how often in a row its lease was lost.
FAULTS, LOST = COUNTS = ("faults", "lost")


def pause(tries: int, longest: float = LONGEST_PAUSE) -> float:
    """Seconds until the next try: 1, 2, 4, 8 … up to `longest`, each shortened at random by up to a fifth so
    that a crowd spreads; the engine makes SHORTEST_PAUSE of what is less."""
    return min(longest, SHORTEST_PAUSE * 2 ** min(tries, 10)) * (1 - 0.2 * random.random())  # noqa: S311


def counted(error: Exception, step: JobStep, endless: bool) -> Outcome:
    """`decide` for a step, in whose data the count is kept. Each kind of fault has its own patience, from its
    first one on: hours in which a system was away use up nothing of it."""
    before = step.data.get(FAULTS, {}) if step.tries else {}
    kind = "theirs" if isinstance(error, BadAnswer) else "" if isinstance(error, ClientError) else "ours"
    outcome = decide(error, before.get(kind, 0), endless)
    after = before | {kind: before.get(kind, 0) + 1} if kind else before
    return replace(outcome, data={FAULTS: after}) if after else outcome


def decide(error: Exception, before: int, endless: bool) -> Outcome:
    """Retry or Fail for an exception that a step ended with.

    `before`: how often it has ended so already. `endless`: an undo, or a job that never gives up.
    """
    if not isinstance(error, ClientError):
        again = endless or before + 1 < SURPRISES
        return _outcome(again, "Something went wrong on our side.", f"{type(error).__name__}: {error}")
    if error.permanent:
        return _outcome(endless, error.sentence, error.vendor)
    if isinstance(error, BadAnswer) and not endless and before + 1 >= BAD_ANSWERS:
        return _outcome(False, error.sentence, error.vendor)
    asked = _asked(getattr(error, "retry_after", None))
    in_line = getattr(error, "in_line", False)
    return Retry(error=error.sentence, detail=error.vendor, seconds=asked, in_line=in_line)


def _asked(seconds: float | None) -> float | None:
    """The pause that a vendor asks for, as far as it is reasonable."""
    return min(LONGEST_ASKED, seconds) if seconds and seconds > 0 else None


def _outcome(again: bool, sentence: str, detail: str) -> Outcome:
    return Retry(error=sentence, detail=detail) if again else Fail(error=sentence, detail=detail)
