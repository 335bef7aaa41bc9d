"""Customers' own host names for staff."""

from django.contrib import admin

from nodepoint.admin import ReadOnlyAdmin
from sites.admin.lists import DomainList
from sites.models import CustomDomain


@admin.register(CustomDomain)
class CustomDomainAdmin(DomainList, ReadOnlyAdmin):
    """Customers' own host names, newest first."""
