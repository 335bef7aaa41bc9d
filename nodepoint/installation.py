"""Who we are among several NodePoints that work on the same Proxmox VE, Cloudflare or NPM: the only place
that knows it. Owner marks carry it (`sites.marks`)."""

from django.conf import settings
from django.db import connection

from nodepoint.models import Installation

_kept: list[str] = []


def identity() -> str:
    """INSTALLATION_ID, else what the database has kept since the first start. It is read once for each
    process: it never changes."""
    if settings.INSTALLATION_ID:
        return settings.INSTALLATION_ID
    if not _kept:
        row, made = Installation.objects.get_or_create(pk=1)
        if made and connection.in_atomic_block:
            return row.identity  # not sure to stay
        _kept[:] = [row.identity]
    return _kept[0]


def forget() -> None:
    """Read it anew at the next question (tests)."""
    _kept.clear()
