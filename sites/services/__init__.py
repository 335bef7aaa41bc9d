"""What can be done with a site: one function for each act, called by the API, the admin and commands alike.

Guards first, then one transaction that writes rows and submits a job. No remote call is made here.
"""

from sites.services.archives import (
    archives_used,
    create_archive,
    delete_archive,
    expire_archives,
    listed_archives,
)
from sites.services.backups import (
    backups_used,
    create_backup,
    delete_backup,
    listed_backups,
    made_before,
    reset,
    roll_back,
)
from sites.services.content import addresses_found, import_content, replace_addresses, served_names
from sites.services.domains import add_domain, domain_problems, remaining_domains, remove_domain
from sites.services.exports import export_content, export_made, export_offered, last_export
from sites.services.inside import set_options, switch_safe_mode
from sites.services.login import log_in
from sites.services.orders import create_site, delete_site, find_plan, subdomain_standing
from sites.services.owners import change_owner
from sites.services.plans import upgrade_site, would_take
from sites.services.power import restart_site, start_site, stop_site
from sites.services.primary import choose_primary
from sites.services.restores import restore_archive
from sites.services.standing import get_site, last_job, own_status, site_for_action, status
from sites.services.suspension import enforce_suspension, suspend_site, unsuspend_site
from sites.services.template import build_template
from sites.services.traffic import toggle_traffic

__all__ = [
    "add_domain",
    "addresses_found",
    "archives_used",
    "backups_used",
    "build_template",
    "change_owner",
    "choose_primary",
    "create_archive",
    "create_backup",
    "create_site",
    "delete_archive",
    "delete_backup",
    "delete_site",
    "domain_problems",
    "enforce_suspension",
    "expire_archives",
    "export_content",
    "export_made",
    "export_offered",
    "find_plan",
    "get_site",
    "import_content",
    "last_export",
    "last_job",
    "listed_archives",
    "listed_backups",
    "log_in",
    "made_before",
    "own_status",
    "remaining_domains",
    "remove_domain",
    "replace_addresses",
    "reset",
    "restart_site",
    "restore_archive",
    "roll_back",
    "served_names",
    "set_options",
    "site_for_action",
    "start_site",
    "status",
    "stop_site",
    "subdomain_standing",
    "suspend_site",
    "switch_safe_mode",
    "toggle_traffic",
    "unsuspend_site",
    "upgrade_site",
    "would_take",
]
