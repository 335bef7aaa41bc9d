"""The calls of the ProxmoxWP extension."""

from sites.views.archives import Archives, DeleteArchive, MakeArchive
from sites.views.backups import Backups, DeleteBackup, MakeBackup, Reset, Rollback
from sites.views.content import ExportContent, ImportContent, ReplaceAddresses
from sites.views.domains import AddDomain, ChoosePrimary, Domains, RemoveDomain, ToggleTraffic
from sites.views.inside import SetOptions, SwitchSafeMode
from sites.views.lifecycle import SuspendSite, UnsuspendSite, UpgradeSite
from sites.views.login import LogIn
from sites.views.orders import CreateSite, DeleteSite, Plans, SiteStatus, Subdomain
from sites.views.power import RestartSite, StartSite, StopSite
from sites.views.restores import RestoreArchive

__all__ = [
    "AddDomain",
    "Archives",
    "Backups",
    "ChoosePrimary",
    "CreateSite",
    "DeleteArchive",
    "DeleteBackup",
    "DeleteSite",
    "Domains",
    "ExportContent",
    "ImportContent",
    "LogIn",
    "MakeArchive",
    "MakeBackup",
    "Plans",
    "RemoveDomain",
    "ReplaceAddresses",
    "Reset",
    "RestartSite",
    "RestoreArchive",
    "Rollback",
    "SetOptions",
    "SiteStatus",
    "StartSite",
    "StopSite",
    "Subdomain",
    "SuspendSite",
    "SwitchSafeMode",
    "ToggleTraffic",
    "UnsuspendSite",
    "UpgradeSite",
]
