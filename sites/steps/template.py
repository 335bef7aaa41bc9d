"""A golden template: a container with everything that is not one site's own, sealed, and packed into an
archive that containers are created from.

Proxmox VE has two things called template. A container that is *converted* into one can be cloned, but not on
every storage (LINSTOR and thick LVM refuse). An *archive* (`vztmpl`) works on all of them. Proxmox makes none
by itself, but a backup of a container by `vzdump` is one already: the same tar, its owners mapped back. So
it is written as a backup, and moved to where archives are looked for.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from django.conf import settings

from nodepoint.clients.errors import BadAnswer, ClientError
from nodepoint.jobs.call import Call
from nodepoint.jobs.outcomes import Done, Fail, Outcome, Retry, Wait
from sites import answers, install, marks
from sites.clients.console import Output
from sites.clients.proxmox import Volume
from sites.connections import console, proxmox
from sites.models import Template
from sites.placement.places import template_place
from sites.placement.promises import TEMPLATE_GB, TEMPLATE_MB
from sites.steps import container, wordpress
from sites.steps.proxmox import begin, follow, follows_moves, outcome_of, require, task_of

CORES = 2  # of the container; sites have their plan's
TAG = "nodepoint-template"
NOT_SEALED = "The template could not be sealed."
SAYS = {"distribution": "distribution", "wordpress": "wordpress_version"}  # lines of the script, our columns
NOTHING = {"vmid": None, "private_ip": None, "node": ""}


def is_ready(template: Template) -> bool:
    """Whether it can be used."""
    return template.state == Template.State.READY


def created(call: Call) -> Outcome:
    """The container exists, made from the source, with our mark, stopped."""
    return container.made(call, creation, lambda template: template.built_on or template_place(template))


def creation(template: Template) -> dict[str, Any]:
    """The parameters of the container, in Proxmox's terms."""
    return {
        **container.surroundings(template),
        "ostemplate": template.source,
        "disk_gb": TEMPLATE_GB,
        "hostname": f"template-{template.build_id}",
        "memory": TEMPLATE_MB,
        "cores": CORES,
        "tag": [TAG],
        "onboot": False,
    }


def started(call: Call) -> Outcome:
    """The container runs."""
    return container.without_power(container.started(call))


@follows_moves
def base_installed(call: Call) -> Outcome:
    """Packages, WordPress and what all sites have in common are in it."""
    return wordpress.carried_out(call, lambda stay: install.base_script(TEMPLATE_MB, stay))


@follows_moves
def sealed(call: Call) -> Outcome:
    """Nothing in it is a secret, or one machine's own; it says of itself what it is."""
    template: Template = call.subject
    where = require(template)
    output = console().run(
        where.node, where.vmid, ["bash", "-s", "seal"], install.seal_script(template.build_id)
    )
    lines = output.stdout.splitlines()
    if output.exit_code or lines[-1:] != ["sealed"]:
        return _not_sealed(output)
    said = dict(line.split(" ", 1) for line in lines[:-1] if " " in line)
    if silent := [name for name in SAYS if name not in said]:
        return Fail(error=NOT_SEALED, detail=f"It does not say its {' and '.join(silent)}.")
    return Done(facts={column: said[name][:32] for name, column in SAYS.items()})


def _not_sealed(output: Output) -> Outcome:
    detail = answers.complaint(output)
    if output.exit_code == install.BUSY:
        return Retry(error="The installation is still at work.", detail=detail)
    return Fail(error=NOT_SEALED, detail=detail)


@follows_moves
def stopped(call: Call) -> Outcome:
    """The container is stopped, its services having ended properly."""
    if going_on := follow(call):
        return going_on
    where = require(call.subject)
    end = partial(proxmox().shutdown, where.node, where.vmid)
    if not call.ref and (begun := begin(call, where.node, "vzshutdown", end)):
        return begun
    if not proxmox().container_status(where.node, where.vmid).running:
        return Done()
    return Retry(ref="", error="The container does not stop.", detail="it still runs")


@follows_moves
def archived(call: Call) -> Outcome:
    """A backup of the container lies on the storage of the source, with our mark in its notes."""
    template: Template = call.subject
    task = task_of(call)
    if going_on := outcome_of(call, task):
        return going_on
    where = require(template)
    if _backup(template, where.node):
        return Done(facts={"built_on": where.node})
    if task and task.ok:
        # Where Proxmox cannot write the notes it warns, and goes on. Another try would leave another archive.
        detail = (
            f"the backup ended well, but {template.storage} shows none with the notes {template.owner_mark}"
        )
        return Fail(error="The template's archive was not found.", detail=detail)
    status = proxmox().storage_status(where.node, template.storage)
    if not {"backup", "vztmpl"} <= status.content:
        return Fail(
            error="The template's storage cannot take it.",
            detail=f"storage {template.storage} must allow the contents backup and vztmpl",
        )
    write = partial(proxmox().archive, where.node, where.vmid, template.storage, template.owner_mark)
    return begin(call, where.node, "vzdump", write, built_on=where.node) or call.look_again()


