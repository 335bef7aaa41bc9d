"""What a step can say when it was called. Return values, not exceptions: nothing can swallow them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What every outcome may carry.

    `ref`: id of the remote thing (UPID, record id), kept in the step's row. `facts`: columns of the job's
    subject to write, in the same transaction as the outcome. `data`: what the step itself wants to remember
    until its next call."""

    ref: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done(Outcome):
    """It is true now, whoever made it so. `note`: what staff should know although all is well."""

    note: str = ""


@dataclass(frozen=True)
class Wait(Outcome):
    """Something goes on at the other side; look again after `seconds`. `begins`: it has just begun, its time
    counts from now on. `awaited`: its end is near, so that the next look may come before a second is over."""

    seconds: float = 1.0
    begins: bool = False
    awaited: bool = False


@dataclass(frozen=True)
class Retry(Outcome):
    """Not now. `error` is a sentence for the customer, `detail` the vendor's words for staff; `seconds` None:
    the usual back-off. `in_line`: it waits for its turn behind somebody else's work, which counts against no
    deadline, as standing in line for a limit does not."""

    error: str = ""
    detail: str = ""
    seconds: float | None = None
    in_line: bool = False


@dataclass(frozen=True)
class Fail(Outcome):
    """Never. The job is undone (or, after its point of no return, ends with a warning). `callers_fault`: what
    was asked for is not possible, which whoever asked gets to know; staff have nothing to do. `refusal`: the
    answer that is due to him instead of a failure of ours, as `nodepoint.api.errors.as_refusal` gives it."""

    error: str = ""
    detail: str = ""
    callers_fault: bool = False
    refusal: dict[str, Any] | None = None
