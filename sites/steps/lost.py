"""An order finds that something of its own service stands already, although it has made nothing yet: a site
that the rows have lost, as after a dump came back. It would be taken for the order's own, and led to another
container or removed with it; so the order waits until staff have looked (`manage.py restored`)."""

from nodepoint.jobs.outcomes import Retry
from nodepoint.models import Restoration
from nodepoint.restoration import LOOK_AGAIN
from sites.models import Site

STANDS = "Something of this service stands already. Staff look at it."
RUN = "The database is older than that: stop NodePoint on every machine and run `manage.py restored`."


def released(site: Site) -> bool:
    """Whether staff have looked since it was ordered. One query."""
    return Restoration.objects.filter(released_at__gte=site.created_at).exists()


def held(found: str) -> Retry:
    """Wait for staff, which counts against no deadline. `found`: what stands, in a few words."""
    return Retry(
        error=STANDS,
        detail=f"By its mark it is this service's: {found}. {RUN}",
        seconds=LOOK_AGAIN,
        in_line=True,
    )
