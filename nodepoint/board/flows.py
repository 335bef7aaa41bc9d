"""The board's own jobs: comparing everything, and removing what is left over. As jobs they may take their
time, are seen, and are never done twice at once."""

from nodepoint.board import drift
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Outcome
from nodepoint.jobs.registry import Flow, Limit, Step, register
from nodepoint.restoration import after_release

# NPM takes one writer at a time; what is left over there is removed under the same limit by `remove` itself.
REMOVALS = Limit("removals", lambda: 1)


def compared(call: Call) -> Outcome:
    """Look at everything, keep what differs."""
    return Done(note=f"{drift.compare()} differences.")


def orphan_removed(call: Call) -> Outcome:
    """Look once more, then remove exactly what was shown to staff."""
    removed = drift.remove(call.job.data["app"], call.job.data["digest"])
    return Done(note="" if removed else "It was gone, or has been taken into use.")


COMPARE = register(
    Flow(
        "board.compare",
        title="Compare with all systems",
        subject="",
        scope="",
        deadline=10 * 60,
        steps=(Step("compared", "Comparing", compared, nothing_to_undo="Nothing was changed.", usual=3),),
    )
)

REMOVE_ORPHAN = register(
    Flow(
        "board.remove_orphan",
        title="Remove what is left over",
        subject="",
        scope="",
        deadline=15 * 60,
        steps=(
            Step(
                "orphan_removed",
                "Removing what is left over",
                after_release(orphan_removed),
                nothing_to_undo="Nobody needs it back.",
                limits=(REMOVALS,),
                usual=10,
            ),
        ),
    )
)
