"""Bodies of the calls that are about many records of a zone."""

from typing import Any

from rest_framework import serializers

from dns.changes import MOST_CHANGES, MOST_SHOWN, ONE, SINCE, TOGETHER
from dns.planning import ADD, CHANGE, DELETE, REPLACE
from dns.serializers import RecordFields, RecordOutput, UserInput, WorkOutput
from nodepoint.api.errors import ApiError, invalid
from nodepoint.api.fields import DigitsField


class OneZoneInput(UserInput):
    """Which zone is meant."""

    zone_id = DigitsField(18)


class ImportZoneInput(OneZoneInput):
    """A zone file."""

    zonefile = serializers.CharField(trim_whitespace=False, help_text="As BIND and others write it.")
    mode = serializers.ChoiceField(
        choices=[ADD, REPLACE],
        default=ADD,
        help_text="replace: what is not in the file goes, but for what is ours.",
    )
    dry_run = serializers.BooleanField(default=False, help_text="Only say what would be done.")
    skip_refused = serializers.BooleanField(
        default=False, help_text="Take the rest where some records cannot be taken."
    )


class BulkInput(OneZoneInput):
    """Several changes, all or nothing."""

    changes = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=MOST_CHANGES,
        help_text="`{act: add|change|delete, …}` with `rc_id` and the fields of a record.",
    )
    dry_run = serializers.BooleanField(default=False)


class DeleteItem(serializers.Serializer):
    """A record that is to go."""

    act = serializers.CharField()
    rc_id = DigitsField(18)


class AddItem(RecordFields):
    """A record that is to come."""

    act = serializers.CharField()


class ChangeItem(AddItem):
    """What a record is to say."""

    rc_id = DigitsField(18)


ITEMS = {ADD: AddItem, CHANGE: ChangeItem, DELETE: DeleteItem}


def item(raw: dict[str, Any]) -> dict[str, Any] | ApiError:
    """One of several changes, or why it cannot be understood."""
    kind = ITEMS.get(str(raw.get("act")))
    if kind is None:
        return invalid({"act": ["Use add, change or delete."]})
    serializer = kind(data=raw)
    return dict(serializer.validated_data) if serializer.is_valid() else invalid(serializer.errors)


class HistoryInput(OneZoneInput):
    """Which part of the history is meant."""

    before_id = DigitsField(18, required=False, allow_null=True, help_text="Only what is older than this.")
    limit = serializers.IntegerField(default=100, min_value=1, max_value=MOST_SHOWN)


class UndoInput(UserInput):
    """What is to be undone."""

    zone_id = DigitsField(18, required=False, allow_null=True)
    change_id = DigitsField(18)
    scope = serializers.ChoiceField(
        choices=[ONE, TOGETHER, SINCE],
        default=ONE,
        help_text="one: this change; job: all that were made with it; since: this and all later ones.",
    )
    dry_run = serializers.BooleanField(default=False)


class LineOutput(serializers.Serializer):
    """What becomes of one record."""

    act = serializers.CharField(help_text="add, change, delete, keep or refuse.")
    record = RecordOutput(allow_null=True)
    before = RecordOutput(required=False)
    reason = serializers.CharField(allow_null=True)
    line = serializers.IntegerField(allow_null=True, help_text="Of the file, or number of the change.")
    text = serializers.CharField(required=False, help_text="Of a line that is no record here.")


class ChangesOutput(WorkOutput):
    """What becomes of each record."""

    changes = LineOutput(many=True)


class ChangeOutput(serializers.Serializer):
    """A change of one record."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    act = serializers.CharField(help_text="add, change or delete.")
    before = RecordOutput(allow_null=True)
    after = RecordOutput(allow_null=True)
    by = serializers.CharField(help_text="api, staff, system, or found: done in ISPConfig by others.")
    job = serializers.CharField(allow_null=True, help_text="What was done together has one.")


class HistoryOutput(serializers.Serializer):
    """The newest first."""

    changes = ChangeOutput(many=True)


class ZoneFileOutput(serializers.Serializer):
    """A zone."""

    zone = serializers.CharField()
    serial = serializers.IntegerField()
    zonefile = serializers.CharField()
    records = RecordOutput(many=True)
