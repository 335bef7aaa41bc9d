"""Making a live site's things again as its rows say, where `manage.py reconcile` found that they are not."""

from collections.abc import Callable
from typing import Any

from nodepoint.jobs.registry import Flow, GivesWay, Limit, Step, StepFunction, register
from sites.flows.power import is_live, tuning
from sites.steps import configuration, dns_record, firewall, high_availability, power, traffic
from sites.steps.hosts import WRITES
from sites.steps.proxmox import CALLS

AS_THE_ROWS_SAY = "It is as the rows say."


def _step(
    name: str,
    title: str,
    run: StepFunction,
    limits: tuple[Limit, ...],
    usual: float,
    after: tuple[str, ...] = (),
    needed: Callable[[Any], bool] = is_live,
) -> Step:
    # Each spares the job: what stands in the way of one must not keep the others from being put right.
    return Step(
        name,
        title,
        run,
        nothing_to_undo=AS_THE_ROWS_SAY,
        after=after,
        limits=limits,
        needed=needed,
        deadline=5 * 60,
        spares_the_job=True,
        if_skipped="This stays as it is.",
        usual=usual,
    )


REPAIR = register(
    Flow(
        "sites.repair",
        title="Repair site",
        subject="sites.Site",
        scope="sites",
        deadline=15 * 60,
        gives_way=GivesWay.DROPPED,
        stands=is_live,
        version=3,
        steps=(
            _step("configuration", "Setting up the container", configuration.applied, (CALLS,), 1),
            _step(
                "pool",
                "Joining the pool",
                configuration.in_pool,
                (CALLS,),
                0.3,
                after=("configuration",),
                needed=lambda site: is_live(site) and configuration.pool_is_used(site),
            ),
            # No list shows it, so that nothing is found to differ: looked at whenever a site is repaired.
            _step(
                "firewall",
                "Closing the firewall",
                firewall.firewall_on,
                (CALLS,),
                0.5,
                after=("configuration",),
            ),
            _step(
                "high_availability",
                "Setting high availability",
                high_availability.as_planned,
                (CALLS,),
                0.3,
                after=("configuration",),
            ),
            _step(
                "power",
                "Starting or stopping the container",
                power.power_as_wished,
                (CALLS,),
                5,
                after=("high_availability",),
            ),
            tuning("power"),
            _step("dns_record", "Setting the DNS record", dns_record.present, (), 0.5),
            _step("traffic", "Setting up the proxy", traffic.as_wished, (WRITES,), 1),
        ),
    )
)
