"""The list of support keys as CSV, for ticket systems."""

from collections.abc import Iterator

from django.db.models import QuerySet

from nodepoint import export
from support.models import SupportKey

COLUMNS = ("service_id", "support_key", "status", "firstname", "lastname", "email", "created_at")


def as_csv(queryset: QuerySet[SupportKey]) -> Iterator[str]:
    """Lines of CSV, COLUMNS as the first one, oldest key first; times as ISO 8601."""
    columns = [(name, lambda row, name=name: getattr(row, name)) for name in COLUMNS]
    return export.lines(queryset, columns)