def not_archived(call: Call) -> Outcome:
    """No backup with our mark is left."""
    template: Template = call.subject
    if (task := task_of(call)) and task.running:
        return call.look_again()
    if template.built_on and (backup := _backup(template, template.built_on)):
        _on_node(template.built_on, "pvesm", "free", backup.volid)
    return Done()


def placed(call: Call) -> Outcome:
    """The archive is where containers are created from, on the node on which it was made."""
    template: Template = call.subject
    node, volid = template.built_on, template.archive
    backup = _backup(template, node)
    if not _has(node, volid):
        if backup is None:
            return Fail(
                error="The template's archive is gone.", detail=f"no backup {template.owner_mark} on {node}"
            )
        # Copied, since the two folders may be on different file systems; it gets its name when it is whole.
        source, target = _path(node, backup.volid), _path(node, volid)
        _on_node(node, "cp", "--reflink=auto", "--", source, f"{target}.part")
        _on_node(node, "mv", "-T", "--", f"{target}.part", target)
    if backup:
        _on_node(node, "pvesm", "free", backup.volid)
    return Done(
        ref=volid,
        facts={"volid": volid, "state": Template.State.READY, "built_at": call.now},
    )


def not_placed(call: Call) -> Outcome:
    """No archive of this build is left."""
    template: Template = call.subject
    node = template.built_on
    if node and template.distribution:  # else it never came that far
        _on_node(node, "rm", "-f", "--", f"{_path(node, template.archive)}.part")
        if _has(node, template.archive):
            _on_node(node, "pvesm", "free", template.archive)
    return Done(facts={"volid": ""})


def spread(call: Call) -> Outcome:
    """The archive is on every node that containers are created on; a shared storage shows it to all. One is
    copied at a time, and a node that is away does not keep it from the others."""
    template: Template = call.subject
    if proxmox().storage_status(template.built_on, template.storage).shared:
        return Done(note="The storage is shared by all nodes.")
    away: ClientError | None = None
    for node in settings.PROXMOX_NODES:
        try:
            if not _has(node, template.volid):
                _copy(template, node)
                return Wait(seconds=0.1)
        except ClientError as error:
            away = error
    if away:
        raise away
    return Done()


def _copy(template: Template, node: str) -> None:
    source, target = _path(template.built_on, template.volid), _path(node, template.volid)
    part = f"{target}.part"
    console().copy(template.built_on, source, node, part)
    digests = {
        _on_node(*place).split()[0]
        for place in ((template.built_on, "sha256sum", "--", source), (node, "sha256sum", "--", part))
    }
    if len(digests) != 1:
        raise BadAnswer("ssh", f"the copy of {template.volid} on {node} is not like the original")
    _on_node(node, "mv", "-T", "--", part, target)


def container_removed(call: Call) -> Outcome:
    """Nothing of the container is left, and its address is free again."""
    outcome = container.unmade(call)
    return replace(outcome, facts=NOTHING) if isinstance(outcome, Done) else outcome


def given_up(call: Call) -> Outcome:
    """A build that failed holds nothing any more."""
    return Done(facts={**NOTHING, "state": Template.State.FAILED})


def _backup(template: Template, node: str) -> Volume | None:
    """The backup that carries our mark. VMIDs are used again, so the container's number says nothing."""
    found = proxmox().storage_content(node, template.storage, content="backup")
    return next((volume for volume in found if marks.owns(template, volume.notes)), None)


def _has(node: str, volid: str) -> bool:
    storage = volid.partition(":")[0]
    return any(volume.volid == volid for volume in proxmox().storage_content(node, storage))


def _path(node: str, volid: str) -> str:
    """Where a volume is, or would be, in the node's file system."""
    return _on_node(node, "pvesm", "path", volid).strip()


def _on_node(node: str, *command: str) -> str:
    """What a command on a node prints; BadAnswer when it fails."""
    output = console().on_node(node, command)
    if output.exit_code:
        raise BadAnswer("ssh", f"{command[0]} on {node}: {answers.complaint(output)}")
    return output.stdout
