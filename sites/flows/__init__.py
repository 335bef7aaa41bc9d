"""What happens to a site, step by step. Read this first.

Steps whose forerunners (`after`) are done run side by side. When a step fails for good, everything that was
begun is undone, last first. Deleting a site is made of the same undos: DNS first, so that visitors go, the
address last, so that nobody else gets it before the container is gone.
"""

from sites.flows.adoption import ADOPT, UNLINK
from sites.flows.archives import ARCHIVE, DELETE_ARCHIVE, NIGHTLY_ARCHIVE
from sites.flows.backups import BACKUP, DELETE_BACKUP, RESET, ROLLBACK
from sites.flows.content import COUNT_ADDRESSES, EXPORT, IMPORT, REPLACE_ADDRESSES
from sites.flows.domains import ADD_DOMAIN, CERTIFICATE, REMOVE_DOMAIN, TOGGLE
from sites.flows.inside import OPTIONS, SAFE_MODE
from sites.flows.lifecycle import PROVISION, TERMINATE
from sites.flows.lift import LIFT, LIFTING
from sites.flows.nodes import DRAIN, MOVE
from sites.flows.plans import UPGRADE
from sites.flows.pool import POOL_DESTROY, POOL_FILL
from sites.flows.power import RESTART, START, STOP
from sites.flows.repair import REPAIR
from sites.flows.restore import DRILL, RESTORE
from sites.flows.suspension import SUSPEND, UNSUSPEND
from sites.flows.template import TEMPLATE
from sites.flows.update import UPDATE

__all__ = [
    "ADD_DOMAIN",
    "ADOPT",
    "ARCHIVE",
    "BACKUP",
    "CERTIFICATE",
    "COUNT_ADDRESSES",
    "DELETE_ARCHIVE",
    "DELETE_BACKUP",
    "DRAIN",
    "DRILL",
    "EXPORT",
    "IMPORT",
    "LIFT",
    "LIFTING",
    "MOVE",
    "NIGHTLY_ARCHIVE",
    "OPTIONS",
    "POOL_DESTROY",
    "POOL_FILL",
    "PROVISION",
    "REMOVE_DOMAIN",
    "REPAIR",
    "REPLACE_ADDRESSES",
    "RESET",
    "RESTART",
    "RESTORE",
    "ROLLBACK",
    "SAFE_MODE",
    "START",
    "STOP",
    "SUSPEND",
    "TEMPLATE",
    "TERMINATE",
    "TOGGLE",
    "UNLINK",
    "UNSUSPEND",
    "UPDATE",
    "UPGRADE",
]
