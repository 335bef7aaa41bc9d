"""How a step says that the rules refuse what was asked for: the caller then gets that error, not one of the
infrastructure."""

from dns.errors import NotKept, UnknownZone
from nodepoint.api.errors import ApiError
from nodepoint.jobs.outcomes import Fail

REFUSED = "refused"  # the key in the step's data; `dns.services.refusal` reads it
BESIDE = ("verification",)  # what stands beside the sentence in the answer

# What a caller cannot help: the panel stores otherwise, or has lost a zone of his.
NOT_THE_CALLERS = (NotKept, UnknownZone)


def refused(error: ApiError) -> Fail:
    """The outcome that ends the job with this error. As after a double click, or where somebody else was
    quicker, nothing is wrong mostly, and staff are not told."""
    told = {"sentence": error.sentence, "http": error.status_code, "code": error.error_code}
    told |= {name: error.extra[name] for name in BESIDE if name in error.extra}
    detail = f"refused: {error.error_code}"
    callers = not isinstance(error, NOT_THE_CALLERS)
    return Fail(error=error.sentence, detail=detail, data={REFUSED: told}, callers_fault=callers)
