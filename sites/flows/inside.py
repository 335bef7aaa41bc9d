"""What the customer has chosen about WordPress inside his site."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.flows.power import THE_WISH_STANDS, is_live
from sites.steps import safe_mode, wordpress

OPTIONS = register(
    Flow(
        "sites.options",
        title="Change options",
        subject="sites.Site",
        scope="sites",
        deadline=15 * 60,
        gives_way=GivesWay.RESUMED,
        stands=is_live,
        steps=(
            Step(
                "tuned",
                "Fitting WordPress to its options",
                wordpress.tuned,
                nothing_to_undo=THE_WISH_STANDS,
                needed=is_live,
                usual=3,
            ),
        ),
    )
)

SAFE_MODE = register(
    Flow(
        "sites.safemode",
        title="Switch safe mode",
        subject="sites.Site",
        scope="sites",
        deadline=5 * 60,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        steps=(
            Step(
                "safe_mode",
                "Switching safe mode",
                safe_mode.as_asked,
                nothing_to_undo="The row says which it is; it is switched back by asking.",
                needed=is_live,
                usual=1,
            ),
        ),
    )
)
