"""Lists as CSV (RFC 4180), safe to open in a spreadsheet, in pages so that a long one is neither held in
memory nor one long query."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone

PAGE = 2000  # rows read at once
FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # spreadsheets take the wide ones for the others

Column = tuple[str, Callable[[Any], Any]]


class Line:
    """A file whose `write` gives the line back."""

    def write(self, line: str) -> str:
        """The line."""
        return line


def harmless(text: str) -> str:
    """Text that no spreadsheet runs as a formula: customers choose their names."""
    return f"'{text}" if text.startswith(FORMULA) else text


def cell(value: Any) -> str:
    """A value as text: nothing for None, yes and no, times as ISO 8601. Only text can be a formula."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return str(value)
        case datetime():
            return value.isoformat()
    return harmless(str(value))


def lines(queryset: QuerySet, columns: Sequence[Column]) -> Iterator[str]:
    """Lines of CSV, the names of the columns first, the oldest row first. Each column: its name, and how a
    row gives its value."""
    writer = csv.writer(Line())
    yield writer.writerow([name for name, _ in columns])
    last, ordered = None, queryset.order_by("pk")
    while rows := list(ordered.filter(pk__gt=last)[:PAGE] if last is not None else ordered[:PAGE]):
        for row in rows:
            yield writer.writerow([cell(value(row)) for _, value in columns])
        last = rows[-1].pk


def download(name: str, content: Iterator[str]) -> StreamingHttpResponse:
    """The answer that makes a browser save it as `<name>-<date>.csv`."""
    file = f"{name}-{timezone.localdate():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return StreamingHttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
