"""What happens to a zone, step by step. One job at a time works on a zone; the others stand in line behind
it.

A new zone is made unserved, filled and published last; a zone that goes is taken off first, its own row goes
last. So either can be cut off anywhere and taken up again.
"""

from dns.steps import dnssec, owner, record, several, zone
from nodepoint.jobs.registry import Flow, Step, register
from nodepoint.restoration import after_release

FINAL = "Deleting is final."
MINUTES = 60

CREATE_ZONE = register(
    Flow(
        "dns.create_zone",
        title="Add zone",
        subject="dns.Zone",
        scope="dns",
        deadline=30 * MINUTES,
        version=2,
        steps=(
            Step("reserved", "Reserving the name", None, undo=zone.given_back, usual=0.1),
            Step(
                "owner",
                "Looking up the customer",
                owner.known,
                nothing_to_undo="The customer's next zone needs it again.",
                after=("reserved",),
                usual=0.5,
            ),
            Step(
                "proven",
                "Making sure whose the domain is",
                zone.proven,
                nothing_to_undo="It only looks.",
                after=("owner",),
                usual=0.1,
            ),
            Step(
                "zone",
                "Creating the zone",
                zone.present,
                undo=zone.removed,
                after=("proven",),
                usual=0.5,
            ),
            Step(
                "records",
                "Adding its records",
                zone.filled,
                nothing_to_undo="They go with the zone.",
                after=("zone",),
                usual=1,
            ),
            Step(
                "published",
                "Publishing the zone",
                zone.published,
                nothing_to_undo="It goes with the zone.",
                after=("records",),
                usual=0.5,
            ),
        ),
    )
)

REPAIR_ZONE = register(
    Flow(
        "dns.repair_zone",
        title="Repair zone",
        subject="dns.Zone",
        scope="dns",
        deadline=10 * MINUTES,
        steps=(
            Step(
                "published",
                "Publishing the zone",
                zone.published,
                nothing_to_undo="It is as the rows say.",
                usual=0.5,
            ),
        ),
    )
)

DELETE_ZONE = register(
    Flow(
        "dns.delete_zone",
        title="Delete zone",
        subject="dns.Zone",
        scope="dns",
        steps=(
            Step(
                "unpublished",
                "Taking the zone off",
                after_release(zone.unpublished),
                nothing_to_undo=FINAL,
                if_skipped="The zone is served until it is deleted.",
                usual=0.3,
            ),
            Step(
                "emptied",
                "Deleting its records",
                zone.emptied,
                nothing_to_undo=FINAL,
                after=("unpublished",),
                if_skipped="What is left of its records stays at ISPConfig, in no zone and never served.",
                usual=1,
            ),
            Step(
                "absent",
                "Deleting the zone",
                zone.absent,
                nothing_to_undo=FINAL,
                after=("emptied",),
                usual=0.3,
            ),
            Step(
                "deleted",
                "Freeing the name",
                zone.deleted,
                nothing_to_undo=FINAL,
                after=("absent",),
                usual=0.1,
            ),
        ),
    )
)


def _record_flow(name: str, title: str, step: Step) -> Flow:
    return register(
        Flow(name, title=title, subject="dns.Zone", scope="dns", deadline=10 * MINUTES, steps=(step,))
    )


KEPT = "One that came about after all is what the customer asked for."

ADD_RECORD = _record_flow(
    "dns.add_record",
    "Add record",
    Step("added", "Adding the record", record.added, nothing_to_undo=KEPT, usual=0.5),
)
UPDATE_RECORD = _record_flow(
    "dns.update_record",
    "Change record",
    Step("changed", "Changing the record", record.changed, nothing_to_undo=KEPT, usual=0.5),
)
DELETE_RECORD = _record_flow(
    "dns.delete_record",
    "Delete record",
    Step("removed", "Deleting the record", record.removed, nothing_to_undo=FINAL, usual=0.5),
)

CHANGE_RECORDS = register(
    Flow(
        "dns.change_records",
        title="Change records",
        subject="dns.Zone",
        scope="dns",
        deadline=10 * MINUTES,
        steps=(
            Step(
                "planned",
                "Comparing with the zone",
                several.planned,
                nothing_to_undo="It only looks.",
                usual=0.3,
            ),
            Step(
                "applied",
                "Changing the records",
                several.applied,
                undo=several.taken_back,
                after=("planned",),
                usual=3,
            ),
        ),
    )
)

SWITCH_DNSSEC = register(
    Flow(
        "dns.switch_dnssec",
        title="Switch DNSSEC",
        subject="dns.Zone",
        scope="dns",
        deadline=30 * MINUTES,
        steps=(
            Step(
                "switched",
                "Telling the name servers' system",
                dnssec.switched,
                undo=dnssec.switched_back,
                usual=0.5,
            ),
            Step(
                "signed",
                "Waiting for the keys",
                dnssec.signed,
                nothing_to_undo="It only looks.",
                after=("switched",),
                usual=60,
            ),
        ),
    )
)
