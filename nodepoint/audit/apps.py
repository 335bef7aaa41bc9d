from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The log of acts."""

    name = "nodepoint.audit"
    label = "audit"
    verbose_name = "Operations"  # where it stands in the sidebar
