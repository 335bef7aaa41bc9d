"""The calls of the ProxmoxWP extension."""

from sites.views.orders import CreateSite, DeleteSite, Plans, SiteStatus

__all__ = ["CreateSite", "DeleteSite", "Plans", "SiteStatus"]
