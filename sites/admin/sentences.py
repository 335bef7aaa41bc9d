"""What will happen, in the sentences of the page before an act."""

from sites import services
from sites.admin import forms
from sites.models import Site
from sites.services import archives


def container(site: Site) -> str:
    return f"container {site.vmid}" + (f" on {site.node}" if site.node else "")


def start(site: Site, query: dict[str, str]) -> list[str]:
    return [f"Starts {container(site)}; this takes some seconds.", "The site is to run from now on."]


def stop(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"Ends {container(site)} gracefully; after 60 seconds it is killed.",
        "Visitors see an error until somebody starts it again. The customer can do so himself.",
    ]


def restart(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"Ends {container(site)} gracefully, after 60 seconds by force, and starts it again.",
        "Visitors see an error meanwhile.",
    ]


def login(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"Makes a link with which you are the administrator of {site.hostname}: the customer's own site.",
        "It is shown once, works once within five minutes, and is stored nowhere.",
        "The log keeps that you asked for it, and why.",
    ]


def options(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "The install script runs once more: PHP and the web server are told anew, content is left alone.",
        "In a stopped container the options hold from its next start. The customer can change them himself.",
    ]


def safe_mode_on(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "Plugins, theme, must-use plugins, drop-ins and maintenance are left out; none is changed, nor is the"
        " database.",
        "Visitors see the site without them. Logging in works, so that what is broken can be removed.",
        "Where that does not make WordPress answer, nothing is switched on.",
    ]


def back_up(site: Site, query: dict[str, str]) -> list[str]:
    used = services.backups_used(site)
    return [
        f"Takes a snapshot: the customer then has {used + 1} of {site.backups_allowed} backups.",
        "The site goes on; its database is held for some seconds.",
    ]


def archive(site: Site, query: dict[str, str]) -> list[str]:
    used, most = services.archives_used(site), archives.allowed(site)
    return [
        "The whole site is packed onto the storage of the archives.",
        f"The customer then has {used + 1} of {most} archives of his own.",
        "The site goes on. Until it is done, nothing else is done at its container.",
    ]


KEPT = (
    "A snapshot called before is taken first, in the place of an earlier one, and can be gone back to; not on"
    " ZFS, which can only go back to its newest snapshot."
)


def roll_back(site: Site, query: dict[str, str]) -> list[str]:
    chosen = query.get("backup")
    since = f"since {chosen}" if chosen else "since the chosen backup"
    return [
        f"Everything that happened on the site {since} is lost: pages, orders, files, database.",
        KEPT if chosen != "before" else "What is there now is not kept: it goes back to the snapshot before.",
        "The container is stopped, rolled back, given its plan and address, and started if it is to run.",
    ]


def restore_archive(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "Everything that happened on the site since the archive was made is lost: pages, orders, files,"
        " database.",
        "Its backups, which are snapshots, are lost as well. Name, address, plan and domains stay; the VMID"
        " does not.",
        "The site is served until the archive is unpacked beside it. Where WordPress does not answer with"
        " what was restored, what is there now comes back by itself.",
    ]


def import_content(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "All files and tables of the site are replaced by those of the archive; its addresses get the name"
        " of this site. What the customer has made is lost, but for the snapshot before, taken first.",
        "wp-config.php stays, but for the prefix of the tables; the users are those of the archive.",
        "When WordPress does not answer with it, what was there before comes back by itself.",
    ]


def reset(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "Everything the customer has made is lost: the site is that of its first day.",
        KEPT,
        "The customer gets an e-mail with a new way to log in.",
        "Backups are kept, unless they stand in the way and may be deleted.",
    ]


def traffic_off(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"Switches off all host names of the site: visitors of {site.hostname} get nothing any more.",
        "The container goes on. The customer can switch it on again himself.",
    ]


def replace(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "Addresses in posts, options and all other tables of the site get the new host name; serialized data"
        " stays whole. The words of a post that are no address, and the guid of posts, stay.",
        f"A snapshot called before is taken first, and takes the place of an earlier one; {container(site)}"
        " goes on meanwhile.",
    ]


def suspend(site: Site, query: dict[str, str]) -> list[str]:
    return [
        "Visitors get nothing any more, the container is stopped and stays so; all data are kept.",
        "The customer can do nothing with it until it is unsuspended.",
        "The billing portal is not told: what it shows will differ.",
    ]


def unsuspend(site: Site, query: dict[str, str]) -> list[str]:
    power = "started" if site.wanted_power == "running" else "left stopped, as the customer wished"
    traffic = "on" if site.proxy_enabled else "off, as the customer wished"
    return [
        f"The container is {power}; traffic is {traffic}.",
        "The billing portal is not told: what it shows will differ.",
    ]


def upgrade(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"The site has the plan {forms.described(site.plan)}.",
        "Disks grow only. The same plan again applies what was changed about it.",
        "The billing portal is not told: the customer pays what he paid.",
    ]


def delete(site: Site, query: dict[str, str]) -> list[str]:
    domains = ", ".join(site.custom_domains.values_list("domain", flat=True))
    also = f" and {domains}" if domains else ""
    return [
        f"Removes {site.hostname or 'its names'}{also}, certificates, {container(site)} with all data and all"
        " backups.",
        "This cannot be taken back, not even while it goes on. What else runs for the site is cancelled.",
        "The billing portal is not told.",
    ]


def unlock(site: Site, query: dict[str, str]) -> list[str]:
    """For `pct unlock`."""
    return [
        f"Runs `pct unlock {site.vmid}` on the node, and calls the step that waits for it at once.",
        "Refused while a task is at work on the container: then the lock is not left over.",
        "A task that died in the middle may have left the container half done; the job looks before it acts.",
    ]


def unlink(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"The cluster shows no container {site.vmid} any more. A job looks once more; if it is there, nothing"
        " happens.",
        "Then the DNS record, proxy hosts and certificates of the site are removed, and its address is free.",
        "What the customer had is lost with the container.",
    ]


def release(site: Site, query: dict[str, str]) -> list[str]:
    held = [site.private_ip, f"VMID {site.vmid}" if site.vmid else None, site.subdomain]
    return [
        f"Gives back {', '.join(filter(None, held))}: the next order may get them.",
        "Nothing is removed anywhere. What carries our mark is reported by reconcile.",
    ]


def order_again(site: Site, query: dict[str, str]) -> list[str]:
    return [
        f"Orders the site of service {site.service_id} once more: plan {site.plan.name}, for {site.email}.",
        "It gets a new address, VMID and row; this row stays as history.",
        "The billing portal knows nothing of it and needs to know nothing: it names the service.",
    ]


FORCE = [
    "Only our row changes: nothing is looked at, nothing is removed anywhere.",
    "As failed or deleted, the service may be ordered again at once. Address, VMID and subdomain stay"
    " reserved until they are released.",
    "Where the container stands in the cluster, this is refused: have the site deleted instead.",
]
ORDER = [
    "The site is made as if the billing portal had ordered it.",
    "The customer gets the e-mail with the link to set a password. The billing portal is not told.",
]

ADOPT = [
    "A job looks at the container first: it must carry no mark of another site, and have a fixed address of"
    " the sites' network.",
    "Then it gets our mark, record, proxy host and closed firewall. When WordPress does not answer, mark,"
    " record and proxy host are taken back.",
    "Once it is a site, it follows its plan in memory, cores and disk, and is deleted with the site.",
]
