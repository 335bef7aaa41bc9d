"""The sidebar: by what staff want to do, not by our tables."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# (group, [(title, icon, name of a page of the admin, permission)])
GROUPS = (
    ("", [("Board", "monitor_heart", "index", "")]),
    (
        "Sites",
        [
            ("Sites", "web", "sites_site_changelist", "sites.view_site"),
            ("Custom domains", "language", "sites_customdomain_changelist", "sites.view_customdomain"),
            ("Nodes", "host", "sites_clusternode_changelist", "sites.view_clusternode"),
            ("Addresses", "lan", "sites_site_addresses", "sites.view_site"),
            ("Archives", "archive", "sites_archive_changelist", "sites.view_archive"),
            ("Plans", "sell", "sites_plan_changelist", "sites.view_plan"),
            ("Platform", "shopping_cart", "sites_platform_changelist", "sites.view_platform"),
            ("Templates", "inventory_2", "sites_template_changelist", "sites.view_template"),
            ("Ready containers", "bolt", "sites_spare_changelist", "sites.view_spare"),
        ],
    ),
    (
        "DNS",
        [
            ("Zones", "dns", "dns_zone_changelist", "dns.view_zone"),
            ("Customers", "group", "dns_customer_changelist", "dns.view_customer"),
            ("Zone template", "post_add", "dns_templaterecord_changelist", "dns.view_templaterecord"),
        ],
    ),
    (
        "Support",
        [
            ("Support keys", "key", "support_supportkey_changelist", "support.view_supportkey"),
            ("Key history", "history", "support_historyentry_changelist", "support.view_historyentry"),
            ("Notes on customers", "sticky_note_2", "people_note_changelist", "people.view_note"),
        ],
    ),
    (
        "Operations",
        [
            ("Jobs", "build", "jobs_job_changelist", "jobs.view_job"),
            ("Alerts", "notifications", "board_alert_changelist", "board.view_alert"),
            ("Deliveries", "outgoing_mail", "notices_notice_changelist", "notices.view_notice"),
            ("How people are told", "tune", "notices_preferences_changelist", "notices.view_preferences"),
            ("Differences", "difference", "board_finding_changelist", "board.view_finding"),
            ("Systems", "health_and_safety", "board_systemstate_changelist", "board.view_systemstate"),
            ("API calls", "bar_chart", "board_callcount_changelist", "board.view_callcount"),
            ("Log of acts", "receipt_long", "audit_entry_changelist", "audit.view_entry"),
        ],
    ),
    (
        "Access",
        [
            ("API tokens", "vpn_key", "api_token_changelist", "api.view_token"),
            ("Staff", "badge", "auth_user_changelist", "auth.view_user"),
            ("Roles", "shield_person", "auth_group_changelist", "auth.view_group"),
            ("Locked logins", "lock_clock", "axes_accessattempt_changelist", "axes.view_accessattempt"),
        ],
    ),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups for the theme. Pages that this installation does not have are left out."""
    groups = [(title, [item for item in map(_item, items) if item]) for title, items in GROUPS]
    here = _nearest(request.path, [item["link"] for _, items in groups for item in items])
    for _, items in groups:
        for item in items:
            item["active"] = item["link"] == here
    return [{"title": title, "separator": bool(title), "items": items} for title, items in groups]


def name_of(opts: Any) -> str:
    """What the sidebar calls the list of a model; empty where it does not stand there."""
    return _named().get(f"{opts.app_label}_{opts.model_name}_changelist", ("", ""))[1]


def named(parts: list[dict[str, Any]], request: HttpRequest) -> list[dict[str, Any]]:
    """The way to a page (`[{link, title}]`: app, list, row) with group and name of the sidebar for app and
    list; the group leads nowhere."""
    if len(parts) < 2 or parts[1].get("link") is None:
        return parts
    names = _by_address()
    link = request.path if request.path in names else str(parts[1]["link"])
    if link not in names:
        return parts
    group, title = names[link]
    return [{"title": group}, {"link": link, "title": title}, *parts[2:]]


def _by_address() -> dict[str, tuple[str, str]]:
    """Group and name by the address; pages that this installation does not have are left out."""
    found = {}
    for page, entry in _named().items():
        with suppress(NoReverseMatch):
            found[reverse(f"admin:{page}")] = entry
    return found


@cache
def _named() -> dict[str, tuple[str, str]]:
    """Group and name by the page."""
    return {page: (group, title) for group, items in GROUPS for title, _, page, _ in items}


def _nearest(path: str, links: list[str]) -> str:
    """The page of the sidebar that a path belongs to: the theme would mark all that it begins with, such as
    the list of sites on the page of the addresses."""
    board = reverse("admin:index")
    above = [link for link in links if path.startswith(link) and (link != board or path == board)]
    return max(above, key=len, default="")


def _item(entry: tuple[str, str, str, str]) -> dict[str, Any] | None:
    title, icon, name, permission = entry
    try:
        link = reverse(f"admin:{name}")
    except NoReverseMatch:
        return None
    return {"title": title, "icon": icon, "link": link, "permission": _may(permission)}


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: not permission or request.user.has_perm(permission)
