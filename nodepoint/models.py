"""The one row that makes this installation another one than its neighbours, and what a dump has left open."""

import secrets
import string

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField

LENGTH = 5  # with it every mark fits into the 100 characters of a comment at Cloudflare
ALPHABET = string.ascii_lowercase + string.digits


def new_identity() -> str:
    """Five random characters of `a-z0-9`: one of 60 million."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


class Installation(models.Model):
    """What this installation is called in the owner marks that it leaves in other systems: one row, made by
    the first `migrate`. `nodepoint.installation` reads it."""

    identity = IdentifierField(max_length=24, default=new_identity, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.identity


class Restoration(models.Model):
    """That the database came back from an older dump, and what was found to be younger than it
    (`nodepoint.restoration`). Until staff release it, new orders are refused, nothing that was found is
    removed, and jobs that the dump holds as going on rest.

    `lines`: what was found, as `restoration.Line` in plain values."""

    found_at = models.DateTimeField(default=timezone.now)
    found_by = models.CharField(max_length=128, blank=True)
    dumped_at = models.DateTimeField(null=True, help_text="The last moment that the dump knows of.")
    lines = models.JSONField(default=list)
    released_at = models.DateTimeField(null=True, db_index=True)
    released_by = models.CharField(max_length=128, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"restored, as found at {self.found_at}"

    @classmethod
    def open(cls) -> "Restoration | None":
        """The one that staff have not released. One query."""
        return cls.objects.filter(released_at=None).order_by("-pk").first()

    @classmethod
    def is_open(cls) -> bool:
        """Whether there is one. One query."""
        return cls.objects.filter(released_at=None).exists()
