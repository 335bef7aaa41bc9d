"""How a step says that the rules refuse what was asked for: the caller then gets that error, not one of the
infrastructure."""

from nodepoint.api.errors import ApiError
from nodepoint.jobs.outcomes import Fail

REFUSED = "refused"  # the key in the step's data; `dns.services.refusal` reads it
BESIDE = ("verification",)  # what stands beside the sentence in the answer


def refused(error: ApiError, *, callers_fault: bool = False) -> Fail:
    """The outcome that ends the job with this error. `callers_fault`: as after a double click, nothing is
    wrong."""
    told = {"sentence": error.sentence, "http": error.status_code, "code": error.error_code}
    told |= {name: error.extra[name] for name in BESIDE if name in error.extra}
    detail = f"refused: {error.error_code}"
    return Fail(error=error.sentence, detail=detail, data={REFUSED: told}, callers_fault=callers_fault)
