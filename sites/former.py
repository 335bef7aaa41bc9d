"""Whose a custom domain was before: what is remembered of those that were given back or moved away."""

from datetime import timedelta

from django.db import models

from nodepoint.fields import IdentifierField


class ReleasedDomain(models.Model):
    """Whose a custom domain was last, for a day after it was given back: visitors, mails and DNS still lead
    to it."""

    KEPT = timedelta(hours=24)

    domain = IdentifierField(max_length=253, unique=True)
    site = models.ForeignKey("sites.Site", on_delete=models.CASCADE, related_name="+")
    released_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.domain


class MovedDomain(models.Model):
    """That a custom domain was a site's until it moved to another, whose customer has shown that it is his:
    its proxy host may carry this site's mark, and lead to its container, until the other's job has written
    it."""

    domain = IdentifierField(max_length=253)
    site = models.ForeignKey("sites.Site", on_delete=models.CASCADE, related_name="moved_domains")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["domain", "site"], name="sites_moved_domain_once")]

    def __str__(self) -> str:
        return self.domain
