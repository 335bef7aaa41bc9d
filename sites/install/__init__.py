"""The scripts that run inside containers, and how they are handed their parameters."""

import shlex
from importlib.resources import files

from django.conf import settings

from sites.models import Site

STATUS_FILE = "/var/lib/nodepoint/install.status"
BUSY = 75  # exit code: an earlier run of the script is still at work
PARAMETERS = "# parameters\n"


def script(site: Site) -> str:
    """The install script for a site, parameters included; it goes to the standard input of `bash -s`.

    Parameters become quoted assignments inside the script: arguments would be parsed once more by the node's
    shell and stand in its process list.
    """
    template = files("sites.install").joinpath("wordpress.sh").read_text()
    assignments = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in parameters(site).items())
    return template.replace(PARAMETERS, assignments, 1)


def parameters(site: Site) -> dict[str, str | int]:
    """What the script needs to know. MEMORY in MB."""
    return {
        "SITE_HOSTNAME": site.hostname,
        "ADMIN_EMAIL": site.email,
        "MEMORY": site.plan.memory_mb,
        "PROXY_IPS": " ".join(settings.PROXY_LAN_IPS),
        "WORDPRESS_URL": settings.WORDPRESS_URL,
        "SMTP_URL": settings.SITE_SMTP_URL,
        "CRON_MINUTE": (site.vmid or 0) % 5,
    }


def database_script() -> str:
    """The script that holds and releases the site's database: `bash -s hold`, `bash -s release`."""
    return files("sites.install").joinpath("database.sh").read_text()
