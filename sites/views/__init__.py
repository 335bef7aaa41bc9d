"""The calls of the ProxmoxWP extension."""

from sites.views.backups import Backups, DeleteBackup, MakeBackup, Reset, Rollback
from sites.views.lifecycle import SuspendSite, UnsuspendSite, UpgradeSite
from sites.views.orders import CreateSite, DeleteSite, Plans, SiteStatus
from sites.views.power import RestartSite, StartSite, StopSite

__all__ = [
    "Backups",
    "CreateSite",
    "DeleteBackup",
    "DeleteSite",
    "MakeBackup",
    "Plans",
    "Reset",
    "RestartSite",
    "Rollback",
    "SiteStatus",
    "StartSite",
    "StopSite",
    "SuspendSite",
    "UnsuspendSite",
    "UpgradeSite",
]
