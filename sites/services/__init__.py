"""What can be done with a site: one function for each act, called by the API, the admin and commands alike.

Guards first, then one transaction that writes rows and submits a job. No remote call is made here.
"""

from sites.services.orders import create_site, delete_site, find_plan
from sites.services.standing import get_site, last_job, site_for_action, status

__all__ = ["create_site", "delete_site", "find_plan", "get_site", "last_job", "site_for_action", "status"]
