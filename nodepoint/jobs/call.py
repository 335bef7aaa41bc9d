"""What a step is given when it is called."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nodepoint.jobs import experience
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Wait

FIRST_LOOK = 0.7  # of the usual time
BETWEEN_LOOKS = 3.0  # seconds at most between two looks
SHORTEST_LOOK = 0.1
LATER = 0.35  # past the usual time: look again after this share of what it is over
UNKNOWN_PACE = 0.06  # without experience: look again after this share of the time already passed
UNKNOWN_BEGIN = 1.0  # seconds; until then after as much again as has passed
SHORTEST_UNKNOWN = 0.3
# How long an end is awaited: past the usual time this share of it, and these seconds.
AWAITED_SHARE, AWAITED = 0.15, 1.0
BUSY = 0.25  # seconds that a call came too late: looks that are close to one another make it worse


@dataclass(frozen=True)
class Call:
    """One call of a step. `subject` is read afresh for each call; `usual` is the seconds that the remote work
    takes as measured, None as long as nothing was."""

    job: Job
    step: JobStep
    subject: Any
    now: datetime
    usual: float | None

    @property
    def ref(self) -> str:
        """The remote id that an earlier call stored, else empty."""
        return self.step.ref

    @property
    def uncertain(self) -> bool:
        """Whether a call before this one may have begun something that nobody knows of: the last one failed,
        or its worker died."""
        return bool(self.step.tries or self.step.error or self.step.held)

    @property
    def elapsed(self) -> float:
        """Seconds since the remote work began (`begun` was said), 0 before."""
        begun = self.step.data.get("begun")
        return max(0.0, self.now.timestamp() - begun) if begun else 0.0

    def begun(self, ref: str, *, since: datetime | None = None, **facts: Any) -> Wait:
        """The remote work has begun and is known as `ref`; look when it is likely to be near its end.
        `since`: when it did, where that is not now."""
        fresh = {experience.ADOPTED: False} if self.step.data.get(experience.ADOPTED) else {}
        if since:
            fresh["begun"] = since.timestamp()
        anew = "begun" in self.step.data  # what has ended in vain is not asked about in haste
        return Wait(
            ref=ref,
            facts=facts,
            begins=since is None,
            seconds=next_look(0.0, self.usual),
            awaited=not anew and not self._late,
            data=fresh,
        )

    def adopted(self, ref: str, **facts: Any) -> Wait:
        """Work that a lost call of ours began goes on and is known as `ref`. When it began, nobody saw, so
        that its time teaches nothing."""
        return replace(self.begun(ref, **facts), data={experience.ADOPTED: True})

    def look_again(self) -> Wait:
        """The remote work still goes on."""
        elapsed = self.elapsed
        awaited = elapsed > 0 and is_awaited(elapsed, self.usual) and not self._late
        return Wait(seconds=next_look(elapsed, self.usual), awaited=awaited)

    @property
    def _late(self) -> bool:
        """Whether this call came later than it was to: this host has enough to do."""
        due, begun = self.step.due_at, self.step.claimed_at
        return due is not None and begun is not None and (begun - due).total_seconds() > BUSY


def is_awaited(elapsed: float, usual: float | None) -> bool:
    """Whether the end of remote work that began `elapsed` seconds ago is to be seen when it comes: it should
    be near, or nobody knows yet how long it takes."""
    return elapsed < (UNKNOWN_BEGIN if usual is None else usual * (1 + AWAITED_SHARE) + AWAITED)


def next_look(elapsed: float, usual: float | None) -> float:
    """Seconds until the next look at remote work that began `elapsed` seconds ago and usually takes `usual`
    seconds.

    The first look is at 70 % of the usual time, the next when the end is expected, later ones close behind
    it; never more than 3 s after the one before. Without experience the looks follow the time already passed.
    """
    if usual is None and elapsed < UNKNOWN_BEGIN:
        return max(SHORTEST_UNKNOWN, elapsed)
    if usual is None:
        return min(BETWEEN_LOOKS, max(SHORTEST_UNKNOWN, UNKNOWN_PACE * elapsed))
    first = FIRST_LOOK * usual
    if usual > BETWEEN_LOOKS and elapsed < first:
        return max(SHORTEST_LOOK, first - elapsed)
    if elapsed < usual:
        return min(BETWEEN_LOOKS, max(SHORTEST_LOOK, usual - elapsed))
    return min(BETWEEN_LOOKS, max(SHORTEST_LOOK, 0.015 * usual, LATER * (elapsed - usual)))
