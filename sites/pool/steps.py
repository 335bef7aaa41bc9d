"""How a container of the pool is made, and how it is destroyed."""

from typing import Any

from django.db.models import Q

from nodepoint.jobs.call import Call
from nodepoint.jobs.models import Job, JobStep
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import answers, install
from sites.connections import console
from sites.models import Spare
from sites.placement.places import spare_place
from sites.steps import container, wordpress
from sites.steps.container import SPARE_TAG
from sites.steps.proxmox import follows_moves, require

NOT_SEALED = "The ready container could not be sealed."
LOOK_AGAIN = 5.0  # seconds between two looks whether orders are at work
ORDER = "sites.provision"
NOTHING = {"vmid": None, "private_ip": None, "node": ""}


def quiet(call: Call) -> Outcome:
    """No order is on its way to its live site: what is made for the pool takes nothing from them."""
    at_work = JobStep.objects.filter(~Q(state__in=JobStep.FINISHED), job__kind=ORDER, name="verified")
    if at_work.filter(job__state=Job.State.RUNNING).exists():
        return Wait(seconds=LOOK_AGAIN)
    return Done()


def created(call: Call) -> Outcome:
    """The container exists at the size of the spare, with our mark, stopped."""
    return container.made(call, creation, spare_place)


def creation(spare: Spare) -> dict[str, Any]:
    """The parameters of the container, in Proxmox's terms. It does not start with its node: nobody would see
    that it has run meanwhile, and where it was."""
    return {
        **container.surroundings(spare),
        "ostemplate": spare.template,
        "storage": spare.storage,
        "disk_gb": spare.disk_gb,
        "hostname": spare.hostname,
        "memory": spare.memory_mb,
        "cores": spare.cores,
        "tag": [SPARE_TAG],
        "onboot": False,
    }


def started(call: Call) -> Outcome:
    """The container runs."""
    return container.without_power(container.started(call))


@follows_moves
def installed(call: Call) -> Outcome:
    """WordPress is in it, under a name of nobody's."""
    return wordpress.carried_out(call, lambda stay: install.spare_script(call.subject, stay))


@follows_moves
def sealed(call: Call) -> Outcome:
    """No secret is in it, and orders may have it. One that is to go by now does not become ready."""
    spare: Spare = call.subject
    if (
        spare.state != Spare.State.BUILDING
    ):  # an earlier call has come that far; what follows is others' business
        return Done()
    where = require(spare)
    output = console().run(
        where.node, where.vmid, ["bash", "-s", "spare"], install.sparing_script(spare.build_id)
    )
    if output.exit_code == install.BUSY:
        return Retry(error="The installation is still at work.", detail=answers.complaint(output))
    if output.exit_code or output.stdout.splitlines()[-1:] != ["sealed"]:
        return Fail(error=NOT_SEALED, detail=answers.complaint(output))
    mine = Spare.objects.filter(pk=spare.pk, state=Spare.State.BUILDING)
    mine.update(state=Spare.State.READY, ready_at=call.now, node=where.node)
    return Done()


def given_up(call: Call) -> Outcome:
    """One that was never ready holds nothing any more."""
    facts = {**NOTHING, "state": Spare.State.FAILED, "reason": call.job.error, "ended_at": call.now}
    return Done(facts=facts)


def removed(call: Call) -> Outcome:
    """Nothing of its container is left. One that an order has by now is the order's."""
    if call.subject.state == Spare.State.CLAIMED:
        return Done(note="An order has claimed it: left alone.")
    return container.unmade(call)


def gone(call: Call) -> Outcome:
    """It holds nothing any more."""
    if call.subject.state == Spare.State.CLAIMED:
        return Done()
    return Done(facts={**NOTHING, "state": Spare.State.GONE, "ended_at": call.now})
