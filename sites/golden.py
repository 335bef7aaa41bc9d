"""Golden templates: what all sites have in common, in one archive."""

import secrets

from django.db import models
from django.utils import timezone

from nodepoint.fields import IdentifierField
from sites import marks


def new_build_id() -> str:
    """Eight hexadecimal digits at random: part of a file's name, and no secret."""
    return secrets.token_hex(4)


class Template(models.Model):
    """A golden container template: everything of a site that is not its own, in one archive. While it is
    built it holds a container, like a site does.
    """

    class State(models.TextChoices):
        BUILDING = "building"
        READY = "ready"
        FAILED = "failed"

    build_id = IdentifierField(max_length=16, unique=True, default=new_build_id, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.BUILDING)
    source = models.CharField(max_length=255, help_text="The template that it is built from.")
    volid = models.CharField(
        "volume", max_length=255, blank=True, help_text="What PROXMOX_TEMPLATE has to name to use it."
    )
    distribution = models.CharField(max_length=32, blank=True)
    wordpress_version = models.CharField("WordPress", max_length=32, blank=True)
    built_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    # Reservations for the container that it is made of: unique while they are held, NULL when given back.
    vmid = models.PositiveIntegerField("VMID", null=True, unique=True)
    private_ip = models.GenericIPAddressField("private IP", protocol="IPv4", null=True, unique=True)
    node = models.CharField(max_length=64, blank=True, help_text="Where the container is.")
    built_on = models.CharField("node", max_length=64, blank=True, help_text="Where the archive was made.")

    claimed = ""  # nothing of it was a spare before: see Site.claimed

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.volid or self.build_id

    @property
    def key(self) -> str:
        """What jobs name as their subject."""
        return f"sites.template:{self.pk}"

    @property
    def owner_mark(self) -> str:
        """What its container and its archive carry; never like a site's."""
        return marks.of(self)

    @property
    def mark_names(self) -> tuple[str, str]:
        """What its owner mark is made of."""
        return marks.TEMPLATE, self.build_id

    @property
    def storage(self) -> str:
        """The storage that the source lies on, and the archive will."""
        return self.source.partition(":")[0]

    @property
    def archive(self) -> str:
        """The volume id of the archive, once the distribution is known."""
        name = f"nodepoint-{self.distribution}-{self.created_at:%Y%m%d}-{self.build_id}_amd64.tar.zst"
        return f"{self.storage}:vztmpl/{name}"
