"""What a role may hold, in the words of the room where it is used. Django's own list has three times as many
permissions, most of them for rows that no page of ours lets anybody touch."""

TOPICS: dict[str, dict[str, str]] = {
    "Sites": {
        "sites.view_site": "see sites",
        "sites.view_customdomain": "see custom domains",
        "sites.view_backup": "see backups",
        "sites.login_site": "log in to WordPress",
        "sites.power_site": "start, stop, restart",
        "sites.back_up_site": "make and remove backups",
        "sites.roll_back_site": "roll back and reset",
        "sites.suspend_site": "suspend and unsuspend",
        "sites.route_site": "domains and traffic",
        "sites.upgrade_site": "change the plan",
        "sites.add_site": "order sites",
        "sites.change_site": "change quotas and high availability",
        "sites.delete_site": "delete sites",
        "sites.override_site": "overrule what the platform believes",
        "sites.view_platform": "see whether orders are paused",
    },
    "Plans and templates": {
        "sites.view_plan": "see plans",
        "sites.add_plan": "add plans",
        "sites.change_plan": "change plans",
        "sites.delete_plan": "delete plans",
        "sites.view_template": "see golden templates",
        "sites.view_spare": "see ready containers",
    },
    "DNS": {
        "dns.view_zone": "see zones",
        "dns.add_zone": "add zones",
        "dns.change_zone": "add, change and delete records",
        "dns.delete_zone": "delete zones",
        "dns.view_customer": "see customers",
        "dns.view_templaterecord": "see the zone template",
        "dns.add_templaterecord": "add records to the zone template",
        "dns.change_templaterecord": "change the zone template",
        "dns.delete_templaterecord": "take records off the zone template",
    },
    "Support keys": {
        "support.view_supportkey": "see keys",
        "support.view_historyentry": "see their history",
        "support.add_supportkey": "make keys",
        "support.change_supportkey": "suspend and terminate keys",
        "support.rotate_supportkey": "replace keys",
    },
    "Operations": {
        "jobs.view_job": "see jobs",
        "jobs.view_jobstep": "see their steps",
        "jobs.steer_job": "retry, skip, cancel and ask again",
        "board.view_finding": "see differences",
        "board.view_systemstate": "see the systems",
        "board.view_alert": "see alerts",
        "notices.view_notice": "see what was told to whom",
        "notices.send_notice": "send e-mails again",
        "notices.view_preferences": "see how people are told, and the e-mails to customers",
        "notices.change_preferences": "choose how people are told",
        "board.view_callcount": "see calls of the API",
        "audit.view_entry": "read the log of acts",
    },
    "Access": {
        "api.view_token": "see API tokens",
        "api.add_token": "make API tokens",
        "api.change_token": "revoke and limit API tokens",
        "auth.view_user": "see staff",
        "auth.add_user": "add staff",
        "auth.change_user": "change staff",
        "auth.delete_user": "remove staff",
        "auth.view_group": "see roles",
        "auth.add_group": "add roles",
        "auth.change_group": "change roles",
        "auth.delete_group": "remove roles",
        "otp_totp.view_totpdevice": "see who has a second factor",
        "otp_totp.delete_totpdevice": "take a second factor away",
        "axes.view_accessattempt": "see locked logins",
        "axes.delete_accessattempt": "unlock logins",
    },
}


def names() -> set[str]:
    """`app.codename` of every permission that a role may hold."""
    return {name for topic in TOPICS.values() for name in topic}
