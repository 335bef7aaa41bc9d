"""Bodies of requests and answers."""

from rest_framework import serializers

from nodepoint.api.fields import DigitsField, EmailField
from nodepoint.api.operations import JobOutput


class UserInput(serializers.Serializer):
    """For whom the call acts; nothing of anybody else's is seen or touched."""

    user_id = DigitsField(20, text=True, help_text="The customer's id in the billing portal.")


class ZoneInput(UserInput):
    """Which zone is meant."""

    domain = serializers.CharField(
        max_length=300, help_text="In ASCII or Unicode, with or without a last dot."
    )


class AddZoneInput(ZoneInput):
    """A zone to make."""

    email = EmailField(required=False, help_text="Of the customer; ISPConfig keeps it.")


class RecordFields(serializers.Serializer):
    """What a record says. Its content stands in the field of its type, or in `content` for any type."""

    type = serializers.CharField(
        max_length=10, help_text="a, aaaa, cname, mx, ns, txt, srv, caa, tlsa or sshfp, in any case."
    )
    name = serializers.CharField(max_length=300, help_text="@, relative to the zone, or the whole name.")
    ttl = DigitsField(10, help_text="Seconds, 60 to 86400.")
    ip = serializers.CharField(max_length=100, required=False, allow_null=True, help_text="Of A and AAAA.")
    target = serializers.CharField(
        max_length=300, required=False, allow_null=True, help_text="Of CNAME and SRV."
    )
    exchange = serializers.CharField(max_length=300, required=False, allow_null=True, help_text="Of an MX.")
    priority = DigitsField(10, required=False, allow_null=True, help_text="Of MX and SRV, 0 to 65535.")
    ns = serializers.CharField(max_length=300, required=False, allow_null=True, help_text="Of an NS.")
    txt = serializers.CharField(
        max_length=20_000,
        required=False,
        allow_null=True,
        help_text="Of a TXT, as it is meant: no quotes needed.",
    )
    weight = DigitsField(5, required=False, allow_null=True, help_text="Of an SRV.")
    port = DigitsField(5, required=False, allow_null=True, help_text="Of an SRV.")
    flags = DigitsField(3, required=False, allow_null=True, help_text="Of a CAA, 0 or 128.")
    tag = serializers.CharField(
        max_length=20, required=False, allow_null=True, help_text="Of a CAA, such as issue."
    )
    value = serializers.CharField(max_length=300, required=False, allow_null=True, help_text="Of a CAA.")
    certificate_usage = DigitsField(3, required=False, allow_null=True, help_text="Of a TLSA, 0 to 3.")
    selector = DigitsField(3, required=False, allow_null=True, help_text="Of a TLSA, 0 or 1.")
    matching_type = DigitsField(3, required=False, allow_null=True, help_text="Of a TLSA, 0 to 2.")
    certificate_association_data = serializers.CharField(
        max_length=5000, required=False, allow_null=True, help_text="Of a TLSA, hex digits."
    )
    algorithm = DigitsField(3, required=False, allow_null=True, help_text="Of an SSHFP, 1 to 4 or 6.")
    fp_type = DigitsField(3, required=False, allow_null=True, help_text="Of an SSHFP, 1 or 2.")
    fingerprint = serializers.CharField(
        max_length=300, required=False, allow_null=True, help_text="Of an SSHFP, hex digits."
    )
    content = serializers.CharField(
        max_length=20_000, required=False, allow_null=True, help_text="Of any type, as in a zone file."
    )


class RecordInput(UserInput, RecordFields):
    """A record to add."""

    zone_id = DigitsField(18, required=False, allow_null=True)
    zone = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="Its name.")


class UpdateRecordInput(RecordInput):
    """What a record is to say from now on."""

    zone_id = DigitsField(18)
    rc_id = DigitsField(18, help_text="The id of the record.")


class DeleteRecordInput(UserInput):
    """Which record is meant."""

    zone_id = DigitsField(18)
    rc_id = DigitsField(18)


class RecordOutput(serializers.Serializer):
    """A record, with whole names."""

    id = serializers.CharField(allow_null=True, help_text="null while the record is still being added.")
    type = serializers.CharField()
    name = serializers.CharField()
    data = serializers.CharField()
    ttl = serializers.IntegerField()
    priority = serializers.IntegerField(allow_null=True)
    active = serializers.ChoiceField(choices=["y", "n"])


class DnssecOutput(serializers.Serializer):
    """Whether a zone is signed."""

    enabled = serializers.BooleanField()
    ds = serializers.ListField(
        child=serializers.CharField(), help_text="For the registrar; empty until there are keys."
    )
    at_parent = serializers.CharField(
        allow_null=True, help_text="none, right or wrong: the DS records of the zone above."
    )


class ZoneOutput(serializers.Serializer):
    """A zone."""

    id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField(help_text="creating, active, inactive or deleting.")
    nameservers = serializers.ListField(child=serializers.CharField())
    serial = serializers.IntegerField(help_text="As ISPConfig holds it.")
    published = serializers.BooleanField(
        allow_null=True,
        help_text="Whether all name servers answer as ISPConfig says; null: not known, as after a change.",
    )
    problem = serializers.CharField(allow_null=True, help_text="A sentence for customers where it is false.")
    dnssec = DnssecOutput()
    records = serializers.DictField(child=RecordOutput(), help_text="By their ids.")


class ZoneItemOutput(serializers.Serializer):
    """An item of the list."""

    zone = ZoneOutput()


class ZonesOutput(serializers.Serializer):
    """All zones of a customer."""

    zones = ZoneItemOutput(many=True)


class WorkOutput(serializers.Serializer):
    """`state` and `job` stand here while the work goes on."""

    state = serializers.CharField(required=False)
    job = JobOutput(required=False)


class RecordWorkOutput(WorkOutput):
    """The record as it is, or will be."""

    record = RecordOutput()


class DnssecInput(UserInput):
    """Whether a zone is to be signed."""

    zone_id = DigitsField(18)
    enabled = serializers.BooleanField()


class DnssecWorkOutput(WorkOutput):
    """What is, or will be."""

    dnssec = DnssecOutput()
