"""What comes in and goes out about archives."""

from rest_framework import serializers

from sites.archives.rows import Archive
from sites.serializers import ServiceInput, WorkOutput


class ArchiveInput(ServiceInput):
    """Which archive is meant."""

    archive = serializers.CharField(max_length=64, help_text="Its name, such as ARC30112026-k3x9qf.")


class ArchiveQuotaOutput(WorkOutput):
    """How many archives of his own a customer has, and how many are allowed."""

    quota = serializers.CharField(help_text="Such as 2/7.")


class ArchiveOutput(ArchiveQuotaOutput):
    """The name of the new archive."""

    archive = serializers.CharField()


class ArchiveEntryOutput(serializers.Serializer):
    """An archive."""

    name = serializers.CharField()
    created_at = serializers.DateTimeField(help_text="Of what it holds the state.")
    size_mb = serializers.IntegerField(allow_null=True, help_text="Null while it is made.")
    expires_at = serializers.DateTimeField(
        allow_null=True, help_text="Null: as long as the plan keeps it, or until it is deleted."
    )
    origin = serializers.ChoiceField(choices=Archive.Origin.choices)
    status = serializers.CharField(help_text="creating, ready or deleting.")


class ArchivesOutput(serializers.Serializer):
    """All archives, newest first, and when the next one is made."""

    archives = ArchiveEntryOutput(many=True)
    schedule = serializers.ChoiceField(choices=["daily", "weekly", "none"])
    kept = serializers.CharField(help_text="How many the plan keeps, such as 7 daily, 4 weekly.")
    next_at = serializers.DateTimeField(allow_null=True)
    quota = serializers.CharField(help_text="Of the customer's own, such as 2/7.")
