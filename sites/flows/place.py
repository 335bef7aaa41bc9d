"""What comes before a container is made, for a site and for a template alike."""

from nodepoint.jobs.registry import Step
from sites.steps import reservation
from sites.steps.proxmox import CALLS

PLACE = Step(
    "place",
    "Making sure that the address is free",
    reservation.free_indeed,
    nothing_to_undo="What it has reserved instead is given back with the rest.",
    after=("reserved",),
    limits=(CALLS,),
    usual=0.1,
)
