"""The one row that makes this installation another one than its neighbours."""

import secrets
import string

from django.db import models

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
