"""The calls that are about many records of a zone: export, import, bulk, history and undo."""

from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from dns import changes, lookup, zonefile
from dns.many_serializers import (
    BulkInput,
    ChangesOutput,
    HistoryInput,
    HistoryOutput,
    ImportZoneInput,
    OneZoneInput,
    UndoInput,
    ZoneFileOutput,
    item,
)
from dns.models import Change
from dns.renderers import ZoneFileText, ZoneFileUnlessJson
from dns.views import WritingView
from nodepoint.api.views import ApiView, success


class Export(ApiView):
    """A zone as a zone file, `text/dns`; with `Accept: application/json` in an object."""

    scope = "dns"
    reads = True
    input = OneZoneInput
    output = ZoneFileOutput
    renderer_classes = [JSONRenderer, ZoneFileText]
    content_negotiation_class = ZoneFileUnlessJson

    def post(self, request: Request) -> Response:
        """`zone`, `serial`, `zonefile`, `records`."""
        found = changes.export(**self.read(request))
        records = [held.entry.shown(held.id, held.active) for held in found.records]
        return success(zone=found.name, serial=found.serial, zonefile=zonefile.write(found), records=records)


class ManyView(WritingView):
    """A call that changes many records."""

    output = ChangesOutput

    def answer(self, request: Request, made: changes.Answer) -> Response:
        """`changes`: what becomes of each record."""
        lines, job = made
        if job is None:
            return success(changes=[line.shown() for line in lines])
        return self.finish(request, job, lambda job: {"changes": changes.outcome(job, lines)})


class Import(ManyView):
    """Take the records of a zone file: all of them or none. A dry run says what would become of each."""

    input = ImportZoneInput

    def post(self, request: Request) -> Response:
        """`changes`."""
        values = self.read(request)
        zone = lookup.zone_of(values["user_id"], id=values["zone_id"])
        how = {name: values[name] for name in ("mode", "dry_run", "skip_refused")}
        made = changes.import_file(zone, values["zonefile"], **how, actor=request.auth.actor)
        return self.answer(request, made)


class Bulk(ManyView):
    """Add, change and delete records: all of it or nothing."""

    input = BulkInput

    def post(self, request: Request) -> Response:
        """`changes`."""
        values = self.read(request)
        zone = lookup.zone_of(values["user_id"], id=values["zone_id"])
        items = [item(raw) for raw in values["changes"]]
        made = changes.bulk(zone, items, dry_run=values["dry_run"], actor=request.auth.actor)
        return self.answer(request, made)


class Undo(ManyView):
    """Undo a change, or go back to before it."""

    input = UndoInput

    def post(self, request: Request) -> Response:
        """`changes`."""
        values = self.read(request)
        zone = changes.zone_of_change(values["user_id"], values.get("zone_id"), values["change_id"])
        made = changes.undo(
            zone, values["change_id"], values["scope"], dry_run=values["dry_run"], actor=request.auth.actor
        )
        return self.answer(request, made)


class History(ApiView):
    """What was changed in a zone, the newest first."""

    scope = "dns"
    reads = True
    input = HistoryInput
    output = HistoryOutput

    def post(self, request: Request) -> Response:
        """`changes`."""
        values = self.read(request)
        found = changes.changes_of(
            values["user_id"], values["zone_id"], values.get("before_id"), values["limit"]
        )
        return success(changes=[_change(one) for one in found])


def _change(change: Change) -> dict[str, Any]:
    return {
        "id": str(change.pk),
        "at": change.at,
        "act": change.act,
        "before": changes.shown(change.record, change.before),
        "after": changes.shown(change.record, change.after),
        "by": changes.by(change),
        "job": change.job_id or None,
    }
