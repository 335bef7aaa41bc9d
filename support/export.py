"""The list of support keys as CSV, for ticket systems."""

import csv
from collections.abc import Iterator

from django.db.models import QuerySet

from support.models import SupportKey

COLUMNS = ("service_id", "support_key", "status", "firstname", "lastname", "email", "created_at")
PAGE = 2000  # rows read at once, so that a long list is neither held in memory nor one long query
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # spreadsheets take the wide ones for the others


class _Line:
    """A file whose `write` gives the line back."""

    def write(self, line: str) -> str:
        return line


def as_csv(queryset: QuerySet[SupportKey]) -> Iterator[str]:
    """Lines of CSV (RFC 4180), COLUMNS as the first one, oldest key first; times as ISO 8601."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in _pages(queryset):
        *texts, created_at = row
        yield writer.writerow([*map(harmless, texts), created_at.isoformat()])


def _pages(queryset: QuerySet[SupportKey]) -> Iterator[tuple]:
    """All rows by primary key, without a query that lasts as long as the client takes to read."""
    last = 0
    ordered = queryset.order_by("pk").values_list("pk", *COLUMNS)
    while page := list(ordered.filter(pk__gt=last)[:PAGE]):
        yield from (row for _, *row in page)
        last = page[-1][0]


def harmless(text: str) -> str:
    """Text that no spreadsheet runs as a formula: customers choose their names."""
    return f"'{text}" if text.startswith(FORMULA) else text
