"""Golden templates."""

from django.conf import settings
from django.db import transaction

from nodepoint.jobs import queue
from nodepoint.jobs.errors import MoveRefused
from nodepoint.jobs.models import Job
from sites import allocation
from sites.errors import UnknownNode
from sites.models import Template

BUILD = "sites.template"


def build_template(*, node: str = "", source: str = "", actor: str = "") -> tuple[Template, Job]:
    """Have a golden template built on `node` (empty: where a site would be created) from the plain template
    `source` (empty: that of PROXMOX_TEMPLATE, or what the golden one it names was built from).

    It is used once PROXMOX_TEMPLATE names it. UnknownNode; NoCapacity.
    """
    if node and node not in settings.PROXMOX_NODES:
        raise UnknownNode(node, settings.PROXMOX_NODES)
    with transaction.atomic():
        allocation.lock()
        template = Template.objects.create(
            source=source or plain_source(),
            built_on=node,
            private_ip=allocation.free_address(),
            vmid=allocation.free_vmid(),
        )
        data = {"build_id": template.build_id, "node": node}
        return template, queue.submit(BUILD, template.key, data=data, actor=actor)


def failed_last(template: Template) -> bool:
    """Whether its build was undone, and none from the same source was begun since."""
    newer = Template.objects.filter(source=template.source, pk__gt=template.pk)
    return template.state == Template.State.FAILED and not newer.exists()


def build_again(template: Template, *, node: str = "", actor: str = "") -> tuple[Template, Job]:
    """Have a template whose build failed built once more, from the same source. MoveRefused unless it failed
    and none was begun since; `node` and other errors as for `build_template`."""
    with transaction.atomic():
        allocation.lock()
        if not failed_last(template):
            raise MoveRefused("It is being built already, or was built since.")
        return build_template(node=node, source=template.source, actor=actor)


def plain_source() -> str:
    """The plain template behind PROXMOX_TEMPLATE."""
    golden = Template.objects.filter(volid=settings.PROXMOX_TEMPLATE).first()
    return golden.source if golden else settings.PROXMOX_TEMPLATE
