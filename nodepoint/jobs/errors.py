"""Errors of the engine. Steps say how it went with outcomes; these are for those who submit and steer
jobs."""


class JobRefused(Exception):
    """A job cannot be submitted now; `running` is the job that stands in the way."""

    def __init__(self, running) -> None:
        super().__init__(f"{running.title} is still running.")
        self.running = running


class MoveRefused(Exception):
    """Staff cannot steer a job so, or not any more; the text says why."""


class UnknownFlow(LookupError):
    """A row names a flow or step that this release does not know."""
