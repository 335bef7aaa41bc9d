"""How a step says that the rules refuse what was asked for: the caller then gets that error, not one of the
infrastructure."""

from dns.errors import NotKept, UnknownZone
from nodepoint.api.errors import ApiError, as_refusal
from nodepoint.jobs.outcomes import Fail

# What a caller cannot help: the panel stores otherwise, or has lost a zone of his.
NOT_THE_CALLERS = (NotKept, UnknownZone)


def refused(error: ApiError) -> Fail:
    """The outcome that ends the job with this error. As after a double click, or where somebody else was
    quicker, nothing is wrong mostly, and staff are not told."""
    callers = not isinstance(error, NOT_THE_CALLERS)
    detail = f"refused: {error.error_code}"
    return Fail(error=error.sentence, detail=detail, refusal=as_refusal(error), callers_fault=callers)
