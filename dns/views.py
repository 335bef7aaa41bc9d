"""The calls of the DNS extension."""

from collections.abc import Callable
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from dns import lookup, published, representation, services
from dns.models import Zone
from dns.records import Entry
from dns.renderers import PlainText, PlainWithoutAccept
from dns.serializers import (
    AddZoneInput,
    DeleteRecordInput,
    DnssecInput,
    DnssecWorkOutput,
    RecordInput,
    RecordWorkOutput,
    UpdateRecordInput,
    UserInput,
    WorkOutput,
    ZoneInput,
    ZonesOutput,
)
from nodepoint.api.views import ApiView, success
from nodepoint.api.waiting import finish
from nodepoint.jobs.models import Job

ANSWER_WITHIN = 14.0  # seconds after its arrival; callers of writing calls give up after 20


class Zones(ApiView):
    """All zones of a customer with their records, as they are now."""

    scope = "dns"
    reads = True
    input = UserInput
    output = ZonesOutput

    def post(self, request: Request) -> Response:
        """`zones`, by name."""
        found, rows = lookup.zones_of(**self.read(request))
        return success(zones=[representation.zone(zone, rows.get(zone.id)) for zone in found])


class WritingView(ApiView):
    """A call that changes something. Without an Accept header it answers in plain text."""

    scope = "dns"
    output = WorkOutput
    renderer_classes = [JSONRenderer, PlainText]
    content_negotiation_class = PlainWithoutAccept

    def finish(self, request: Request, job: Job, answer: Callable[[Job], dict[str, Any]]) -> Response:
        """Wait for the job as long as callers do."""
        return finish(request, job, answer, within=ANSWER_WITHIN)


class AddZone(WritingView):
    """Make a zone with its name servers and the records of the template. The domain has to be delegated
    here."""

    input = AddZoneInput
    forgets_key_when_job_fails = True

    def post(self, request: Request) -> Response:
        """Nothing beside `success`, or the job that goes on."""
        values = self.read(request)
        _, job = services.create_zone(
            values["user_id"], values["domain"], email=values.get("email", ""), actor=request.auth.actor
        )
        return self.finish(request, job, lambda job: {})


class DeleteZone(WritingView):
    """Delete a zone and all its records."""

    input = ZoneInput

    def post(self, request: Request) -> Response:
        """Nothing beside `success`, or the job that goes on."""
        _, job = services.delete_zone(**self.read(request), actor=request.auth.actor)
        return self.finish(request, job, lambda job: {})


class AddRecord(WritingView):
    """Add a record to a zone: named by `zone_id` or `zone`, else the longest one that `name` ends in."""

    input = RecordInput
    output = RecordWorkOutput

    def post(self, request: Request) -> Response:
        """`record`."""
        values = self.read(request)
        entry, job = services.add_record(values["user_id"], values, actor=request.auth.actor)
        return self.finish(request, job, lambda job: _record(entry, job))


class UpdateRecord(WritingView):
    """Change a record; its type stays."""

    input = UpdateRecordInput
    output = RecordWorkOutput

    def post(self, request: Request) -> Response:
        """`record`."""
        values = self.read(request)
        entry, job = services.update_record(values["user_id"], values, actor=request.auth.actor)
        return self.finish(request, job, lambda job: _record(entry, job))


class DeleteRecord(WritingView):
    """Delete a record."""

    input = DeleteRecordInput

    def post(self, request: Request) -> Response:
        """Nothing beside `success`, or the job that goes on."""
        job = services.delete_record(**self.read(request), actor=request.auth.actor)
        return self.finish(request, job, lambda job: {})


class Dnssec(WritingView):
    """Switch DNSSEC on or off. Off only once the zone above holds no DS record."""

    input = DnssecInput
    output = DnssecWorkOutput

    def post(self, request: Request) -> Response:
        """`dnssec`."""
        values = self.read(request)
        zone = lookup.zone_of(values["user_id"], id=values["zone_id"])
        job = services.switch_dnssec(zone, values["enabled"], actor=request.auth.actor)
        return self.finish(request, job, lambda job: {"dnssec": _dnssec(zone, job)})


def _dnssec(zone: Zone, job: Job) -> dict[str, Any]:
    ds = services.ds_of(job)
    return {"enabled": job.data["wanted"], "ds": ds, "at_parent": published.at_parent(zone, ds)}


def _record(entry: Entry, job: Job) -> dict[str, Any]:
    return {"record": entry.shown(services.record_id(job) or job.data.get("record"))}
