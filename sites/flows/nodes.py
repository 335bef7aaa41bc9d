"""Emptying a node: all that is ours on it is moved, one site after the other."""

from nodepoint.jobs.registry import Flow, GivesWay, Step, register
from sites.flows.power import is_live
from sites.placement import drain, moves
from sites.steps import power
from sites.steps.proxmox import CALLS

MINUTES = 60

MOVE = register(
    Flow(
        moves.MOVE,
        title="Move site to another node",
        subject="sites.Site",
        scope="sites",
        deadline=4 * 60 * MINUTES,  # a local disk is copied
        gives_way=GivesWay.DROPPED,
        waited_for=True,
        stands=is_live,
        steps=(
            Step(
                moves.LOOKED,
                "Looking how the site answers",
                moves.looked,
                nothing_to_undo="Looking changes nothing.",
                needed=moves.runs,
                deadline=2 * MINUTES,
                spares_the_job=True,
                if_skipped="Whether the move has broken it is not told.",
                usual=1,
            ),
            Step(
                "moved",
                "Moving the container",
                moves.moved,
                nothing_to_undo="It runs where it is.",
                after=(moves.LOOKED,),
                limits=(CALLS,),
                usual=20,
            ),
            Step(
                "power",
                "Making sure that it runs as before",
                power.power_as_wished,
                nothing_to_undo="The wish stands; asking again carries it out.",
                after=("moved",),
                limits=(CALLS,),
                deadline=15 * MINUTES,
                usual=1,
            ),
            Step(
                "checked",
                "Checking the site",
                moves.answers_as_before,
                nothing_to_undo="Looking changes nothing.",
                after=("power",),
                needed=moves.runs,
                deadline=5 * MINUTES,
                spares_the_job=True,
                if_skipped="Whether it answers on its new node is not looked at.",
                usual=1,
            ),
        ),
    )
)

DRAIN = register(
    Flow(
        drain.DRAIN,
        title="Drain node",
        subject="sites.ClusterNode",
        scope="sites",
        deadline=None,  # as many sites as there are; staff can stop it
        alarm_after=24 * 60 * MINUTES,
        steps=(
            Step(
                "emptied",
                "Moving sites to other nodes",
                drain.emptied,
                nothing_to_undo="What was moved stays there.",
                usual=600,
            ),
        ),
    )
)
