"""What a site holds: the addresses in it, and all of it."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.flows import safety
from sites.flows.power import is_live
from sites.steps import content

HOUR = 3600  # seconds; the script inside gives up before
IMPORT_HOURS = 4
EXPORT_HOURS = 5  # two at most to dump the tables, three to pack

COUNT_ADDRESSES = register(
    Flow(
        "sites.count_addresses",
        title="Count addresses",
        subject="sites.Site",
        scope="sites",
        deadline=HOUR,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        steps=(
            Step(
                "counted",
                "Counting addresses in the content",
                content.counted,
                nothing_to_undo="Looking changes nothing.",
                usual=5,
            ),
        ),
    )
)

REPLACE_ADDRESSES = register(
    Flow(
        "sites.replace_addresses",
        title="Replace addresses",
        subject="sites.Site",
        scope="sites",
        deadline=HOUR,
        stands=is_live,
        steps=(
            safety.snapshot(),
            Step(
                "replaced",
                "Replacing addresses in the content",
                content.replaced,
                nothing_to_undo="Each value is whole, old or new; asking again goes on.",
                after=("before",),
                usual=5,
            ),
        ),
    )
)

IMPORT = register(
    Flow(
        "sites.import",
        title="Import content",
        subject="sites.Site",
        scope="sites",
        deadline=IMPORT_HOURS * HOUR,
        stands=is_live,
        steps=(
            safety.snapshot(),
            Step(
                "imported",
                "Fetching the archive and putting it in place",
                content.imported,
                undo=content.not_imported,
                after=("before",),
                usual=120,
            ),
        ),
    )
)

EXPORT = register(
    Flow(
        "sites.export",
        title="Export content",
        subject="sites.Site",
        scope="sites",
        deadline=EXPORT_HOURS * HOUR,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        steps=(
            Step(
                "exported",
                "Packing files and database",
                content.exported,
                undo=content.not_exported,
                usual=30,
            ),
        ),
    )
)
