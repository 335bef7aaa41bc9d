"""Sites for staff: lists that answer questions, the page of a site, and what can be done there."""

from sites.admin.archives import ArchiveAdmin
from sites.admin.domains import CustomDomainAdmin
from sites.admin.nodes import ClusterNodeAdmin
from sites.admin.overrides import PlatformAdmin
from sites.admin.plans import PlanAdmin
from sites.admin.pool import SpareAdmin
from sites.admin.site import SiteAdmin
from sites.admin.templates import TemplateAdmin

__all__ = [
    "ArchiveAdmin",
    "ClusterNodeAdmin",
    "CustomDomainAdmin",
    "PlanAdmin",
    "PlatformAdmin",
    "SiteAdmin",
    "SpareAdmin",
    "TemplateAdmin",
]
