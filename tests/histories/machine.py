"""Hypothesis draws the histories."""

import os
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from nodepoint.jobs.models import Job
from tests.histories.acts import ACTS
from tests.histories.history import Stage
from tests.histories.world import Broken

KEPT = Path(os.environ.get("NODEPOINT_HISTORIES") or tempfile.gettempdir())
"""Folder in which histories that broke something are kept."""

WORLDS = st.fixed_dictionaries(
    {
        "speed": st.sampled_from((0.0, 1.0)),
        "release": st.sampled_from(("9.2", "9.2", "8.4")),
        "storage": st.sampled_from(("global-lvm", "global-lvm", "local-zfs", "ceph", "thick")),
        "certificates": st.sampled_from(("shared", "own")),
        "pool": st.sampled_from((0, 0, 1, 2)),
        "archives": st.sampled_from(("", "nas")),
    }
)


class Histories(RuleBasedStateMachine):
    """Any acts, one after the other; then calm, and the invariants."""

    stage: Stage | None = None
    played = acts = deaths = 0  # of all of this process
    ends: ClassVar[Counter[str]] = Counter()  # of jobs, by how they ended
    broken: ClassVar[list[str]] = []  # what was, with the file of the history
    stops = True  # at the first that breaks something
    ends_at: float | None = None  # by `time.process_time()`: nothing begins after that

    @initialize(world=WORLDS, live=st.sampled_from((0, 1, 2, 2)))
    def begin(self, world: dict[str, Any], live: int) -> None:
        """So many sites are live at the beginning."""
        if self.ends_at is not None and time.process_time() > self.ends_at:
            return
        self.stage = Stage(**world)
        for number in range(live):
            self.happen("order", {"who": number, "plan": ("premium", "basic")[number], "twice": False})
        self.happen("work", {"seconds": 900})

    def happen(self, name: str, arguments: dict[str, Any]) -> None:
        """An act, unless the world is broken already."""
        if self.stage is not None:
            self._judged(lambda stage: stage.play(name, arguments))

    def teardown(self) -> None:
        """The end of every history."""
        if self.stage is not None:
            Histories.played += 1
            Histories.acts += len(self.stage.history.acts)
            self._judged(lambda stage: stage.judge())
        if self.stage is not None:
            jobs = Job.objects.exclude(kind__startswith="notices.").values_list("kind", "state")
            self.ends.update(f"{kind} {state}" for kind, state in jobs)
            Histories.deaths += self.stage.world.killed
            self.stage.end()

    def _judged(self, part: Callable[[Stage], None]) -> None:
        """Whatever goes wrong in a part of the history ends it; it is kept."""
        stage = self.stage
        try:
            part(stage)
        except Exception as error:
            self.stage = None
            stage.end()
            path = KEPT / f"history-{len(self.broken)}.json"
            path.write_text(stage.history.as_text())
            text = str(error) if isinstance(error, Broken) else traceback.format_exc()
            self.broken.append(f"script/histories --replay {path}\n{text}")
            if self.stops:
                raise


THEN = st.sampled_from((0, 0, 1, 2, 5, 12, 30, 60))
"""How many steps are called after an act, before the next one."""


def _rule(name: str, number: int) -> Any:
    def happen(self: Histories, then: int, **arguments: Any) -> None:
        self.happen(name, arguments)
        if then:
            self.happen("some", {"count": then, "turn": 0})

    happen.__name__ = f"{name}_{number}" if number else name
    return rule(then=THEN, **ACTS[name].arguments)(happen)


for _name, _act in ACTS.items():
    for _number in range(_act.weight):
        setattr(Histories, f"{_name}_{_number}", _rule(_name, _number))
